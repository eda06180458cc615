"""What an archive says of itself is not believed."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations import zipped
from deduplication.errors import DedupError, ExportUnreadable, NotAnExport
from deduplication.formats import zip_member
from deduplication.formats.zip_member import conversations_in, is_zip

DATA = b'[{"chat_messages": []}]' * 40


def content(data):
    """Name and content of each file of conversations."""
    return [(name, b"".join(chunks)) for name, chunks in conversations_in(io.BytesIO(data))]


def with_entry(name="conversations.json", data=DATA, *, mode=0, method=zipfile.ZIP_DEFLATED):
    """A ZIP with one entry that has a mode."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = mode << 16
        entry.compress_type = method
        archive.writestr(entry, data)
    return packed.getvalue()


def patched(data, *, field, value, size="<L"):
    """The archive with a field of its (last) entry in the list of entries changed; offsets as the format has them."""
    at = data.rfind(b"PK\x01\x02")
    changed = bytearray(data)
    struct.pack_into(size, changed, at + field, value)
    return bytes(changed)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "deflated"])
def test_the_conversations_are_read(method):
    """In the archive's root or in one folder; everything else in it is not even looked at."""
    data = zipped({"users.json": b"[]", "batch-0000/conversations.json": DATA, "projects/x.json": b"{"}, method)
    assert is_zip(data)
    assert content(data) == [("batch-0000/conversations.json", DATA)]
    assert content(zipped({"a/conversations.json": b"[]", "conversations.jsonl": b"{}"})) == [
        ("a/conversations.json", b"[]"),
        ("conversations.jsonl", b"{}"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "../conversations.json",
        "/conversations.json",
        "a/../conversations.json",
        "a/b/conversations.json",
        "..\\conversations.json",
        "C:/conversations.json",
        "./conversations.json",
        "myconversations.json",
        "conversations.json/",
    ],
)
def test_names_that_lead_elsewhere_are_no_conversations(name):
    """A name is only compared; one that could be a way out of the archive is not even that."""
    with pytest.raises(NotAnExport, match="a ZIP archive without"):
        content(with_entry(name))


@pytest.mark.parametrize(("mode", "passes"), [(0o100600, True), (0o120777, False), (0o010600, False), (0, True)])
def test_only_regular_files_are_read(mode, passes):
    """An entry that says it is a link or a pipe is none of ours."""
    if passes:
        assert content(with_entry(mode=mode)) == [("conversations.json", DATA)]
    else:
        with pytest.raises(NotAnExport):
            content(with_entry(mode=mode))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (patched(with_entry(), field=8, value=1, size="<H"), "encrypted"),
        (with_entry(method=zipfile.ZIP_BZIP2), "packed by method 12"),
        (patched(with_entry(), field=24, value=3_000_000_000), "claims to unpack to 3,000,000,000 bytes"),
        (with_entry()[:-30], "damaged: it has no list of entries"),
        (patched(with_entry(), field=0, value=0), "damaged"),
        (b"PK\x03\x04", "damaged"),
    ],
    ids=["encrypted", "method", "bomb", "cut", "list", "head"],
)
def test_what_cannot_be_read_is_said_before_anything_is_unpacked(data, reason):
    """Of an encrypted, foreign, bloated or broken archive not one byte is unpacked."""
    with pytest.raises(ExportUnreadable, match=reason):
        conversations_in(io.BytesIO(data))


def test_a_real_bomb_is_refused():
    """Zeros pack to a thousandth."""
    with pytest.raises(ExportUnreadable, match="claims to unpack to 40,000,000 bytes"):
        conversations_in(io.BytesIO(with_entry(data=b"\0" * 40_000_000)))


def test_the_total_is_limited(monkeypatch):
    """Several entries together may not unpack to more than one may."""
    data = zipped({"conversations.json": DATA, "a/conversations.json": DATA})
    monkeypatch.setattr(zip_member, "LARGEST", len(DATA))
    with pytest.raises(ExportUnreadable, match=f"more than {len(DATA)} bytes"):
        conversations_in(io.BytesIO(data))


def test_an_entry_that_unpacks_to_more_than_it_says_is_cut_there_and_refused():
    """The announced size is the most that is unpacked; that it was not all is found by the checksum."""
    data = patched(with_entry(), field=24, value=len(DATA) // 2)
    with pytest.raises(ExportUnreadable, match="damaged"):
        content(data)


def test_an_entry_whose_bytes_were_changed_is_refused():
    """Its checksum tells, at the latest at its end."""
    data = bytearray(with_entry(method=zipfile.ZIP_STORED))
    data[data.find(b"chat_messages")] ^= 1
    with pytest.raises(ExportUnreadable, match="in the ZIP archive is damaged"):
        content(bytes(data))


def test_two_files_of_one_name_are_refused():
    """Readers differ in which of them they take, so none is."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("conversations.json", DATA)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("conversations.json", b"[]")
    with pytest.raises(ExportUnreadable, match="two files of one name"):
        content(packed.getvalue())


@pytest.mark.parametrize("wide", [False, True], ids=["plain", "zip64"])
def test_a_list_of_entries_that_would_fill_the_memory_is_refused(wide):
    """It is read at once, so the size it claims is looked at first, where the format has it in either place."""
    size = 100_000_000
    if wide:
        record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, size, 0)
        locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1)
        end = record + locator + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, 0xFFFFFFFF, 0, 0)
    else:
        end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, size, 0, 0)
    with pytest.raises(ExportUnreadable, match="its list of entries takes 100,000,000 bytes"):
        conversations_in(io.BytesIO(end))


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=4))
def test_any_damage_ends_in_the_content_or_in_an_error_of_ours(places):
    """Bytes overwritten anywhere: what comes out is what went in, or a named failure."""
    data = bytearray(with_entry(data=DATA[:200]))
    for place, value in places:
        data[place % len(data)] = value
    try:
        found = content(bytes(data))
    except DedupError:
        return
    assert [text for _, text in found] == [DATA[:200]]
