"""interim"""

from __future__ import annotations

import contextlib
import time

from ...database_errors import DatabaseConnectionLost, DatabaseError

PATIENCE = 10.0


def connect(address, *, reading=False):
    import psycopg

    with named(address):
        return psycopg.connect(address.text, autocommit=True)


@contextlib.contextmanager
def named(address, *, connecting=False):
    import psycopg

    try:
        yield
    except psycopg.OperationalError as error:
        if error.sqlstate in (None, "57P01", "57P02", "57P03") or error.sqlstate.startswith("08"):
            raise DatabaseConnectionLost(f"{address.shown()}: {' '.join(str(error).split())}") from error
        raise


def retried(action, *, patience=PATIENCE, said=None, wait=time.sleep, clock=time.monotonic):
    end = clock() + patience
    pause = 0.1
    while True:
        try:
            return action()
        except DatabaseError as error:
            left = end - clock()
            if not error.transient or left <= 0:
                raise
            if said is not None:
                said(error, left)
            wait(min(pause, left))
            pause = min(2 * pause, 2.0)
