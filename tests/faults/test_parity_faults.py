"""Damaged packs with parity: what it says to make good costs nothing, and what goes beyond it is named, file by file."""

from __future__ import annotations

import contextlib
import random
import shutil
from collections import Counter
from pathlib import Path

import pytest

from archive_scenes import added, texts, transcripts
from deduplication.archive import verify as checking
from deduplication.packs import frames, merge_policy, parity
from deduplication.packs.pack_file import Pack
from deduplication.packs.pack_set import opened_packs
from deduplication.project.paths import Project
from deduplication.repair import archive_repair, damage
from deduplication.repair.outcome import Repaired
from deduplication.repair.shared_copies import SharedCopies
from deduplication.storage import open_in_folder

pytestmark = [pytest.mark.faults, pytest.mark.parametrize("backend", ["json"], indirect=True)]
"""What is tested here has no index of the log."""


SIZES = [2, 31, 125, 1223]
"""Of the packs, in kB."""


class Scene:
    """An archive of packs, all but the first of several frames; nothing else has their files."""

    def __init__(self, disk, monkeypatch):
        self.project = Project((disk / "project").resolve())
        self.packs = self.project.archive / "packs"
        self.folder = str(self.packs)
        self.truth = {}
        self.project.state.mkdir(parents=True, mode=0o700)
        for name, made in (
            ("small", texts(2, seed=5)),
            ("texts", {**texts(5), **transcripts(5)}),
            ("noise", {f"{n}.bin": _noise(24_000, n) for n in range(5)}),
            ("large", {f"{n}.large": _noise(260_000, n) for n in range(5)}),
        ):
            files = [(f"{name}-{each}", data) for each, data in made.items()]
            for first in range(0, len(files), 2):
                taken = int(first > 0)  # the first run of files begins a pack, those that follow go on with it
                with monkeypatch.context() as patch:
                    patch.setattr(merge_policy, "packs_to_merge", lambda *_, taken=taken, **__: taken)
                    added(self.packs, dict(files[first : first + 2]))
            self.truth.update(files)
        self.whole = {path: path.read_bytes() for path in sorted(self.packs.glob("*.pack"))}
        assert [len(data) // 1000 for data in self.whole.values()] == SIZES
        self.indexes = {path: path.read_bytes() for path in self.packs.glob("*.idx")}

    def reset(self):
        """Begin again, undamaged."""
        shutil.rmtree(self.project.archive)
        self.packs.mkdir(parents=True, mode=0o700)
        for path, data in {**self.whole, **self.indexes}.items():
            path.write_bytes(data)

    def restored(self):
        """Every file that comes back, by name."""
        found = {}
        with opened_packs(self.folder) as packs:
            for number in packs.numbers():
                with contextlib.suppress(Exception):
                    found[packs.record(number).name] = b"".join(packs.restore(number))
        return found

    def repaired(self):
        """What a repair of the packs finds."""
        done = Repaired()
        archive_repair.mend_packs(open_in_folder(str(self.project.state)), self.project, done, SharedCopies())
        return done


def _noise(size, seed):
    return random.Random(seed).getrandbits(8 * size).to_bytes(size, "little")


@pytest.fixture
def scene(disk, monkeypatch):
    """The archive, made once."""
    return Scene(disk, monkeypatch)


def covered_by(data):
    """How many bytes of a pack its parity covers, and how those are laid out."""
    end = frames.Header.decode(data[:64]).end
    return end, parity.layout(end)


def frames_of(path):
    """Where each frame of a pack begins and ends."""
    with contextlib.closing(Pack(str(path))) as pack:
        return [(frame.at, frame.end) for frame, _ in pack.scan() if frame is not None]


def spoil(data, at, size, chance):
    """A stretch becomes zeros, or noise."""
    end = min(at + size, len(data))
    data[at:end] = bytes(end - at) if chance.random() < 0.5 else _noise(end - at, chance.random())


def bits(data, path, chance):
    """Bits flipped in one frame, as many as there are spare blocks in a column at most."""
    start, end = chance.choice(frames_of(path))
    for _ in range(chance.randrange(1, covered_by(data)[1].spare + 1)):
        data[chance.randrange(start, end)] ^= 1 << chance.randrange(8)


def stretch(data, _path, chance):
    """As long a stretch as parity makes good, anywhere, or a shorter one."""
    shape = covered_by(data)[1]
    size = max((shape.spare * shape.groups - 2) * shape.block, shape.block)
    spoil(data, chance.randrange(len(data)), chance.choice((size, chance.randrange(1, size + 1))), chance)


def frame(data, path, chance):
    """One whole frame, where it is no longer than what parity makes good, else its beginning."""
    shape = covered_by(data)[1]
    start, end = chance.choice(frames_of(path))
    size = max((shape.spare * shape.groups - 2) * shape.block, shape.block)
    spoil(data, start, min(end - start, size), chance)


def head(data, path, chance):
    """The head of one frame."""
    spoil(data, chance.choice(frames_of(path))[0], frames.FRAME_HEAD, chance)


def two(data, _path, chance):
    """Two stretches, each of half as many rows as there are spare ones."""
    end, shape = covered_by(data)
    for _ in range(2):
        size = min(max(1, (shape.spare // 2 * shape.groups - 1) * shape.block), end // 3)
        spoil(data, chance.randrange(end - size), size, chance)


def ends(data, _path, chance):
    """Header and trailer, and a bit of a frame."""
    end = covered_by(data)[0]
    data[:64], data[-96:] = bytes(64), bytes(96)
    data[chance.randrange(64, end)] ^= 1 << chance.randrange(8)


def spare(data, _path, chance):
    """A stretch of the frame of parity, however long."""
    end = covered_by(data)[0]
    at = chance.randrange(end, len(data))
    spoil(data, at, chance.randrange(1, len(data) - at + 1), chance)


def cut(data, _path, chance):
    """A pack cut in its parity."""
    del data[chance.randrange(covered_by(data)[0], len(data)) :]


def longer(data, _path, chance):
    """Something behind a pack, and a bit of a frame."""
    data[chance.randrange(64, covered_by(data)[0])] ^= 1 << chance.randrange(8)
    data += _noise(chance.randrange(1, 9000), chance.random())


TOLERATED = (bits, stretch, frame, head, two, ends, spare, cut, longer)


def test_what_parity_makes_good_costs_nothing(scene, full):
    """One pack damaged, or each of them: every file is read, nothing is lost, and repair writes every pack as it was."""
    tried = Counter()
    for number in range(5000 if full else 40):
        scene.reset()
        chance = random.Random(f"parity/{number}")
        how = TOLERATED[number % len(TOLERATED)]
        paths = list(scene.whole)
        for path in paths if chance.random() < 0.1 else [chance.choice(paths)]:
            data = bytearray(scene.whole[path])
            how(data, path, chance)
            path.write_bytes(bytes(data))
            tried[how.__name__] += data != scene.whole[path]
            if chance.random() < 0.2:
                path.with_suffix(".idx").unlink()
        damaged = sorted(path.name for path, data in scene.whole.items() if path.read_bytes() != data)
        what = (number, how.__name__, damaged)
        assert scene.restored() == scene.truth, what
        if number % 10 == 0 or not full:
            found = checking.check(scene.folder)
            assert found.lost == [], what
            hints = [
                problem.partition(".pack")[0] + ".pack" for problem in found.problems if "'repair' makes it" in problem
            ]
            assert sorted(hints) == damaged, (what, found.problems)
        done = scene.repaired()
        assert [(f.kind, f.where, f.repaired, f.file) for f in done.findings] == [
            (damage.PACK, name, True, "its parity") for name in damaged
        ], what
        assert {path: path.read_bytes() for path in scene.packs.glob("*.pack")} == scene.whole, what
        kept = {Path(name).name.partition("-pack-")[2] for name in done.quarantined}
        assert kept == {name.partition("pack-")[2] for name in damaged}, what
        scene.restored()  # whoever opens the archive makes missing indexes again
        assert {path: path.read_bytes() for path in scene.packs.glob("*.idx")} == scene.indexes, what
    print(dict(tried))


def test_what_goes_beyond_parity_is_named(scene, full):
    """Stretches of up to a third of a pack, in one or several: what repair calls lost is what does not come back, no more."""
    lost = whole = 0
    for number in range(1000 if full else 20):
        scene.reset()
        chance = random.Random(f"beyond/{number}")
        for path in chance.sample(list(scene.whole), chance.choice((1, 1, 2))):
            data = bytearray(scene.whole[path])
            for _ in range(chance.choice((1, 1, 2, 3))):
                spoil(data, chance.randrange(len(data)), chance.randrange(1, len(data) // 3), chance)
            path.write_bytes(bytes(data))
            if chance.random() < 0.2:
                del data[chance.randrange(len(data)) :]
                path.write_bytes(bytes(data))
        before = scene.restored()
        assert {name: scene.truth[name] for name in before} == before, number
        done = scene.repaired()
        gone = {finding.name for finding in done.lost() if finding.kind == damage.FILE}
        after = scene.restored()
        assert {name: scene.truth[name] for name in after} == after, number
        assert set(before) <= set(after), number
        missing = set(scene.truth) - set(after)
        nameless = {name for name in gone if name.startswith("file ")}
        assert gone - nameless <= missing, number
        assert len(gone) <= len(missing), number
        assert done.findings, number
        assert checking.check(scene.folder).problems == [], number
        lost, whole = lost + bool(missing), whole + (not missing)
    assert lost
    assert whole
    print(lost, "of them lost something,", whole, "nothing")
