"""The edges of a purge: journals, hashes that are ambiguous or to be forgotten, commits, files that somebody else holds."""

from __future__ import annotations

import json
import subprocess
import zlib

import pytest

from deduplication import journal
from deduplication.errors import SessionNotWritten, StoreDamaged, UsageError
from deduplication.fingerprint import fingerprint
from deduplication.model import ASSISTANT, EXACT, LAYOUT, PROMPT, TEXT, TOOL_CALL, TOOL_RESULT, USER, Message
from deduplication.purging.scope import scope_of
from deduplication.rendering import DIFFERENT, GROWN, PART, REDRAWN
from deduplication.storage.lines import Damaged
from deduplication.storage.records import tombstone_from, tombstone_record
from deduplication.tombstone import Bans, relation, same, tombstone_of
from purge_scenes import Place, Talk, everything, left, sentence, word


def of(kind, content, fidelity=LAYOUT, role=None):
    """A message."""
    return Message(role or (USER if kind == PROMPT else ASSISTANT), kind, content, fidelity=fidelity)


def compared(gone, shown, how=relation):
    """What a message is to the tombstone of another one."""
    return how(tombstone_of(gone, fingerprint(gone)), shown, fingerprint(shown))


LONG = sentence("x", 12)


@pytest.mark.parametrize(
    ("gone", "shown", "expected"),
    [
        (of(TEXT, LONG), of(TEXT, LONG), REDRAWN),
        (of(TEXT, LONG), of(TEXT, LONG.replace(" ", "\n")), REDRAWN),
        (of(TEXT, LONG, EXACT), of(TEXT, LONG), REDRAWN),
        (of(TEXT, LONG), of(TEXT, LONG, EXACT), REDRAWN),
        (of(TEXT, f"**{LONG}**", EXACT), of(TEXT, LONG), REDRAWN),
        (of(TEXT, LONG), of(TEXT, f"{LONG} And more."), GROWN),
        (of(TEXT, LONG), of(TEXT, LONG[:200]), PART),
        (of(TEXT, LONG), of(TEXT, LONG[:40]), DIFFERENT),
        (of(TEXT, LONG), of(TEXT, "Q" + LONG[1:200]), DIFFERENT),
        (of(PROMPT, "a+b"), of(PROMPT, "a-b"), DIFFERENT),
        (of(PROMPT, "a+b"), of(PROMPT, "a +b"), REDRAWN),
        (of(PROMPT, "yes"), of(PROMPT, "yes", EXACT), REDRAWN),
        (of(PROMPT, "yes"), of(PROMPT, "no"), DIFFERENT),
        (of(PROMPT, LONG), of(PROMPT, f"{LONG} more"), DIFFERENT),
        (of(TEXT, LONG), of(PROMPT, LONG), DIFFERENT),
        (of(PROMPT, "👍"), of(PROMPT, "👎"), DIFFERENT),
        (of(TOOL_RESULT, "one"), of(TOOL_RESULT, "two"), REDRAWN),
        (of(TOOL_CALL, "Bash(one)"), of(TOOL_CALL, "Bash(two)"), REDRAWN),
        (of(TOOL_CALL, "Bash(one)"), of(TOOL_CALL, "Read(two)"), DIFFERENT),
        (of(TOOL_CALL, "Bash(one)"), of(TOOL_CALL, [{"type": "tool_use"}], EXACT), REDRAWN),
    ],
)
def test_what_a_message_is_to_a_purged_one(gone, shown, expected):
    """In its place, with neighbours that agree."""
    assert compared(gone, shown) == expected


def test_results_are_told_by_what_they_say_where_no_place_speaks_for_them():
    """Outside of its place a result is only itself, longer, or a part."""
    assert compared(of(TOOL_RESULT, "one"), of(TOOL_RESULT, "two"), same) == DIFFERENT
    assert compared(of(TOOL_RESULT, LONG), of(TOOL_RESULT, f"{LONG} three"), same) == GROWN
    message = of(TEXT, LONG)
    assert not Bans().has(message, fingerprint(message))
    assert not Bans()


@pytest.mark.parametrize(
    "change",
    [
        {"content_hash": "zz"},
        {"content_hash": "00"},
        {"purged": {"kind": "prompt"}},
        {"purged": {"kind": "else", "key": "0" * 16, "weight": 1}},
        {"purged": {"kind": "prompt", "key": "0" * 16, "weight": "1"}},
        {"purged": {"kind": "prompt", "key": "0" * 16, "weight": 1, "layout": "00"}},
    ],
)
def test_a_tombstone_of_another_form_is_damage(change):
    """It is never guessed at."""
    message = of(PROMPT, "yes")
    record = tombstone_record("a", 0, tombstone_of(message, fingerprint(message)), None, 4)
    assert tombstone_from(record).kind == PROMPT
    with pytest.raises(Damaged):
        tombstone_from({**record, **change})


def test_journals_are_read_whole_or_not_at_all(tmp_path):
    """One of another version, one that is no file, one that is not there; what was done already is passed over."""
    state = str(tmp_path)
    assert journal.pending(state) is None
    assert journal.finish(state, journal.STORE, state) is None
    body = json.dumps({"version": 99}).encode()
    (tmp_path / journal.NAME).write_bytes(b"%s %08x\n" % (body, zlib.crc32(body)))
    with pytest.raises(StoreDamaged, match="version"):
        journal.pending(state)
    (tmp_path / journal.NAME).unlink()
    (tmp_path / journal.NAME).mkdir()
    with pytest.raises(StoreDamaged):
        journal.pending(state)
    (tmp_path / journal.NAME).rmdir()
    (tmp_path / "old").write_bytes(b"old")
    (tmp_path / "text").write_bytes(b"a name.txt here")
    changes = journal.Changes(
        [["staged", "new"]], ["old", "never"], ["text", "none"], [["name.txt", "other.txt"], ["q", "r"]]
    )
    (tmp_path / "staged").write_bytes(b"new")
    journal.begin(state, {journal.STORE: changes, journal.ARCHIVE: journal.Changes()}, {"note": 1})
    assert journal.waits(state, journal.STORE)
    assert not journal.waits(state, journal.SESSIONS)
    assert journal.finish(state, journal.SESSIONS, state) is None
    assert journal.finish(state, journal.STORE, state) == {"note": 1}
    assert (tmp_path / "text").read_bytes() == b"a name.txt here".replace(b"name.txt", b"other.txt")
    assert (tmp_path / "new").read_bytes() == b"new"
    assert not (tmp_path / "old").exists()
    assert journal.finish(state, journal.ARCHIVE, state) == {"note": 1}
    assert not (tmp_path / journal.NAME).exists()


def test_a_beginning_that_fits_several_hashes_names_none(tmp_path):
    """More digits are asked for."""
    place = Place(tmp_path / "project")
    place.export("2026-03-01-EXPORT-ALDER.txt", Talk("alder").text())
    hashes = [m["content_hash"] for m in place.dedup.get_full_conversation("alder")]
    from deduplication.purging import plan as planning

    store = place.dedup.store
    scope = scope_of([], None, [hashes[0]])
    with store.transaction(write=False):
        rows = planning._rows(store)
        object.__setattr__(scope, "hashes", ("",))
        with pytest.raises(UsageError, match="begin with"):
            planning._named(store, scope, rows)


def test_a_forgotten_file_has_no_hash_either(tmp_path):
    """The archive shows all of a file but what was purged: its old hash would tell the rest."""
    place = Place(tmp_path / "project")
    data = Talk("alder").text()
    place.export("2026-03-01-EXPORT-ALDER.txt", data)
    from hashlib import sha256

    digest = sha256(data).hexdigest()
    message = next(m for m in place.dedup.get_full_conversation("alder") if word("alder", 2) in m["content"])
    place.purge(hashes=[message["content_hash"]], forget=True)
    raw = everything(place.project.state)
    assert digest.encode() not in raw.replace((place.project.state / "last_run.json").read_bytes(), b"")
    assert digest[:16].encode() not in raw


def test_commits_are_named(tmp_path):
    """Session files that git has are out of reach, and said to be."""
    place = Place(tmp_path / "project")
    (tmp_path / "project" / ".git").rmdir()
    subprocess.run(["git", "init", "--quiet"], cwd=place.project.root, check=True)
    place.export("2026-03-01-EXPORT-ALDER.txt", Talk("alder").text())
    place.sessions()
    done = place.purge(sessions=["alder"])
    assert any("commit" in each.what for each in done.elsewhere)
    assert not (place.project.sessions / "alder.md").exists()
    assert left(place, Talk("alder").words()) == []


def test_a_session_file_that_cannot_be_read_stops_it_before(tmp_path):
    """Nobody could say whether it shows what goes."""
    place = Place(tmp_path / "project")
    place.export("2026-03-01-EXPORT-ALDER.txt", Talk("alder").text())
    path = place.project.sessions / "alder.md"
    path.unlink(missing_ok=True)
    path.symlink_to(tmp_path / "elsewhere")
    before = place.snapshot()
    with pytest.raises(SessionNotWritten):
        place.purge(sessions=["alder"])
    assert place.snapshot() == before


def test_damage_stops_it_before(tmp_path):
    """Nobody can say what is in a line that cannot be read."""
    place = Place(tmp_path / "project")
    place.export("2026-03-01-EXPORT-ALDER.txt", Talk("alder").text())
    log = place.project.state / "conversation_log.jsonl"
    data = bytearray(log.read_bytes())
    data[300:310] = b"##########"
    log.write_bytes(data)
    with pytest.raises(StoreDamaged):
        place.purge(sessions=["alder"])
    assert log.read_bytes() == bytes(data)
