"""Machines that archive into one project which something synchronises: every raw export of each comes back, byte for byte."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil

import pytest

from archive_reader import read
from deduplication.archive import inventory, purged_files, recut
from deduplication.archive import restore as restoring
from deduplication.archive.places import plain_files
from deduplication.commands import deduplicate_export, export_dedup
from deduplication.diagnosis import archive as diagnosis
from deduplication.diagnosis.finding import Subject
from deduplication.errors import ArchiveDamaged, CopyNotWhole, DedupError, PurgeRefused, StoreDamaged
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.packs import merge_policy
from deduplication.packs.pack_copies import CopiedPacks, copies_in
from deduplication.packs.pack_set import opened_packs
from deduplication.project.paths import Project
from deduplication.purge.run import purge
from deduplication.purge.scope import scope_of
from deduplication.repair.examine import examine
from deduplication.repair.repair import repair
from deduplication.united import archives, folder
from deduplication.united.folder import unite_copies
from purge_scenes import Talk, word
from synchronised import NAMES, Synchronised
from thorough import THOROUGH

COPY = NAMES[0]


class Projects:
    """Projects below a folder, by the names of machines; what each archived is remembered."""

    def __init__(self, folder):
        self.folder = folder
        self.exported = {}

    def project(self, name):
        """One of them."""
        (self.folder / name / ".git").mkdir(parents=True, exist_ok=True)
        return Project(self.folder / name)

    def archive(self, name, talk, *, first=0, end=None):
        """Export what a talk says and have it processed: stored, and archived in a pack."""
        project = self.project(name)
        export = project.root / f"2026-03-05-EXPORT-{talk.name.upper()}-{first}-{end or len(talk.turns)}.txt"
        export.write_bytes(talk.text(first, end))
        self.exported[export.name] = export.read_bytes()
        code = export_dedup.main(
            ["--project", str(project.root), "--no-checkpoint", "--session-id", talk.name, str(export)]
        )
        assert code == 0
        return export.name

    def store(self, name):
        """A store, opened anew."""
        return ClaudeConversationDeduplicator(self.project(name).state).store

    def unite(self, name):
        """Take in all copies."""
        return unite_copies(self.store(name), self.project(name))

    def said(self, name, talk):
        """The words of a talk in a store, in order."""
        found = ClaudeConversationDeduplicator(self.project(name).state).get_full_conversation(talk.name)
        told = [str(each["content"]) for each in found]
        return [word(talk.name, n) for each in told for n in range(len(talk.turns)) if word(talk.name, n) in each]

    def packs(self, name):
        """The folder of packs."""
        return self.project(name).archive / "packs"

    def restored(self, name):
        """What the archive gives back: plain files, and packs by the document's own reader of them."""
        packs = self.folder / "packs"
        shutil.rmtree(packs, ignore_errors=True)
        shutil.copytree(self.packs(name), packs, ignore=lambda folder, _: copies_in(folder))
        plain = {path.name: path.read_bytes() for path, _ in plain_files(self.project(name))}
        return {**read(packs), **plain}

    def is_whole(self, name):
        """Whether store and archive verify, and every file of the list is there."""
        return deduplicate_export.main(["verify", "--project", str(self.folder / name)]) == 0

    def beside(self, name, other, *, wins, sealed=True):
        """Bring to a machine what another one has, each pack, list and log as a copy; ``wins``: its packs take the names."""
        here, there = self.project(name), self.project(other)
        for place, stem, ending in (
            (here.archive / "packs", "pack-0001", ".pack"),
            (here.archive / "packs", "pack-0001", ".idx"),
            (here.archive, ".archived", ".jsonl"),
            (here.state, "archived", ".jsonl"),
        ):
            own = place / f"{stem}{ending}"
            others = there.root / own.relative_to(here.root)
            copy = place / COPY.format(stem=stem, ending=ending)
            if wins:
                own.rename(copy)
                shutil.copy(others, own)
            else:
                shutil.copy(others, copy)
        log = COPY.format(stem="conversation_log", ending=".jsonl")
        shutil.copy(there.state / "conversation_log.jsonl", here.state / log)
        for each in (there.state / "sealed").glob("*") if sealed else ():
            (here.state / "sealed").mkdir(exist_ok=True, mode=0o700)
            shutil.copy(each, here.state / "sealed")


@pytest.fixture
def projects(tmp_path, monkeypatch, capsys):
    """Projects of several machines."""
    monkeypatch.delenv("CLAUDE_PROJECT_DIR", raising=False)
    yield Projects(tmp_path)
    capsys.readouterr()


@pytest.fixture
def small_packs(monkeypatch):
    """Every run makes a pack of its own."""
    monkeypatch.setattr(merge_policy, "TIERS", ((0, 0),))


def fork(projects, *, before=1):
    """Two machines with the same archive."""
    for number in range(before):
        projects.archive("a", Talk(f"common{number}", 20))
    shutil.copytree(projects.folder / "a", projects.folder / "b")


@pytest.mark.parametrize("wins", [False, True], ids=["copy", "original"])
@pytest.mark.parametrize("name", "ab")
def test_both_machines_archives_become_one(projects, wins, name):
    """Whichever of two packs of one name is the copy: every export comes back, every message is stored once, no copy is left."""
    fork(projects)
    mine, others = Talk("alder", 30), Talk("birch", 40)
    projects.archive("a", mine)
    projects.archive("b", others)
    projects.beside(name, "ba"["ab".index(name)], wins=wins)
    done = projects.unite(name)
    assert (done.runs, done.purged, done.copies) == (1, 0, 5)
    assert done.files == 1
    assert projects.restored(name) == projects.exported
    assert projects.said(name, mine) == [word("alder", n) for n in range(30)]
    assert projects.said(name, others) == [word("birch", n) for n in range(40)]
    assert projects.is_whole(name)
    assert copies_in(str(projects.packs(name))) == []
    assert projects.unite(name) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    "wins", [(True, False, True), (True, True, True), (False, False, False)], ids=["mixed", "b", "a"]
)
def test_each_pack_is_read_behind_the_packs_that_its_machine_had(projects, small_packs, wins):
    """Names and numbers of two machines mixed: a pack of one behind that of the other, which has as many files and segments.

    Or all packs of one are copies, of which several are in one row; what lies at one byte of two of them is not the same.
    """
    fork(projects)
    for name, first, second in (("a", Talk("alder", 6), Talk("birch", 6)), ("b", Talk("cedar", 6), Talk("dedar", 6))):
        projects.archive(name, first)
        projects.archive(name, second)
        projects.archive(name, Talk(second.name, 12), end=12)
    here, there = projects.packs("a"), projects.packs("b")
    assert sorted(path.name for path in here.glob("*.pack")) == [f"pack-000{n}.pack" for n in (1, 2, 3, 4)]
    for stem, theirs in zip(("pack-0002", "pack-0003", "pack-0004"), wins):
        copy = here / COPY.format(stem=stem, ending=".pack")
        if theirs:
            (here / f"{stem}.pack").rename(copy)
            shutil.copy(there / f"{stem}.pack", here)
        else:
            shutil.copy(there / f"{stem}.pack", copy)
    projects.unite("a")
    assert copies_in(str(here)) == []
    with restoring.opened(projects.project("a")) as shelf:
        given = {entry.name: b"".join(shelf.parts(entry)) for name in projects.exported for entry in shelf.find(name)}
    assert given == projects.exported
    assert repair(projects.store("a"), projects.project("a")).remaining == []
    assert projects.restored("a") == projects.exported


def test_a_pack_that_only_lies_behind_another_ones_is_found_too(projects, small_packs):
    """No copy at all: one machine put its packs together, and the other one's next pack has numbers that those have as well."""
    fork(projects, before=2)
    projects.archive("a", Talk("alder", 10))
    own = projects.packs("a") / "pack-0003.pack"
    data = own.read_bytes()
    for n in range(3):
        projects.archive("b", Talk(f"birch{n}", 10 + n))
    merge_policy.TIERS = ((1 << 20, 0),)
    projects.archive("b", Talk("cedar", 10))
    assert [path.name for path in projects.packs("b").glob("*.pack")] == ["pack-0001.pack"]
    shutil.rmtree(projects.packs("a"))
    shutil.copytree(projects.packs("b"), projects.packs("a"))
    own.write_bytes(data)
    projects.unite("a")
    assert projects.restored("a") == projects.exported


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_copy_of_which_not_every_file_comes_back_stays(projects, damage):
    """It is named, nothing else waits for it, and once all of it is there it is taken in."""
    fork(projects)
    projects.archive("a", Talk("alder", 10))
    projects.archive("b", Talk("birch", 60))
    projects.beside("a", "b", wins=False)
    copy = projects.packs("a") / COPY.format(stem="pack-0001", ending=".pack")
    whole = copy.read_bytes()
    data = bytearray(whole if damage == "flipped" else whole[:-400])
    if damage == "flipped":
        data[len(data) // 3 : len(data) // 3 + 200] = bytes(200)
    copy.write_bytes(data)
    with pytest.raises(CopyNotWhole, match="conflicted copy"):
        projects.unite("a")
    assert copy.read_bytes() == data
    assert set(projects.restored("a")) >= {n for n in projects.exported if "ALDER" in n or "COMMON" in n}
    copy.write_bytes(whole)
    projects.unite("a")
    assert projects.restored("a") == projects.exported
    assert projects.is_whole("a")


def test_what_was_purged_here_is_archived_without_it(projects):
    """The other machine's raw export shows it: what else it shows comes along, and says that it is not what was exported."""
    fork(projects)
    gone = Talk("common0", 60)
    projects.archive("b", gone, end=60)
    project = projects.project("a")
    purge(projects.store("a"), project, scope_of([], None, hashes(projects, gone, 4, 5)))
    projects.archive("a", Talk("alder", 10))
    projects.beside("a", "b", wins=False)
    projects.unite("a")
    data = b"".join(projects.restored("a").values())
    assert [n for n in range(60) if word(gone.name, n).encode() in data] == [n for n in range(60) if n not in (4, 5)]
    assert word(gone.name, 4).encode() not in b"".join(
        path.read_bytes() for path in project.memory.rglob("*") if path.is_file()
    )
    assert projects.is_whole("a")


def test_what_was_taken_in_is_no_place_where_something_purged_stays(projects):
    """It is kept for a while, and goes with a purge, or when it is old."""
    fork(projects)
    projects.archive("a", Talk("alder", 10))
    projects.archive("b", Talk("birch", 10))
    projects.beside("a", "b", wins=False)
    projects.unite("a")
    quarantine = projects.project("a").archive / "quarantine"
    (kept,) = quarantine.iterdir()
    purge(projects.store("a"), projects.project("a"), scope_of(["birch"], None, []))
    assert list(quarantine.iterdir()) == []
    assert set(projects.restored("a")) == {name for name in projects.exported if "BIRCH" not in name}
    for name in (kept.name, "taken-in-20200101-pack-0009 (1).pack", "damaged-20200101-pack-0009.pack"):
        (quarantine / name).write_bytes(b"something")
    shutil.copy(projects.packs("a") / "pack-0001.pack", projects.packs("a") / "pack-0001 (1).pack")
    projects.unite("a")
    assert "taken-in-20200101-pack-0009 (1).pack" not in {path.name for path in quarantine.iterdir()}
    assert {kept.name, "damaged-20200101-pack-0009.pack"} <= {path.name for path in quarantine.iterdir()}


def test_a_purge_waits_for_copies_of_packs(projects):
    """They may have the same messages; the doctor names them."""
    fork(projects)
    projects.archive("a", Talk("alder", 10))
    projects.archive("b", Talk("birch", 10))
    projects.beside("a", "b", wins=False)
    (projects.project("a").state / COPY.format(stem="conversation_log", ending=".jsonl")).unlink()
    with pytest.raises(PurgeRefused, match=r"pack-0001 \(b's conflicted copy"):
        purge(projects.store("a"), projects.project("a"), scope_of(["alder"], None, []))
    subject = Subject(projects.project("a"), str(projects.project("a").state), "", {})
    found = next(each for each in diagnosis.findings(subject) if each.name == "copies")
    assert any("pack-0001 (b's conflicted copy" in each for each in found.details)


def hashes(projects, talk, *numbers):
    """The content hashes of messages of a talk, as a purge takes them."""
    found = ClaudeConversationDeduplicator(projects.project("a").state).get_full_conversation(talk.name)
    return [each["content_hash"] for each in found for n in numbers if word(talk.name, n) in str(each["content"])]


@pytest.mark.parametrize("purged", [False, True])
def test_a_file_that_only_the_other_ones_list_names_is_known_to_be_missing(projects, purged):
    """Its pack has not come, or is lost; where something was purged nobody can tell whether it went with that."""
    fork(projects)
    projects.archive("a", Talk("alder", 10))
    projects.archive("b", Talk("birch", 10))
    projects.beside("a", "b", wins=False)
    for each in copies_in(str(projects.packs("a"))):
        (projects.packs("a") / each).unlink()
    if purged:
        for copy in projects.project("a").state.glob("conversation_log (*"):
            copy.rename(projects.folder / "log")
        for copy in (
            *projects.project("a").state.glob("archived (*"),
            *projects.project("a").archive.glob(".archived (*"),
        ):
            copy.rename(projects.folder / copy.name)
        purge(projects.store("a"), projects.project("a"), scope_of([], None, hashes(projects, Talk("alder", 10), 3)))
        shutil.copy(projects.folder / ".archived (b's conflicted copy 2026-12-01).jsonl", projects.project("a").archive)
    with contextlib.suppress(CopyNotWhole):  # the words of sealed lines are in that pack
        projects.unite("a")
    project = projects.project("a")
    names = {each.name for each in inventory.load(str(project.state), str(project.archive)).files.values()}
    assert any("BIRCH" in name for name in names) == (not purged)
    assert projects.is_whole("a") == purged


def test_which_files_are_not_what_was_exported_is_taken_over(projects):
    """What the other machine's purge changed in a file is known of it here, too."""
    fork(projects)
    archive = projects.project("a").archive
    stem, ending = os.path.splitext(purged_files.PURGED_FILES)
    other = purged_files.PurgedFile("ab" * 32, 3)
    (archive / COPY.format(stem=stem, ending=ending)).write_bytes(purged_files.encoded([other]))
    projects.unite("a")
    assert purged_files.load(str(archive)) == {other.sha256: other}


def test_copies_of_lists_are_no_exports(projects):
    """Nobody restores, packs or lists them as one."""
    fork(projects)
    archive = projects.project("a").archive
    for conflict in NAMES:
        shutil.copy(archive / ".archived.jsonl", archive / conflict.format(stem=".archived", ending=".jsonl"))
    assert plain_files(projects.project("a")) == []
    assert projects.unite("a").copies == len(NAMES)


@pytest.mark.parametrize("conflict", NAMES)
def test_copies_are_recognised_by_the_names_that_such_programs_give(projects, conflict):
    """And packs themselves, and what is neither, are not."""
    fork(projects)
    packs = projects.packs("a")
    copies = [conflict.format(stem="pack-0001", ending=ending) for ending in (".idx", ".pack")]
    for copy in copies:
        shutil.copy(
            packs / f"pack-0001{copy[-4:].lstrip('1')}" if copy.endswith(".idx") else packs / "pack-0001.pack",
            packs / copy,
        )
    (packs / "packing list.pack").write_bytes(b"no pack")
    assert copies_in(str(packs)) == sorted(copies)
    assert projects.unite("a") == (0, 0, 2, 0)
    assert (packs / "packing list.pack").exists()


def test_repair_keeps_copies_and_takes_from_them(projects):
    """What is lost of a pack is in the copy: a look says so, a repair has it, and the copy does not go with the old packs."""
    fork(projects)
    projects.archive("a", Talk("alder", 200))
    projects.archive("b", Talk("birch", 10))
    projects.beside("a", "b", wins=True)
    project, store = projects.project("a"), projects.store("a")
    looked = examine(store, project)
    assert [each.repaired for each in looked if each.kind == "file"] in ([], [True])
    own = projects.packs("a") / "pack-0001.pack"
    data = bytearray(own.read_bytes())
    data[100 : len(data) - 100] = bytes(len(data) - 200)
    own.write_bytes(data)
    repair(projects.store("a"), project)
    assert set(projects.restored("a")) >= {name for name in projects.exported if "BIRCH" not in name}
    assert copies_in(str(projects.packs("a"))) != []


@pytest.mark.parametrize("listed", [False, True], ids=["own list", "other list"])
def test_repair_of_archive_and_log_loses_nothing_that_only_copies_have(projects, small_packs, listed):
    """What copies have cannot be taken in before the log is mended; packs that they rest on are written anew before that.

    Nor is given up what only they have, and nothing else names.
    """
    fork(projects)
    for name, talk in (("a", Talk("alder", 40)), ("b", Talk("birch", 40))):
        projects.archive(name, talk, end=20)
        projects.archive(name, talk)
    project, there = projects.project("a"), projects.project("b")
    copied = [project.archive / "packs" / "pack-0003.pack"]  # what stands behind another one's cannot be read there
    copied += [project.archive / ".archived.jsonl", project.state / "archived.jsonl"] if listed else []
    for own in [project.archive / "packs" / "pack-0002.pack", *copied]:
        copy = own.with_name(COPY.format(stem=own.stem, ending=own.suffix))
        if own.name == "pack-0003.pack" and not listed:
            shutil.copy(there.root / own.relative_to(project.root), copy)
        else:
            own.rename(copy)
            shutil.copy(there.root / own.relative_to(project.root), own)
    sealed = project.state / "sealed"
    assert len(list(sealed.iterdir())) == 1
    shutil.rmtree(sealed)
    with pytest.raises((StoreDamaged, ArchiveDamaged)):
        projects.unite("a")
    done = repair(projects.store("a"), project, accept_lost=True)
    assert (done.lost(), done.given_up, done.remaining) == ([], [], [])
    assert projects.unite("a").copies == (4 if listed else 2)
    assert projects.restored("a") == projects.exported
    assert projects.said("a", Talk("alder", 40)) == [word("alder", n) for n in range(40)]
    assert projects.is_whole("a")


def test_packs_that_are_written_anew_for_their_images_leave_copies_alone(projects, monkeypatch):
    """Nothing that is not the archive's own goes with the old packs."""
    fork(projects)
    copy = projects.packs("a") / COPY.format(stem="pack-0001", ending=".pack")
    shutil.copy(projects.packs("a") / "pack-0001.pack", copy)
    monkeypatch.setattr(recut, "_is_cut_out", lambda packs, data: True)
    assert recut.recut(projects.project("a"), [bytes(1 << 20)])
    assert copy.exists()
    assert projects.restored("a") == projects.exported


def test_a_pack_of_the_archive_that_is_damaged_itself_is_not_written_anew(projects):
    """Nothing is given up in passing: that is for repair, which puts aside what it cannot read."""
    fork(projects)
    projects.archive("a", Talk("alder", 200))
    projects.archive("b", Talk("birch", 10))
    projects.beside("a", "b", wins=False)
    own = projects.packs("a") / "pack-0001.pack"
    data = bytearray(own.read_bytes())
    data[100 : len(data) - 100] = bytes(len(data) - 200)
    own.write_bytes(data)
    with pytest.raises(ArchiveDamaged, match="damaged"):
        projects.unite("a")
    assert own.read_bytes() == data
    assert len(copies_in(str(projects.packs("a")))) == 2


@pytest.mark.parametrize("at", ["add", "write", "put_aside"])
def test_stopped_anywhere_it_is_done_again(projects, monkeypatch, at):
    """Nothing is lost, nothing is doubled, and no file of a copy is missing on the list."""
    fork(projects)
    projects.archive("a", Talk("alder", 10))
    projects.archive("b", Talk("birch", 10))
    projects.beside("a", "b", wins=True)
    with monkeypatch.context() as patched:
        if at == "add":
            patched.setattr(archives.inventory, "add", stopped)
        elif at == "write":
            patched.setattr(archives.packed_anew, "pack", stopped)
        else:
            patched.setattr(folder.archives, "put_aside", stopped)
        with pytest.raises(KeyboardInterrupt):
            projects.unite("a")
    projects.unite("a")
    assert projects.restored("a") == projects.exported
    assert projects.is_whole("a")
    listed = inventory.load(str(projects.project("a").state), str(projects.project("a").archive))
    assert {each.name for each in listed.files.values()} == set(projects.exported)


def stopped(*_arguments, **_named):
    """Somebody pressed Ctrl-C."""
    raise KeyboardInterrupt


def test_no_row_makes_a_file_that_was_not_archived(projects, small_packs):
    """What comes out of the wrong row has another SHA-256, and is not believed."""
    fork(projects)
    projects.archive("a", Talk("alder", 8))
    projects.archive("b", Talk("birch", 8))
    projects.archive("b", Talk("birch", 16), end=16)
    shutil.copy(projects.packs("b") / "pack-0003.pack", projects.packs("a"))
    with opened_packs(str(projects.packs("a"))) as packs:
        wrong = [number for number in packs.numbers() if not comes_back(packs, number)]
    assert wrong or copies_in(str(projects.packs("a"))) == []
    with contextlib.closing(
        CopiedPacks(str(projects.packs("a")), str(projects.project("a").archive / "quarantine"))
    ) as copied:
        assert all(held.data() in projects.exported.values() for held in copied.files())


def comes_back(packs, number):
    """Whether a file does."""
    try:
        return bool(b"".join(packs.restore(number)))
    except ArchiveDamaged:
        return False


def test_what_it_did_is_said(projects, capsys):
    """With the files, for people and as JSON."""
    fork(projects)
    projects.archive("a", Talk("alder", 10))
    projects.archive("b", Talk("birch", 10))
    projects.beside("a", "b", wins=False)
    shutil.copytree(projects.folder / "a", projects.folder / "c")
    capsys.readouterr()
    assert deduplicate_export.main(["unite", "--project", str(projects.folder / "a")]) == 0
    assert capsys.readouterr().out == "1 run and 1 archived file taken in, 5 copies are gone.\n"
    assert deduplicate_export.main(["unite", "--project", str(projects.folder / "c"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == 1


@pytest.mark.unmeasured
@pytest.mark.parametrize("seed", range(40 if THOROUGH else 2))
def test_a_project_that_is_synchronised_file_by_file_ends_with_every_export(projects, seed, monkeypatch):
    """Whatever arrives when, and whoever archives or packs something then."""
    chance = random.Random(seed)
    monkeypatch.setattr(merge_policy, "TIERS", chance.choice([((0, 0),), ((3000, 0), (20000, 3)), merge_policy.TIERS]))
    for name in "ab":
        projects.project(name)
    shared = Synchronised(projects.folder, ["a", "b"], chance, chance.choice(NAMES), below="MEMORY-CONTEXT")
    talks = {name: Talk(f"{name}session", 60) for name in "ab"}
    for step in range(14):
        name = chance.choice("ab")
        with contextlib.suppress(DedupError, AssertionError):
            if chance.random() < 0.5:
                projects.archive(name, talks[name], end=4 * step + 4)
            else:
                projects.archive(name, Talk(f"{name}{step}", 6))
        if chance.random() < 0.3:
            with contextlib.suppress(DedupError):
                projects.unite(name)
        if chance.random() < 0.6:
            shared.pass_on(chance.choice("ab"), chance.choice((0.4, 0.8, 1.0)))
    for _ in range(4):
        shared.settle()
        for name in "ab":
            with contextlib.suppress(DedupError):
                projects.unite(name)
    shared.settle()
    for name in "ab":
        with contextlib.suppress(
            StoreDamaged
        ):  # the older of two states of the log won, and what it seals is gone: see repair
            projects.unite(name)
        repair(projects.store(name), projects.project(name))
        projects.unite(name)
        repair(projects.store(name), projects.project(name))
        waiting = {path.name for each in "ab" for path in projects.project(each).root.glob("*.txt")}
        assert {**projects.exported, **projects.restored(name)} == projects.exported
        assert set(projects.exported) - set(projects.restored(name)) <= waiting
        assert projects.is_whole(name)
