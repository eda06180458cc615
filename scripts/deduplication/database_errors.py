"""What can go wrong with a database by name: the part of ``errors.py`` for it, by the same rules."""

from __future__ import annotations

from .errors import StoreError


class DatabaseError(StoreError):
    """The database cannot be used"""


class DatabaseSchemaNewer(DatabaseError):
    """The database was written by a newer version of export-dedup"""

    hint = "Update export-dedup; nothing was changed."


class DatabaseSchemaOlder(DatabaseError):
    """The database lacks tables or columns"""


class DatabaseSchemaForeign(DatabaseError):
    """The database has tables of these names that export-dedup did not make"""

    hint = (
        "Nothing was changed. Name another database, or another schema: add ?options=-csearch_path%3DNAME to its URL."
    )


class StoreChanged(DatabaseError):
    """Another run stored something at the same time"""

    hint = "Nothing of this run was stored. Run the command again."


class PartitioningRefused(DatabaseError):
    """The messages cannot be put into parts"""

    hint = "Nothing was changed. Correct the cause, and run the same command again."
