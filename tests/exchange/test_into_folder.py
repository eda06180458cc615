"""Two stores, or two machines in a folder that something synchronises, become one: the union, nothing lost, nothing doubled."""

from __future__ import annotations

import contextlib
import hashlib
import random
import shutil
import time

import pytest

from deduplication.errors import CopyNotWhole, DedupError, StoreDamaged, StoreMissing
from deduplication.exchange import uniting
from deduplication.exchange.into_folder import unite, unite_copies
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.transcript_capture import capture_file
from deduplication.purge.run import purge
from deduplication.purge.scope import scope_of
from deduplication.storage.log.log_copies import copies_in
from deduplication.storage.log.strays import strays_of
from exports import Story, kept
from machines import log_of
from purge_scenes import Talk, everything, word
from synchronised import NAMES, Synchronised
from thorough import THOROUGH

LOG = "conversation_log.jsonl"


class Places:
    """Stores below a folder, by name."""

    def __init__(self, folder):
        self.folder = folder

    def __getitem__(self, name):
        return ClaudeConversationDeduplicator(self.folder / name / "dedup_state")

    def store(self, name):
        """A store, opened anew."""
        return self[name].store

    def say(self, name, talk, end=None):
        """Capture what a talk says up to a message."""
        file = self.folder / "client" / f"{talk.session}.jsonl"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(talk.lines(0, end))
        return capture_file(self[name], file)

    def said(self, name, talk):
        """Its words in a store, in order."""
        told = [str(each["content"]) for each in self[name].get_full_conversation(talk.session)]
        return [word(talk.name, n) for each in told for n in range(len(talk.turns)) if word(talk.name, n) in each]


def words(talk, first=0, end=None):
    """Those that a talk has."""
    return [word(talk.name, n) for n in range(len(talk.turns))[first:end]]


@pytest.fixture
def places(tmp_path):
    """Stores."""
    return Places(tmp_path)


def folder_of(places, name):
    """Where a store lies."""
    return str(places.folder / name / "dedup_state")


def test_a_second_store_is_taken_in_whole_and_once(places):
    """Exports of one session in both: the truth; the other one is what it was; again it changes nothing."""
    story = Story(21, exchanges=14)
    for number, file in enumerate(story.exports(5, compact_every=2)):
        places["ab"[number % 2]].ingest(file.data, name=file.name, conversation_id="s")
    before = log_of(places.store("b"))
    assert unite(places.store("a"), folder_of(places, "b")).runs > 0
    assert kept(places["a"].get_full_conversation("s")) == story.truth()
    assert places.store("a").verify() == []
    assert log_of(places.store("b")) == before
    size = len(log_of(places.store("a")))
    assert unite(places.store("a"), folder_of(places, "b")) == (0, 0, 0)
    assert len(log_of(places.store("a"))) == size


def test_what_both_read_of_one_transcript_is_not_done_once_more(places):
    """One of them read on in other steps: that has nothing which the other one, which read further, does not have."""
    talk = Talk("alder", 24)
    places.say("a", talk, 6)
    shutil.copytree(places.folder / "a", places.folder / "b")
    for end in (10, 16):
        places.say("b", talk, end)
    places.say("a", talk, 20)
    before = log_of(places.store("a"))
    assert unite(places.store("a"), folder_of(places, "b")) == (0, 0, 0)
    assert log_of(places.store("a")) == before
    assert unite(places.store("b"), folder_of(places, "a")).runs == 1
    assert places.said("b", talk) == words(talk, 0, 20)


def test_what_is_no_store_is_named(places):
    """Nothing is made in either folder."""
    with pytest.raises(StoreMissing):
        unite(places.store("a"), folder_of(places, "b"))
    assert list(places.folder.iterdir()) == []


@pytest.mark.parametrize("both", [False, True], ids=["there", "on both sides"])
def test_what_was_purged_in_the_other_store_is_purged_here(places, both):
    """The same runs without the same messages: texts, images, and the names of files that tell what was said."""
    gone, mine, stays = Talk("alder", 12), Talk("birch", 12), Talk("cedar", 12)
    names = {}
    for talk in (gone, mine, stays):
        places.say("a", talk)
        names[talk.name] = f"2026-03-01-{'-'.join(talk.turns[0].text.split()[:8])}.txt"
        places["a"].ingest(talk.text(), name=names[talk.name])
    shutil.copytree(places.folder / "a", places.folder / "b")
    places.say("b", Talk("dogwood", 4))
    purge(places.store("b"), None, scope_of([gone.session], None, []))
    if both:
        purge(places.store("a"), None, scope_of([mine.session], None, []), forget=True)
    done = unite(places.store("a"), folder_of(places, "b"))
    assert (done.runs, done.purged) == (1, 13)
    left = everything(places.folder / "a" / "dedup_state") + log_of(places.store("a"))
    assert [each for each in (*gone.words(), gone.picture[:40], names["alder"].encode()) if each in left] == []
    of_mine = names["birch"].encode(), hashlib.sha256(mine.text()).hexdigest()[:16].encode()
    assert [each in left for each in of_mine] == [not both] * 2
    assert places.said("a", mine) == ([] if both else words(mine))
    assert places.said("a", stays) == words(stays)
    assert places.store("a").verify() == []
    assert unite(places.store("a"), folder_of(places, "b")) == (0, 0, 0)


def test_what_was_purged_here_does_not_come_back_from_the_other_store(places):
    """Nor from what it captured of the same session since."""
    gone = Talk("alder", 16)
    places.say("a", gone, 10)
    shutil.copytree(places.folder / "a", places.folder / "b")
    purge(places.store("a"), None, scope_of([gone.session], None, []))
    places.say("b", gone)
    unite(places.store("a"), folder_of(places, "b"))
    assert places.said("a", gone) == words(gone, 10)
    left = everything(places.folder / "a" / "dedup_state") + log_of(places.store("a"))
    assert [each for each in gone.words(0, 10) if each in left] == []


@pytest.mark.parametrize("name", NAMES)
def test_copies_are_recognised_by_the_names_that_such_programs_give(places, name):
    """And nothing else is: an index, a backup of somebody's, a file that is no log."""
    places.say("a", Talk("alder", 4))
    folder = places.folder / "a" / "dedup_state"
    copy = name.format(stem="conversation_log", ending=".jsonl")
    shutil.copy(folder / LOG, folder / copy)
    for other in ("index (1).bin", "conversation_log.jsonl.bak", "conversation_logs are fine.jsonl"):
        (folder / other).write_bytes(b"whatever\n")
    assert copies_in(str(folder)) == [copy]
    assert unite_copies(places.store("a")) == (0, 0, 1)
    assert copies_in(str(folder)) == []


def both_go_on(places, *, sealed):
    """Two machines with one folder that both go on, and what the other one has arrives as a copy."""
    shared = Synchronised(places.folder, ["a", "b"], random.Random(1))
    common = Talk("alder", 40)
    places.say("a", common, 20)
    if sealed:
        places.store("a").condense()
    shared.pass_on("a")
    shared.pass_on("b")
    talks = {"a": Talk("birch", 40), "b": Talk("cedar", 60)}
    for name, talk in talks.items():
        places.say(name, talk)
        if sealed:
            places.store(name).condense()
    shared.settle()
    return shared, common, talks


@pytest.mark.parametrize("sealed", [False, True], ids=["open", "sealed on both"])
def test_a_conflicted_copy_is_taken_in_and_goes(places, sealed):
    """Until then nothing of it is lost, and what is stored meanwhile stays sound; then all of it is there once."""
    shared, common, talks = both_go_on(places, sealed=sealed)
    (copy,) = copies_in(folder_of(places, "a"))
    assert places.said("a", talks["a"]) == words(talks["a"])
    places.say("a", common, 30)
    if sealed:
        places.store("a").condense()
    assert places.store("a").verify() == []
    assert unite_copies(places.store("a")).runs == 1
    for talk, end in ((common, 30), (talks["a"], None), (talks["b"], None)):
        assert places.said("a", talk) == words(talk, 0, end)
    assert places.store("a").verify() == []
    assert [name for name in shared.files("a") if name == copy or "conversation_log" in name] == [LOG]
    assert unite_copies(places.store("a")) == (0, 0, 0)


def test_sealed_files_of_the_same_bytes_are_told_apart(places, monkeypatch):
    """Two machines captured the same session to the same byte: each one's lines differ in when that was, and each finds its own."""
    monkeypatch.setattr(time, "perf_counter", lambda: 1.0)  # else one of the two may have taken a digit more of them
    talk = Talk("alder", 40)
    for name in "ab":
        places.say(name, talk)
        places.store(name).condense()
    mine, other = (places.folder / name / "dedup_state" / "sealed" for name in "ab")
    before = {name: log_of(places.store(name)) for name in "ab"}
    for place, one in ((mine, other), (other, mine)):
        for sealed in [path for path in one.iterdir() if not (place / path.name).exists()]:
            shutil.copy(sealed, place)
    assert len({path.name[:25] for path in mine.iterdir()}) == 1
    assert len(list(mine.iterdir())) == 2
    assert {name: log_of(places.store(name)) for name in "ab"} == before
    assert [places.store(name).verify() for name in "ab"] == [[], []]


def test_a_copy_whose_sealed_lines_have_not_come_yet_waits(places):
    """It is said, and nothing is changed; once they are there it is taken in."""
    shared, _, talks = both_go_on(places, sealed=True)
    folder = places.folder / "a" / "dedup_state"
    with places.store("a").locked_log() as log:
        (stray,) = strays_of(log.sealed)
    late = (folder / "sealed" / stray.path.rsplit("/", 1)[1]).rename(places.folder / "late")
    before = shared.files("a")
    with pytest.raises(CopyNotWhole, match="sealed lines before"):
        unite_copies(places.store("a"))
    assert {name: data for name, data in shared.files("a").items() if "sealed" in name or "log" in name} == {
        name: data for name, data in before.items() if "sealed" in name or "log" in name
    }
    late.rename(folder / "sealed" / stray.path.rsplit("/", 1)[1])
    assert unite_copies(places.store("a")).runs == 1
    assert places.said("a", talks["b"]) == words(talks["b"])


def test_an_open_part_whose_sealed_lines_have_not_come_yet_is_left_alone(places):
    """A run is refused by name, and stores what it has once all of it is there."""
    places.say("a", Talk("alder", 40))
    places.store("a").condense()
    places.say("a", Talk("birch", 20))
    (sealed,) = (places.folder / "a" / "dedup_state" / "sealed").iterdir()
    late = sealed.rename(places.folder / "late")
    for index in (False, True):
        if index:
            (places.folder / "a" / "dedup_state" / "index.bin").unlink()
        with pytest.raises(StoreDamaged, match=r"missing|shorter"):
            places.say("a", Talk("cedar", 10))
    late.rename(sealed)
    places.say("a", Talk("cedar", 10))
    assert places.store("a").verify() == []
    for talk in (Talk("alder", 40), Talk("birch", 20), Talk("cedar", 10)):
        assert places.said("a", talk) == words(talk)


def test_a_copy_that_could_not_be_taken_in_stays(places, monkeypatch):
    """It goes once nothing of it is missing, and not where that was stopped, or something did not come along."""
    _, _, talks = both_go_on(places, sealed=False)
    folder = folder_of(places, "a")
    with monkeypatch.context() as patched:
        patched.setattr(uniting, "take_over", lambda target, runs, into: 0)
        with pytest.raises(StoreDamaged, match="did not come along"):
            unite_copies(places.store("a"))
        patched.setattr(uniting, "take_over", stopped)
        with pytest.raises(KeyboardInterrupt):
            unite_copies(places.store("a"))
    assert len(copies_in(folder)) == 1
    assert unite_copies(places.store("a")) == (1, 0, 1)
    assert places.said("a", talks["b"]) == words(talks["b"])


def stopped(*_arguments):
    """Somebody pressed Ctrl-C."""
    raise KeyboardInterrupt


def test_images_of_a_copy_are_kept_until_it_was_taken_in(places):
    """The store's log does not refer to them: a rebuild leaves them, and so does a purge that came along."""
    gone, new = Talk("alder", 12), Talk("birch", 12)
    places.say("a", gone)
    shutil.copytree(places.folder / "a", places.folder / "b")
    places.say("b", new)
    purge(places.store("b"), None, scope_of([gone.session], None, []))
    places.say("a", Talk("cedar", 12))
    mine, others = (places.folder / name / "dedup_state" for name in "ab")
    shutil.copy(others / LOG, mine / NAMES[0].format(stem="conversation_log", ending=".jsonl"))
    shutil.copytree(others / "blobs", mine / "blobs", dirs_exist_ok=True)
    assert places.store("a").rebuild() == []
    done = unite_copies(places.store("a"))
    assert (done.runs, done.copies, done.purged > 0) == (1, 1, True)
    store = places.store("a")
    with store.transaction(write=False):
        assert store.lost_blob_bytes() == 0
    assert places["a"].get_full_conversation(new.session) == places["b"].get_full_conversation(new.session)
    assert store.verify() == []
    assert gone.picture[:40] not in everything(mine)


def test_a_copy_that_came_only_in_part_gives_what_is_whole(places):
    """A run that is cut in the middle is none; the rest of the copy is another one."""
    _, _, talks = both_go_on(places, sealed=False)
    (name,) = copies_in(folder_of(places, "a"))
    copy = places.folder / "a" / "dedup_state" / name
    data = copy.read_bytes()
    copy.write_bytes(data[:-200])
    unite_copies(places.store("a"))
    assert places.store("a").verify() == []
    copy.write_bytes(data)
    assert unite_copies(places.store("a")).runs == 1
    assert places.said("a", talks["b"]) == words(talks["b"])


@pytest.mark.unmeasured
@pytest.mark.parametrize("seed", range(40 if THOROUGH else 2))
def test_a_folder_that_is_synchronised_file_by_file_ends_with_the_union(places, seed):
    """Whatever arrives when, and whoever stores or seals something then: what was stored is there in the end, once."""
    chance = random.Random(seed)
    shared = Synchronised(places.folder, ["a", "b"], chance, chance.choice(NAMES))
    sessions = {name: Talk(f"{name}session", 80) for name in "ab"}
    stored = []
    for step in range(40):
        name = chance.choice("ab")
        export = Talk(f"{name}{step}", 6)
        if chance.random() < 0.4:
            done(places.say, name, sessions[name], 2 * step + 2)
        elif done(places[name].ingest, export.text(), name=f"{export.name}.txt"):
            stored.append(export)
        if chance.random() < 0.3:
            done(places.store(name).condense)
        if chance.random() < 0.2:
            done(unite_copies, places.store(name))
        if chance.random() < 0.7:
            shared.pass_on(chance.choice("ab"), chance.choice((0.3, 0.7, 1.0)))
    for _ in range(4):
        shared.settle()
        for name in "ab":
            done(unite_copies, places.store(name))
            shared.pass_on(name)
    for name in "ab":
        assert done(places.say, name, sessions[name])
        shared.settle()
    assert len(stored) > 10
    for name in "ab":
        assert copies_in(folder_of(places, name)) == []
        # An index may be the other machine's: nobody reads all of it to see that.
        assert [problem for problem in places.store(name).verify() if "an index" not in problem] == []
        places.store(name).rebuild()
        assert places.store(name).verify() == []
        for talk in sessions.values():
            assert places.said(name, talk) == words(talk)
        for export in stored:
            told = places[name].get_full_conversation(export.name)
            assert [str(each["content"]).count(word(export.name, n)) > 0 for n, each in enumerate(told)] == [True] * 6


def done(job, *arguments, **more):
    """Do it, or have it refused by name: whether it was done."""
    with contextlib.suppress(DedupError):
        job(*arguments, **more)
        return True
    return False
