"""What two places have of one log brought together, each of which may have gone on: a folder and a database, or two folders.

- *mark*: up to where both are known to be the same (``storage.hybrid.sent_mark``)
- *sent*: lines that the folder has and the database did not, as they are
- *received*: the other way round
- *copy*: the log of another machine that something left in a folder which it synchronises (``copied_log``)
- *done again*: runs of the folder behind lines of somebody else, processed once more in the database; they come back from there
"""
