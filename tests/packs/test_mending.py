"""A damaged pack and its parity: read as if it were whole, named, and written again with the bytes that it had."""

from __future__ import annotations

import contextlib
import random
import struct

import pytest

import archive_reader
from archive_scenes import added, read_back, texts, transcripts, without_parity
from deduplication.archive.verify import check
from deduplication.packs import frames, pack_builder, parity
from deduplication.packs.pack_file import Pack
from deduplication.packs.pack_set import opened_packs
from deduplication.packs.salvage import SalvagedPacks

FILES = {**texts(4), **transcripts(4)}
NOISE = {f"{n}": random.Random(n).getrandbits(8 * 30_000).to_bytes(30_000, "little") for n in range(6)}


class Scene:
    """One pack of the files ``held``, whose bytes are ``whole``."""

    def __init__(self, folder, held):
        self.folder, self.held = folder, held
        for first in range(0, len(held), 3):
            added(folder, dict(list(held.items())[first : first + 3]))
        (self.path,) = folder.glob("*.pack")
        self.whole = self.path.read_bytes()

    def comes_back(self, wrong):
        """Read as if it were whole; ``verify`` names it and says that ``repair`` makes it again; so it is made again."""
        self.path.write_bytes(wrong)
        found = check(str(self.folder))
        assert found.lost == []
        assert any(self.path.name in problem for problem in found.problems)
        assert any("'repair' makes it again from its parity" in problem for problem in found.problems)
        assert read_back(self.folder) == self.held
        with contextlib.closing(SalvagedPacks(str(self.folder))) as salvaged:
            assert [b"".join(made.parts()) for made, _ in salvaged.mended.values()] == [self.whole]
        assert self.path.read_bytes() == wrong
        return True


@pytest.fixture(params=["small", "some columns"])
def scene(request, tmp_path, monkeypatch):
    """A pack of 20 kB, and one of 180 kB with several columns; both of several frames."""
    monkeypatch.setattr(pack_builder, "_TOGETHER", 0)
    return Scene(tmp_path, FILES if request.param == "small" else NOISE)


def tolerated(data):
    """How many bytes in a row may be damaged wherever they begin."""
    shape = parity.layout(frames.Header.decode(data[:64]).end)
    return (shape.spare * shape.groups - 2) * shape.block


@pytest.mark.unmeasured
@pytest.mark.parametrize("indexed", [True, False], ids=["index there", "index gone"])
@pytest.mark.parametrize("how", ["zeros", "noise"])
def test_a_stretch_comes_back_wherever_it_lies(scene, how, indexed):
    """As long as parity says: in the header, over frames, over the end of them, in parity, in the trailer."""
    size, chance = tolerated(scene.whole), random.Random(how)
    assert size >= 3072
    for at in range(0, len(scene.whole), 1777 if size < 4000 else 9777):
        wrong = bytearray(scene.whole)
        end = min(at + size, len(wrong))
        wrong[at:end] = bytes(end - at) if how == "zeros" else bytes(chance.randrange(256) for _ in range(at, end))
        if not indexed:
            scene.path.with_suffix(".idx").unlink(missing_ok=True)
        assert scene.comes_back(wrong), at


def test_header_and_trailer_may_be_gone_together(scene):
    """Neither says what the pack holds: the frame of parity says how much it covers, and the header is in that."""
    wrong = bytearray(scene.whole)
    wrong[:64] = bytes(64)
    wrong[-96:] = bytes(96)
    assert scene.comes_back(wrong)


@pytest.mark.parametrize("where", ["head", "head and header", "first checksums", "spare blocks", "last checksums"])
def test_parity_may_be_damaged_with_what_it_covers(scene, where):
    """Damage in any one part of the frame of parity, and to a frame: what is left of parity is enough."""
    covered = frames.Header.decode(scene.whole[:64]).end
    shape, body = parity.layout(covered), covered + frames.FRAME_HEAD
    at, size = {
        "head": (covered, frames.FRAME_HEAD),
        "head and header": (covered, frames.FRAME_HEAD),
        "first checksums": (body, 2 * shape.checks),
        "spare blocks": (body + 2 * shape.checks + 10, shape.block),
        "last checksums": (body + shape.size - 2 * shape.checks, 2 * shape.checks),
    }[where]
    wrong = bytearray(scene.whole)
    wrong[at : at + size] = bytes(size)
    wrong[300:1400] = bytes(1100)
    if "header" in where:
        wrong[:64] = bytes(64)
    assert scene.comes_back(wrong)


def test_a_cut_that_takes_no_more_than_parity_costs_nothing(scene):
    """The end of a pack is its parity: of what is cut no deeper, all is made again; cut deeper, it is damage with a name."""
    covered = frames.Header.decode(scene.whole[:64]).end
    for size in (len(scene.whole) - 1, len(scene.whole) - 96, (covered + len(scene.whole)) // 2, covered + 1, covered):
        assert scene.comes_back(scene.whole[:size]), size
    scene.path.write_bytes(scene.whole[: covered - 40])
    found = check(str(scene.folder))
    assert found.lost
    assert not any("parity" in problem for problem in found.problems)


def test_what_is_cut_off_and_damaged_comes_back_while_checksums_are_left(scene):
    """The trailer and the last checksums are cut off, a frame is damaged: half of each checksum is enough."""
    covered = frames.Header.decode(scene.whole[:64]).end
    shape = parity.layout(covered)
    wrong = bytearray(scene.whole[: -96 - 2 * shape.checks])
    wrong[300:1400] = bytes(1100)
    assert scene.comes_back(wrong)


def test_what_stands_behind_a_pack_is_no_part_of_it(scene):
    """Bytes that were appended, and a damaged frame: the pack comes back without them."""
    wrong = bytearray(scene.whole + b"more" * 500)
    wrong[200] ^= 1
    assert scene.comes_back(wrong)


def test_beyond_parity_a_frame_is_lost_and_no_byte_is_made_up(scene):
    """Twice as much damage as parity can make good: every file that comes back is its own, the others are named."""
    wrong = bytearray(scene.whole)
    size = 2 * tolerated(scene.whole) + 2000
    wrong[1000 : 1000 + size] = bytes(size)
    scene.path.write_bytes(wrong)
    found = check(str(scene.folder))
    assert found.lost
    assert not any("parity" in problem for problem in found.problems)
    with opened_packs(str(scene.folder)) as packs:
        good = {}
        for number in packs.numbers():
            with contextlib.suppress(Exception):
                good[packs.record(number).name] = b"".join(packs.restore(number))
    assert {name: scene.held[name] for name in good} == good
    assert len(good) + len(found.lost) == len(scene.held)


def test_what_parity_makes_good_of_a_pack_is_read_where_it_cannot_all_be(tmp_path, monkeypatch):
    """One column has too many damaged blocks, the other one has not: the file that lies in blocks of both is lost, no other."""
    monkeypatch.setattr(pack_builder, "_TOGETHER", 0)
    scene = Scene(tmp_path, NOISE)
    shape = parity.layout(frames.Header.decode(scene.whole[:64]).end)
    assert shape.groups == 2
    wrong = bytearray(scene.whole)
    for row in range(1, shape.spare + 2):
        wrong[row * shape.width] ^= 1
    last = shape.rows // 2
    wrong[last * shape.width + shape.block] ^= 1
    scene.path.write_bytes(wrong)
    found = check(str(scene.folder))
    lost = {name for name, _ in found.lost}
    assert 0 < len(lost) < len(scene.held)
    assert not any("parity" in problem for problem in found.problems)
    with contextlib.closing(SalvagedPacks(str(scene.folder))) as packs:
        assert packs.mended == {}
        for number in packs.numbers():
            record = packs.record(number)
            if record.name not in lost:
                assert b"".join(packs.restore(number)) == scene.held[record.name]


def test_without_header_and_trailer_the_frame_of_parity_ends_the_frames(scene):
    """More is damaged than comes back, header and trailer too: the frames that are whole tell their own numbers."""
    wrong = bytearray(scene.whole)
    wrong[:64], wrong[-96:] = bytes(64), bytes(96)
    size = 2 * tolerated(scene.whole) + 2000
    wrong[1000 : 1000 + size] = bytes(size)
    scene.path.write_bytes(wrong)
    with contextlib.closing(SalvagedPacks(str(scene.folder))) as packs:
        (member,) = packs.members
        assert member.pack.guessed
        assert {place.kind for place in member.index.places} <= {frames.SEGMENTS, frames.FILES}
        assert member.index.places


def test_frames_of_another_pack_are_not_taken_for_its_own(tmp_path):
    """What parity gives counts only where all frames together are what the header says."""
    added(tmp_path / "a", {"a": bytes(3000)})
    (path,) = (tmp_path / "a").glob("*.pack")
    data = path.read_bytes()
    header = frames.Header.decode(data[:64])
    other = frames.Header(
        header.first_segment, header.segments + 1, 0, header.files, header.frames, header.size, header.parity
    )
    encoder = parity.Encoder(header.end)
    encoder.update(other.encode() + data[64 : header.end])
    path.write_bytes(
        other.encode() + data[64 : header.end] + frames.of_parity(header.end, encoder.parity()) + bytes(96)
    )
    with contextlib.closing(Pack(str(path))) as opened:
        assert opened.mended() is None


def test_a_pack_of_version_0_1_is_read_and_gets_parity(tmp_path):
    """It has none: nothing is made good in it. The run that takes it in, and ``pack`` that packs it anew, give it some."""
    for how in ("taken in", "packed anew"):
        folder = tmp_path / how
        added(folder, FILES)
        without_parity(folder)
        (path,) = folder.glob("*.pack")
        data = path.read_bytes()
        assert struct.unpack_from("<I", data, 8) == (1,)
        assert read_back(folder) == archive_reader.read(folder) == FILES
        assert check(str(folder)).all_problems() == []
        path.write_bytes(data[:200] + bytes([data[200] ^ 1]) + data[201:])
        assert check(str(folder)).lost
        path.write_bytes(data)
        if how == "taken in":
            added(folder, {"more": b"more"})
        else:
            added(folder, {}, thorough=True)
        (path,) = folder.glob("*.pack")
        assert struct.unpack_from("<I", path.read_bytes(), 8) == (3,)
        assert {name: data for name, data in read_back(folder).items() if name != "more"} == FILES
        assert check(str(folder)).all_problems() == []


@pytest.mark.unmeasured
def test_the_reader_of_the_document_makes_good_what_ours_does(scene):
    """docs/archive.md is enough to write a reader that uses parity."""
    chance = random.Random("document")
    for _ in range(5):
        wrong = bytearray(scene.whole)
        at = chance.randrange(len(wrong))
        wrong[at : at + 3000] = bytes(len(wrong[at : at + 3000]))
        assert archive_reader.mended(bytes(wrong)) == scene.whole
