"""All that a store can be asked, and all that it has written, in a form that two stores can be compared by."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import time
from unittest import mock

from deduplication.alignment.fingerprint import fingerprint
from deduplication.files import clock
from deduplication.model import Message
from deduplication.storage.database.clean_text import cleaned_json, named
from deduplication.storage.log.lines import decode_line
from deduplication.storage.log_backed import folder_of


@contextlib.contextmanager
def moment(number):
    """Whatever is stored meanwhile is stored at this minute, and took no time: two stores write the same bytes then."""
    at = f"2026-11-{1 + number // 1440 % 30:02}T{number // 60 % 24:02}:{number % 60:02}:00.000Z"
    with clock.stands_at(at), mock.patch.object(time, "perf_counter", return_value=0.0):
        yield


def bodies(store, name):
    """Every message of a conversation; a time at which something was captured is no answer of the store's."""
    found = list(store.bodies(name, range(store.tip(name))))
    return [
        {key: value for key, value in body.items() if key != "timestamp" or body["clock"] == "source"} for body in found
    ]


def answers(store, talks=()):
    """All that a store can be asked and that does not lie on a disk."""
    messages = [Message(turn.role, turn.kind, turn.text) for talk in talks for turn in talk.turns]
    with store.transaction(write=False):
        return {
            "conversations": {name: about(store, name) for name in store.conversations()},
            "counts": (store.unique_count(), store.announced(), store.seen_bytes(), store.byte_counts()[0]),
            "sums": store.store_figures(),
            "cursors": sorted((name, cursor.source, cursor.offset, cursor.last) for name, cursor in store.cursors()),
            "resumed": {cursor.source: store.cursor(cursor.source) for _, cursor in store.cursors()},
            "banned": [store.bans().has(message, fingerprint(message)) for message in messages],
        }


def about(store, name):
    """All that can be asked of one conversation."""
    found = store.conversation(name)
    columns, reading, figures = found.columns, found.reading(), store.figures(name)
    uuids = [uuid for uuid in columns.uuids if uuid]
    return {
        "columns": (columns.hashes, columns.keys, columns.kinds, columns.weights, columns.uuids),
        "reading": (list(reading.order), [list(run) for run in reading.runs()]),
        "evidence": (found.windows, found.extends, sorted(found.purged), sorted(found.continuations)),
        "origins": [found.origin(number) for number in range(len(found))],
        "bodies": bodies(store, name),
        "uuids": store.known_uuids(name, uuids),
        "hashes": [store.body_hash(name, number) for number in range(store.tip(name))],
        "session": store.has_session(name),
        "figures": {
            key: value
            for key, value in vars(figures).items()
            if key not in ("stored_bytes", "created_at", "updated_at")
        },
    }


def asked_besides(store, most=6):
    """What needs an argument, asked for ``most`` of what is there: candidates, bodies, turns, rows, files that were seen."""
    with store.transaction(write=False):
        names = store.conversations()
        found = {name: store.conversation(name).columns for name in names}
        hashes = _some({each for columns in found.values() for each in columns.hashes}, most)
        keys = _some({each for columns in found.values() for each in columns.keys}, most)
        return {
            "candidates": [sorted(store.candidates(columns)) for columns in found.values()],
            "bodies": [store.has_body(each) for each in [*hashes, "0" * 64]],
            "prints": [print_of(store.print_of(each)) for each in [*hashes, "0" * 64]],
            "turns": [store.turns_with(name, key) for name in names for key in keys],
            "held": [store.holds(name, each) for name in names for each in hashes],
            "rows": [
                print_of(store.row(name, number)) for name in names for number in _some(range(store.tip(name)), most)
            ],
        }


def _some(found, most):
    ordered = sorted(found)
    return ordered[:: max(1, len(ordered) // most)]


def print_of(item):
    """A fingerprint without what stores do not keep of it in every place."""
    return item and item._replace(role="", uuid="")


def log_of(store):
    """The lines of its log."""
    log = store.log_backed()
    with log.transaction(write=False):
        return [line.data for line in log.lines()]


def audit_of(store):
    """The lines of its audit log, each as the columns that the original design has for it, as far as they are text."""
    folder = folder_of(store)
    if folder is not None:
        with open(f"{folder.folder}/deduplication_log.jsonl", "rb") as file:
            return [_columns(decode_line(line)) for line in file]
    with store.transaction(write=False):
        rows = store.database.rows(
            "SELECT conversation_id, operation, messages_processed, duplicates_filtered, storage_savings_pct::text,"
            " processing_time_ms, created_at, metadata FROM deduplication_log WHERE owner = %s ORDER BY log_id",
            [store.database.owner],
        )
    return [
        (named(row[0]), *row[1:4], row[4] and float(row[4]), row[5], row[6].astimezone(dt.timezone.utc), row[7])
        for row in rows
    ]


def _columns(said):
    besides = {name: said[name] for name in ("new_messages", "captured_messages") if name in said}
    at = dt.datetime.fromisoformat(said["created_at"].replace("Z", "+00:00"))
    return (
        said["conversation_id"],
        said["operation"],
        said["messages_processed"],
        said["duplicates_filtered"],
        said["storage_savings_pct"],
        said["processing_time_ms"],
        at,
        json.loads(cleaned_json({**said["metadata"], **besides})),
    )
