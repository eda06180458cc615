"""A hundred files of settings that a clone could bring, through the hooks: nothing is loosened, lost or published."""

from __future__ import annotations

import json
import os
import random
import time

import pytest

import exports
import hostile_settings
import settings_scenes
from archive_scenes import archived
from deduplication.hooks import events
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.project import config
from planted import of_format
from scratch_repository import Scratch
from transcript_lines import SESSION, day

pytestmark = pytest.mark.skipif(os.name == "nt", reason="pipes and devices are Unix's")


@pytest.fixture
def fire(tmp_path, monkeypatch):
    """A session in a clone that has a folder for exports; what a hook says of an event, after another export was put there."""
    root = tmp_path / "clone"
    (root / "MEMORY-CONTEXT" / "exports").mkdir(parents=True)
    monkeypatch.setenv("CLAUDE_PROJECT_DIR", str(root))
    transcript = tmp_path / f"{SESSION}.jsonl"
    transcript.write_bytes(day(2))
    stories = iter(range(100))

    def fired(event, **settings):
        if settings:
            settings_scenes.asked(root, **settings)
        export = root / "MEMORY-CONTEXT" / "exports" / "tides.txt"
        export.write_bytes(exports.Story(next(stories), 2).show(0, 2))
        os.utime(export, (time.time() - 60,) * 2)
        payload = {"session_id": SESSION, "transcript_path": str(transcript), "cwd": str(root), "source": "startup"}
        return (events.handle(event, payload) or {}).get("systemMessage", "")

    return fired


def test_what_waits_is_said_once(fire):
    """By the first hook that sees the file, in one line; again when the file asks for something else."""
    first = fire("SessionStart", privacy_allow=[".*"], commit_hooks=True)
    assert len([line for line in first.splitlines() if "sets privacy_allow, commit_hooks" in line]) == 1
    assert "approved" not in fire("SessionStart") + fire("Stop")
    assert "sets hooks" in fire("Stop", hooks=False)
    assert "approved" not in fire("Stop")


def test_settings_that_wait_for_nobody_are_not_mentioned(fire):
    """What tightens, and no file at all."""
    assert "approved" not in fire("SessionStart") + fire("Stop", privacy_level="public", hook_checkpoint=False)


def test_a_pattern_that_is_refused_costs_the_commit_alone(fire, tmp_path):
    """The export is stored and archived, and why nothing is shared is said in one line."""
    said = fire("SessionStart", privacy_patterns={"x": "(a+)+$"})
    assert (
        len([line for line in said.splitlines() if "nothing is shared" in line and "could take too long" in line]) == 1
    )
    assert ClaudeConversationDeduplicator(tmp_path / "clone/MEMORY-CONTEXT/dedup_state").global_unique_count() > 0
    assert not (tmp_path / "clone" / "MEMORY-CONTEXT" / "checkpoints").exists()


def test_there_are_a_hundred():
    """Each of them another one."""
    assert len(hostile_settings.FILES) >= 100


@pytest.mark.unmeasured
@pytest.mark.parametrize("hostile", hostile_settings.FILES.values(), ids=hostile_settings.FILES)
def test_a_hostile_file_of_settings(tmp_path, monkeypatch, hostile):
    """The session is captured, the export stored and archived; a token is in no commit; every setting is the user's or tighter."""
    scratch = Scratch(tmp_path / "clone")
    scratch.write("README.md")
    scratch.git("add", "-A")
    scratch.git("commit", "-qm", "theirs")
    (scratch.root / "MEMORY-CONTEXT" / "exports").mkdir(parents=True)
    hostile_settings.bring(scratch.root, hostile)
    monkeypatch.setenv("CLAUDE_PROJECT_DIR", str(scratch.root))
    before = dict(config.DEFAULTS)
    found = config.load(str(scratch.root))
    assert [name for name in before if settings_scenes.looser(name, before[name], found[name])] == []

    token = of_format("github classic", random.Random(7))
    transcript = tmp_path / f"{SESSION}.jsonl"
    transcript.write_bytes(day(2))
    export = scratch.write(
        "MEMORY-CONTEXT/exports/tides.txt", exports.Story(3, 2).show(0, 2).decode() + f"\n❯ my token is {token}\n"
    )
    os.utime(export, (time.time() - 60,) * 2)  # it is at rest
    payload = {"session_id": SESSION, "transcript_path": str(transcript), "cwd": str(scratch.root), "source": "startup"}
    said = json.dumps([events.handle(event, payload) for event in ("SessionStart", "Stop")])

    assert not export.exists()
    assert "tides.txt" in archived(scratch.project)
    store = ClaudeConversationDeduplicator(scratch.project.state)
    kept = json.dumps([store.get_full_conversation(name) for name in store.conversations()])
    assert token in kept
    assert len(store.conversations()) == 2
    assert token not in scratch.git("log", "-p", "--all")
    assert token not in said
    assert not any(token in path.read_text(encoding="utf-8") for path in scratch.project.memory.glob("[sc]*/*.md"))
