"""The session files that a run writes, with a real store behind it."""

from __future__ import annotations

import pytest

import conversations
from deduplication.commands import export_dedup
from deduplication.titles.slug import short
from in_process import call


@pytest.mark.parametrize("chats", [("tides",), ("tides", "letters", "clocks")], ids=["one conversation", "several"])
def test_every_conversation_of_a_data_export_gets_its_file(tmp_path, chats):
    """A ZIP of claude.ai is processed to the end, whatever it is called: each of its conversations can be read as a file."""
    (tmp_path / "MEMORY-CONTEXT").mkdir()
    data = conversations.exported([conversations.chat(name, 2) for name in chats])
    packed = conversations.zipped({"conversations.json": data, "users.json": b"[]"})
    (tmp_path / "data-2026-01-01.zip").write_bytes(packed)
    code, out, err = call("--yes", "--project", tmp_path, main=export_dedup.main)
    assert (code, err) == (0, ""), out
    written = {path.stem for path in (tmp_path / "MEMORY-CONTEXT" / "sessions").glob("*.md")}
    assert {name[-8:] for name in written} == {short(conversations.identity(name)) for name in chats}
