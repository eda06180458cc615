"""The list of what the archive took in: exact, twice there, made whole from whatever is left, no cause of a false alarm."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as some

from archive_scenes import added, texts, without_parity
from deduplication.archive import completeness, drop_folder, inventory, legacy_inventory, pack_files, places
from deduplication.archive import verify as checking
from deduplication.archive.listed import LOST, UNSURE, Listed
from deduplication.errors import StoreNotWritable
from deduplication.files.safe_read import read
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.project.paths import Project

MOMENT = 1_700_000_000_123_456_700


@pytest.fixture
def project(tmp_path):
    """A project with a store's folder and nothing in it."""
    made = Project(tmp_path.resolve() / "project")
    made.exports.mkdir(parents=True)
    return made


def archived(project, files):
    """Archive files as a run does that processed them."""
    for name, data in files.items():
        path = project.exports / name
        path.write_bytes(data)
        os.utime(path, ns=(MOMENT, MOMENT))
        with drop_folder.opened(project) as archive:
            archive.add(path, read(path)[1], hashlib.sha256(data).hexdigest())


def copies(project):
    """Both copies of the list."""
    return project.state / "archived.jsonl", project.archive / ".archived.jsonl"


def told(path):
    """Name, SHA-256, bytes and state of each line, as somebody reads it who has the page on the format and nothing else."""
    found = []
    for line in path.read_bytes().splitlines(keepends=True):
        body, seal = line[:-21] + b"}", line[-21:]
        assert seal == b',"crc32":"%08x"}\n' % zlib.crc32(body)
        said = json.loads(body)
        found.append((said["name"], said["sha256"], said["bytes"], said.get("state", "")))
    return found


def expected(files, state=""):
    """The lines that these files come to."""
    return [(name, hashlib.sha256(data).hexdigest(), len(data), state) for name, data in files.items()]


def missing(project):
    """The names of the files that verify misses."""
    found = checking.check_project(project)
    return sorted(each.name for each in found.missing) if found is not None else []


def test_each_archived_file_is_named_once_in_both_copies(project):
    """Name, hash and size of each, in the order in which they came; the same bytes again, and packing, add no line."""
    files = texts(3)
    archived(project, files)
    archived(project, files)
    pack_files.pack(project, 0)
    assert told(copies(project)[0]) == expected(files)
    assert copies(project)[0].read_bytes() == copies(project)[1].read_bytes()
    assert [path.stat().st_mode & 0o777 for path in copies(project)] == [0o600] * 2 or os.name == "nt"


def test_the_state_folder_that_the_list_makes_is_ignored_by_git(project):
    """Names of files may tell something: where no store was yet, the folder is as private as a store's."""
    archived(project, {"a.txt": b"a"})
    assert (project.state / ".gitignore").read_text().splitlines()[-1] == "*"
    assert project.state.stat().st_mode & 0o777 == 0o700 or os.name == "nt"


def test_an_original_stays_until_its_file_is_named(project, monkeypatch):
    """Where the list cannot be written the export is left where it is, and the next run names the file that is there already."""

    def refused(_path, _data, **_how):
        raise StoreNotWritable("no room")

    archived(project, {"first.txt": b"first"})
    with monkeypatch.context() as patched:
        patched.setattr(inventory.atomic, "append", refused)
        with pytest.raises(StoreNotWritable):
            archived(project, {"a.txt": b"a"})
    assert (project.exports / "a.txt").read_bytes() == b"a"
    assert (project.archive / "a.txt").read_bytes() == b"a"
    assert [name for name, *_ in told(copies(project)[0])] == ["first.txt"]
    archived(project, {"a.txt": b"a"})
    assert [name for name, *_ in told(copies(project)[0])] == ["first.txt", "a.txt"]
    assert not (project.exports / "a.txt").exists()


def test_what_a_killed_run_left_of_the_list_is_no_export(project):
    """A copy that was being written anew is passed over, packed by nobody, and removed by the next run that archives."""
    archived(project, {"a.txt": b"a"})
    left = project.archive / ".archived.jsonl.123.tmp"
    left.write_bytes(b"half of it")
    assert [path.name for path, _ in places.plain_files(project)] == ["a.txt"]
    archived(project, {"b.txt": b"b"})
    assert not left.exists()


def test_a_batch_is_one_line_each_and_one_append(project, monkeypatch):
    """Many files are named by one write that is synced, and its copy by one that is not."""
    calls = []
    inventory.write(str(project.state), str(project.archive.parent), [])
    project.archive.mkdir()
    inventory.write(str(project.state), str(project.archive), [])
    monkeypatch.setattr(
        inventory.atomic, "append", lambda path, data, durable=True: calls.append((data.count(b"\n"), durable))
    )
    inventory.add(project, [Listed(f"{n}.txt", f"{n:064}", n, MOMENT) for n in range(9)])
    assert calls == [(9, True), (9, False)]


def test_a_run_reads_the_list_once(project, monkeypatch):
    """However many exports it archives: what it costs to name one does not grow with those before it."""
    archived(project, {"first.txt": b"first"})
    reads = []
    genuine = inventory.load
    monkeypatch.setattr(inventory, "load", lambda *folders: reads.append(folders) or genuine(*folders))
    with drop_folder.opened(project) as archive:
        for number in range(20):
            path = project.exports / f"{number}.txt"
            path.write_bytes(bytes([number]))
            archive.add(path, read(path)[1], hashlib.sha256(bytes([number])).hexdigest())
    assert len(reads) <= 2
    assert len(told(copies(project)[0])) == 21
    assert copies(project)[0].read_bytes() == copies(project)[1].read_bytes()


@given(data=some.data())
def test_any_flipped_bit_in_one_copy_costs_nothing(tmp_path_factory, data):
    """Whatever bit of whichever copy is flipped: every file is known, the damage is said, and both are right afterwards."""
    project = Project(tmp_path_factory.mktemp("flip").resolve())
    project.archive.mkdir(parents=True)
    files = [Listed(f"é{n}.txt", hashlib.sha256(bytes([n])).hexdigest(), n, MOMENT) for n in range(4)]
    inventory.write(str(project.state), str(project.archive), files)
    path = data.draw(some.sampled_from(copies(project)))
    right = path.read_bytes()
    at = data.draw(some.integers(0, 8 * len(right) - 1))
    wrong = bytearray(right)
    wrong[at // 8] ^= 1 << at % 8
    path.write_bytes(wrong)
    have = inventory.load(str(project.state), str(project.archive))
    assert list(have.files.values()) == files or set(have.files.values()) == set(files)
    last = at // 8 == len(right) - 1  # without its line feed the last line is one that was never finished
    assert bool(have.faults) != last
    assert bool(inventory.heal(project)) != last
    assert {name for name, *_ in told(path)} == {each.name for each in files}
    assert copies(project)[0].read_bytes() == copies(project)[1].read_bytes()


@pytest.mark.parametrize("which", [0, 1])
def test_what_has_the_name_of_a_copy_and_is_none_is_replaced(project, which, tmp_path):
    """A link is not followed: verify names it, and the next run puts the list in its place, not into what it leads to."""
    archived(project, {"a.txt": b"a"})
    path, other = copies(project)[which], tmp_path / "other"
    other.write_bytes(b"mine")
    path.unlink()
    path.symlink_to(other)
    (problem,) = checking.check_project(project).problems
    assert problem.startswith(f"{path.name}, the list of archived files, cannot be read: ")
    archived(project, {"b.txt": b"b"})
    assert (path.is_symlink(), other.read_bytes()) == (False, b"mine")
    assert [name for name, *_ in told(path)] == ["a.txt", "b.txt"]


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("how", ["deleted", "torn", "behind"])
def test_a_copy_that_is_gone_or_behind_is_made_again(project, which, how):
    """Deleted it is said, cut by a kill it is not; either way the other one has every line, and the next run writes both."""
    archived(project, {"a.txt": b"a", "b.txt": b"b"})
    path = copies(project)[which]
    right = path.read_bytes()
    if how == "deleted":
        path.unlink()
    else:
        path.write_bytes(right[: -5 if how == "torn" else len(right.splitlines(keepends=True)[0])])
    shutil.copyfile(project.archive / "a.txt", project.exports / "keep.txt")
    (project.archive / "a.txt").unlink()
    assert missing(project) == ["a.txt"]
    problems = checking.check_project(project).problems
    assert [path.name in problem for problem in problems] == ([True] if how == "deleted" else [])
    archived(project, {"c.txt": b"c"})
    assert [name for name, *_ in told(path)] == ["a.txt", "b.txt", "c.txt"]


def test_a_deleted_archive_is_noticed(project):
    """The folder with all that was archived is gone, with a copy of the list: each file is named, and nothing is created."""
    archived(project, texts(2))
    shutil.rmtree(project.archive)
    assert missing(project) == sorted(texts(2))
    assert not project.archive.exists()


@pytest.mark.parametrize("which", ["pack", "index", "both", "folder", "middle", "last"])
def test_a_deleted_pack_is_named_by_its_files(project, which, monkeypatch):
    """Whichever pack it is, with its index or without; a deleted index alone costs nothing."""
    monkeypatch.setattr("deduplication.packs.merge_policy.TIERS", ((10, 0),))
    names = {}
    for number in range(3):
        files = {f"{number}-{n}.txt": bytes([65 + number]) * (3000 + n) for n in range(2)}
        archived(project, files)
        pack_files.pack(project, 0, thorough=False)
        names[number] = sorted(files)
    packs = project.archive / "packs"
    at = {"middle": 1, "last": 2}.get(which, 0)
    for ending in {"index": ("idx",), "pack": ("pack",)}.get(which, ("pack", "idx")):
        (packs / f"pack-{at + 1:04}.{ending}").unlink()
    if which == "folder":
        shutil.rmtree(packs)
    lost = {"index": [], "folder": [*names[0], *names[1], *names[2]]}.get(which, names[at])
    assert missing(project) == lost
    assert sorted(each.name for each in completeness.compare_with_inventory(project).missing) == lost


def test_looking_writes_nothing(project):
    """What the doctor asks makes no index, and says of a damaged pack which files it costs."""
    archived(project, texts(3))
    pack_files.pack(project, 0)
    packs = project.archive / "packs"
    without_parity(packs)
    (packs / "pack-0001.idx").unlink()
    assert completeness.compare_with_inventory(project).missing == []
    assert [path.name for path in packs.iterdir()] == ["pack-0001.pack"]
    data = bytearray((packs / "pack-0001.pack").read_bytes())
    data[130] ^= 1
    (packs / "pack-0001.pack").write_bytes(data)
    assert sorted(each.name for each in completeness.compare_with_inventory(project).missing) == sorted(texts(3))
    assert [path.name for path in packs.iterdir()] == ["pack-0001.pack"]


@pytest.mark.parametrize("at", [130, -120])
def test_no_index_is_made_of_a_damaged_pack(project, at):
    """Neither by opening it nor by rebuild: one that leaves files out would be believed. One that is there stays, and is said."""
    archived(project, texts(3))
    pack_files.pack(project, 0)
    packs = project.archive / "packs"
    without_parity(packs)
    data = bytearray((packs / "pack-0001.pack").read_bytes())
    data[at] ^= 1
    (packs / "pack-0001.pack").write_bytes(data)
    index = (packs / "pack-0001.idx").read_bytes()
    (said,) = checking.rebuild_project(project)
    assert said.startswith("pack-0001.pack: it is damaged")
    assert (packs / "pack-0001.idx").read_bytes() == index
    (packs / "pack-0001.idx").unlink()
    checking.check_project(project)
    checking.rebuild_project(project)
    assert [path.name for path in packs.iterdir()] == ["pack-0001.pack"]


def test_a_file_that_is_given_up_is_no_damage_until_it_comes_back(project):
    """It is told as given up; archived once more it is one like any other, and would be missed again."""
    archived(project, {"a.txt": b"a", "b.txt": b"b"})
    (project.archive / "a.txt").unlink()
    found = checking.check_project(project)
    with drop_folder.opened(project):
        inventory.give_up(project, found.missing)
    found = checking.check_project(project)
    assert (found.missing, [each.name for each in found.given_up], found.all_problems()) == ([], ["a.txt"], [])
    assert told(copies(project)[0])[-1][3] == LOST
    archived(project, {"a.txt": b"a"})
    assert checking.check_project(project) is None
    (project.archive / "a.txt").unlink()
    assert missing(project) == ["a.txt"]


def test_the_same_bytes_under_another_name_are_no_loss(project):
    """A file is there as long as any archived one has its bytes."""
    added(project.archive / "packs", {"one.txt": b"same" * 999})
    archived(project, {"two.txt": b"same" * 999})
    assert not (project.archive / "two.txt").exists(), "the packs have it"
    assert missing(project) == []


def test_many_at_once_name_every_file(project):
    """Runs that archive at the same moment: no line is lost, none is torn, and both copies agree."""
    files = {f"{n}-{k}.txt": f"{n}/{k}".encode() for n in range(6) for k in range(4)}
    runs = [{name: data for name, data in files.items() if name.startswith(f"{n}-")} for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(archived, project, each) for each in runs]:
            done.result()
    assert sorted(told(copies(project)[0])) == sorted(expected(files))
    assert copies(project)[0].read_bytes() == copies(project)[1].read_bytes()


# --- before there was a list ----------------------------------------------------------------------------------------


def older(project, files):
    """A store and an archive as a version without a list left them: the log has all ``files``."""
    dedup = ClaudeConversationDeduplicator(project.state)
    for name, data in files.items():
        dedup.ingest(data, name=name, conversation_id="tides")
    archived(project, files)
    for path in copies(project):
        path.unlink()


def test_a_store_without_a_list_gets_one_silently(project):
    """The first run that writes names all that is there, plain and packed; verify says nothing and writes nothing."""
    files = texts(4)
    older(project, dict(list(files.items())[:2]))
    pack_files.pack(project, 0)
    archived(project, dict(list(files.items())[2:]))
    for path in copies(project):
        path.unlink()
    found = checking.check_project(project)
    assert (found.all_problems(), found.unsure) == ([], [])
    assert not any(path.exists() for path in copies(project))
    with drop_folder.opened(project):
        assert inventory.heal(project) == []
    assert sorted(told(copies(project)[0])) == sorted(expected(files))


def test_what_only_the_log_tells_of_is_told_as_unsure(project):
    """The log does not say whether an export was archived: one of which nothing is there is no damage, and not forgotten."""
    files = texts(3)
    older(project, files)
    gone = next(iter(files))
    (project.archive / gone).unlink()
    found = checking.check_project(project)
    assert (found.all_problems(), [each.name for each in found.unsure]) == ([], [gone])
    archived(project, {"more.txt": b"more"})
    assert (gone, UNSURE) in [(name, state) for name, _, _, state in told(copies(project)[0])]


def test_where_both_copies_are_damaged_the_log_names_exports(project):
    """A line that is gone in both is told by the log, plainly: that nobody knows is no reason to be silent."""
    files = texts(3)
    dedup = ClaudeConversationDeduplicator(project.state)
    for name, data in files.items():
        dedup.ingest(data, name=name, conversation_id="tides")
    archived(project, files)
    gone = next(iter(files))
    (project.archive / gone).unlink()
    copies(project)[0].unlink()
    data = bytearray(copies(project)[1].read_bytes())
    data[30] ^= 1
    copies(project)[1].write_bytes(bytes(data))
    assert missing(project) == [gone]
    with drop_folder.opened(project):
        assert len(inventory.heal(project)) == 2
    assert missing(project) == [gone]


def test_a_new_archive_takes_nothing_from_the_log(project):
    """Exports that were processed where they lay, before anything was archived, are nobody's loss."""
    dedup = ClaudeConversationDeduplicator(project.state)
    for name, data in texts(3).items():
        dedup.ingest(data, name=name, conversation_id="tides")
    archived(project, {"more.txt": b"more"})
    assert told(copies(project)[0]) == expected({"more.txt": b"more"})


def test_a_plain_file_that_was_written_over_is_known_by_the_log(project):
    """Its name and the hash that the log has of it are listed, not what lies there now."""
    files = texts(2)
    older(project, files)
    name = next(iter(files))
    (project.archive / name).write_bytes(b"something else")
    said = legacy_inventory.known_before(str(project.state), str(project.archive))
    assert {each.sha256 for each in said} == {hashlib.sha256(data).hexdigest() for data in files.values()}
    assert missing(project) == [name]


def test_a_pack_that_was_lost_before_the_list_began_is_told_by_numbers(project, monkeypatch):
    """Nobody knows the names any more; how many files there were is known, and stays known."""
    monkeypatch.setattr("deduplication.packs.merge_policy.TIERS", ((10, 0),))
    project.archive.mkdir(parents=True)
    for number in range(3):
        added(project.archive / "packs", {f"{number}.txt": bytes([65 + number]) * 3000})
    for ending in ("pack", "idx"):
        (project.archive / "packs" / f"pack-0002.{ending}").unlink()
    archived(project, {"more.txt": b"more"})
    assert missing(project) == ["file 1, of a pack that is gone"]


def test_the_index_of_a_lost_pack_begins_the_list(project, monkeypatch):
    """It knows the hashes of files, and the log the names of those that it knows."""
    monkeypatch.setattr("deduplication.packs.merge_policy.TIERS", ((10, 0),))
    files = texts(2)
    older(project, files)
    pack_files.pack(project, 0)
    for path in copies(project):
        path.unlink()
    (project.archive / "packs" / "pack-0001.pack").unlink()
    assert missing(project) == sorted(files)
