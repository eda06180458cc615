from __future__ import annotations

import json

import pytest

import exports
from conftest import REPOSITORY
from deduplication.errors import SessionUnknown
from deduplication.model import KINDS, LOST
from deduplication.sessions import full_document
from deduplication.sessions.redaction import unchanged
from transcript_lines import SESSION, answer, call, compacted, day, exported, prompt, result

jsonschema = pytest.importorskip("jsonschema")
SCHEMA = json.loads((REPOSITORY / "docs" / "session.schema.json").read_text(encoding="utf-8"))


def document(told, session, redact=unchanged):
    """The document of a session, held against the schema."""
    with told.store.transaction(write=False):
        found = json.loads("".join(full_document.pieces(told.store, session, full_document.JSON, redact)))
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    return found


def test_the_schema_is_one():
    """The published schema is valid, and names every kind of message that there is."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert set(SCHEMA["$defs"]["message"]["properties"]["kind"]["enum"]) == {*KINDS, LOST}


def test_a_transcript_follows_the_schema(told):
    """Every message of a transcript is there in order, as it was written, with its marks."""
    told.capture(
        day(2), call("Bash", "a", command="ls"), result("x\ny", "a"), exported("/tmp/x.txt"), compacted("Summary")
    )
    found = document(told, SESSION)
    kinds = [message["kind"] for message in found["messages"]]
    assert kinds == ["prompt", "text", "prompt", "text", "tool_call", "tool_result", "summary"]
    assert found["messages"][-1]["before"] == ["compaction"]
    assert found["messages"][4]["content"][0]["input"] == {"command": "ls"}
    session = found["session"]
    assert (session["messages"], session["captures"], session["exports_processed"]) == (7, 1, 0)
    assert session["first_message"] == "2026-11-20T00:00:00.000Z"
    assert session["kinds"]["prompt"] == 2


def test_exports_follow_the_schema(told):
    """Unconnected runs are marked as a gap, sources are named, and layout says so."""
    told.add(exports.Story(1).show(0, 12), "one.txt", "story")
    told.add(exports.Story(2).show(0, 12, compacted=True), "two.txt", "story")
    found = document(told, "story")
    assert found["session"]["gaps"]["unconnected"] == 1
    assert [source["name"] for source in found["session"]["sources"]] == ["one.txt", "two.txt"]
    assert sum("gap" in message.get("before", ()) for message in found["messages"]) == 1
    assert {message["fidelity"] for message in found["messages"]} == {"layout"}


def test_a_mark_behind_the_last_message(told):
    """A compaction after which nothing was said yet stands at the end."""
    told.capture(day(1), compacted("x").split(b"\n", 1)[0] + b"\n")
    assert document(told, SESSION)["session"]["marks_at_end"] == ["compaction"]


def test_what_is_no_text_and_what_is_secret(told):
    """Bytes that are no UTF-8 come through, and redaction reaches every string, keys included."""
    told.add(b'{"messages": [{"role": "user", "content": "raw \\udcff byte"}]}', conversation="raw")
    assert document(told, "raw")["messages"][0]["content"] == "raw \udcff byte"
    told.capture(prompt("with key-123"), call("Bash", "a", **{"key-123": ["key-123"]}), answer("fine"))
    clean = document(
        told, SESSION, redact=lambda text: (text.replace("key-123", "***"), ["key"] * text.count("key-123"))
    )
    assert "key-123" not in json.dumps(clean)
    assert clean["session"]["redacted"] == 3


def test_an_unknown_session(told):
    """It is named."""
    with pytest.raises(SessionUnknown, match="nobody"):
        document(told, "nobody")
