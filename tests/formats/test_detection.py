"""Which format a file has is told by its content; what is none is named."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import transcript_lines
from conversations import zipped
from deduplication import formats
from deduplication.errors import DedupError, NotAnExport
from deduplication.formats import claude_ai

LOGO = " ▐▛███▜▌   Claude Code v2.1.197\n▝▜█████▛▘  Opus\n  ▘▘ ▝▝    ~/acme\n\n"
CLAUDE_AI = json.dumps([{"uuid": "c", "chat_messages": [{"uuid": "m", "sender": "human", "text": "hello"}]}]).encode()
STREAM = json.dumps(
    {"type": "assistant", "message": {"content": "hi"}, "parent_tool_use_id": None, "session_id": "s", "uuid": "u"}
).encode()
TRANSCRIPT = transcript_lines.prompt("hello")
CHAT = {"messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"}]}


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (f"{LOGO}> a\n\n● b\n".encode(), "claude-code-text"),
        (b"\xff\xfe" + f"{LOGO}> a\n\n● b\n".encode("utf-16-le"), "claude-code-text"),
        ('● Bash(cat a.json)\n  ⎿  {"messages": []}\n'.encode(), "claude-code-text"),
        (TRANSCRIPT, "claude-code-transcript"),
        (STREAM, "claude-code-stream-json"),
        (b"[" + STREAM + b"]", "claude-code-stream-json"),
        (CLAUDE_AI, "claude-ai-export"),
        (CLAUDE_AI[1:-1], "claude-ai-export"),
        (zipped({"data-2026/conversations.json": CLAUDE_AI, "users.json": b"[]"}), "claude-ai-export"),
        (json.dumps({"model": "claude", "max_tokens": 9, **CHAT}).encode(), "anthropic-messages-api"),
        (
            json.dumps({"title": "t", "messages": [{"type": "prompt", "message": "> a\n\n● b"}]}).encode(),
            "third-party-json",
        ),
    ],
    ids=[
        "text",
        "text-utf-16",
        "text-showing-json",
        "transcript",
        "stream",
        "stream-array",
        "claude-ai",
        "claude-ai-one-conversation",
        "claude-ai-zip",
        "api",
        "third-party-showing-text",
    ],
)
def test_each_format_is_told_by_its_content(data, name):
    """The name of the file plays no part, and neither does what a message of it quotes."""
    assert name == formats.detect(data).NAME
    assert formats.parse(data).format == name


@pytest.mark.parametrize("name", list(formats.FORMATS))
def test_every_format_is_registered_under_its_own_name(name):
    """The table of formats and the modules agree."""
    assert name == formats.load(name).NAME


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \n\t\n", "white space"),
        (b"# Export\nStatus: PENDING\nThis placeholder waits.\n", "placeholder"),
        (b"=== EXPORT-DEDUP EXECUTION REPORT ===\n", "status log"),
        (zipped({"report.txt": b"numbers"}), "ZIP"),
        (zipped({"conversations.json": b'[{"name": "x"}]'}), "ZIP"),
        (b"GIF89a\0\0\0\0", "binary"),
        (b'{"a": 1}', "JSON"),
        (b'{"type": "result", "result": "Done.", "session_id": "s"}\n', "the result of a run alone"),
        (b"  [1, 2]", "JSON"),
        (b"Just some notes.\n", "no prompts"),
    ],
    ids=[
        "empty",
        "blank",
        "placeholder",
        "status-log",
        "zip",
        "zip-of-something-else",
        "binary",
        "json",
        "result-alone",
        "json-list",
        "notes",
    ],
)
@pytest.mark.parametrize("strict", [True, False], ids=["found", "named"])
def test_what_is_no_export_is_named_as_what_it_is(data, reason, strict):
    """The owner reads in a few words why a file was left where it is."""
    with pytest.raises(NotAnExport, match=reason):
        formats.parse(data, strict=strict)


def test_found_files_need_more_than_named_ones():
    """A person's word is worth something: turns without a frame pass only when the file was named."""
    data = "> a\n\n● b\n".encode()
    assert formats.detect(data).NAME == "claude-code-text"
    with pytest.raises(NotAnExport):
        formats.detect(data, strict=True)


@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_parsed_or_refused_by_name(data, strict):
    """No input ends in anything but an export or an error of the family."""
    try:
        export = formats.parse(data, strict=strict)
    except DedupError:
        return
    assert b"".join(data[span.start : span.end] for span in export.spans) == data


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (TRANSCRIPT, None),
        (LOGO.encode(), None),
        (b"", None),
        (CLAUDE_AI, "claude-ai-export"),
        (b"\xef\xbb\xbf \n" + CLAUDE_AI, "claude-ai-export"),
        (CLAUDE_AI[1:-1], "claude-ai-export"),
        (b'{"name": "' + b"x" * (formats.LARGE_HEAD - 100) + b'", "chat_messages": []}', "claude-ai-export"),
        (b'{"name": "' + b"x" * formats.LARGE_HEAD + b'", "chat_messages": []}', None),
        (zipped({"conversations.json": CLAUDE_AI}), "claude-ai-export"),
    ],
    ids=["transcript", "text", "empty", "array", "mark", "object", "in the head", "behind the head", "zip"],
)
def test_the_module_of_large_files_is_imported_for_what_may_be_one(data, name, monkeypatch):
    """What is asked of a file before that says no only where the module would."""
    asked = []
    monkeypatch.setattr(formats, "load", lambda each, load=formats.load: asked.append(each) or load(each))
    found = formats.large(io.BytesIO(data))
    assert (found and found.NAME) == name
    assert claude_ai.opens(io.BytesIO(data), strict=False) is (name is not None)
    assert asked == ([name] if name else [])
