"""What was purged is gone from every file, whatever showed it, and everything else is as it was."""

from __future__ import annotations

import os

import pytest

from deduplication.archive import restore as restoring
from deduplication.storage import indexed_log
from deduplication.storage.log import log_pack, sealed
from deduplication.titles.slug import short
from purge_scenes import Place, Talk, left, squeezed, word
from session_names import session_path

pytestmark = pytest.mark.unmeasured


@pytest.fixture(params=["json", "default"])
def place(request, tmp_path):
    """A project without anything in it."""
    return Place(tmp_path / "project", backend=request.param)


@pytest.fixture
def talks():
    """Two conversations that share nothing."""
    return Talk("alder"), Talk("birch")


def expected(talk, kept):
    """What is to be read of a conversation that text exports brought."""
    return [(turn.role, turn.kind, "".join(turn.text.split())) for n, turn in enumerate(talk.turns) if n in kept]


def filled(place, talks, *, packed=False):
    """Both conversations in the store by growing exports, archived, with their session files."""
    for talk in talks:
        for end in (6, 10, 16):
            place.export(f"2026-03-{end:02}-EXPORT-{talk.name.upper()}.txt", talk.text(0, end))
    place.sessions()
    if packed:
        place.pack()


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_a_conversation_goes_from_every_file(place, talks, packed):
    """No word of it is in any file, plain or unpacked; the other conversation is what it was."""
    filled(place, talks, packed=packed)
    alder, birch = talks
    before = place.said("birch")
    assert left(place, alder.words()) == sorted(w.decode() for w in alder.words())
    done = place.purge(sessions=["alder"])
    assert left(place, alder.words()) == []
    assert (place.said("alder"), place.said("birch")) == ([], before)
    assert left(place, birch.words()) == sorted(w.decode() for w in birch.words())
    assert (done.plan.conversations, done.plan.whole) == ({"alder": 16}, {"alder"})
    assert len(done.removed) == 3
    assert done.proof.remaining == []


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_a_message_goes_and_its_neighbours_stay(place, talks, packed):
    """``--message``: the files that show it are archived without it, and are told to be not what was exported."""
    filled(place, talks, packed=packed)
    alder, _ = talks
    for position in (2, 4, 5, 7):
        message = next(m for m in place.dedup.get_full_conversation("alder") if word("alder", position) in m["content"])
        place.purge(hashes=[message["content_hash"][:12]])
    gone = {2, 4, 5, 7}
    words = alder.words()
    assert left(place, words) == sorted(word("alder", n) for n in range(16) if n not in gone)
    assert place.said("alder") == expected(alder, set(range(16)) - gone)
    with restoring.opened(place.project) as shelf:
        shown = {
            entry.name: shelf.purged[shelf.sha256(entry)].messages for entry in shelf.all() if "ALDER" in entry.name
        }
        files = [b"".join(shelf.parts(entry)) for entry in shelf.all() if "ALDER" in entry.name]
    assert sorted(shown.values()) == [3, 4, 4]
    assert sorted(data.count(b"[purged by export-dedup]") for data in files) == [3, 4, 4]


def test_a_time_in_a_session_goes(place, tmp_path, talks):
    """``--session`` with ``--between``: by the messages' own times, first included, last not."""
    alder, _ = talks
    place.capture(tmp_path / "client", alder)
    session = alder.session
    done = place.purge(sessions=[session], between=["2026-11-20T10:00:03Z", "2026-11-20T10:00:09Z"])
    assert left(place, alder.words()) == sorted(word("alder", n) for n in range(16) if not 3 <= n < 9)
    assert done.plan.conversations == {session: 7}  # one prompt is a text and an image
    assert not list((place.project.state / "blobs").glob("*/*"))
    assert len(done.plan.blobs) == 1


def test_a_body_that_others_say_stays_with_them(place, talks):
    """The line that carried it becomes a tombstone, and the next line with its hash carries it."""
    alder, birch = talks
    alder.turns[1] = birch.turns[1]
    filled(place, talks)
    place.purge(sessions=["alder"])
    assert place.said("birch") == expected(birch, set(range(16)))
    shared = word("birch", 1)
    assert left(place, {shared.encode()}) == [shared]
    assert place.dedup.store.verify() == []
    assert left(place, alder.words(2) | alder.words(0, 1)) == []


def test_sealed_lines_are_written_anew(place, talks, monkeypatch):
    """The compressed part of the log as well."""
    monkeypatch.setattr(indexed_log, "OPEN", 2000)
    monkeypatch.setattr(log_pack, "BLOCK", 3000)
    monkeypatch.setattr(log_pack, "TOGETHER", 4000)
    monkeypatch.setattr(sealed, "MOST", 9000)
    filled(place, talks)
    assert bool(list((place.project.state / "sealed").glob("*.pack"))) == (place.backend == "default")
    alder, birch = talks
    place.purge(sessions=["alder"])
    assert left(place, alder.words()) == []
    assert place.said("birch") == expected(birch, set(range(16)))
    place.export("2026-03-20-EXPORT-BIRCH.txt", birch.text(0, 16, width=60))
    assert place.dedup.store.verify() == []


def test_every_index_follows_from_the_log_afterwards(place, talks):
    """Made anew, each has the same bytes, and a purge leaves the kind of index that there was."""
    filled(place, talks)
    place.purge(sessions=["alder"], between=["2000-01-01", "2100-01-01"])
    before = place.snapshot()
    assert ("dedup_state/content_hashes.json" in before) == (place.backend == "json")
    assert place.dedup.store.rebuild() == []
    after = place.snapshot()
    for name in ("deduplication_log.jsonl", "conversation_log.jsonl", "watermarks.json", "index.bin"):
        assert before.get(f"dedup_state/{name}") == after.get(f"dedup_state/{name}"), name


def test_nothing_is_changed_by_a_dry_run(place, talks):
    """It says what the real one says, and every byte is what it was."""
    filled(place, talks, packed=True)
    before = place.snapshot()
    planned = place.purge(sessions=["alder"], dry_run=True)
    assert place.snapshot() == before
    done = place.purge(sessions=["alder"])
    assert planned.plan.conversations == done.plan.conversations
    assert (planned.removed, planned.blanked, planned.sessions) == (done.removed, done.blanked, done.sessions)
    assert (planned.plan.bodies, planned.plan.occurrences) == (done.plan.bodies, done.plan.occurrences)


def test_session_files_are_made_anew(place, talks):
    """Those that grow, those of checkpoints, and pages; what somebody changed is left and named."""
    filled(place, talks)
    root = str(place.project.root)
    from deduplication.commands import deduplicate_export

    assert deduplicate_export.main(["session", "alder", "--per-checkpoint", "--project", root]) == 0
    assert deduplicate_export.main(["session", "alder", "--format", "html", "--project", root]) == 0
    mine = place.project.sessions / "mine.md"
    mine.write_text(session_path(place.project.sessions, "alder").read_text())
    number = next(m for m in place.dedup.get_full_conversation("alder") if word("alder", 8) in m["content"])
    done = place.purge(hashes=[number["content_hash"]])
    for path in place.project.sessions.iterdir():
        if path != mine:
            assert word("alder", 8) not in path.read_text(), path
            assert word("alder", 9) in path.read_text() or not path.name.partition(".")[0].endswith(short("alder"))
    assert "Purged" in session_path(place.project.sessions, "alder").read_text()
    assert [each for each in done.proof.remaining if "mine.md" in each] == []
    assert any("mine.md" in each.what for each in done.elsewhere)


def test_numbers_are_counted_without_it(place, talks):
    """Messages, contents and purged ones; sequence numbers and watermarks stay."""
    filled(place, talks)
    before = place.dedup.get_statistics("alder")
    message = next(m for m in place.dedup.get_full_conversation("alder") if word("alder", 7) in m["content"])
    place.purge(hashes=[message["content_hash"]])
    after = place.dedup.get_statistics("alder")
    assert after["watermark"] == before["watermark"]
    assert after["total_messages"] == before["total_messages"] - 1
    assert after["unique_messages"] == before["unique_messages"] - 1
    assert after["purged_messages"] == 1
    assert [m["index"] for m in place.dedup.get_full_conversation("alder")] == [n for n in range(16) if n != 7]


def test_modes_stay_private(place, talks):
    """What is written anew is for its owner only."""
    filled(place, talks, packed=True)
    place.purge(sessions=["alder"])
    for folder in (place.project.state, place.project.archive):
        for path in folder.rglob("*"):
            if path.name != ".gitignore":
                assert os.stat(path).st_mode & 0o077 == 0, path


def test_squeezed_is_what_the_tests_compare():
    """A guard for the scenes themselves."""
    assert squeezed({"role": "a", "kind": "b", "content": "c d"}) == ("a", "b", "cd")
