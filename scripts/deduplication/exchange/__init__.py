"""What two places have of one log brought together: a folder and a database, each of which may have gone on by itself.

- *mark*: up to where both are known to be the same (``storage.hybrid.sent_mark``)
- *sent*: lines that the folder has and the database did not, as they are
- *received*: the other way round
- *done again*: runs of the folder behind lines of somebody else, processed once more in the database; they come back from there
"""
