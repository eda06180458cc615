"""psycopg, where it is installed: it is imported when a database is first talked to, and nowhere else."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ..errors import PsycopgMissing

if TYPE_CHECKING:
    from types import ModuleType

    from psycopg import Connection


def load() -> type[Connection[Any]]:
    """The class of its connections. Raises :class:`PsycopgMissing` where it, or a libpq for it, is not there."""
    try:
        import psycopg
    except ImportError as error:
        raise PsycopgMissing(" ".join(str(error).split())) from None
    logging.getLogger("psycopg").addHandler(logging.NullHandler())  # or Python writes what it logs to the screen
    return psycopg.Connection


def load_pool() -> ModuleType:
    """Its pools, in a module of their own. Raises :class:`PsycopgMissing`."""
    load()
    try:
        import psycopg_pool
    except ImportError as error:
        raise PsycopgMissing(str(error)) from None
    return psycopg_pool
