"""The archive under faults: killed, refused by the disk, damaged, used by many at once. Nothing is lost, nothing is wrong."""

from __future__ import annotations

import errno
import os
import random
import shutil

import pytest

import archive_reader
from archive_scenes import added, texts, transcripts, without_parity
from deduplication.archive import drop_folder, pack_files
from deduplication.archive import restore as restoring
from deduplication.archive import verify as checking
from deduplication.errors import DedupError
from deduplication.packs import merge_policy, pack_builder
from deduplication.project.paths import Project
from faults.children import Shim, end, run, start

pytestmark = [pytest.mark.faults, pytest.mark.parametrize("backend", ["json"], indirect=True)]
"""What is tested here has no index of the log: one of them is enough."""
FILES = {**texts(4), **transcripts(4)}
OLD, NEW = dict(list(FILES.items())[::2]), dict(list(FILES.items())[1::2])


class Scene:
    """A project with some files packed, in several packs, and more of them plain; the job is to pack those."""

    def __init__(self, folder, *, thorough=True):
        self.project = Project(folder.resolve())
        self.packs = self.project.archive / "packs"
        self.thorough = thorough
        self._template = folder.parent / f"{folder.name}-template"
        project = Project(self._template.resolve())
        project.archive.mkdir(parents=True, mode=0o700)
        with drop_folder.opened(project):
            for name, data in OLD.items():
                added(project.archive / "packs", {name: data})
        for name, data in NEW.items():
            (project.archive / name).write_bytes(data)

    def reset(self):
        """Begin again."""
        shutil.rmtree(self.project.root, ignore_errors=True)
        shutil.copytree(self._template, self.project.root)

    def job(self):
        """What a child does: the names that were packed, and those that failed."""
        done = pack_files.pack(self.project, 0, thorough=self.thorough)
        return done.names, [name for name, _ in done.failures]

    def plain(self):
        """The plain files, read here."""
        return {p.name: p.read_bytes() for p in self.project.archive.iterdir() if p.is_file() and p.name in FILES}

    def nothing_lost(self):
        """Every file is there, plain or packed, with its own bytes: by a reader that is not ours, and by ours."""
        found = archive_reader.read(self.packs)
        plain = self.plain()
        assert {**found, **plain} == FILES
        assert all(FILES[name] == data for name, data in found.items())
        with restoring.opened(self.project) as shelf:
            assert {entry.name: b"".join(shelf.parts(entry)) for entry in shelf.all()} == FILES

    def recovers(self):
        """Nothing is lost, and the same run again completes it, with nothing left over."""
        self.nothing_lost()
        pack_files.pack(self.project, 0, thorough=self.thorough)
        assert self.plain() == {}
        assert archive_reader.read(self.packs) == FILES
        assert checking.check(str(self.packs)).all_problems() == []
        ours = [".archived.jsonl", ".gitignore", ".lock", "packs"]
        assert sorted(path.name for path in self.project.archive.iterdir()) == ours
        assert [path.name for path in self.packs.iterdir() if path.suffix not in (".pack", ".idx")] == []


@pytest.fixture(params=[True, False], ids=["thorough", "quick"])
def scene(request, disk, monkeypatch):
    """A run that takes in several packs, so that there is something to lose."""
    monkeypatch.setattr(merge_policy, "TIERS", ((10, 0), (200, 0), (300, 0)))
    made = Scene(disk / "project", thorough=request.param)
    assert len(list((disk / "project-template" / "MEMORY-CONTEXT" / "exports-archive" / "packs").glob("*.pack"))) == 4
    monkeypatch.setattr(merge_policy, "TIERS", ((10, 0), (10**6, 0), (10**7, 0)))
    return made


@pytest.mark.parametrize("action", ["kill", "torn"])
def test_a_pack_run_killed_at_any_system_call_loses_nothing(scene, action, calls):
    """I6: whatever call is its last, each file is plain or restorable, and the next run completes the work."""
    for at in calls():
        scene.reset()

        def shimmed(at=at):
            Shim(at, action).install()
            return scene.job()

        outcome = run(shimmed)
        assert (outcome.error, outcome.trace) == ("", ""), f"call {at}"
        scene.recovers()
        if not outcome.signal:
            break
    assert at > 25, "the shim does not see the calls"


@pytest.mark.parametrize(
    ("action", "options"),
    [
        (errno.ENOSPC, {}),
        (errno.EIO, {}),
        (errno.EACCES, {}),
        (errno.EROFS, {"forever": True}),
        ("short", {"only": ("write",)}),
        ("short-then-full", {"only": ("write",)}),
        (errno.EIO, {"only": ("fsync",)}),
        (errno.EIO, {"only": ("fsync",), "forever": True}),
    ],
    ids=["ENOSPC", "EIO", "EACCES", "EROFS from then on", "short write", "then full", "fsync", "every fsync"],
)
def test_a_failing_system_call_is_a_named_error_or_no_harm(scene, action, options, calls):
    """Each call fails in turn: a named error, nothing lost, and what is reported as packed is packed."""
    for at in calls(2 if "only" in options else 9):
        scene.reset()

        def job(at=at):
            shim = Shim(at, action, **options).install()
            try:
                names, failed = scene.job()
            except DedupError as error:
                return None, str(error), shim.count >= at
            return names, failed, shim.count >= at

        outcome = run(job)
        assert (outcome.signal, outcome.trace) == (0, ""), outcome.trace
        names, said, reached = outcome.value
        assert names is not None or said
        found = archive_reader.read(scene.packs)
        assert set(names or ()) <= set(found) - set(scene.plain())
        scene.recovers()
        if not reached:
            break
    assert at > 2, "the shim does not see the calls"


def regions(data):
    """A byte of each region of a pack: header, each frame's head and body, trailer."""
    import struct

    yield from range(0, 64, 5)
    at = 64
    while at < len(data) - 96:
        stored = struct.unpack_from("<I", data, at + 12)[0]
        yield from (at, at + 1, at + 3, at + 5, at + 9, at + 13, at + 17, at + 25, at + 40)
        yield from range(at + 60, at + 60 + stored, max(stored // 9, 1))
        at += 60 + stored
    yield from range(len(data) - 96, len(data), 5)


@pytest.mark.parametrize("indexed", [True, False], ids=["indexes there", "indexes gone"])
def test_a_flipped_bit_in_any_region_of_a_pack_is_named_and_gives_no_wrong_bytes(disk, indexed, full):
    """One bit anywhere: verify names the pack and every file that it costs; all others come back; none comes back wrong."""
    template = disk / "template"
    for first in range(0, len(FILES), 3):
        added(template, dict(list(FILES.items())[first : first + 3]))
    (pack,) = template.glob("*.pack")
    data = pack.read_bytes()
    chance = random.Random(1)
    places = range(len(data)) if full else [*regions(data), *(chance.randrange(len(data)) for _ in range(60))]
    for place in places:
        folder = disk / "packs"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(template, folder)
        wrong = bytearray(data)
        wrong[place] ^= 1 << chance.randrange(8)
        (folder / pack.name).write_bytes(wrong)
        if not indexed:
            (folder / "pack-0001.idx").unlink()
        found = checking.check(str(folder))
        assert any(pack.name in problem for problem in found.problems), place
        assert found.all_problems(), place
        good, lost = _restored(folder)
        assert {name: FILES[name] for name in good} == good, place
        assert len(found.lost) == lost, place
        assert len(good) + lost == len(FILES), place


def _restored(folder):
    from deduplication.errors import ArchiveDamaged
    from deduplication.packs.pack_set import opened_packs

    good, lost = {}, 0
    with opened_packs(str(folder)) as packs:
        for number in packs.numbers():
            try:
                good[packs.record(number).name] = b"".join(packs.restore(number))
            except ArchiveDamaged:
                lost += 1
    return good, lost


def test_damage_to_one_frame_costs_what_lies_in_it(disk, monkeypatch):
    """Without parity: the head of a frame in the middle is gone, the frames behind it are found again, their files come back."""
    monkeypatch.setattr(pack_builder, "_TOGETHER", 0)
    files = {f"{n}": random.Random(n).getrandbits(8 * 2000).to_bytes(2000, "little") for n in range(6)}
    for name, data in files.items():
        added(disk, {name: data})
    without_parity(disk)
    (pack,) = disk.glob("*.pack")
    data = bytearray(pack.read_bytes())
    at = data.index(files["2"])
    data[at - 62 : at - 12] = bytes(50)
    pack.write_bytes(data)
    (disk / "pack-0001.idx").unlink()
    good, lost = _restored(disk)
    assert lost == 1
    assert good == {name: data for name, data in files.items() if name != "2"}


@pytest.mark.parametrize("size", [0, 1, 63, 64, 100, 159, 160, -1, -40, -97])
def test_a_pack_that_was_cut_short_is_named(disk, size):
    """A pack cut at any length is damage with a name; what is whole in it is still given out, nothing else."""
    added(disk, FILES)
    (pack,) = disk.glob("*.pack")
    data = pack.read_bytes()
    pack.write_bytes(data[:size])
    found = checking.check(str(disk))
    assert any(pack.name in problem for problem in found.problems)
    good, _ = _restored(disk)
    assert {name: FILES[name] for name in good} == good


def test_many_at_once_are_as_one_after_the_other(disk, full):
    """Eight processes pack one archive at once, some killed: nothing is lost, nothing is doubled, nobody is refused."""
    for turn in range(40 if full else 3):
        scene = Scene(disk / f"project-{turn}")
        scene.reset()
        children = [start(scene.job) for _ in range(8)]
        for pid, _ in children[: turn % 3]:
            os.kill(pid, 9)
        outcomes = [end(*child) for child in children]
        assert [outcome.trace or outcome.error for outcome in outcomes] == [""] * 8
        scene.recovers()


def test_a_run_that_archives_beside_one_that_packs_loses_nothing(disk):
    """Exports are archived while another process packs: each of them is plain or packed at the end, as it was."""
    from deduplication.files.safe_read import read

    project = Project((disk / "project").resolve())
    project.archive.mkdir(parents=True, mode=0o700)

    def archive():
        for name, data in FILES.items():
            path = project.root / name
            path.write_bytes(data)
            _, identity = read(path)
            with drop_folder.opened(project) as opened:
                opened.add(path, identity, __import__("hashlib").sha256(data).hexdigest())

    def pack():
        return [pack_files.pack(project, 0, thorough=False).failures for _ in range(12)]

    children = [start(archive), start(pack), start(pack)]
    for outcome in [end(*child) for child in children]:
        assert (outcome.error, outcome.trace) == ("", "")
    with restoring.opened(project) as shelf:
        assert {entry.name: b"".join(shelf.parts(entry)) for entry in shelf.all()} == FILES
