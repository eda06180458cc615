"""One conversation as a JSON document for programs: ``docs/session.schema.json`` describes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ..model import BOOKKEEPING
from .facts import as_dict, facts_of
from .moments import said_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..titles.naming import Naming
    from .agents import Family
    from .conversation import Entry, Reading
    from .redaction import Cleaner

FORMAT: Final = "export-dedup/session"
VERSION: Final = 1
_OPTIONAL: Final = ("content_hash", "uuid", "source_index", "extends")


def document(reading: Reading, family: Family, clean: Cleaner, naming: Naming) -> Iterator[str]:
    """The document, piece by piece; strings are redacted and otherwise as they were written.

    Call it inside the transaction in which the conversation was opened.
    """
    first = last = ""
    yield f'{{\n"format": "{FORMAT}",\n"version": {VERSION},\n"messages": ['
    comma = "\n"
    for entry in reading.entries():
        stamp = said_at(entry.message)
        if stamp:
            first, last = min(first or stamp, stamp), max(last, stamp)
        if entry.message["kind"] != BOOKKEEPING or entry.before:
            yield comma + _dumped(_entry(entry, clean))
            comma = ",\n"
    facts = as_dict(facts_of(reading, first, last))
    session = {
        **clean.value(facts),
        "marks_at_end": list(reading.marks.get(len(reading), ())),
        "title": naming.title or None,
        "tags": list(naming.tags),
        "parent": family.parent or None,
        "agents": family.agents,
        "redacted": clean.redacted,
    }
    yield f'\n],\n"session": {_dumped(session)}\n}}\n'


def _entry(entry: Entry, clean: Cleaner) -> dict[str, Any]:
    message = entry.message
    bookkeeping = message["kind"] == BOOKKEEPING
    told = {
        "index": message["index"],
        "role": message["role"],
        "kind": message["kind"],
        "content": "" if bookkeeping else clean.value(message["content"]),
        "timestamp": message.get("timestamp") or None,
        "clock": message.get("clock"),
        "fidelity": message.get("fidelity"),
        **{name: message[name] for name in _OPTIONAL if message.get(name) not in (None, "")},
    }
    if entry.before:
        told["before"] = list(entry.before)
    return told


def _dumped(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value)
    return text
