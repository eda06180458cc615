"""How often a run asks the database: as often in a large store as in a small one, and not once a message."""

from __future__ import annotations

import os

import pytest

import image_scenes
from deduplication.ingest.transcript_capture import capture_file
from deduplication.storage.database import new_rows
from purge_scenes import Talk
from store_answers import log_of
from store_backends import DATABASES, Stores

psycopg = pytest.importorskip("psycopg")

BACKEND = next(iter(DATABASES))
MOST = 60
"""Statements of a run, those of connecting to the database included."""
WINDOW = 256
"""Messages that are read along with one that is asked for."""


@pytest.fixture
def stores(request, tmp_path):
    """Empty stores."""
    with Stores(request, tmp_path) as stores:
        yield stores


@pytest.fixture
def sent(monkeypatch):
    """The statements that this process sends, as they are."""
    sent = []
    for kind in (psycopg.Cursor, psycopg.ServerCursor):

        def execute(self, query, *arguments, real=kind.execute, **options):
            sent.append(query)
            return real(self, query, *arguments, **options)

        monkeypatch.setattr(kind, "execute", execute)
    return sent


def statements(stores, sent, folder, count, place):
    """How many each step takes, each by a process of its own, of two conversations of so many messages."""
    one, other = Talk("one", count), Talk("other", count)
    path = folder / f"{place}.jsonl"

    def capture(dedup, data):
        path.write_bytes(data)
        os.utime(path, (1_800_000_000, 1_800_000_000))
        return capture_file(dedup, path)

    half = count // 2
    steps = {
        "new": lambda dedup: dedup.ingest(other.text(), name="other.txt"),
        "half": lambda dedup: dedup.ingest(one.text(0, half), name="one.txt"),
        "compacted": lambda dedup: dedup.ingest(one.text(half - 4, compacted=True), name="one.txt"),
        "all, at another width": lambda dedup: dedup.ingest(one.text(width=60), name="one.txt"),
        "written": lambda dedup: capture(dedup, one.lines()),
        "shown again": lambda dedup: dedup.ingest(one.text(width=70), name="one.txt"),
        "both in one": lambda dedup: dedup.ingest(one.text() + other.text(), name="both.txt"),
    }
    found = {}
    for what, step in steps.items():
        dedup = stores.opened(BACKEND, place)
        sent.clear()
        step(dedup)
        found[what] = len(sent)
        stores.close()
    return found


@pytest.mark.unmeasured
def test_a_run_asks_as_often_whatever_its_size_and_the_stores(stores, sent, tmp_path):
    """An export, a compacted one, one at another width, a transcript that takes the place of all of it."""
    small = statements(stores, sent, tmp_path, 16, "small")
    large = statements(stores, sent, tmp_path, 2 * WINDOW, "large")
    assert max(small.values()) <= MOST
    for what, count in large.items():
        assert count <= small[what] + 5 * 2 + 2, what


def test_images_are_asked_for_together(stores, sent):
    """Whether the database has them is one question a run."""
    data = [image_scenes.shown(str(number), b"%d" % number * 300) for number in range(12)]
    dedup = stores.opened(BACKEND)
    dedup.ingest(b"".join(data[:2]), name="a.jsonl")
    sent.clear()
    dedup.ingest(b"".join(data[:3]), name="a.jsonl")
    few = len(sent)
    sent.clear()
    dedup.ingest(b"".join(data), name="a.jsonl")
    assert len(sent) <= few + 2


def test_a_run_of_any_size_is_sent_in_pieces(stores, monkeypatch):
    """All of them are one transaction."""
    monkeypatch.setattr(new_rows, "_ROWS_AT_ONCE", 5)
    monkeypatch.setattr(new_rows, "_BYTES_AT_ONCE", 2000)
    dedup, whole = stores.opened(BACKEND), stores.opened("json")
    for each in (dedup, whole):
        each.ingest(Talk("one", 64).lines(), name="one.jsonl")
    assert [line.split(b'"timestamp"')[0] for line in log_of(dedup.store)[:-1]] == [
        line.split(b'"timestamp"')[0] for line in log_of(whole.store)[:-1]
    ]
    assert dedup.store.verify() == []
