"""Stores with all that makes a table hard, and readers of tables that know nothing of how they are written."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timezone

from deduplication.alignment.fingerprint import fingerprint
from deduplication.model import ASSISTANT, BOOKKEEPING, EXACT, PROMPT, SYSTEM, TEXT, TOOL_RESULT, USER, Message
from deduplication.storage.contract import ExportRecord, NewOccurrence
from deduplication.tables.columns import MOMENT, WHOLE

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
LONG = 'a long tool result with commas, "marks" and\r\nlines; ' * 40_000
"""Some 2 MB."""
HOSTILE = (
    "a NUL \0 inside",
    "half a pair \ud83d and \udc80",
    '=HYPERLINK("https://example.org","x")',
    "+1\t-2\t@x",
    'quotes " and "" and \' and ,;|\t',
    "lines\nof\r\nall\rkinds\u2028and\x85more",
    "\ufeffa mark of order",
    "\x1b[31mred\x1b[0m \x07",
    " blanks around ",
    "NULL",
    "\\N",
    "Robert'); DROP TABLE messages;--",
    "😀 ünïcödé 漢字",
    "'",
    '"',
    ",",
    "\r\n",
)


def message(content, role=USER, kind=None, **more):
    """One message with an exact content."""
    kind = kind or (PROMPT if role == USER else TEXT)
    return Message(role, kind, content, fidelity=EXACT, **more)


def commit(store, name, messages, *, moment="2026-01-01T00:00:00Z", extends=None, file="x", **more):
    """Store messages behind what a conversation holds; ``extends`` says which numbers they are further versions of."""
    with store.transaction():
        first = len(store.conversation(name))
        rows = [
            (
                first + at,
                NewOccurrence(
                    fingerprint(each),
                    each,
                    each.timestamp or moment,
                    "source" if each.timestamp else "capture",
                    extends=(extends or {}).get(at),
                ),
            )
            for at, each in enumerate(messages)
        ]
        window = [[first, first + len(rows) - 1]] if rows else []
        found = store.run_of(name, rows, window, captures=more.get("cursor") is not None)
        record = ExportRecord(
            name=file,
            sha256=(f"{first:02x}" * 32)[:64],
            bytes=1000,
            format="text",
            parser=1,
            total=len(rows),
            new=found.new if more.get("cursor") is None else found.stored,
            window=window,
            captured=found.captured,
            **more,
        )
        store.commit(name, rows, record, 0.0)


def fill(store):
    """Conversations with hostile contents, blocks, ids, times and numbers; returns how many messages they have."""
    hostile = [message(text, ASSISTANT if at % 2 else USER) for at, text in enumerate(HOSTILE)]
    commit(store, "plain", hostile, file="2026 é \udcff.txt")
    commit(
        store,
        "ids 'of\" all, kinds",
        [
            message("first", timestamp="2026-02-03T04:05:06.789Z", uuid="u-1", source_index=7),
            message([{"type": "text", "text": "a block \0 \ud800", "n": 1.5}], ASSISTANT, uuid="u\0\udc80"),
            message("no time", timestamp="the day before\0yesterday", source_index=1 << 70),
            message("yes"),
            message("yes"),
            message("/compact", SYSTEM, BOOKKEEPING),
            message(LONG, SYSTEM, TOOL_RESULT, timestamp="2026-02-03T23:30:00-03:00"),
        ],
        session="s\ud800",
        gaps=["1 to 3\0"],
    )
    commit(store, "grown", [message("It begins"), message("and ends")])
    commit(store, "grown", [message("It begins and goes on", timestamp="2026-02-04T00:00:00Z")], extends={0: 0})
    return len(HOSTILE) + 7 + 2


def said(store, name):
    """What a conversation says, in reading order, straight from the store."""
    with store.transaction(write=False):
        return [body["content"] for body in store.bodies(name, store.conversation(name).reading().order)]


def content_of(row):
    """What was written, from a row of the table of messages."""
    return row["content"] if row["content_type"] == "text" else json.loads(row["content"])


def read_jsonl(data, table):
    """Rows as dictionaries, times as microseconds."""
    return [_typed(json.loads(line), table) for line in data.decode().split("\n")[:-1]]


def read_csv(data, table):
    """The same of CSV, with the reader of the standard library."""
    limit = csv.field_size_limit(1 << 30)  # it takes 131,072 characters, unless it is told
    try:
        heading, *lines = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
    finally:
        csv.field_size_limit(limit)
    assert heading == [column.name for column in table.columns]
    return [_typed(dict(zip(heading, line)), table, empty=True) for line in lines]


def read_parquet(data, table):
    """The same of Parquet, with pyarrow."""
    import pyarrow as pa
    from pyarrow import parquet

    found = parquet.read_table(pa.BufferReader(data))
    types = {"moment": pa.timestamp("us", tz="UTC"), "whole": pa.int64(), "text": pa.string()}
    assert [(each.name, each.type, each.nullable) for each in found.schema] == [
        (column.name, types[column.type], column.optional) for column in table.columns
    ]
    return [_typed(row, table) for row in found.to_pylist()]


READERS = {"jsonl": read_jsonl, "csv": read_csv, "parquet": read_parquet}


def _typed(row, table, *, empty=False):
    assert list(row) == [column.name for column in table.columns]
    for column in table.columns:
        value = row[column.name]
        if empty and value == "" and column.optional:
            row[column.name] = value = None
        if value is None:
            assert column.optional
        elif column.type == MOMENT:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(value.replace("Z", "+00:00"))
            row[column.name] = (moment - EPOCH).days * 86_400_000_000 + (moment - EPOCH).seconds * 1_000_000
            row[column.name] += moment.microsecond
        elif column.type == WHOLE:
            row[column.name] = int(value)
        else:
            assert isinstance(value, str)
    return row
