"""Every message is announced as new once, and every surface says the same numbers, whichever way the export came."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

import pytest

from counted_place import Place, one_more
from deduplication.figures import run_result
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.storage import open_store
from deduplication.storage.log_backed import require_log
from settings_scenes import own
from store_backends import DATABASES, Stores
from thorough import THOROUGH
from transcript_lines import day

OTHER = "99999999-2222-4333-8444-555555555555"


class Numbers(NamedTuple):
    """What is said of a run over an export: new and, of these, captured before; duplicates, total, unique in storage."""

    new: int
    captured: int
    duplicates: int
    total: int
    unique: int


@pytest.fixture
def place(tmp_path, monkeypatch, repository):
    """A project without a store, and a session with three exchanges."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "config"))
    made = Place(tmp_path, repository)
    made.talk(day(3))
    return made


def exported_only(place):
    place.export(told=False)


def captured(place):
    place.capture()
    place.export(told=False)


def partly_captured(place):
    place.capture()
    one_more(place)
    place.export(told=False)


def captured_by_a_hook(place):
    place.hook()
    one_more(place)
    place.hook()
    place.export(told=False)


def after_an_export(place):
    place.export("first.txt", told=False)
    place.command()
    one_more(place)
    place.capture()
    place.export(told=False)


def nothing_new(place):
    place.export("first.txt", told=False)
    place.command()
    place.export(told=False)
    with (place.root / "notes.txt").open("ab") as file:
        file.write("\n\n✻ Baked for 0s\n".encode())


def same_again(place):
    place.export("first.txt", told=False)
    place.command()
    place.export(told=False)


def captured_after_the_export(place):
    place.export("first.txt", told=False)
    place.command()
    place.capture()
    place.export(told=False)


def known_before_the_command(place):
    """As the hook does that sees the command coming: the export is stored, and nobody was told."""
    place.capture()
    place.export(told=False)
    data = (place.root / "notes.txt").read_bytes()
    ClaudeConversationDeduplicator(place.state).ingest(data, name="notes.txt", announce=False)


def two_sessions(place):
    place.talk(day(2, start=50), OTHER)
    place.capture()
    place.capture(OTHER)
    place.export(told=False)


PATHS = {
    exported_only: Numbers(6, 0, 0, 6, 6),
    captured: Numbers(6, 6, 0, 6, 6),
    partly_captured: Numbers(8, 6, 0, 8, 8),
    captured_by_a_hook: Numbers(8, 8, 0, 8, 8),
    after_an_export: Numbers(2, 2, 6, 8, 8),
    nothing_new: Numbers(0, 0, 6, 6, 6),
    same_again: Numbers(0, 0, 6, 6, 6),
    captured_after_the_export: Numbers(0, 0, 6, 6, 6),
    known_before_the_command: Numbers(6, 6, 0, 6, 6),
    two_sessions: Numbers(6, 6, 0, 6, 10),
}


def phrase(numbers):
    """The line that says what was captured before."""
    if not numbers.captured:
        return ""
    part = "all" if numbers.captured == numbers.new else f"{numbers.captured}"
    return f"{numbers.new} new ({part} captured earlier)"


def of_text(text):
    """The numbers of the core's stable lines, or the banner's, in a text."""

    def number(label):
        return int(re.findall(rf"{label}: ([\d,]+)$", text, re.MULTILINE)[-1].replace(",", ""))

    return number


def of_json(run):
    """The numbers of the object that ``--json`` prints."""
    assert run.get("captured", 0) == sum(each.get("captured", 0) for each in run["exports"])
    assert run["new_messages"] == sum(each["new_messages"] for each in run["exports"])
    return Numbers(
        run["new_messages"],
        run.get("captured", 0),
        run["duplicates_filtered"],
        run["total_messages"],
        run["global_unique"],
    )


def audit(place):
    """What the audit says of each run."""
    store = require_log(open_store(None, str(place.state)), "a test")
    with store.transaction(write=False):
        return list(store.audit())


@pytest.fixture
def in_a_database(request, tmp_path):
    """The user's settings say that stores lie in a database."""
    with Stores(request, tmp_path) as stores:
        own(backend="postgresql", database_url=stores.url(next(iter(DATABASES))))
        yield


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    "path", PATHS if THOROUGH else [partly_captured, captured_by_a_hook], ids=lambda path: path.__name__
)
def test_every_surface_says_the_same_of_a_database(in_a_database, place, path):
    """The very numbers that they say of a store in a folder."""
    test_every_surface_says_the_same(place, path, PATHS[path])
    assert not (place.state / "conversation_log.jsonl").exists()


@pytest.mark.unmeasured
@pytest.mark.parametrize(("path", "expected"), PATHS.items(), ids=[path.__name__ for path in PATHS])
def test_every_surface_says_the_same(place, path, expected):
    """Core, banner, status log, summary, commit, document, audit, status, stats, verify and the dry run before it."""
    path(place)
    dry = of_json(place.tool(str(place.root / "notes.txt"), "--dry-run"))
    shown = place.command()
    assert dry == expected
    core, banner = shown.split("🔐" * 40, 1)
    figures = run_result.extract(core)
    assert Numbers(figures.new, figures.captured, figures.duplicates, figures.total, figures.unique) == expected
    number = of_text(banner)
    assert number("NEW UNIQUE MESSAGES ADDED & BACKED UP") == expected.new
    assert number("Duplicate Messages Filtered") == expected.duplicates
    assert number("Total Messages Processed") == expected.total
    assert number("Total Unique Messages in Storage") == expected.unique
    assert f"   - New unique messages: {expected.new}\n" in core
    log = (place.memory / "dedup_state" / "reports.txt").read_text(encoding="utf-8")
    assert banner.split("EXECUTION SUMMARY")[0] in log
    commit = place.scratch.git("log", "-1", "--format=%B")
    document = max((place.memory / "checkpoints").iterdir(), key=lambda each: each.stat().st_mtime_ns).read_text()
    for text in (commit, document):
        assert f"New unique messages: {expected.new}\n" in text
        assert f"Duplicates filtered: {expected.duplicates}\n" in text
        assert f"Global unique count: {expected.unique}\n" in text
    assert f"Export-Dedup-New: {expected.new}\n" in commit + "\n"
    for text in (core, banner, commit, document):
        assert re.findall(r"(\d+ new \(.*captured earlier\))", text)[-1:] == (
            [phrase(expected)] if expected.captured else []
        )
    line = audit(place)[-1]
    assert (line.metadata["new_messages"], line.duplicates_filtered, line.messages_processed) == (
        expected.new,
        expected.duplicates,
        expected.total,
    )
    assert line.metadata["captured"] == expected.captured
    last = place.tool("status")["runs"][0]
    assert (last["new_messages"], last["captured"], last["duplicates_filtered"], last["total_messages"]) == expected[:4]
    adds_up(place, expected.unique)


def adds_up(place, unique):
    """The sum of all announcements and what waits is what is stored, as the audit, the statistics and verify count it."""
    stats = place.tool("stats")
    announced = sum(line.metadata["new_messages"] for line in audit(place))
    assert stats["announced_messages"] == announced
    assert stats["unique_messages"] == unique == announced + stats["waiting_messages"] - stats["redrawn_messages"]
    assert stats["messages_processed"] - stats["duplicates_filtered"] == unique + stats["redrawn_messages"]
    assert place.tool("verify")["ok"]


def test_a_hook_and_then_the_command_say_the_same(place):
    """What the hook announced the command shows once more, and announces nothing of its own."""
    place.hook()
    one_more(place)
    place.export()
    place.hook()
    assert place.notice.startswith("/compact is safe now · 8 new · ")
    figures = run_result.extract(place.command())
    assert (figures.new, figures.captured, figures.duplicates, figures.total, figures.unique) == (8, 8, 0, 8, 8)
    assert of_json(json.loads(place.run("export-dedup.py", "--json", "--yes"))) == (0, 0, 0, 0, 8)
    adds_up(place, 8)


def test_the_command_and_then_a_hook_say_it_once(place):
    """A hook that comes after the command has nothing to announce."""
    place.export()
    assert of_json(json.loads(place.run("export-dedup.py", "--json", "--yes"))) == (6, 0, 0, 6, 6)
    place.hook()
    assert place.notice == ""
    adds_up(place, 6)


def test_two_sessions_get_their_own_counts(place):
    """What the hook captured of another session is no part of what an export is said to bring."""
    place.talk(day(2, start=50), OTHER)
    place.hook()
    place.hook(session=OTHER)
    place.export("one.txt")
    place.hook()
    assert place.notice.startswith("/compact is safe now · 6 new · ")
    place.export("other.txt", OTHER)
    place.hook(session=OTHER)
    assert place.notice.startswith("/compact is safe now · 4 new · ")
    assert "captured" in json.loads((place.state / "last_run.json").read_text())["result"]
    adds_up(place, 10)
