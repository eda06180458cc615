"""Tables as files in a folder, private, whole or not at all; or one of them to a stream."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from ..errors import OutputNotWritable, StoreError, StoreNotWritable
from ..files import atomic, beneath, locking
from ..start.late_tuple import NamedTuple
from . import csv_lines, json_lines, parquet
from .columns import MESSAGES, RUNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .columns import Table, Value
    from .of_store import StoreTable


class Form(Protocol):
    """How rows become bytes: what each of the modules in :data:`FORMS` has."""

    def write(self, out: BinaryIO, table: Table, rows: Iterable[tuple[Value, ...]]) -> None:
        """Write the rows of a table to a stream."""


class Written(NamedTuple):
    """A file that was written: its path and its size in bytes."""

    path: str
    size: int


PARQUET: Final = parquet.NAME
FORMS: Final[Mapping[str, Form]] = {each.NAME: each for each in (parquet, json_lines, csv_lines)}
"""By name, which is the ending of their files as well."""
_NAMES: Final = frozenset(f"{table.name}.{form}" for table in (MESSAGES, RUNS) for form in FORMS)
"""Of all files that are ever written here."""
_BUFFER: Final = 1024 * 1024


def write_files(folder: str, form: str, tables: Sequence[StoreTable], *, force: bool = False) -> dict[str, Written]:
    """Write each of ``tables`` to a file in ``folder``, which is made; none of them is there before all are written.

    By the name of the table. ``force``: what has the name is replaced. Raises :class:`OutputNotWritable`, and whatever making the
    rows raises: then nothing is left. What writers that were killed left there is removed, unless another one is at work.
    """
    if form == PARQUET:
        parquet.require()
    paths = {each.table.name: os.path.join(folder, f"{each.table.name}.{form}") for each in tables}
    for path in paths.values():
        _check(path, force=force)
    try:
        beneath.make_folders(folder, atomic.PRIVATE_DIRECTORY)
        with (
            locking.among_writers(folder, lambda: atomic.remove_temporaries(folder, _NAMES)),
            contextlib.ExitStack() as stack,
        ):
            for each in tables:
                path = paths[each.table.name]
                descriptor = stack.enter_context(atomic.replacing(path, fresh=not force))
                with atomic.write_errors(path), os.fdopen(os.dup(descriptor), "wb", buffering=_BUFFER) as out:
                    write_stream(out, form, each)
        return {name: Written(path, beneath.status(path).st_size) for name, path in paths.items()}
    except StoreNotWritable as error:
        raise OutputNotWritable(error.detail) from error
    except OSError as error:
        raise OutputNotWritable(f"{folder}: {error.strerror or error}") from error


def write_stream(out: BinaryIO, form: str, told: StoreTable) -> None:
    """Write one table to ``out``, which stays open. Raises :class:`PackageMissing`, and :class:`OSError`."""
    FORMS[form].write(out, told.table, _read(told.rows))


def _read(rows: Iterable[tuple[Value, ...]]) -> Iterator[tuple[Value, ...]]:
    """The same rows. What the system refuses while they are read is the store's failure, not that of what is written."""
    try:
        yield from rows
    except OSError as error:
        raise StoreError(str(error)) from error


def _check(path: str, *, force: bool) -> None:
    """Refuse what must not be replaced, before anything is read."""
    if not os.path.lexists(path):
        return
    if not force:
        raise OutputNotWritable(f"{path} is there already", hint="Pass another folder, or --force to replace it.")
    if os.path.islink(path) or not os.path.isfile(path):
        raise OutputNotWritable(f"{path} is no file of its own")
