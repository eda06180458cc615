"""The log is a chain: a head that somebody kept vouches for every byte before it, whatever happens to the store's files."""

from __future__ import annotations

import json
import os
import random
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.storage import indexed_log
from deduplication.storage.index.index_file import IndexFile
from deduplication.storage.log import log_pack, sealed
from deduplication.storage.log.append_log import Log
from deduplication.storage.log.chain import REPLACED, Chain
from deduplication.storage.log.column_format import NoArchive
from deduplication.storage.log.column_reader import decode
from deduplication.storage.log.column_writer import encode
from deduplication.storage.log.lines import (
    BEGINNING,
    PREVIOUS,
    decode_line,
    digest_of,
    encode_line,
    head_after,
    is_commit,
)
from document_readers import reader_of
from exports import Story
from faults import reader
from log_lines import LINES
from sealed_of_0_1 import seal

STORIES = {"harbour": Story(3, exchanges=4), "quarry": Story(5, exchanges=4)}
FILES = [(name, file) for name, story in STORIES.items() for file in story.exports(1)]
random.Random("order").shuffle(FILES)
INDEX = ("index.bin", "watermarks.json", "content_hashes.json", "deduplication_log.jsonl")


@pytest.fixture(params=["default", "json"])
def backend(request):
    """Both stores that have a log in a folder."""
    return request.param


@pytest.fixture
def small(monkeypatch):
    """Sealed files of a few lines, with parts of fewer."""
    monkeypatch.setattr(indexed_log, "OPEN", 600)
    monkeypatch.setattr(log_pack, "BLOCK", 4000)
    monkeypatch.setattr(log_pack, "PART", 3000)
    monkeypatch.setattr(log_pack, "TAIL", 700)
    monkeypatch.setattr(log_pack, "TOGETHER", 1200)
    monkeypatch.setattr(log_pack, "THOROUGH", 6000)
    monkeypatch.setattr(sealed, "MOST", 9000)


def stored(folder, backend="default", files=FILES):
    """A store with these exports, as a process of its own for each leaves it."""
    for name, file in files:
        ClaudeConversationDeduplicator(folder, backend=backend).ingest(file.data, name=file.name, conversation_id=name)
    return ClaudeConversationDeduplicator(folder, backend=backend).store


def head_of(folder, backend="default"):
    """The head that verify tells, of a store that verifies."""
    problems, chain = ClaudeConversationDeduplicator(folder, backend=backend).store.verified()
    assert problems == []
    return chain.head


def vouches(folder, digest, backend="default"):
    """Whether a head that was kept still vouches for all before it."""
    return ClaudeConversationDeduplicator(folder, backend=backend).store.verified(digest).chain.vouches()


def lines_of(folder):
    """The lines of the whole log."""
    return reader.whole(folder).splitlines(keepends=True)


def runs_of(lines):
    """The lines run by run."""
    runs = [[]]
    for line in lines:
        runs[-1].append(line)
        if is_commit(decode_line(line)):
            runs.append([])
    return runs[:-1]


def has(folder, lines, *, sealing=False):
    """Have a log of these lines in a folder, sealed or not, without an index."""
    for name in INDEX:
        (folder / name).unlink(missing_ok=True)
    data = b"".join(lines)
    log = Log.of(str(folder))
    log.recover(write=True)
    log.rewrite([data] if sealing else [], b"" if sealing else data)
    log.close()


def follows(folder):
    """What verify says of runs that do not follow on what stands before them."""
    problems = ClaudeConversationDeduplicator(folder).store.verify()
    return [problem for problem in problems if "does not follow on the log before it" in problem]


def changed(line, rng):
    """A line in which one character is another one, with a checksum that fits."""
    record = decode_line(line)
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    place = rng.choice([at for at, character in enumerate(text) if character in "0123456789"])
    digit = rng.choice([each for each in "123456789" if each != text[place]])
    try:
        other = json.loads(text[:place] + digit + text[place + 1 :])
    except ValueError:
        return changed(line, rng)
    return encode_line(other)


# --- what is found ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sealing", [False, True], ids=["open", "sealed"])
def test_a_line_that_somebody_changed_is_found_by_the_run_behind_it(tmp_path, sealing):
    """Each line, with a checksum that fits: also where nothing else in the store contradicts it."""
    folder = tmp_path / "state"
    stored(folder)
    lines, rng = lines_of(folder), random.Random("changed")
    last = len(runs_of(lines)[-1])
    for at in range(len(lines) - last):
        other = [*lines[:at], changed(lines[at], rng), *lines[at + 1 :]]
        has(folder, other, sealing=sealing)
        assert ClaudeConversationDeduplicator(folder).store.verified().chain.broken is not None, lines[at]


def test_what_contradicts_nothing_else_is_named(tmp_path):
    """The time at which something was said: no count and no content hash depends on it."""
    folder = tmp_path / "state"
    stored(folder)
    lines = lines_of(folder)
    for at in range(len(lines) - len(runs_of(lines)[-1])):
        other = encode_line({**decode_line(lines[at]), "timestamp": "2020-02-02T02:02:02.020Z"})
        has(folder, [*lines[:at], other, *lines[at + 1 :]])
        assert len(follows(folder)) == 1, lines[at]


def test_a_change_of_the_last_run_is_found_by_the_index(tmp_path, backend):
    """Nothing in the log comes after it yet; the index knows its head, and a head that somebody kept is not there."""
    folder = tmp_path / "state"
    stored(folder, backend)
    kept = head_of(folder, backend).digest
    path = folder / "conversation_log.jsonl"
    before, last = path.read_bytes()[:-1].rsplit(b"\n", 1)
    record = decode_line(last + b"\n")
    path.write_bytes(before + b"\n" + encode_line({**record, "processing_time_ms": record["processing_time_ms"] + 1}))
    store = ClaudeConversationDeduplicator(folder, backend=backend).store
    assert any("index.bin" in problem for problem in store.verify())
    assert not vouches(folder, kept, backend)


@pytest.mark.parametrize("sealing", [False, True], ids=["open", "sealed"])
def test_a_run_that_was_taken_out_put_in_or_moved_is_found(tmp_path, sealing):
    """With all that it brought, and every checksum right."""
    folder = tmp_path / "state"
    stored(folder)
    runs = runs_of(lines_of(folder))
    foreign = encode_line(
        {**decode_line(runs[0][-1]), "export": {**decode_line(runs[0][-1])["export"], "name": "put in"}}
    )
    others = {
        "taken out": [[*runs[:at], *runs[at + 1 :]] for at in range(len(runs) - 1)],
        "moved": [[*runs[:at], runs[at + 1], runs[at], *runs[at + 2 :]] for at in range(len(runs) - 1)],
        "put in": [[*runs[:at], [foreign], *runs[at:]] for at in range(len(runs))],
    }
    for what, each in others.items():
        for at, other in enumerate(each):
            has(folder, [line for run in other for line in run], sealing=sealing)
            problems, chain = ClaudeConversationDeduplicator(folder).store.verified()
            assert any("an index" not in problem for problem in problems), (what, at)
            # What no run can be is no run: then there may be none behind it that names another head.
            assert chain.broken is not None or chain.head.run < len(other), (what, at)


def test_all_after_a_change_named_anew_is_found_by_the_head_that_was_kept(tmp_path):
    """Whoever changes a line can name all heads behind it anew: that is why one is kept elsewhere."""
    folder = tmp_path / "state"
    stored(folder)
    kept = head_of(folder).digest
    lines = lines_of(folder)
    lines[0] = encode_line({**decode_line(lines[0]), "timestamp": "2020-02-02T02:02:02.020Z"})
    judge, head = Chain(), BEGINNING
    for at, line in enumerate(lines):
        record = decode_line(line)
        if is_commit(record):
            record = {**record, PREVIOUS: head}
            lines[at] = encode_line(record)
        judge.take(lines[at])
        if is_commit(record):
            assert judge.commit(record)
            head = judge.head.digest
    has(folder, lines)
    ClaudeConversationDeduplicator(folder).store.rebuild()
    assert head_of(folder).digest != kept
    assert not vouches(folder, kept)


# --- what stays provable ------------------------------------------------------------------------------------------------


def test_a_head_that_was_kept_vouches_whatever_happens_to_the_files(tmp_path, backend, small):
    """Further runs, sealing, packing, an index that is deleted, a torn tail, a copy elsewhere: the log says what it said."""
    folder = tmp_path / "state"
    kept = []
    for at in range(len(FILES)):
        store = stored(folder, backend, FILES[at : at + 1])
        kept.append(head_of(folder, backend).digest)
        if at % 3 == 1:
            store.condense()
        if at % 3 == 2:
            for name in INDEX:
                (folder / name).unlink(missing_ok=True)
        with (folder / "conversation_log.jsonl").open("ab") as file:
            file.write(b'{"conversation_id":"harb')
    shutil.copytree(folder, tmp_path / "other" / "state")
    folder = tmp_path / "other" / "state"
    stored(folder, backend, [])
    with ClaudeConversationDeduplicator(folder, backend=backend).store.transaction():
        pass
    assert all(vouches(folder, digest[:16], backend) for digest in kept)
    assert head_of(folder, backend).run == len(FILES)
    assert [*reader_of("storage").heads(folder)] == kept


def test_the_head_is_the_same_however_the_store_came_to_it(tmp_path, small):
    """Appended, replayed by the next process, counted from the whole log: one log, one head."""
    folder = tmp_path / "state"
    for count in range(1, len(FILES) + 1):
        dedup = ClaudeConversationDeduplicator(folder)
        name, file = FILES[count - 1]
        before = (folder / "index.bin").read_bytes() if count > 1 else b""
        dedup.ingest(file.data, name=file.name, conversation_id=name)
        head = dedup.store._indexed.state.head
        assert head == head_of(folder).digest
        if before:
            (folder / "index.bin").write_bytes(before)  # as one who was killed before it was written left it
        fresh = ClaudeConversationDeduplicator(folder)
        with fresh.store.transaction(write=False):
            assert fresh.store._indexed.state.head == head


def test_a_run_reads_nothing_of_the_log_for_its_head(tmp_path, monkeypatch):
    """The index has it."""
    folder = tmp_path / "state"
    stored(folder, files=FILES[:-1])
    read = []
    monkeypatch.setattr(Log, "_open_lines", lambda self, *asked: read.append(asked) or iter(()))
    dedup = ClaudeConversationDeduplicator(folder)
    dedup.ingest(
        b'{"messages":[{"role":"user","content":"one thing that nobody said before, at some length"}]}',
        name="new.txt",
        conversation_id="new",
    )
    monkeypatch.undo()
    assert read == []
    assert head_of(folder).run == len(FILES)


# --- where it begins ----------------------------------------------------------------------------------------------------


def test_the_first_run_of_all_names_the_head_of_nothing(tmp_path):
    """So that a run which is put before it is found."""
    folder = tmp_path / "state"
    stored(folder, files=FILES[:1])
    assert decode_line(lines_of(folder)[-1])[PREVIOUS] == BEGINNING


def unlinked(folder, form):
    """The log of a store as versions wrote it that named no heads, with its index."""
    lines = []
    for line in lines_of(folder):
        record = decode_line(line)
        record.pop(PREVIOUS, None)
        lines.append(encode_line(record))
    has(folder, lines)
    if form == "0.1":
        seal(folder, b"".join(lines))
        (folder / "index.sqlite3").write_bytes(b"what version 0.1 wrote")
        return lines
    ClaudeConversationDeduplicator(folder).store.rebuild()
    file = IndexFile(os.fspath(folder / "index.bin"))
    root = file.load()
    del root["about"]["head"]
    file.add(b"", {**root, "version": 1})
    file.close()
    return lines


@pytest.mark.parametrize("form", ["0.1", "1"])
def test_a_log_that_names_none_goes_on_and_is_covered(tmp_path, form):
    """It verifies, it has a head, and the first run that names one vouches for all that lies before."""
    folder = tmp_path / "state"
    stored(folder, files=FILES[:3])
    old = unlinked(folder, form)
    problems, chain = ClaudeConversationDeduplicator(folder).store.verified()
    assert (chain.head.run, chain.broken) == (3, None)
    assert [each for each in problems if "deduplication_log" not in each] == []
    stored(folder, files=FILES[3:])
    assert head_of(folder).run == len(FILES)
    assert vouches(folder, chain.head.digest)
    lines = lines_of(folder)
    assert lines[: len(old)] == old
    assert decode_line(runs_of(lines)[3][-1])[PREVIOUS] == chain.head.digest
    for at in range(len(old)):
        other = encode_line({**decode_line(lines[at]), "timestamp": "2020-02-02T02:02:02.020Z"})
        has(folder, [*lines[:at], other, *lines[at + 1 :]])
        assert len(follows(folder)) == 1


def test_a_run_that_names_none_between_others_breaks_nothing(tmp_path):
    """An older version stored something in between: what it wrote is vouched for by the run behind it."""
    folder = tmp_path / "state"
    stored(folder, files=FILES[:3])
    *lines, last = lines_of(folder)
    record = decode_line(last)
    del record[PREVIOUS]
    has(folder, [*lines, encode_line(record)])
    ClaudeConversationDeduplicator(folder).store.rebuild()
    stored(folder, files=FILES[3:])
    assert head_of(folder).run == len(FILES)
    lines = lines_of(folder)
    lines[0] = encode_line({**decode_line(lines[0]), "timestamp": "2020-02-02T02:02:02.020Z"})
    has(folder, lines)
    assert follows(folder)


# --- what it costs in sealed lines --------------------------------------------------------------------------------------


def linked(lines):
    """Lines of any kind, of which the commit records name heads: the right one, or any."""
    run, head, found = [], BEGINNING, []
    for line, right in lines:
        try:
            record = decode_line(line)
        except ValueError:
            record = {}
        if record and is_commit(record):
            record = {**record, PREVIOUS: head if right else "ab" * 32}
            found.append(encode_line(record))
            head = head_after(head, digest_of([*run, found[-1]]), record)
            run = []
        else:
            run.append(line)
            found.append(line)
    return b"".join(found)


@given(st.lists(st.tuples(LINES, st.booleans()), max_size=12))
def test_sealed_lines_come_back_with_the_heads_that_they_name(lines):
    """Be it the one of the run before, another one, or one of a run that does not begin here."""
    data = linked(lines)
    block, _ = encode(data, NoArchive())
    assert decode(block, NoArchive()) == data


@pytest.mark.parametrize("end", [b',"previous":0', b',"previous":1', b',"previous":""', b',"previous":"ab"'])
def test_a_line_that_ends_as_a_sealed_one_is_kept_as_it_is(end):
    """Nobody writes such a line; who does gets it back."""
    line = encode_line({"conversation_id": "s", **json.loads(b"{" + end[1:] + b"}")})
    block, _ = encode(line, NoArchive())
    assert decode(block, NoArchive()) == line


def test_heads_that_follow_from_their_block_cost_nothing():
    """Two of a block are kept: those of runs that may have begun before it."""
    record = {"conversation_id": "s", "timestamp": "t", "export": {"name": "n", "bytes": 3}, "window": [[0, 1]]}
    data = linked([(encode_line(record), True)] * 50)
    block, _ = encode(data, NoArchive())
    heads = [decode_line(line)[PREVIOUS] for line in data.splitlines(keepends=True)]
    assert [bytes.fromhex(head) in block for head in heads] == [True, *([False] * 49)]
    later = b"".join(data.splitlines(keepends=True)[20:])
    block, _ = encode(later, NoArchive())
    assert [bytes.fromhex(head) in block for head in heads[20:]] == [True, *([False] * 29)]


# --- what is told of one that is looked for -----------------------------------------------------------------------------


def told(*records, wanted=""):
    """A chain of these commit records, each naming the head before it."""
    chain = Chain(wanted)
    for record in records:
        whole = {
            "conversation_id": "s",
            "timestamp": "t",
            "export": {},
            "window": [],
            **record,
            PREVIOUS: chain.head.digest,
        }
        chain.take(encode_line(whole))
        assert chain.commit(whole)
    return chain


def test_a_head_before_a_break_vouches_and_one_behind_it_does_not():
    """What was changed lies between the two."""
    heads = [told(*[{}] * count).head.digest for count in range(4)]
    for run in (1, 2, 3):
        chain = Chain(heads[run])
        for count in range(3):
            record = {"conversation_id": "s", "timestamp": "t", "export": {}, "window": [], PREVIOUS: heads[count]}
            if count == 1:
                chain.take(b"put in\n", readable=False)
            chain.take(encode_line(record))
            chain.commit(record)
        assert chain.vouches() == (run == 1)


@pytest.mark.parametrize("left", ["x", 7, [7], [{}], [{"head": 7, "runs": 1, "kept": 1, "at": "t", "by": "purge"}]])
def test_what_is_said_of_heads_that_are_no_more_is_passed_over_where_it_is_of_another_form(left):
    """A later version may say it otherwise."""
    assert told({REPLACED: left}).replaced == []
