"""What the tests of migrations share: stores in every backend, moved, and looked at from outside."""

from __future__ import annotations

import contextlib

import pytest

from deduplication.migration.move import move
from full_store import FullStore
from store_backends import DATABASES, LOGGED, Stores

__all__ = ["DATABASES", "LOGGED", "full", "moved", "stores", "unseen"]
_TABLES = (
    *("stores", "conversations", "messages", "runs", "watermarks", "deduplication_log", "blobs", "index_entries"),
    *("archived_files", "archive_objects"),
)


@pytest.fixture(scope="session")
def full(tmp_path_factory):
    """A store in a folder with everything in it; nobody changes it."""
    folder = tmp_path_factory.mktemp("full")
    return FullStore(folder / "state", folder / "client").filled()


@pytest.fixture
def stores(request, tmp_path):
    """Empty stores of every backend."""
    with Stores(request, tmp_path) as stores:
        yield stores


@contextlib.contextmanager
def unseen(_size, _title):
    """Progress that nobody watches."""
    yield lambda _done: None


def moved(source, target):
    """Move one store into another."""
    return move(source.store, target.store, unseen)


def lines_of(store):
    """The bytes of a log, line by line."""
    with store.transaction(write=False):
        return [line.data for line in store.lines()]


def files_of(folder):
    """Every file of a folder with its bytes and when it was changed."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows_of(connection):
    """Every row of every table."""
    found = {}
    for table in _TABLES:
        with connection.cursor().copy(f"COPY (SELECT * FROM {table} ORDER BY 1, 2, 3) TO STDOUT") as copy:
            found[table] = b"".join(map(bytes, copy))
    return found
