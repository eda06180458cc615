"""A store lies in its project: a link that a repository brings leads nobody out of it."""

from __future__ import annotations

import json
import os

import pytest

import exports
from deduplication.commands import deduplicate_export, export_dedup
from deduplication.errors import UnsafePath
from deduplication.hooks import entry, failures
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.project.own_place import require_inside
from in_process import call
from transcript_lines import SESSION, day

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need a permission there")


@pytest.fixture(params=["MEMORY-CONTEXT", "MEMORY-CONTEXT/dedup_state"])
def clone(tmp_path, request):
    """A project in which one of our folders is a link to a folder elsewhere; that folder."""
    root, elsewhere = tmp_path / "clone", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (root / request.param).parent.mkdir(parents=True)
    (root / request.param).symlink_to(elsewhere)
    return root, elsewhere


@pytest.mark.parametrize("command", [["verify"], ["search", "x"], ["status"], ["doctor"], ["capture"]], ids=str)
def test_no_command_goes_there(clone, command):
    """Each says so, and writes nothing."""
    root, elsewhere = clone
    code, out, error = call(*command, "--project", root, main=deduplicate_export.main)
    assert code == 1 or "no" in out + error
    assert list(elsewhere.iterdir()) == []


def test_no_run_goes_there(clone):
    """The export stays where it is."""
    root, elsewhere = clone
    (root / "tides.txt").write_bytes(exports.Story(5, 6).exports()[0].data)
    with pytest.raises(UnsafePath, match="leads to"):
        export_dedup.main(["--project", str(root)])
    assert (root / "tides.txt").exists()
    assert list(elsewhere.iterdir()) == []


def test_no_hook_goes_there(clone, monkeypatch, capsys, tmp_path):
    """The first one says that nothing is captured; its own log lies elsewhere."""
    root, elsewhere = clone
    monkeypatch.setenv("CLAUDE_PROJECT_DIR", str(root))
    transcript = tmp_path / f"{SESSION}.jsonl"
    transcript.write_bytes(day(2))
    payload = {"session_id": SESSION, "transcript_path": str(transcript), "cwd": str(root), "source": "startup"}
    data = json.dumps(payload).encode()
    for event in ("SessionStart", "Stop", "PreCompact", "CatchUp"):
        with pytest.raises(UnsafePath) as refused:
            entry._handled(event, data)
        assert not failures.note(event, data, refused.value).startswith(str(root))
    assert list(elsewhere.iterdir()) == []


def test_a_link_that_stays_in_the_project_is_followed(tmp_path):
    """And a store by itself lies where its user says."""
    (tmp_path / "MEMORY-CONTEXT").mkdir()
    (tmp_path / "store").mkdir()
    (tmp_path / "MEMORY-CONTEXT" / "dedup_state").symlink_to(tmp_path / "store")
    require_inside(str(tmp_path / "MEMORY-CONTEXT" / "dedup_state"))
    (tmp_path / "named").symlink_to(tmp_path / "store")
    assert ClaudeConversationDeduplicator(tmp_path / "named").global_unique_count() == 0
