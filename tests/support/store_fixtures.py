"""``EXPORT_DEDUP_STORES=postgresql-18``: what tests store in folders lies in a database, each folder in a store of its own.

A test that looks into the folder is skipped then.
"""

from __future__ import annotations

import os

import pytest

STORES = os.environ.get("EXPORT_DEDUP_STORES", "")


@pytest.fixture(autouse=True)
def stores_elsewhere(request, tmp_path, monkeypatch):
    """The stores of this test are those of owners of a database."""
    if not STORES:
        yield
        return
    from deduplication.ingest import deduplicator
    from store_backends import Stores

    in_place = deduplicator.open_store

    def opened(backend, folder, connection_string=None):
        if connection_string:
            return in_place(backend, folder, connection_string)
        return stores.opened(STORES, os.path.realpath(folder)).store

    with Stores(request, tmp_path) as stores:
        monkeypatch.setattr(deduplicator, "open_store", opened)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call():
    """A test that looks into the folder says nothing of a store that lies in none."""
    try:
        return (yield)
    except (AttributeError, OSError) as error:
        if STORES and _looks_into_a_folder(error):
            pytest.skip("it looks into the folder of the store")
        raise


def _looks_into_a_folder(error):
    return isinstance(error, FileNotFoundError) or "'DatabaseStore' object has no attribute" in str(error)
