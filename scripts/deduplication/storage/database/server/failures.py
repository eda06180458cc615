"""From what psycopg raises to errors with a name.

A statement that fails tells its SQLSTATE. Whoever is not let in has no more than a text: libpq's own, which is English in every
psycopg that brings its libpq along, or the server's, which is in the server's language.
"""

from __future__ import annotations

import contextlib
import re
import sys
from typing import TYPE_CHECKING, Any, Final, Optional

from ....start.late_pattern import late_pattern
from .. import errors as ours
from .server_messages import in_english

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ....errors import DedupError
    from .address import Address

CONNECTING: Final[tuple[tuple[type[DedupError], str], ...]] = tuple(
    (kind, "|".join(patterns))
    for kind, patterns in (
        (
            ours.DatabaseAddressInvalid,
            (
                r"invalid (port number|connection option|integer value|\S+ value:|value for parameter)",
                r"bad value for|must specify a value for|could not match \d+|weak sslmode|not supported by this build",
                r"service file|definition of service|unrecognized configuration parameter|permission denied to set parameter",
            ),
        ),
        (
            ours.DatabaseUnsuitable,
            (r"received invalid response|expected authentication request|unsupported (startup|frontend)",),
        ),
        (
            ours.DatabaseAuthenticationFailed,
            (
                r"authentication failed|authentication method|no password supplied|pg_hba\.conf|not permitted to log in",
                r"role \".*\" does not exist|GSSAPI|SSPI|SASL|OAuth",
            ),
        ),
        (
            ours.DatabaseTlsFailed,
            (r"SSL(?! SYSCALL| connection has been closed)|TLS|certificate|private key|channel binding",),
        ),
        (ours.DatabaseUnknown, (r"database \".*\" does not exist",)),
        (
            ours.DatabaseNotAllowed,
            (r"permission denied for|database \".*\" is not currently accepting connections",),
        ),
        (
            ours.DatabaseTooManyClients,
            (r"too many (clients|connections)|connection slots are reserved|no more connections allowed",),
        ),
        (
            ours.DatabaseStarting,
            (
                r"the database system is (starting up|shutting down|in recovery mode|not yet accepting|not accepting)",
                r"terminating connection",
            ),
        ),
        (ours.DatabaseReadOnly, (r"session is (not )?read-only|server is (not )?in hot standby mode",)),
    )
)
"""By what a connection that was not made says of itself; everything else is ``DatabaseUnreachable``.

With several hosts, and where TLS is tried first and then no TLS, all of them have said something: a row stands above another one
where it says more.
"""
STATES: Final[dict[str, type[DedupError]]] = {
    "08": ours.DatabaseConnectionLost,
    "25006": ours.DatabaseReadOnly,
    "25P03": ours.DatabaseConnectionLost,  # it sat in a transaction for too long
    "28": ours.DatabaseAuthenticationFailed,
    "3D": ours.DatabaseUnknown,
    "3F": ours.DatabaseSchemaOlder,
    "40001": ours.DatabaseBusy,
    "40P01": ours.DatabaseBusy,
    "42501": ours.DatabaseNotAllowed,
    "42703": ours.DatabaseSchemaOlder,
    "42883": ours.DatabaseSchemaOlder,
    "42P01": ours.DatabaseSchemaOlder,
    "53100": ours.DatabaseFull,
    "53200": ours.DatabaseFull,
    "53300": ours.DatabaseTooManyClients,
    "53400": ours.DatabaseFull,
    "55P03": ours.DatabaseBusy,
    "57": ours.DatabaseConnectionLost,
    "57014": ours.DatabaseTimeout,
    "57P03": ours.DatabaseStarting,
    "57P04": ours.DatabaseUnknown,
    "58": ours.DatabaseError,
    "XX": ours.DatabaseError,
    "XX001": ours.DatabaseDamaged,
    "XX002": ours.DatabaseDamaged,
}
"""By SQLSTATE or its first two letters. What is not here is a defect of ours, and keeps its trace."""
_LET_GO: Final = frozenset({"40001", "40P01"})
"""What others had, and have let go of when this is heard."""
_PASSES: Final = late_pattern(
    r"Connection refused|No such file or directory|closed the connection unexpectedly|Connection reset by peer"
)
"""How a server answers that is restarted, or a proxy before it."""
_NOT_CONNECTED: Final = ("connection failed:", "connection is bad:", "failed to resolve", "connection timeout expired")
_BEFORE: Final = late_pattern(r"^(.*? failed: |connection is bad: )", re.DOTALL)
_SEVERITY: Final = late_pattern(r"^\S+:  ")
_POOL_IS_EMPTY: Final = frozenset({"PoolTimeout", "TooManyRequests"})


@contextlib.contextmanager
def named(address: Optional[Address] = None, *, connecting: bool = False) -> Iterator[None]:
    """Whatever psycopg raises in here, and is no defect of ours, is raised by its name, without a password in it."""
    try:
        yield
    except Exception as error:
        found = named_error(error, address, connecting=connecting)
        if found is None:
            raise
        raise found from error


def named_error(
    error: BaseException, address: Optional[Address] = None, *, connecting: bool = False
) -> DedupError | None:
    """Our error for one of psycopg's; None for any other one, and for what is a defect of ours.

    ``connecting`` where a connection was being made; else that is told from the error, as far as it can be.
    """
    psycopg: Any = sys.modules.get("psycopg")  # not imported: then nothing can be one of its errors
    if psycopg is None or not isinstance(error, psycopg.Error):
        return None
    state, text = error.sqlstate, str(error)
    if state is not None:
        kind = STATES.get(state) or STATES.get(state[:2])
        return _made(kind, text, address, transient=True if state in _LET_GO else None) if kind else None
    if connecting or text.startswith(_NOT_CONNECTED) or error.pgconn is not None:
        return _not_connected(text, address)
    if type(error).__name__ in _POOL_IS_EMPTY:
        return _made(ours.DatabaseTooManyClients, text, address)
    lost = isinstance(error, psycopg.OperationalError)  # there is no answer of the server
    return _made(ours.DatabaseConnectionLost, text, address) if lost else None


def _not_connected(text: str, address: Optional[Address]) -> DedupError:
    """Of a connection that was not made: by the first row that fits, with the line that it fits."""
    lines = text.splitlines() or [text]
    for said in (text, in_english(text) or ""):
        for kind, pattern in CONNECTING:
            if re.search(pattern, said):
                line = next((line for line in lines if re.search(pattern, line)), lines[0])
                # Of several hosts none is the primary: one of them is about to be.
                return _made(kind, line, address, transient=True if kind is ours.DatabaseReadOnly else None)
    return _made(ours.DatabaseUnreachable, lines[0], address, transient=bool(_PASSES.search(text)))


def _made(
    kind: type[DedupError], said: str, address: Optional[Address], *, transient: Optional[bool] = None
) -> DedupError:
    """The error, its detail on one line: the database, and what was said."""
    said = " ".join(_SEVERITY.sub("", _BEFORE.sub("", said)).split())
    made = kind(f"{address.shown()}: {address.without_secrets(said)}" if address else said)
    if transient is not None and isinstance(made, ours.DatabaseError):
        made.transient = transient
    return made
