"""Fuzzed inputs: every parser, and every reader of our own files, on what was valid before it was mangled.

No crash that is not of the family of errors, no hang, spans that rebuild the bytes, and work that grows with the size. ``--full``
runs some ten thousand examples of each.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import stream_lines
import transcript_lines as lines
from archive_scenes import added, texts
from conversations import chat, exported, zipped
from deduplication import formats
from deduplication.errors import ArchiveDamaged, DedupError, StoreError
from deduplication.files.prefix_proof import PrefixProof
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.transcript_capture import capture_file
from deduplication.packs.pack_set import opened_packs
from deduplication.storage.log.lines import Damaged, decode_line, encode_line
from deduplication.storage.log.records import cursor_of
from exports import Story, kept
from faults.children import run

pytestmark = pytest.mark.faults


@pytest.fixture(autouse=True)
def backend():
    """What is read here is the same with every index."""


_DAY = (
    lines.day(3)
    + lines.call("Bash", "c", command="ls")
    + lines.result("a.txt\nb.txt", "c")
    + lines.compacted("So far.")
)
SEEDS = {
    "text": Story(5, exchanges=9).show(0, 14),
    "text, compacted": Story(6, exchanges=9).show(4, 14, compacted=True, width=53),
    "transcript": _DAY,
    "stream": stream_lines.begin()
    + b"".join(stream_lines.of(line) for line in _DAY.splitlines()[:6])
    + stream_lines.end("x"),
    "claude.ai": exported([chat("c", 3), chat("d", 2)]),
    "claude.ai, zip": zipped({"conversations.json": exported([chat("c", 2)])}),
    "api": json.dumps(
        {
            "model": "claude",
            "max_tokens": 9,
            "system": "Be kind.",
            "messages": [
                {"role": "user", "content": "hello"},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "Bash", "input": {"a": 1}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "out"}]},
            ],
        },
        indent=1,
    ).encode(),
    "third party": json.dumps(
        {
            "exported_at": "2026-01-01T00:00:00Z",
            "messages": [{"index": n, "role": "user", "content": f"m{n}"} for n in range(5)],
        }
    ).encode(),
}
TOKENS = (
    *(b"> ", b"\n> ", "❯ ".encode(), "\n⏺ ".encode(), "● ".encode(), "  ⎿  ".encode(), "✻ Baked for 0s".encode()),
    *(
        "═".encode() * 20,
        b" Conversation compacted ",
        " ▐▛███▜▌   Claude Code v2.1.197\n".encode(),
        "… +57 lines".encode(),
    ),
    *(
        b"\n",
        b"\r",
        b"\r\n",
        b"\x0b\x0c\x85",
        "\u00a0".encode(),
        b"\xff",
        b"\xed\xa0\xbd",
        b"\0",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
    ),
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b"\\",
        b",",
        b":",
        b"null",
        b"NaN",
        b"1e999",
        b"-0",
        b'"\\ud83d"',
        b'{"a":' * 40,
        b"[" * 40,
    ),
    *(
        b'"messages":',
        b'"role":"user"',
        b'"content":[]',
        b'"uuid":1',
        b'"parentUuid":"x"',
        b'"type":"assistant"',
        b"PK\x03\x04",
    ),
    *(
        b"```\n",
        b"| a | b |\n|---|---|\n",
        b"<command-name>",
        b"</local-command-stdout>",
        b"\x1b[2J",
        "\u202e".encode(),
    ),
)
CHANGE = st.tuples(
    st.sampled_from(["insert", "delete", "double", "flip", "token", "swap"]),
    st.integers(0, 2**30),
    st.integers(1, 200),
    st.one_of(st.sampled_from(TOKENS), st.binary(max_size=6)),
)


def mangled(data: bytes, changes) -> bytes:
    """``data`` after a few accidents."""
    for how, place, length, token in changes:
        at = place % (len(data) + 1)
        if how in ("insert", "token"):
            data = data[:at] + token + data[at:]
        elif how == "delete":
            data = data[:at] + data[at + length :]
        elif how == "double":
            data = data[: at + length] + data[at:]
        elif how == "flip" and at < len(data):
            data = data[:at] + bytes([data[at] ^ 1 << length % 8]) + data[at + 1 :]
        elif how == "swap":
            data = data[at:] + data[:at]
    return data


@given(seed=st.sampled_from(sorted(SEEDS)), changes=st.lists(CHANGE, min_size=1, max_size=8), strict=st.booleans())
def test_a_mangled_export_is_parsed_whole_or_refused_by_name(seed, changes, strict):
    """Any number of accidents: an error of the family, or an export whose spans are the file again, in order."""
    data = mangled(SEEDS[seed], changes)
    with contextlib.suppress(DedupError):
        export = formats.parse(data, strict=strict)
        assert b"".join(data[span.start : span.end] for span in export.spans) == data
    for name in formats.FORMATS:  # each parser, whatever the others say of it
        parser = formats.load(name)
        with contextlib.suppress(DedupError):
            export = parser.parse(data)
            assert b"".join(data[span.start : span.end] for span in export.spans) == data


@given(seed=st.sampled_from(sorted(SEEDS)), changes=st.lists(CHANGE, max_size=6))
def test_what_is_parsed_of_a_mangled_export_can_be_stored_and_read_back(seed, changes):
    """Stored twice: nothing is new the second time, the counts add up, and verify recounts them."""
    data = mangled(SEEDS[seed], changes)
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        dedup = ClaudeConversationDeduplicator(Path(folder) / "state")
        try:
            one = dedup.ingest(data, name="x")
        except DedupError:
            return
        again = dedup.ingest(data, name="x")
        assert one.total == one.new + one.duplicates
        assert (again.new, again.total) == (0, one.total)
        for name in dedup.conversations():
            dedup.get_full_conversation(name)
        assert dedup.store.verify() == []


# -- work grows with the size ------------------------------------------------------------------------------------------


def _rows(text, size):
    return (text * (size // len(text.encode()) + 1)).encode()[:size]


LONG = {
    "> > >": lambda n: _rows("> ", n),
    "prompts": lambda n: _rows("> a\n", n),
    "prompts without an answer": lambda n: _rows("❯ yes\n\n", n),
    "results": lambda n: _rows("  ⎿  a\n", n),
    "calls": lambda n: _rows("⏺ Bash(ls)\n  ⎿  a\n\n", n),
    "dividers": lambda n: _rows("═" * 20 + " Conversation compacted " + "═" * 20 + "\n", n),
    "banners": lambda n: _rows(" ▐▛███▜▌   Claude Code v2.1.197\n▝▜█████▛▘  Opus\n  ▘▘ ▝▝    ~/x\n\n\n", n),
    "blank lines": lambda n: b"> a\n\n\xe2\x8f\xba b" + b"\n" * n,
    "one line": lambda n: b"> " + b"a" * n,
    "blanks": lambda n: b"> a" + b" " * n + b"\n\n\xe2\x8f\xba b\n",
    "tables": lambda n: b"> a\n\n" + _rows("⏺ | a | b |\n  |---|---|\n", n),
    "fences": lambda n: b"> a\n\n" + _rows("⏺ ```\n  ``\n", n),
    "opening brackets": lambda n: b'{"messages": ' + b"[" * n,
    "objects in a list": lambda n: b"[" + b"{}," * (n // 3) + b"{}]",
    "strings that do not end": lambda n: b'{"messages": ["' + b"\\" * n,
    "lines of a transcript": lambda n: b"".join(lines.prompt(f"p{k}") for k in range(n // 300 + 1)),
    "a line of a transcript without end": lambda n: (
        lines.prompt("a") + b'{"type":"user","message":' + b'{"a":' * (n // 5)
    ),
    "starts inside a line": lambda n: lines.prompt("a") + b'{"type":"' * (n // 9) + b"\n",
    "carriage returns": lambda n: b"> a\r" * (n // 4),
    "surrogates": lambda n: b"> a\n\n\xe2\x8f\xba " + b"\xed\xa0\xbd" * (n // 3) + b"\n",
}


def steps(data: bytes) -> int:
    """Lines of the package that are run while every parser has its turn: work that no clock is needed to count."""
    count = 0

    def tracing(frame, event, _argument):
        nonlocal count
        if "deduplication" not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return tracing

    before = sys.gettrace()
    sys.settrace(tracing)
    try:
        for name in formats.FORMATS:
            with contextlib.suppress(DedupError):
                formats.load(name).parse(data)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("what", LONG)
def test_twice_the_size_is_at_most_twice_the_work(what, full):
    """Lines run for n bytes and for 2n: nothing in a parser looks at all that came before for each thing it finds."""
    steps(LONG[what](500))  # what is imported and compiled the first time
    size = 12_000 if full else 6_000
    one, two = steps(LONG[what](size)), steps(LONG[what](2 * size))
    assert two <= 2.2 * one + 1_000


@pytest.mark.parametrize("what", LONG)
def test_megabytes_of_one_thing_do_not_hang(what, full):
    """What a regular expression does is no line that could be counted: a child parses it, and is ended after minutes."""
    data = LONG[what](3_000_000 if full else 60_000)

    def parse():
        signal.alarm(600)
        for name in formats.FORMATS:
            with contextlib.suppress(DedupError):
                formats.load(name).parse(data)

    outcome = run(parse)
    assert (outcome.signal, outcome.trace) == (0, "")


# -- our own files ------------------------------------------------------------------------------------------------------


def _memory() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _log() -> bytes:
    """A log with runs of exports and of captures, repeats, windows, marks and cursors."""
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        dedup = ClaudeConversationDeduplicator(Path(folder) / "state")
        for file in Story(8, exchanges=6).exports(2, compact_every=2):
            dedup.ingest(file.data, name=file.name, conversation_id="s")
        transcript = Path(folder) / "t.jsonl"
        for part in (lines.day(2), lines.day(3)):
            transcript.write_bytes(part)
            capture_file(dedup, transcript)
        return (Path(folder) / "state" / "conversation_log.jsonl").read_bytes()


LOG = _log()
RECORDS = [decode_line(line) for line in LOG.splitlines(keepends=True)]
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5), st.just(2**70)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=5,
)


def judged(data: bytes, *, reads: bool = True) -> None:
    """Open a store with this log: every answer is an answer or an error of the family, and rebuild always ends."""
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        state = Path(folder) / "state"
        state.mkdir(mode=0o700)
        (state / "conversation_log.jsonl").write_bytes(data)

        def look() -> None:
            dedup = ClaudeConversationDeduplicator(state)
            for name in dedup.conversations():
                dedup.get_full_conversation(name)
                dedup.get_statistics(name)

        with contextlib.suppress(StoreError):
            look()
        ClaudeConversationDeduplicator(state).store.verify()
        with contextlib.suppress(StoreError):
            ClaudeConversationDeduplicator(state).ingest(
                Story(9, exchanges=6).show(0, 5), name="x", conversation_id="s"
            )
        with contextlib.suppress(StoreError):
            ClaudeConversationDeduplicator(state).store.rebuild()
        with contextlib.suppress(StoreError):
            look()


@given(changes=st.lists(CHANGE, min_size=1, max_size=6))
def test_a_mangled_log_is_read_as_far_as_it_is_one(changes):
    """Bytes lost, doubled, flipped, moved: no trace, no hang, whatever becomes of the lines."""
    judged(mangled(LOG, changes))


def _places(value, at=()):
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _places(inner, (*at, key))


ENDS = [number for number, record in enumerate(RECORDS) if "window" in record]
WINDOW = list(_places(RECORDS[ENDS[1]])).index(("window",)) - 1


@given(number=st.integers(0, len(RECORDS) - 1), place=st.integers(0, 60), value=JSON, gone=st.booleans())
@example(number=len(RECORDS) - 1, place=3, value=[], gone=False)
@example(number=ENDS[1], place=WINDOW, value=None, gone=True)
def test_a_record_with_a_right_checksum_and_anything_in_it_is_no_trace(number, place, value, gone):
    """Occurrences, commit records, windows, marks, cursors: any member replaced by any JSON, or left out."""
    record = json.loads(json.dumps(RECORDS[number]))
    places = list(_places(record))[1:]
    *path, last = places[place % len(places)]
    inner = record
    for key in path:
        inner = inner[key]
    if gone and isinstance(inner, dict):
        del inner[last]
    else:
        inner[last] = value
    judged(
        b"".join(
            [
                *(encode_line(each) for each in RECORDS[:number]),
                encode_line(record),
                *map(encode_line, RECORDS[number + 1 :]),
            ]
        )
    )


@given(JSON)
def test_any_cursor_is_one_or_damaged(value):
    """What a commit record may have in the place of its cursor."""
    with contextlib.suppress(Damaged):
        cursor = cursor_of(value)
        assert cursor is None or isinstance(PrefixProof.loads(cursor.offset, cursor.prefix), PrefixProof)


def test_brackets_without_end_in_a_record_are_damage():
    """A right checksum over what no decoder reads."""
    import zlib

    body = b'{"conversation_id":"s","x":' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    line = body[:-1] + b',"crc32":"%08x"}\n' % zlib.crc32(body)
    with pytest.raises(Damaged):
        decode_line(line)
    judged(LOG + line)


PACKED = texts(4)


@pytest.fixture(scope="module")
def pack():
    """A pack and its index."""
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        added(Path(folder), PACKED)
        yield {name: (Path(folder) / name).read_bytes() for name in ("pack-0001.pack", "pack-0001.idx")}


@given(which=st.sampled_from(["pack-0001.pack", "pack-0001.idx"]), changes=st.lists(CHANGE, min_size=1, max_size=5))
def test_a_mangled_pack_or_index_never_gives_wrong_bytes(pack, which, changes):
    """Each file comes back as it was, or is refused by name; a mangled index alone costs nothing in the end."""
    with tempfile.TemporaryDirectory(dir=_memory()) as name:
        folder = Path(name)
        for each, data in pack.items():
            (folder / each).write_bytes(mangled(data, changes) if each == which else data)
        with contextlib.suppress(ArchiveDamaged), opened_packs(str(folder)) as packs:
            for number in packs.numbers():
                with contextlib.suppress(ArchiveDamaged):
                    record = packs.record(number)
                    assert b"".join(packs.restore(number)) == PACKED[record.name]
        with contextlib.suppress(ArchiveDamaged):
            added(folder, {"new.txt": b"what is new" * 200})
            added(folder, dict(list(PACKED.items())[:2]))
        if which == "pack-0001.idx":
            with opened_packs(str(folder)) as packs:
                found = {packs.record(n).name: b"".join(packs.restore(n)) for n in packs.numbers()}
            assert {n: found.get(n) for n in PACKED} == PACKED


def test_the_log_that_is_mangled_is_right_before(tmp_path):
    """The seeds are what they are taken for: each format, each kind of record."""
    for name, data in SEEDS.items():
        assert formats.parse(data).messages, name
    assert any("cursor" in record for record in RECORDS)
    assert any("marks" in record for record in RECORDS)
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "conversation_log.jsonl").write_bytes(LOG)
    store = ClaudeConversationDeduplicator(state)
    assert kept(store.get_full_conversation("s")) == Story(8, exchanges=6).truth()
    shutil.rmtree(state)
