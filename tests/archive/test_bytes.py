"""Numbers, frames, recipes, records: what is written is read back, and nothing else is taken for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.errors import StoreOfNewerVersion
from deduplication.files import varint
from deduplication.packs import codec, file_records, frames, recipe
from deduplication.packs.recipe import Recipe, Run

numbers = st.integers(min_value=0, max_value=2**63 - 1)
runs = st.builds(Run, st.integers(0, 2**40), st.integers(1, 2**20))
recipes = st.builds(
    lambda base, prefix, items: Recipe(base, prefix if base >= 0 else 0, tuple(items)),
    st.integers(-1, 99),
    numbers,
    st.lists(st.one_of(runs, st.binary(min_size=1, max_size=20))),
)
names = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=30)


@given(st.lists(numbers))
def test_numbers_come_back(listed):
    """Whatever numbers are written one after the other, the same are read, and nothing is left."""
    reader = varint.Reader(varint.encode(listed))
    assert reader.numbers(len(listed)) == listed
    reader.end()


@given(st.integers(-(2**62), 2**62))
def test_a_sign_comes_back(number):
    """A number of either sign is written as one without and comes back."""
    assert varint.signed(number) >= 0
    assert varint.unsigned(varint.signed(number)) == number


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 20], ids=["nothing", "half a number", "a number without end"])
def test_a_number_that_is_not_whole_is_refused(data):
    """A number that ends too early, or never, is a ValueError."""
    with pytest.raises(ValueError, match="not whole"):
        varint.Reader(data).number()


def test_missing_bytes_are_refused():
    """Fewer bytes than asked for, or more than expected, are a ValueError."""
    with pytest.raises(ValueError, match="missing"):
        varint.Reader(b"abc").take(4)
    with pytest.raises(ValueError, match="left over"):
        varint.Reader(b"abc").end()


@given(st.binary(max_size=3000), st.integers(1, 40), st.booleans())
def test_compression_gives_the_bytes_back(part, times, thorough):
    """Any bytes, repetitive ones too, come back from what they were compressed to, which is never larger."""
    raw = part * times
    how, packed = codec.compress(raw, thorough=thorough)
    assert len(packed) <= len(raw)
    assert codec.decompress(how, packed, len(raw)) == raw


@pytest.mark.parametrize("raw", [b"", b"x" * 100_000, bytes(range(256)) * 9, "ein Satz mit Wörtern, ".encode() * 9000])
def test_each_codec_knows_its_size(raw):
    """A wrong size is refused, whatever the codec: what comes out must be exactly what is expected."""
    for how, packed in {codec.compress(raw), codec.compress(raw, thorough=True), (codec.STORED, raw)}:
        assert codec.decompress(how, packed, len(raw)) == raw
        for size in (len(raw) + 1, max(len(raw) - 1, 0)):
            if size != len(raw):
                with pytest.raises(ValueError, match="bytes come out"):
                    codec.decompress(how, packed, size)


@pytest.mark.parametrize("how", [codec.LZMA, codec.BZIP2, 3, 255])
def test_what_cannot_be_unpacked_is_a_value_error(how):
    """Garbage, and a codec of a later version, are refused."""
    with pytest.raises(ValueError, match=r"\w"):
        codec.decompress(how, b"\x07garbage" * 9, 100)


@given(recipes, st.integers(0, 2**40))
def test_recipes_come_back(made, expected):
    """A recipe is read back as it was written, for the file it was written for."""
    assert recipe.decode(made.encode(100, expected), 100, expected) == made


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00", b"\x00\x01", b"\x00\x00x", varint.encode([101, 0, 0]), varint.encode([0, 1, 9 << 1 | 1]) + b"short"],
    ids=["nothing", "no items", "an item short", "left over", "a base before the first file", "bytes short"],
)
def test_what_is_no_recipe_is_refused(data):
    """A recipe that ends early, goes on, or stands on a file that cannot be is a ValueError."""
    with pytest.raises(ValueError, match=r"\w"):
        recipe.decode(data, 100, 0)


@given(st.lists(st.one_of(st.builds(Run, st.integers(0, 30), st.just(1)), st.binary(max_size=3))))
def test_joining_changes_no_segment(items):
    """Neighbours are joined; which segments and bytes follow each other stays the same, and nothing is left to join."""

    def flat(some):
        for item in some:
            if isinstance(item, Run):
                yield from (("segment", item.first + n) for n in range(item.length))
            else:
                yield from (("byte", byte) for byte in item)

    made = recipe.joined(items)
    assert list(flat(made)) == list(flat(items))
    assert recipe.joined(made) == made


records_strategy = st.builds(
    file_records.FileRecord,
    st.just(0),
    names,
    names,
    numbers,
    st.integers(-(2**63), 2**63 - 1),
    st.binary(min_size=32, max_size=32),
    recipes,
    st.integers(0, 2**32 - 1),
    st.integers(0, 99),
)


@given(st.lists(records_strategy, max_size=5), st.integers(0, 2**40))
def test_file_records_come_back(listed, expected):
    """Names, sessions, sizes, times, hashes, recipes: all of a record is read back."""
    from dataclasses import replace

    listed = [replace(record, number=100 + n) for n, record in enumerate(listed)]
    assert file_records.decode(file_records.encode(listed, expected), 100, len(listed)) == listed


@pytest.mark.parametrize(
    ("name", "kept"),
    [("a\udce9b", "a\udce9b"), ("a\ud800b", "a?b"), ("a\0b", "a?b")],
    ids=["no UTF-8", "no byte", "NUL"],
)
def test_names_that_are_no_text_are_kept_as_far_as_they_can_be(name, kept):
    """Bytes that were no UTF-8 come back as they were; what no file name can hold becomes a question mark."""
    record = file_records.FileRecord(0, name, "", 0, 0, bytes(32), Recipe(-1, 0, ()))
    assert file_records.decode(file_records.encode([record], 0), 0, 1)[0].name == kept


def test_damaged_records_are_refused():
    """Records cut at any byte, or with a byte more, are a ValueError: never records that were not written."""
    record = file_records.FileRecord(0, "name", "session", 5, 7, bytes(32), Recipe(-1, 0, (Run(0, 3), b"abc")))
    data = file_records.encode([record], 0)
    for wrong in [*(data[:size] for size in range(len(data))), data + b"\0"]:
        with pytest.raises(ValueError, match=r"\w"):
            file_records.decode(wrong, 0, 1)


def test_a_header_is_one_of_this_version_or_none():
    """Another magic, another version, a flipped bit or another length: none of them is a header."""
    import struct
    import zlib

    data = frames.Header(1, 2, 3, 4, 5, 6).encode()
    assert frames.Header.decode(data) == frames.Header(1, 2, 3, 4, 5, 6)
    assert frames.Header.decode(frames.Header(1, 2, 3, 4, 5, 6, 7).encode()) == frames.Header(1, 2, 3, 4, 5, 6, 7)
    for at, value, why in ((0, b"X", "no pack"), (8, b"\x00", "version 0"), (8, b"\x04", "version 4")):
        body = data[:at] + value + data[at + 1 : -4]
        with pytest.raises((ValueError, StoreOfNewerVersion), match=why):
            frames.Header.decode(body + struct.pack("<I", zlib.crc32(body)))
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match="checksum"):
            frames.Header.decode(bytes(flipped))
    with pytest.raises(ValueError, match="checksum"):
        frames.Header.decode(data[:-1])


def test_every_bit_of_a_frame_is_protected():
    """A bit flipped anywhere in a frame, head or body, is noticed before anything of it is believed."""
    frame, data = frames.make(frames.SEGMENTS, 7, 2, b"\x03\x04abcdefg")
    assert frames.head(data[: frames.FRAME_HEAD], 0, len(data)) == frame
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match="does not match"):
            frames.head(bytes(flipped[: frames.FRAME_HEAD]), 0, len(data)).unpack(bytes(flipped[frames.FRAME_HEAD :]))
    with pytest.raises(ValueError, match="too early"):
        frames.head(data[:9], 0, len(data))
    with pytest.raises(ValueError, match="longer"):
        frames.head(data[: frames.FRAME_HEAD], 0, len(data) - 1)


def test_a_frame_of_an_unknown_kind_is_refused():
    """A right checksum over something that this version does not know is no frame."""
    _, data = frames.make(0x7A, 0, 0, b"")
    with pytest.raises(ValueError, match="knows"):
        frames.head(data[: frames.FRAME_HEAD], 0, 1000)
