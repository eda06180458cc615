"""Base64 in lines of JSON is kept as the bytes that it stands for, and every file comes back in the spelling that it had."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import random
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archive_reader
from archive_scenes import TIME, added, read_back
from deduplication.archive.savings_ledger import ledger
from deduplication.archive.verify import check
from deduplication.errors import ArchiveDamaged, StoreOfNewerVersion
from deduplication.model import LEAST_BLOB
from deduplication.packs import assembly, frames, segmenter
from deduplication.packs.file_spans import FileSpans
from deduplication.packs.pack_set import opened_packs
from deduplication.packs.recipe import Encoded, Run
from deduplication.packs.salvage import SalvagedPacks

LARGE = random.Random("large").randbytes(1_300_000)
IMAGE = random.Random("image").randbytes(5_000)


def text(data):
    """As an encoder writes it."""
    return base64.b64encode(data).decode()


def line(*strings, **more):
    """A line of JSON with these strings in it."""
    return json.dumps({"content": strings, **more}, separators=(",", ":")).encode() + b"\n"


def encoded(folder):
    """What each file shows as Base64: the bytes of segments."""
    with opened_packs(str(folder)) as packs:
        return [
            b"".join(packs.run(Run(item.first, 1)))
            for number in packs.numbers()
            for item in packs.record(number).recipe.items
            if isinstance(item, Encoded)
        ]


def segments(folder):
    """The SHA-256 of every segment that the archive has."""
    with opened_packs(str(folder)) as packs:
        return [each for member in packs.members for each in member.index.hashes()]


SPELT = {
    "canonical": text,
    "broken into lines": lambda data: base64.encodebytes(data).decode(),
    "for URLs": lambda data: base64.urlsafe_b64encode(data).decode(),
    "without padding": lambda data: text(data).rstrip("="),
    "more padding": lambda data: text(data) + "=",
    "bits left over": lambda data: text(data + b"\0")[:-4] + "AB==",
    "with a prefix": lambda data: f"data:image/png;base64,{text(data)}",
    "in a text": lambda data: f'he said "{text(data)}" twice',
    "padding within": lambda data: f"{text(data)[:40]}={text(data)[40:]}",
    "hexadecimal": lambda data: data.hex(),
    "letters": lambda data: "yes" * len(data),
    "nothing": lambda _: "",
}
sizes = st.sampled_from([0, 1, 2, 3, 1021, 1022, 1023, 1024, 1025, 1026, 1027, 5000, 12_288, 12_289, 30_000])
strings = st.tuples(st.sampled_from(sorted(SPELT)), sizes, st.integers(0, 3)).map(
    lambda told: SPELT[told[0]](random.Random(f"{told[1]} {told[2]}").randbytes(told[1]))
)
made_lines = st.lists(strings, max_size=4).flatmap(
    lambda said: st.booleans().map(
        lambda escaped: line(*said, toolUseResult=said[:1]).replace(b"/", b"\\/" if escaped else b"/")
    )
)


@settings(max_examples=60, deadline=None)
@given(st.lists(made_lines, min_size=1, max_size=6), st.lists(st.booleans(), min_size=1, max_size=3), st.data())
def test_every_spelling_comes_back(tmp_path_factory, lines, thorough, data):
    """Whatever the strings of a growing transcript are: its states, and any span of them, come back byte for byte."""
    folder = tmp_path_factory.mktemp("packs")
    expected = {}
    for number, how in enumerate(thorough, 1):
        state = b"".join(lines[: -(-len(lines) * number // len(thorough))])
        expected[str(number)] = state
        added(folder, {str(number): state}, thorough=how)
    assert read_back(folder) == archive_reader.read(folder) == expected
    assert check(str(folder)).all_problems() == []
    with opened_packs(str(folder)) as packs:
        spans = FileSpans(packs)
        for state in expected.values():
            start = data.draw(st.integers(0, len(state)))
            end = data.draw(st.integers(start, len(state)))
            assert spans.read(hashlib.sha256(state).digest(), start, end) == state[start:end]
    assert ledger(str(folder), 1).raw == sum(map(len, expected.values()))


@pytest.mark.parametrize("spelling", sorted(SPELT))
def test_only_what_an_encoder_writes_is_decoded(tmp_path, spelling):
    """The segment has the SHA-256 of the bytes where encoding them gives the string; any other spelling stays a string."""
    said = SPELT[spelling](IMAGE)
    added(tmp_path, {"a": line(said)})
    canonical = spelling in ("canonical", "hexadecimal", "letters")
    assert (len(encoded(tmp_path)) == 1) == canonical
    assert (hashlib.sha256(IMAGE).digest()[:16] in segments(tmp_path)) == (spelling == "canonical")
    assert archive_reader.read(tmp_path) == {"a": line(said)}


@pytest.mark.parametrize("size", [LEAST_BLOB - 1, LEAST_BLOB])
def test_what_is_small_stays_in_its_line(tmp_path, size):
    """It is decoded from the size on from which an image is one of its own in the store."""
    added(tmp_path, {"a": line(text(IMAGE[:size]))})
    assert len(encoded(tmp_path)) == (size == LEAST_BLOB)


def test_escaped_slashes_are_another_spelling(tmp_path):
    r"""JSON may write a slash as ``\/``: the bytes of the file are kept, not what they mean."""
    data = line(text(IMAGE)).replace(b"/", b"\\/")
    assert data != line(text(IMAGE))
    added(tmp_path, {"a": data})
    assert encoded(tmp_path) == []
    assert read_back(tmp_path) == {"a": data}


def test_an_image_that_stands_there_twice_is_there_once(tmp_path):
    """In one line, in another line, in another file, in a later run: one segment; random bytes take what they have."""
    both = line(text(LARGE), toolUseResult={"file": {"base64": text(LARGE)}})
    files = {"a": both * 2, "b": line("another", text(LARGE)), "c": line("later") + both}
    for name, data in files.items():
        added(tmp_path, {name: data})
    assert encoded(tmp_path) == [LARGE] * 7
    assert segments(tmp_path).count(hashlib.sha256(LARGE).digest()[:16]) == 1
    stored = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert stored < 1.05 * len(LARGE)
    assert read_back(tmp_path) == archive_reader.read(tmp_path) == files
    assert ledger(str(tmp_path), stored).repeated >= 5 * len(text(LARGE))


def test_a_span_encodes_no_more_than_it_has(tmp_path, monkeypatch):
    """Of an image of a megabyte as much is made Base64 as somebody asks for; what lies beside it needs no image at all."""
    data = line("before", text(LARGE), "after")
    added(tmp_path, {"a": data})
    made = []
    encode = assembly.binascii.b2a_base64

    def counted(part, *, newline):
        made.append(len(part))
        return encode(part, newline=newline)

    monkeypatch.setattr(assembly.binascii, "b2a_base64", counted)
    with opened_packs(str(tmp_path)) as packs:
        spans = FileSpans(packs)
        name = hashlib.sha256(data).digest()
        for start, end in ((0, 10), (len(data) - 9, len(data)), (800_001, 800_090), (25, 31)):
            assert spans.read(name, start, end) == data[start:end]
    assert sum(made) < 200


def test_a_frame_holds_the_largest(tmp_path, monkeypatch):
    """What no frame holds stays a string, in pieces, as long strings do."""
    monkeypatch.setattr(segmenter, "MOST", 2_000)
    monkeypatch.setattr(segmenter, "LONGEST", 1_000)
    files = {"a": line(text(IMAGE[:2_000]), text(IMAGE[:2_001]))}
    added(tmp_path, files)
    assert encoded(tmp_path) == [IMAGE[:2_000]]
    assert read_back(tmp_path) == archive_reader.read(tmp_path) == files


def test_packs_put_together_have_it_still(tmp_path):
    """Copied as they are, packed anew and small frames together: numbers and recipes go on."""
    files = {}
    for number in range(20):
        data = random.Random(number).randbytes(3_000 + number)
        files[f"{number}"] = line("a", text(data), text(IMAGE), f"turn {number}")
        added(tmp_path, {f"{number}": files[f"{number}"]}, thorough=number % 7 == 6)
    added(tmp_path, {}, thorough=True)
    assert read_back(tmp_path) == archive_reader.read(tmp_path) == files
    assert check(str(tmp_path)).all_problems() == []


def test_a_pack_of_a_later_version_is_refused_by_name(tmp_path):
    """A reader that does not know a form of recipes must not guess: the version in the header says so, twice."""
    added(tmp_path, {"a": line(text(IMAGE))})
    (path,) = tmp_path.glob("*.pack")
    data = path.read_bytes()
    assert struct.unpack_from("<I", data, 8) == (frames.VERSION,) == (3,)
    body = data[:8] + struct.pack("<I", 4) + data[12:60]
    head = body + struct.pack("<I", zlib.crc32(body))
    body = data[64:-96] + head
    path.write_bytes(head + body + hashlib.sha256(body).digest())
    with pytest.raises(StoreOfNewerVersion, match="version 4"), opened_packs(str(tmp_path)):
        pass


def test_a_segment_of_another_size_is_damage(tmp_path):
    """Spans are counted from the sizes that a recipe says."""
    added(tmp_path, {"a": line(text(IMAGE))})
    with opened_packs(str(tmp_path)) as packs:
        item = next(item for item in packs.record(0).recipe.items if isinstance(item, Encoded))
        with pytest.raises(ArchiveDamaged, match="instead of"):
            list(packs.assembly.piece(item._replace(size=item.size + 1)))


def test_other_files_lend_what_is_lost(tmp_path):
    """A frame is gone beyond what parity makes good: a file with the same image in it gives the segment, its Base64 decoded."""
    data = line("a", text(LARGE))
    added(tmp_path, {"a": data})
    (path,) = tmp_path.glob("*.pack")
    path.write_bytes(path.read_bytes()[:300] + bytes(900_000) + path.read_bytes()[900_300:])
    with contextlib.closing(SalvagedPacks(str(tmp_path))) as packs:
        with pytest.raises(ArchiveDamaged):
            list(packs.restore(0))
        packs.lend([line("of another", text(LARGE)), data], [])
        assert b"".join(packs.restore(0)) == data


def test_packs_of_former_versions_lend_and_are_gone_on_from(tmp_path, monkeypatch):
    """There Base64 is a string: it is read as before, and what comes later stands on it."""
    data = line("a", text(LARGE)) + line("b", text(IMAGE))
    cut = segmenter.cut
    with monkeypatch.context() as patch:
        patch.setattr(segmenter, "cut", lambda data, start=0: cut(data, start, base64=False))
        patch.setattr(frames, "VERSION", 2)
        added(tmp_path, {"a": data})
    assert encoded(tmp_path) == []
    more = data + line("c", text(IMAGE), text(LARGE))
    (path,) = tmp_path.glob("*.pack")
    assert struct.unpack_from("<I", path.read_bytes(), 8) == (2,)
    whole = path.read_bytes()
    path.write_bytes(whole[:300] + bytes(900_000) + whole[900_300:])
    with contextlib.closing(SalvagedPacks(str(tmp_path))) as packs:
        packs.lend([b"{" + data], [])
        packs.lend([data], [])
        assert b"".join(packs.restore(0)) == data
    path.write_bytes(whole)
    added(tmp_path, {"b": more})
    assert read_back(tmp_path) == archive_reader.read(tmp_path) == {"a": data, "b": more}
    assert encoded(tmp_path) == [IMAGE, LARGE]
    with opened_packs(str(tmp_path)) as packs:
        assert [packs.record(1).recipe.base, packs.record(1).mtime_ns] == [0, TIME]
