"""What can go wrong with a database, by name: as ``errors`` of the whole package, in a module that only a database's user loads."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ...errors import StoreDamaged, StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


class DatabaseAddressInvalid(UsageError):
    """The database's address cannot be used"""

    usual_hint = (
        "Write postgresql://USER@HOST:PORT/DATABASE, with every @ : / ? # % of a password as %40 %3A %2F %3F %23 %25, or words "
        "as libpq has them: 'host=HOST dbname=DATABASE user=USER'."
    )


class DatabaseError(StoreError):
    """The database cannot be used"""

    transient: bool = False
    """Whether the same may well succeed in a moment: an instance may know better than its class."""


class PsycopgMissing(DatabaseError):
    """A store in a database needs the Python package psycopg"""

    usual_hint = "Run: python3 -m pip install 'psycopg[binary,pool]', with the Python that export-dedup runs on."


class DatabaseUnreachable(DatabaseError):
    """The database cannot be reached"""

    usual_hint = (
        "Is the server running, are host and port right, and may this machine connect to it? Nothing was changed."
    )


class DatabaseAuthenticationFailed(DatabaseError):
    """The database does not let this user in"""

    usual_hint = (
        "Check user and password (~/.pgpass and PGPASSWORD count, too). Where it speaks of pg_hba.conf, the server's "
        "administrator decides there from where, and whether only with TLS (sslmode=require), this user may come."
    )


class DatabaseUnknown(DatabaseError):
    """The server has no such database"""

    usual_hint = "Check the name behind the last / of the address, or make it: createdb NAME."


class DatabaseTlsFailed(DatabaseError):
    """No connection to the database that both sides trust"""

    usual_hint = (
        "sslmode says what is asked of the server, sslrootcert names the file of the authority that signed its certificate "
        "(verify-full compares the host's name, too), sslcert and sslkey name your own."
    )


class DatabaseStarting(DatabaseError):
    """The database takes no connections at the moment"""

    transient = True
    usual_hint = (
        "It is starting, stopping, or recovering from a crash. Run the command again in a moment; nothing was changed."
    )


class DatabaseTooManyClients(DatabaseError):
    """The database has no connection left"""

    transient = True
    usual_hint = (
        "Run the command again when fewer are connected, or have max_connections (or the limit of this user) raised."
    )


class DatabaseReadOnly(DatabaseError):
    """The database takes no changes"""

    usual_hint = (
        "This is a standby, or read only by its settings. Name the primary; with several hosts the right one is found."
    )


class DatabaseFull(DatabaseError):
    """The database has no room left"""

    usual_hint = "Nothing of this run was stored. Have room made on the server, then run the command again."


class DatabaseNotAllowed(DatabaseError):
    """This user may not do that in the database"""

    usual_hint = (
        "Have the role granted that it takes: scripts/database/create_roles.sql makes one for each kind of use."
    )


class DatabaseBusy(DatabaseError):
    """Others are using what is needed of the database"""

    usual_hint = "Nothing of this run was stored. Wait until the others have finished, then run the command again."


class DatabaseTimeout(DatabaseError):
    """The database took too long, or somebody cancelled it"""

    usual_hint = (
        "Nothing of this run was stored. Run the command again; where it happens again, allow more with "
        "?options=-cstatement_timeout%3D10min in the address."
    )


class DatabaseConnectionLost(DatabaseError):
    """The connection to the database was lost"""

    transient = True
    usual_hint = "What was not finished was not stored. Run the command again: it goes on with what is there."


class DatabaseDamaged(DatabaseError):
    """The database says that its own files are damaged"""

    usual_hint = (
        "Nothing was changed. Its administrator has to look at the server's log, and may have to restore a backup."
    )


class DatabaseUnsuitable(DatabaseError):
    """This database cannot hold a store"""

    usual_hint = "It takes PostgreSQL 14 or newer, and a database in UTF8, reached directly or by a pooler of sessions."


class DatabaseSchemaNewer(DatabaseError):
    """The database was written by a newer version of export-dedup"""

    usual_hint = "Update export-dedup; nothing was changed."


class DatabaseSchemaOlder(DatabaseError):
    """The database lacks tables or columns"""

    usual_hint = "Run the command once as a user who may make them, or have scripts/database/create_schema.sql run."


class DatabaseSchemaForeign(DatabaseError):
    """The database has tables of these names that export-dedup did not make"""

    usual_hint = (
        "Nothing was changed. Name another database, or another schema: add ?options=-csearch_path%3DNAME to its URL."
    )


class StoreChanged(DatabaseError):
    """Another run stored something at the same time"""

    usual_hint = "Nothing of this run was stored. Run the command again."


class PartitioningRefused(DatabaseError):
    """The messages cannot be put into parts"""

    usual_hint = "Nothing was changed. Correct the cause, and run the same command again."


@contextlib.contextmanager
def readable(place: str, table: str) -> Iterator[None]:
    """What is in a row is of the form that it was written in. Raises ``StoreDamaged``."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise StoreDamaged(f"{place}: a row of the table {table} has another form") from error
