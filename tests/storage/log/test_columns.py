"""Blocks of columns: every line comes back byte for byte, with the archive's help or without it."""

from __future__ import annotations

import contextlib
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.alignment.fingerprint import content_hash
from deduplication.formats import parse
from deduplication.storage.log import views
from deduplication.storage.log.column_format import File, NoArchive, SpanLost, Wanted
from deduplication.storage.log.column_reader import decode, each_line
from deduplication.storage.log.column_records import each_record
from deduplication.storage.log.column_writer import encode
from deduplication.storage.log.lines import BEGINNING, PREVIOUS, decode_line, digest_of, encode_line
from deduplication.storage.log.records import occurrence_in
from document_readers import reader_of
from exports import Story
from log_lines import LINES
from transcript_lines import day


class Files:
    """An archive in memory: ``gone`` are bytes of files that cannot be read, as (file, start, end)."""

    def __init__(self, *files, gone=()):
        self.files = {hashlib.sha256(data).digest(): data for data in files}
        self.gone = gone

    def find(self, wanted):
        """The file that begins so."""
        return next((File(sha256) for sha256 in self.files if sha256.hex().startswith(wanted.sha256)), None)

    def read(self, sha256, start, end):
        """Bytes of it."""
        if sha256 not in self.files or any(start < stop and begin < end for begin, stop in self.gone):
            raise SpanLost("gone")
        return self.files[sha256][start:end]

    def close(self):
        """Nothing was opened."""


def log_of(data, *, conversation="a", known=()):
    """The lines that a store writes of an export, its bodies in them but for those that are ``known``."""
    digest = hashlib.sha256(data).hexdigest()
    carried = set(known)
    lines = []
    for number, message in enumerate(parse(data).messages):
        identity = content_hash(message.role, message.kind, message.content, message.fidelity)
        record = {
            "conversation_id": conversation,
            "index": number,
            "timestamp": message.timestamp or "2026-01-01T00:00:00.000Z",
        }
        record["content_hash"] = identity
        if message.uuid:
            record["uuid"] = message.uuid
        if identity not in carried:
            record["message"] = {"role": message.role, "kind": message.kind, "content": message.content}
            if message.fidelity == "exact":
                record["message"]["fidelity"] = "exact"
            carried.add(identity)
        record["source"] = {"export": digest[:16], "clock": "capture", "span": [message.start, message.end]}
        lines.append(encode_line(record))
    return b"".join(lines)


TEXT = Story(5, exchanges=12).exports(1)[-1].data
TRANSCRIPT = day(9)


@given(st.lists(LINES, max_size=12))
def test_every_line_comes_back(lines):
    """Lines of every form, and bytes that are no line at all; the document's reader reads the same."""
    data = b"".join(lines)
    block, _ = encode(data, NoArchive())
    assert decode(block, NoArchive()) == data
    assert reader_of("storage").columns(block, {}) == data


def told(record):
    """What a record says of its message, of all that it says."""
    if record is None:
        return None
    message, names = record.get("message"), ("role", "kind", "content", "fidelity", "blobs")
    body = [message.get(name) or None for name in names] if isinstance(message, dict) else message
    return record["conversation_id"], record.get("index"), record.get("content_hash"), record.get("uuid") or "", body


def told_by(lines):
    """The same of each line, and its bytes."""
    return [(len(line), told(occurrence_in(line))) for line in lines]


@given(st.lists(LINES, max_size=12))
def test_records_say_what_the_lines_say(lines):
    """Of every form of line, and of bytes that are no line at all: as many bytes, and the same message or none."""
    block, _ = encode(b"".join(lines), NoArchive())
    assert [(size, told(record)) for size, record in each_record(block, NoArchive())] == told_by(lines)


@pytest.mark.parametrize(
    "files", [Files(TEXT), Files(TRANSCRIPT), Files()], ids=["of the text", "of the transcript", "none"]
)
@pytest.mark.parametrize("data", [TEXT, TRANSCRIPT], ids=["text", "transcript"])
def test_records_say_what_the_lines_of_an_export_say(data, files):
    """With the archive's bytes and without them."""
    lines = log_of(data)
    block, _ = encode(lines, files)
    assert [(size, told(record)) for size, record in each_record(block, files)] == told_by(
        lines.splitlines(keepends=True)
    )


def test_records_of_archived_bytes_are_believed_once_the_lines_are_proven():
    """Bytes that are gone, or others, give none; not even of the lines before them."""
    block, _ = encode(log_of(TEXT), Files(TEXT))
    at = len(TEXT) // 2
    other = Files(TEXT)
    other.files = {sha256: data[:at] + b"#" + data[at + 1 :] for sha256, data in other.files.items()}
    for files in (Files(TEXT, gone=[(at, at + 40)]), other):
        found = []
        with pytest.raises(ValueError, match=r"gone|not those that were written|view"):
            found += each_record(block, files)
        assert found == []


@pytest.mark.parametrize("data", [TEXT, TRANSCRIPT], ids=["text", "transcript"])
def test_no_body_of_an_archived_export_is_kept(data):
    """What parsers make of an export is a view of its bytes: no word of it is in the block, and nothing is noted as kept."""
    lines, files = log_of(data), Files(data)
    block, kept = encode(lines, files)
    assert decode(block, files) == lines
    assert reader_of("storage").columns(block, files.files) == lines
    assert kept == {}
    words = {word for line in lines.splitlines() for word in str(json.loads(line).get("message", "")).split()}
    assert not [word for word in words if len(word) > 12 and word.encode() in block]
    assert len(block) < len(lines) / 15


def test_what_the_archive_has_only_later_is_noted():
    """By the export's own digits, with the bytes that the block keeps of it."""
    lines = log_of(TEXT)
    block, kept = encode(lines, NoArchive())
    assert decode(block, NoArchive()) == lines
    contents = sum(
        len(json.dumps(json.loads(line)["message"]["content"], ensure_ascii=False).encode())
        for line in lines.splitlines()
        if b'"message"' in line
    )
    assert kept == {Wanted(hashlib.sha256(TEXT).hexdigest()[:16]): contents}


def test_a_hash_whose_body_stands_elsewhere_follows_from_its_span():
    """A message that is said again, in another block than its first one: neither body nor hash is kept."""
    whole = log_of(TEXT)
    rows = [json.loads(line) for line in whole.splitlines() if b'"message"' in line]
    kinds = {row["message"]["kind"]: row["content_hash"] for row in reversed(rows)}
    hashes = [row["content_hash"] for row in rows]
    lines = log_of(TEXT, known=set(hashes) - set(kinds.values()))
    assert lines.count(b'"message"') < len(rows) / 2
    block, _ = encode(lines, Files(TEXT))
    assert decode(block, Files(TEXT)) == lines
    assert not any(bytes.fromhex(each) in block for each in hashes)


def test_spans_may_count_from_within_a_file():
    """A part of a growing file names its own bytes; the archive has the whole file."""
    lines = log_of(TEXT)
    digest = hashlib.sha256(TEXT).hexdigest()

    class Longer(Files):
        def find(self, wanted):
            return File(next(iter(self.files)), 7) if digest.startswith(wanted.sha256) else None

    files = Longer(b"before\n" + TEXT + b"behind")
    block, kept = encode(lines, files)
    assert decode(block, files) == lines
    assert kept == {}
    assert reader_of("storage").columns(block, files.files) == lines


@pytest.mark.parametrize("data", [TEXT, TRANSCRIPT], ids=["text", "transcript"])
def test_lost_bytes_cost_the_lines_that_lie_in_them(data):
    """Each line whose own bytes are whole is read, hashes of lines before it and moments included; no line is made up."""
    lines = log_of(data)
    block, _ = encode(lines, Files(data))
    whole = lines.splitlines(keepends=True)
    spans = [json.loads(line)["source"]["span"] for line in whole]
    for begin in range(0, len(data), max(len(data) // 23, 1)):
        gone = (begin, begin + 40)
        found = list(each_line(block, Files(data, gone=[gone])))
        assert len(found) == len(whole)
        for line, told, (start, end) in zip(whole, found, spans):
            if start < gone[1] and gone[0] < end:
                assert isinstance(told, SpanLost) or told == line
            else:
                assert told == line or (isinstance(told, SpanLost) and data is TRANSCRIPT)
        with pytest.raises(SpanLost):
            decode(block, Files())


@pytest.mark.unmeasured
def test_a_block_with_other_bytes_is_no_block():
    """One byte changed anywhere, or cut: an error, or the same lines, never others."""
    lines, files = log_of(TEXT), Files(TEXT)
    block, _ = encode(lines, files)
    for at in range(len(block)):
        damaged = bytes([*block[:at], block[at] ^ 0x15, *block[at + 1 :]])
        for broken in (damaged, block[:at]):
            with contextlib.suppress(ValueError):
                assert decode(broken, files) == lines


def test_other_archived_bytes_give_no_lines():
    """The block says what its lines were: a file of other bytes under the same name is found out."""
    lines = log_of(TEXT)
    block, _ = encode(lines, Files(TEXT))
    files = Files(TEXT)
    files.files = {hashlib.sha256(TEXT).digest(): TEXT.replace(b"a", b"e")}
    with pytest.raises(ValueError, match="not those that were written"):
        decode(block, files)


SCREEN = "⏺ A word\n\n  and more \r\n  of it  \n"
VIEWS = [
    (1, " a \n", "a"),
    (2, SCREEN, "A word\n\nand more\nof it"),
    (3, "  ⎿  one\n     two\n   three", "one\ntwo\nthree"),
    (4, "  ⎿ one\n  two", "⎿ one\ntwo"[2:]),
    (5, "  ⎿  call(\n      x)", "call(\nx)"),
    (6, "● call(\n      x,\n   y)", "call(\nx,\ny)"),
    (7, "words\n  of it", "words\nof it"),
    (8, "● one\n     two", "one\ntwo"),
    (9, "! ls\n  two", "ls\ntwo"),
    (10, "    one\n     two", "one\ntwo"),
    (11, "     one\n     two", "one\ntwo"),
    (12, "● one\n      two", "one\ntwo"),
    (13, "one\n     two", "one\ntwo"),
    (14, "one\n      two", "one\ntwo"),
    (15, "  ⎿ one\n two", "one\n two"),
    (32, '{"message":{"content":"said"}}', "said"),
    (33, '{"content":[1]}', [1]),
    (64, '{"message":{"content":[{"text":"one"}]}}', "one"),
    (65, '{"message":{"content":[{"id":7}]}}', [{"id": 7}]),
    (70, '{"message":{"content":[0,{"content":"two"}]}}', "two"),
    (67, '{"message":{"content":[{"thinking":"hm"}]}}', "hm"),
]


@pytest.mark.parametrize(("rule", "span", "content"), VIEWS, ids=[str(rule) for rule, _, _ in VIEWS])
def test_a_view_never_changes(rule, span, content):
    """What stores rely on: each rule, by its number, gives this for ever."""
    found = views.content(rule, views.Span(span.encode()))
    assert found == content
    assert reader_of("storage").viewed(rule, span.encode()) == content


def test_there_is_no_view_without_a_vector():
    """Whoever adds a rule says here what it gives."""
    told = {rule for rule, _, _ in VIEWS}
    numbers = set()
    for number in range(63):
        try:
            views.content(number, views.Span(b'{"message":{"content":0},"content":0}'))
        except ValueError:
            continue
        numbers.add(number)
    assert numbers == {rule for rule in told if rule < 64}
    assert {rule % 4 for rule in told if rule >= 64} == {0, 1, 2, 3}


@pytest.mark.parametrize("rule", [16, 31, 34, 63, 65, 66, 67, 68, 32, 33])
def test_a_view_that_gives_nothing_is_damage(rule):
    """Of a number that this version does not know, or where the line has nothing there."""
    with pytest.raises(ValueError):
        views.content(rule, views.Span(b'{"message":{"content":[]},"x":1}' if rule >= 64 else b"{}"))
    with pytest.raises(ValueError):
        views.content(32, views.Span(b"[" * 10))


def runs_of(data, *, length=4):
    """The lines of an export as runs of a few lines each, which name the heads before them."""
    lines, head, found = data.splitlines(keepends=True), BEGINNING, []
    for at in range(0, len(lines), length):
        record = {"conversation_id": "a", "timestamp": "t", "export": {"name": "n"}, "window": [], PREVIOUS: head}
        run = [*lines[at : at + length], encode_line(record)]
        head = digest_of(run)
        found.append(run)
    return found


def test_a_head_of_lines_that_are_lost_is_not_made_up():
    """The record of a run is there although a line of the run before it is lost; what it named is told to be unknown."""
    runs = runs_of(log_of(TEXT))
    data = b"".join(line for run in runs for line in run)
    block, _ = encode(data, Files(TEXT))
    lost = decode_line(runs[1][2])["source"]["span"]
    found = [each for each in each_line(block, Files(TEXT, gone=[lost])) if not isinstance(each, SpanLost)]
    commits = [decode_line(line) for line in found if b'"window"' in line]
    expected = [decode_line(run[-1])[PREVIOUS] for run in runs]
    assert [each[PREVIOUS] for each in commits] == [*expected[:2], *([""] * (len(runs) - 2))]
