"""The original project's users: their state and their raw exports become a store that has what was said, also what was lost."""

from __future__ import annotations

import json
import os

import pytest

from deduplication import ClaudeConversationDeduplicator
from in_process import call
from original_project import Conversations, Pool, said, turns

LATER = [said(4, "prompt", "yes"), *turns(5, 7), said(7, "prompt", "yes"), *turns(8, 10)]
SESSIONS = {
    # A "yes" that was said twice: the original keeps one of them for all conversations.
    "tides": [*turns(0, 4, "tide"), *LATER],
    # After a compaction numbers begin anew: all below the watermark is dropped.
    "compacted": [*turns(0, 8, "before"), *turns(0, 6, "after")],
    # What another conversation had said before, which people say in every one.
    "again": [*turns(0, 6, "harbour"), said(6, "prompt", "yes"), *turns(7, 9, "harbour"), said(9, "prompt", "yes")],
}


class Place:
    """MEMORY-CONTEXT of the original project: its state, and its raw exports in the archive."""

    def __init__(self, root, kind):
        self.state, self.archive = root / "dedup_state", root / "exports-archive"
        self.archive.mkdir(parents=True)
        original, self.kept = kind(self.state), 0
        for number, (name, messages) in enumerate(SESSIONS.items()):
            path = self.archive / f"{name}.json"
            path.write_text(json.dumps({"conversation_id": name, "messages": messages}), encoding="utf-8")
            os.utime(path, (1_760_000_000 + number, 1_760_000_000 + number))
            self.kept += len(original.process(name, messages))

    def snapshot(self):
        """Every file with its bytes."""
        return {path: path.read_bytes() for path in sorted(self.state.parent.rglob("*")) if path.is_file()}


@pytest.fixture(params=[Conversations, Pool])
def place(request, tmp_path):
    """What such a user has: of the one of its two deduplicators, or of the other."""
    return Place(tmp_path / "their project" / "MEMORY-CONTEXT", request.param)


def migrate(*words):
    """What the command says, as a program reads it."""
    done = call("migrate", *words, "--json")
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def contents(dedup):
    """What each conversation says."""
    return {name: [each["content"] for each in dedup.get_full_conversation(name)] for name in dedup.conversations()}


TRUTH = {name: [each["message"] for each in messages] for name, messages in SESSIONS.items()}


def came_back(place, where, dedup):
    """Take the folder, and its raw exports; say how many messages the original had lost, all of which are there."""
    before = place.snapshot()
    told = migrate("--from", "original", str(place.state), "--to", where)
    assert place.snapshot() == before
    assert (told["raw_exports"], told["raw_messages"]) == (3, sum(map(len, SESSIONS.values())))
    assert told["raw_skipped"] == []
    found = contents(dedup)
    assert sorted(found.values()) == sorted(TRUTH.values())
    again = migrate("--from", f"original:{place.state}", "--to", where)
    assert (again["new_messages"], again["recovered_messages"]) == (0, 0)
    assert contents(dedup) == found
    return told["recovered_messages"]


@pytest.mark.parametrize("backend", ["default", "json"])
def test_what_was_lost_comes_back_from_the_raw_exports(place, tmp_path, backend):
    """The state alone lacks it, the raw files have it; the source stays as it was, and doing it twice adds nothing."""
    folder = tmp_path / "ours" / "dedup_state"
    lost = came_back(place, f"{backend}:{folder}", ClaudeConversationDeduplicator(folder, backend))
    assert lost == sum(map(len, SESSIONS.values())) - place.kept
    assert lost > 2


def test_it_comes_back_into_a_database(place, tmp_path, database):
    """As into a folder."""
    assert (
        came_back(
            place, f"postgresql:{database}", ClaudeConversationDeduplicator(tmp_path / "o", "postgresql", database)
        )
        > 2
    )


def test_without_raw_exports_it_says_that_they_are_missing(place, tmp_path):
    """What has none stays as the original kept it."""
    for path in place.archive.iterdir():
        path.unlink()
    done = call("migrate", "--from", f"original:{place.state}", "--to", f"default:{tmp_path / 'ours'}")
    assert done.returncode == 0
    assert "No raw exports were found" in done.stdout
    found = contents(ClaudeConversationDeduplicator(tmp_path / "ours"))
    assert sum(map(len, found.values())) == place.kept


def test_raw_exports_may_lie_elsewhere_and_what_is_none_costs_itself_alone(place, tmp_path):
    """A folder and a file that somebody names; a file that cannot be read is named."""
    elsewhere = tmp_path / "kept elsewhere"
    place.archive.rename(elsewhere)
    (elsewhere / "notes.json").write_text("{ this is no export", encoding="utf-8")
    more = ("--raw", str(elsewhere), "--raw", str(elsewhere / "tides.json"))
    told = migrate("--from", "original", str(place.state), *more, "--to", f"default:{tmp_path / 'ours'}")
    assert told["raw_exports"] == 3  # a file that is named twice is one
    assert [each.partition(": ")[0] for each in told["raw_skipped"]] == [str(elsewhere / "notes.json")]
    found = contents(ClaudeConversationDeduplicator(tmp_path / "ours"))
    assert sorted(found.values()) == sorted(TRUTH.values())


def test_raw_exports_belong_to_the_original_and_must_be_there(place, tmp_path):
    """Both are mistakes in the command line."""
    target = f"default:{tmp_path / 'ours'}"
    assert call("migrate", "--from", "default", "--raw", str(place.archive), "--to", target).returncode == 2
    gone = call("migrate", "--from", "original", str(place.state), "--raw", str(tmp_path / "gone"), "--to", target)
    assert gone.returncode == 2
    assert "gone" in gone.stderr
    assert not (tmp_path / "ours").exists()
