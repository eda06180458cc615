"""The edges of a purge: journals, hashes that are ambiguous or to be forgotten, commits, files that somebody else holds."""

from __future__ import annotations

import json
import subprocess
import time
import zlib

import pytest

from deduplication.alignment.fingerprint import fingerprint
from deduplication.alignment.tombstone import Head, tombstone_of
from deduplication.errors import SessionNotWritten, StoreDamaged, UsageError
from deduplication.files import journal
from deduplication.model import ASSISTANT, PROMPT, TEXT, USER, Message
from deduplication.purge.run import purge
from deduplication.purge.scope import Scope, scope_of
from deduplication.sessions.own_files import named_like
from deduplication.storage import open_store
from deduplication.storage.contract import ExportRecord, NewOccurrence
from deduplication.storage.log.lines import Damaged
from deduplication.storage.log.records import tombstone_from, tombstone_record
from purge_scenes import Place, Talk, everything, left, sentence, word

TIME = "2026-01-01T00:00:00.000Z"


def of(kind, content):
    """A message of a text export."""
    return Message(USER if kind == PROMPT else ASSISTANT, kind, content)


@pytest.mark.parametrize(
    "change",
    [
        {"content_hash": "zz"},
        {"content_hash": "00"},
        {"purged": {"kind": "prompt"}},
        {"purged": {"kind": "else", "key": "0" * 16, "weight": 1}},
        {"purged": {"kind": "prompt", "key": "0" * 16, "weight": "1"}},
        {"purged": {"kind": "prompt", "key": "0" * 16, "weight": 1, "layout": "00"}},
        {"purged": {"kind": "prompt", "key": "0" * 16, "weight": 1, "heads": [["64", "0"]]}},
        {"purged": {"kind": "prompt", "key": "0" * 16, "weight": 1, "heads": ["0"] * 5}},
        {"purged": {"kind": "prompt", "key": "0" * 16, "weight": 1, "cut": []}},
    ],
)
def test_a_tombstone_of_another_form_is_damage(change):
    """It is never guessed at."""
    message = of(PROMPT, "yes")
    record = tombstone_record("a", 0, tombstone_of(message, fingerprint(message)), None, 4)
    assert tombstone_from(record).kind == PROMPT
    with pytest.raises(Damaged):
        tombstone_from({**record, **change})


def test_a_tombstone_says_the_same_when_it_is_read_again():
    """Whatever its message was."""
    for message in (of(TEXT, sentence("x", 40)), of(PROMPT, "yes"), of(TEXT, "[a](b) " * 20)):
        left = tombstone_of(message, fingerprint(message), everywhere=True)
        assert tombstone_from(tombstone_record("a", 0, left, None, None)) == left


def test_tombstones_of_version_0_1_are_read():
    """Their beginnings had four lengths that no line told."""
    message = of(PROMPT, "yes")
    record = tombstone_record("a", 0, tombstone_of(message, fingerprint(message)), None, None)
    record["purged"]["heads"] = ["0" * 16, "1" * 16]
    assert tombstone_from(record).heads == (Head(64, "0" * 16), Head(256, "1" * 16))


def test_journals_are_read_whole_or_not_at_all(tmp_path):
    """One of another version, one that is no file, one that is not there; what was done already is passed over."""
    state = str(tmp_path)
    assert journal.pending(state) is None
    assert journal.apply(state, journal.STORE, state) is None
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
    assert journal.apply(state, journal.SESSIONS, state) is None
    assert journal.apply(state, journal.STORE, state) == {"note": 1}
    assert (tmp_path / "text").read_bytes() == b"a name.txt here".replace(b"name.txt", b"other.txt")
    assert (tmp_path / "new").read_bytes() == b"new"
    assert not (tmp_path / "old").exists()
    assert journal.apply(state, journal.ARCHIVE, state) == {"note": 1}
    assert not (tmp_path / journal.NAME).exists()


def test_a_beginning_that_fits_several_hashes_names_none(tmp_path):
    """More digits are asked for."""
    place = Place(tmp_path / "project")
    place.export("2026-03-01-EXPORT-ALDER.txt", Talk("alder").text())
    hashes = [m["content_hash"] for m in place.dedup.get_full_conversation("alder")]
    from deduplication.purge import scope_chosen

    store = place.dedup.store
    scope = scope_of([], None, [hashes[0]])
    with store.transaction(write=False):
        rows = scope_chosen.rows_of(store)
        object.__setattr__(scope, "hashes", ("",))
        with pytest.raises(UsageError, match="begin with"):
            scope_chosen._named(store, scope, rows)


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
    assert [name for name, _ in named_like(str(place.project.sessions), "alder")] == []
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


def test_a_captured_body_whose_first_place_is_purged_is_brought_by_the_export_that_shows_it(tmp_path):
    """The export announced it either way; that it was captured before is no longer what the log says."""
    both, own = of(PROMPT, "yes, both of them"), of(TEXT, "The second one is longer.")
    store = open_store("json", str(tmp_path))

    def keep(name, messages, **export):
        rows = [(at, NewOccurrence(fingerprint(each), each, TIME, "capture")) for at, each in enumerate(messages)]
        record = ExportRecord(name, "0" * 64, 1000, "text", 1, len(rows), window=[[0, len(rows) - 1]], **export)
        with store.transaction():
            store.commit(name, rows, record, time.perf_counter())

    keep("one", [both], new=1, announces=False)
    keep("two", [both, own], new=2, captured=1)
    assert store.verify() == []
    purge(store, None, Scope(sessions=("one",)))
    assert store.verify() == []
    again = open_store("json", str(tmp_path))
    assert again.rebuild() == []
    assert again.verify() == []
