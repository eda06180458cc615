"""A store in a folder whose log a database has, too.

- *mark*: up to where the database has the log (``sent_mark``)
- *staged*: a log that is about to take the place of the folder's (``staged_log``)
"""
