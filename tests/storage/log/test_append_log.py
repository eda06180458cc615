"""log: one object a line with its own checksum; what is damaged is said, what is torn can be put aside."""

from __future__ import annotations

import json
import os
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.errors import StoreDamaged, StoreError, StoreNotWritable
from deduplication.storage.log.append_log import Log
from deduplication.storage.log.lines import Damaged, Line, decode_line, encode_line, is_commit

TEXT = st.text(alphabet=st.characters())  # lone surrogates, NUL and line separators included
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(TEXT, st.dictionaries(TEXT.filter(lambda key: key not in ("conversation_id", "crc32")), JSON, max_size=4))
def test_what_is_encoded_is_decoded(conversation, fields):
    """Any record comes back as it was, in exactly one line that ends with its checksum."""
    record = {"conversation_id": conversation, **fields}
    line = encode_line(record)
    assert line.count(b"\n") == 1
    assert line.endswith(b'"}\n')
    assert decode_line(line) == record


@given(TEXT, TEXT)
def test_a_line_is_one_json_object_with_the_checksum_as_its_last_member(conversation, text):
    """Other programs can read the log: each line is plain JSON, and crc32 is over the line without it."""
    line = encode_line({"conversation_id": conversation, "text": text})
    record = json.loads(line)
    assert list(record)[-1] == "crc32"
    body = line[: line.rindex(b',"crc32"')] + b"}"
    assert int(record["crc32"], 16) == zlib.crc32(body)


@given(st.data())
def test_any_other_byte_is_noticed(data):
    """Whatever single byte of a line is changed, the line is no longer accepted."""
    line = encode_line({"conversation_id": "c", "text": data.draw(TEXT)})
    at = data.draw(st.integers(0, len(line) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != line[at]))
    with pytest.raises(Damaged):
        decode_line(line[:at] + bytes([other]) + line[at + 1 :])


def sealed(body):
    """A line with a right checksum over any bytes."""
    return b'%s,"crc32":"%08x"}\n' % (body[:-1], zlib.crc32(body))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "no end"),
        (b'{"conversation_id":"c"}', "no end"),
        (b"\n", "no checksum"),
        (b'{"conversation_id":"c"}\n', "no checksum"),
        (b"\0" * 64 + b"\n", "no checksum"),
        (encode_line({"conversation_id": "c"})[1:], "does not match"),
        (encode_line({"conversation_id": "c"})[:-2] + b'"\n', "no checksum"),
        (sealed(b"{not json}"), "not JSON"),
        (sealed(b'{"index":1}'), "not a record"),
        (sealed(b'{"conversation_id":7}'), "not a record"),
    ],
    ids=[
        "nothing",
        "no line feed",
        "empty",
        "no seal",
        "zeros",
        "first byte gone",
        "brace",
        "no JSON",
        "no id",
        "a number",
    ],
)
def test_a_line_that_is_none_says_why(line, reason):
    """Each way in which a line can be wrong has its reason."""
    with pytest.raises(Damaged, match=reason):
        decode_line(line)


def test_a_commit_record_has_a_window_and_an_export():
    """What ends a run is told by these two members alone."""
    assert is_commit({"window": [], "export": {}})
    assert not is_commit({"window": []})
    assert not is_commit({"window": [], "export": "x"})
    assert not is_commit({"export": {}})


@pytest.fixture
def log(tmp_path):
    """A log of three lines."""
    log = Log(str(tmp_path / "log.jsonl"))
    log.append_run([encode_line({"conversation_id": "c", "n": n}) for n in (0, 1)], encode_line(RECORD))
    return log


RECORD = {"conversation_id": "c", "n": 2}


def test_lines_have_offsets_numbers_and_ends(log):
    """The lines follow each other without a gap; they can be read from any line on and up to any."""
    lines = list(log.lines())
    assert [line.number for line in lines] == [1, 2, 3]
    assert [line.offset for line in lines] == [0, lines[0].end, lines[1].end]
    assert lines[2].end == log.size()
    assert [line.data for line in log.lines(lines[1].offset)] == [line.data for line in lines[1:]]
    assert [line.data for line in log.lines(0, lines[0].end)] == [lines[0].data]
    assert log.tail(lines[2].offset) == lines[2].data
    assert Line(5, 1, b"ab\n").end == 8


def test_records_are_read_by_offset_in_any_order(log):
    """Offsets that an index named give their records; one that is no line's start is damage, with its place."""
    offsets = [line.offset for line in log.lines()]
    assert [record["n"] for record in log.records([offsets[2], offsets[0]])] == [2, 0]
    assert log.record(offsets[1])["n"] == 1
    with pytest.raises(StoreDamaged, match=r"log\.jsonl, byte 3"):
        log.record(3)


def test_a_log_that_is_not_there_is_empty(tmp_path):
    """No file: no lines, no bytes; a record that should be in it is an error."""
    log = Log(str(tmp_path / "log.jsonl"))
    assert (log.size(), list(log.lines()), log.tail()) == (0, [], b"")
    with pytest.raises(StoreError, match="No such file"):
        log.record(0)


def test_a_log_that_is_no_file_is_a_named_error(tmp_path):
    """A folder in its place: every way of reading says so."""
    (tmp_path / "log.jsonl").mkdir()
    log = Log(str(tmp_path / "log.jsonl"))
    for read in (lambda: list(log.lines()), log.tail, lambda: log.record(0)):
        with pytest.raises(StoreError, match=r"log\.jsonl"):
            read()


@pytest.mark.parametrize("failing", [1, 2], ids=["the occurrences", "the commit record"])
def test_a_run_that_cannot_be_written_leaves_the_log_as_it_was(log, monkeypatch, failing):
    """fsync of either part fails: nothing of the run stays, not even what had reached the disk."""
    before = log.tail()
    real, calls = os.fsync, []

    def fsync(descriptor):
        calls.append(descriptor)
        if len(calls) == failing:
            raise OSError(5, "Input/output error")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StoreNotWritable):
        log.append_run([b"occurrences\n"], b"commit\n")
    assert log.tail() == before


def test_cut_moves_the_tail_before_it_removes_it(log, tmp_path, monkeypatch):
    """The bytes are in quarantine first: when that fails, the log keeps them."""
    whole, start = log.tail(), list(log.lines())[1].end
    with pytest.raises(StoreNotWritable):
        log.cut(start, str(tmp_path / "missing" / "aside"))
    assert log.tail() == whole
    log.cut(start, str(tmp_path / "aside"))
    assert log.tail() == whole[:start]
    assert (tmp_path / "aside").read_bytes() == whole[start:]
