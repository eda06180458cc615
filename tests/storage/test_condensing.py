"""The store made smaller when nobody waits: not a byte of the log changes, and everything goes on as before."""

from __future__ import annotations

import lzma
import zlib

import pytest

from deduplication.errors import StoreDamaged, StoreNotWritable
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.packs import codec, frames
from deduplication.packs.pack_end import enclosed
from deduplication.storage import indexed_log
from deduplication.storage.log import log_pack, sealed
from deduplication.storage.log.better_files import improvable, improved
from deduplication.storage.log.column_format import NoArchive
from deduplication.storage.log.salvaged_file import salvaged
from deduplication.storage.log.sealed import Sealed
from deduplication.storage.log.sealed_files import LEAN, named
from deduplication.storage.log.strays import collect_garbage
from exports import Story, kept
from faults import reader
from sealed_of_0_1 import seal

STORY = Story(3, exchanges=14)
FILES = STORY.exports(4)


@pytest.fixture(params=["default", "sqlite"])
def backend(request):
    """Both kinds of index."""
    return request.param


@pytest.fixture
def small(monkeypatch):
    """Blocks of a few lines, a few blocks to a file."""
    monkeypatch.setattr(indexed_log, "OPEN", 600)
    monkeypatch.setattr(log_pack, "BLOCK", 1500)
    monkeypatch.setattr(log_pack, "TAIL", 700)
    monkeypatch.setattr(log_pack, "TOGETHER", 1200)
    monkeypatch.setattr(log_pack, "THOROUGH", 6000)
    monkeypatch.setattr(sealed, "MOST", 5000)


def stored(folder, backend, files=FILES):
    """A store with these exports."""
    dedup = ClaudeConversationDeduplicator(folder, backend=backend)
    for file in files:
        dedup.ingest(file.data, name=file.name, conversation_id="s")
    return dedup


def names(folder):
    """The sealed files."""
    return sorted(path.name for path in folder.glob("sealed/*"))


def sealed_bytes(folder):
    """What the sealed lines take on the disk."""
    return sum(path.stat().st_size for path in (folder / "sealed").iterdir())


def test_no_byte_of_the_log_changes(tmp_path, backend, small):
    """The log reads as before, from fewer bytes; the open part is sealed; a second time there is nothing left to do."""
    folder = tmp_path / "state"
    store = stored(folder, backend).store
    before, size = reader.whole(folder), sealed_bytes(folder) + store.log.open_size()
    store.condense()
    assert reader.whole(folder) == before
    assert sealed_bytes(folder) < size
    assert reader.opened(folder) == (len(before), b"")
    fresh = ClaudeConversationDeduplicator(folder, backend=backend)
    assert fresh.store.verify() == []
    assert kept(fresh.get_full_conversation("s")) == STORY.truth()
    once = names(folder)
    fresh.store.condense()
    assert names(folder) == once


def test_a_run_goes_on_behind_it(tmp_path, backend, small):
    """New lines follow on in the last file, which is condensed once more, its large blocks as they are."""
    folder = tmp_path / "state"
    dedup = stored(folder, backend, FILES[:2])
    dedup.store.condense()
    for file in FILES[2:]:
        stored(folder, backend, [file]).store.condense()
        assert reader.read(reader.whole(folder)).problems == []
    assert kept(ClaudeConversationDeduplicator(folder).get_full_conversation("s")) == STORY.truth()
    assert dedup.store.verify() == []


@pytest.mark.parametrize("form", [".lean.jsonl.xz", ".jsonl.xz"])
def test_files_of_earlier_versions_are_read_and_made_anew(tmp_path, backend, small, form):
    """Compact lines of version 0.1, and lines as they are of those before it."""
    folder = tmp_path / "state"
    store = stored(folder, backend).store
    log = reader.whole(folder)
    size = store.log.sealed.end
    for path in folder.glob("sealed/*"):
        path.unlink()
    seal(folder, log[:size], block=size // 2, form=form)
    (folder / "conversation_log.jsonl").write_bytes(log[size:])
    assert reader.whole(folder) == log
    dedup = ClaudeConversationDeduplicator(folder, backend=backend)
    assert dedup.store.verify() == []
    assert kept(dedup.get_full_conversation("s")) == STORY.truth()
    assert dedup.ingest(FILES[-1].data, name="again", conversation_id="s").new == 0
    dedup.store.condense()
    assert [name for name in names(folder) if not name.endswith(".pack")] == []
    assert reader.whole(folder).startswith(log)
    assert dedup.store.verify() == []


def test_where_there_is_no_store_none_is_made(tmp_path):
    """Nothing to do."""
    ClaudeConversationDeduplicator(tmp_path / "state").store.condense()
    assert not (tmp_path / "state").exists()


def test_a_file_that_somebody_replaced_meanwhile_is_left(tmp_path, small):
    """A run sealed more lines while the file was compressed: its longer file stays."""
    folder = tmp_path / "state"
    store = stored(folder, "default", FILES[:2]).store
    segment = improvable(store.log.sealed)[-1]
    better = improved(store.log.sealed, segment)
    stored(folder, "default", FILES[2:])
    after = names(folder)
    with store.transaction():
        assert store.log.sealed.exchange(segment, *better) is (segment.path.rpartition("/")[2] in after)
    assert store.verify() == []
    assert kept(ClaudeConversationDeduplicator(folder).get_full_conversation("s")) == STORY.truth()


def test_a_damaged_file_is_left_as_it_is(tmp_path, small):
    """It is for verify to name and for rebuild to mend; nothing is added to it, and the others are condensed."""
    folder = tmp_path / "state"
    store = stored(folder, "default").store
    segment = store.log.sealed.segments[0]
    with open(segment.path, "r+b") as file:
        file.seek(40)
        file.write(bytes(20))
    assert improved(store.log.sealed, segment) is None
    store.condense()
    assert segment.path.rpartition("/")[2] in names(folder)
    assert any("checksum" in problem for problem in store.verify())


def test_nothing_is_added_to_a_damaged_file(tmp_path, small, monkeypatch):
    """Its name would then say that it is sound."""
    monkeypatch.setattr(sealed, "MOST", 10**9)
    folder = tmp_path / "state"
    stored(folder, "default", FILES[:1])
    (path,) = folder.glob("sealed/*.pack")
    data = bytearray(path.read_bytes())
    data[45] ^= 1
    path.write_bytes(data)
    stored(folder, "default", FILES[1:2])  # which begins as the first one: what cannot be read is not needed
    assert path.name in names(folder)
    assert len(names(folder)) == 2
    problems = ClaudeConversationDeduplicator(folder).store.rebuild()
    assert any("set right" in problem for problem in problems)
    assert ClaudeConversationDeduplicator(folder).store.verify() == []


TABLES = {
    "no JSON": b"blocks\n",
    "another form": b"[]\n",
    "without lengths": b'{"thorough":true}\n',
    "too few lengths": b'{"blocks":[],"thorough":true}\n',
    "a length that is none": b'{"blocks":[0],"thorough":true}\n',
    "another length": b'{"blocks":[5],"thorough":true}\n',
    "too long": b" " * 1_000_001,
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_file_of_version_0_1_whose_table_is_none_cannot_be_read(tmp_path, table):
    """Whoever asks for its lines is told, and gets nothing that is wrong."""
    line = b'{"conversation_id":"s"}\n'
    data = lzma.compress(line) + lzma.compress(table)
    (tmp_path / "sealed").mkdir()
    (tmp_path / "sealed" / f"{0:012}-{len(line):012}-{zlib.crc32(data):08x}{LEAN}").write_bytes(data)
    found = Sealed(str(tmp_path), NoArchive())
    found.refresh()
    assert improved(found, *improvable(found)) is None
    with pytest.raises(sealed.BlockDamaged):
        found.line(0)


LINES = [b'{"conversation_id":"%d"}\n' % n for n in range(3)]


def pack_of(folder, kept, size, extra=()):
    """A sealed file of these of the lines, in a block each, which says that it has ``size`` bytes of the log."""
    blocks = [log_pack.packed(LINES[n], n * len(LINES[n]), NoArchive())[0] for n in kept]
    data = b"".join(enclosed([*((block.frame, block.data) for block in blocks), *extra]))
    (folder / "sealed").mkdir()
    (folder / "sealed" / f"{0:012}-{size:012}-{data[-32:].hex()[:8]}.pack").write_bytes(data)
    found = Sealed(str(folder), NoArchive())
    found.refresh()
    return found


@pytest.mark.parametrize("kept", [(0, 1, 2), (1, 2), (0, 2), (0, 1), (1,), ()], ids=str)
def test_lines_that_a_file_lacks_cost_no_others(tmp_path, kept):
    """Whatever frames a file has, each line is read in its own place, and of those that it lacks there are none."""
    length = len(LINES[0])
    found = pack_of(tmp_path, kept, 3 * length)
    assert b"".join(found.read(block) for block in found.blocks() if block.part >= 0) == b"".join(
        LINES[n] for n in kept
    )
    for n, line in enumerate(LINES):
        if n in kept:
            assert found.line(n * length) == line
        else:
            with pytest.raises(sealed.BlockDamaged):
                found.line(n * length)
    whole = [
        each.lines for each in salvaged(named(found.folder, found.segments[0].path.rpartition("/")[2]), NoArchive())
    ]
    assert b"".join(whole) == b"".join(LINES[n] for n in kept)


@pytest.mark.parametrize("body", [b"", b"\1", b"\0\1ab", b"\1\0more"])
def test_what_a_file_keeps_is_nothing_where_it_does_not_say_so(tmp_path, body):
    """Then it is written anew as one of which nobody knows."""
    length = len(LINES[0])
    found = pack_of(tmp_path, (0, 1, 2), 3 * length, [frames.make(frames.KEPT, 3 * length, 0, body)])
    assert found.kept_of(found.segments[0]) == log_pack.Kept(thorough=False, files={})
    assert found.line(0) == LINES[0]


def test_a_block_is_proven_before_it_is_kept(monkeypatch):
    """A machine that makes mistakes loses no line: what does not give the same lines back is not written."""
    monkeypatch.setattr(codec, "decompress", lambda _how, _packed, size: bytes(size))
    with pytest.raises(StoreNotWritable, match="unpack"):
        log_pack.packed(b'{"conversation_id":"s"}\n', 0, NoArchive())


def test_the_last_lines_are_a_block_of_their_own(tmp_path, small):
    """They are read more often than all others, and large blocks take long to unpack."""
    store = stored(tmp_path / "state", "default").store
    store.condense()
    blocks = list(store.log.sealed.blocks())
    with store.transaction(write=False):
        longest = max(line.size for line in store.lines())
    assert 0 < blocks[-1].end - blocks[-1].start <= 700 + longest
    assert all(store.log.sealed.kept_of(segment).thorough for segment in store.log.sealed.segments)


def test_a_store_that_is_damaged_says_so(tmp_path):
    """A log that became shorter is no store to condense."""
    folder = tmp_path / "state"
    stored(folder, "default", FILES[:1])
    log = folder / "conversation_log.jsonl"
    log.write_bytes(log.read_bytes()[:-100])
    with pytest.raises(StoreDamaged):
        ClaudeConversationDeduplicator(folder).store.condense()


def test_small_blocks_are_put_together_as_they_come(tmp_path, small, monkeypatch):
    """A store that grows by a few lines at a time has no thousands of blocks; no byte of it changes."""
    monkeypatch.setattr(indexed_log, "OPEN", 1)
    monkeypatch.setattr(log_pack, "TOGETHER", 3500)
    monkeypatch.setattr(sealed, "MOST", 10**9)
    folder = tmp_path / "state"
    log = b""
    for file in STORY.exports(1)[:8]:
        store = stored(folder, "default", [file]).store
        assert reader.whole(folder).startswith(log)
        log = reader.whole(folder)
    store.log.sealed.refresh()
    lengths = [block.end - block.start for block in store.log.sealed.blocks()]
    assert sum(lengths) == len(log)
    assert all(one + other > 3500 for one, other in zip(lengths, lengths[1:]))
    assert store.verify() == []


def test_a_file_that_vanished_is_no_reason_to_lose_others(tmp_path, small):
    """Without it nothing behind it can be read; all that is behind it stays on the disk, for whoever puts it back."""
    folder = tmp_path / "state"
    dedup = stored(folder, "default")
    first, *others = sorted(folder.glob("sealed/*.pack"))
    assert others
    kept_aside = first.read_bytes()
    first.unlink()
    with pytest.raises(StoreDamaged):
        ClaudeConversationDeduplicator(folder).store.condense()
    dedup.store.log.sealed.refresh()
    collect_garbage(dedup.store.log.sealed)
    assert sorted(folder.glob("sealed/*.pack")) == others
    first.write_bytes(kept_aside)
    assert ClaudeConversationDeduplicator(folder).store.verify() == []


@pytest.mark.parametrize("former", ["alignment_index.json", "index.sqlite3"])
def test_a_store_of_version_0_1_verifies_before_its_first_run(tmp_path, former):
    """Its index is not ours to believe, and none of its files is missing; the first run that writes has the index of today."""
    folder = tmp_path / "state"
    stored(folder, "default", FILES[:1])
    for name in ("index.bin", "watermarks.json"):
        (folder / name).unlink()
    assert ClaudeConversationDeduplicator(folder).store.verify() != []
    (folder / former).write_bytes(b"what version 0.1 wrote")
    assert ClaudeConversationDeduplicator(folder).store.verify() == []
    stored(folder, "default", FILES[1:2])
    assert not (folder / former).exists()
    assert (folder / "index.bin").exists()
    assert ClaudeConversationDeduplicator(folder).store.verify() == []
