"""An image is on the disk once: in the pack of the file that showed it, else in a file of its own; it is read from either."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil

import pytest

import archive_reader
from backup_scenes import restore, take
from deduplication.accounting import storage_account
from deduplication.archive import verify as checking
from deduplication.commands import deduplicate_export
from deduplication.errors import PurgeIncomplete
from deduplication.packs import frames, pack_builder, segmenter
from deduplication.project.paths import Project
from deduplication.purge.follow_up import verify
from deduplication.purge.run import purge
from deduplication.purge.scope import scope_of
from deduplication.repair.examine import examine
from deduplication.repair.repair import repair
from deduplication.storage.log_backed import require_log
from deduplication.storage.state import blobs
from document_readers import reader_of
from image_scenes import IMAGES, LARGE, SESSIONS, Harbour, shown, told

DATA = {hashlib.sha256(data).hexdigest(): data for data in (*IMAGES.values(), LARGE)}


@pytest.fixture
def harbour(tmp_path, monkeypatch):
    """A project without anything in it."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "client"))
    return Harbour(tmp_path / "project", tmp_path / "client")


def data_in(said):
    """Every image that messages have."""
    found = []

    def look(value):
        if isinstance(value, dict):
            if value.get("type") == "base64":
                found.append(base64.b64decode(value["data"]))
            for inner in value.values():
                look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    for messages in said.values():
        for message in messages:
            look(message["content"])
    return found


def command(harbour, name, *arguments):
    """Exit code of a command for this project."""
    return deduplicate_export.main([name, *arguments, "--project", str(harbour.project.root)])


def faults(harbour):
    """What ``verify`` says of store and archive."""
    checked = checking.check_project(harbour.project)
    return [*harbour.dedup.store.verify(), *(checked.all_problems() if checked is not None else [])]


# --- once ---------------------------------------------------------------------------------------------------------


def test_an_image_is_a_file_until_a_pack_has_it(harbour):
    """Captured it lies in ``blobs/``; archived it is read from the pack, the same messages and the same lines of the log."""
    for session, data in told().items():
        harbour.write(session, data)
    harbour.capture()
    assert harbour.blobs() == DATA
    before = harbour.said()
    with harbour.dedup.store.transaction(write=False):
        log = [line.data for line in harbour.dedup.store.log.lines()]
    harbour.archive()
    assert harbour.blobs() == {}
    assert os.listdir(harbour.project.state / "blobs") == []
    assert harbour.said() == before
    assert sorted(set(data_in(before))) == sorted(DATA.values())
    store = harbour.dedup.store
    with store.transaction(write=False):
        assert [line.data for line in store.log.lines()] == log
    assert faults(harbour) == []
    assert store.rebuild() == []
    assert harbour.said() == before
    assert faults(harbour) == []


def test_the_bytes_of_the_store_are_those_of_the_images(harbour):
    """Random bytes cannot be made smaller: what archive and store take is little more than each image once."""
    harbour.filled()
    assert sum(map(len, harbour.packs().values())) < 1.2 * sum(map(len, DATA.values()))
    disk = storage_account.on_disk(str(harbour.project.state))
    assert disk.store.blobs == 0
    assert disk.stored < 1.35 * sum(map(len, DATA.values()))
    assert storage_account.savings(harbour.dedup, str(harbour.project.state)).damage == ()


def test_an_image_that_comes_again_comes_from_the_pack_again(harbour):
    """A later message has it once more: a file until its own transcript is archived, and then none."""
    harbour.filled()
    boat = IMAGES["boat"]
    harbour.write("second", told()["second"] + shown("f", boat, session="second", twice=True))
    harbour.capture("second")
    assert list(harbour.blobs().values()) == [boat]
    before = harbour.said()
    harbour.archive()
    assert harbour.blobs() == {}
    assert harbour.said() == before
    assert data_in(before).count(boat) == 3


def test_what_no_archived_file_has_stays_a_file(harbour):
    """An image that came from Python, or of a transcript that nobody archived."""
    harbour.filled()
    other = IMAGES["lamp"][::-1]
    harbour.dedup.ingest(shown("z", other), name="z.jsonl", conversation_id="elsewhere")
    harbour.dedup.store.settle()
    harbour.dedup.store.condense()
    assert list(harbour.blobs().values()) == [other]
    assert other in data_in(harbour.said())


def test_the_documents_reader_reads_it(harbour):
    """docs/storage.md tells where an image is, and its reader finds each message whole."""
    harbour.filled()
    found = reader_of("storage").read(harbour.project.state)
    said = {
        name: {number: message["content"] for number, message in messages.items() if message["kind"] != "bookkeeping"}
        for name, messages in found.items()
    }
    for name, messages in harbour.said().items():
        assert {message["index"]: message["content"] for message in messages} == said[name]


def test_the_commands_read_it(harbour, capsys, tmp_path):
    """``log``, ``show``, ``verify``, ``restore``: as if the image lay where it lay before."""
    for session, data in told().items():
        harbour.write(session, data)
    harbour.capture()

    def everything():
        said = []
        for arguments in (["log"], ["show", SESSIONS["first"]], ["verify"], ["stats"]):
            assert command(harbour, *arguments) == 0
            said.append(capsys.readouterr().out)
        return said[:2]

    before = everything()
    harbour.archive()
    assert everything() == before
    assert command(harbour, "restore", "--all", str(tmp_path / "back")) == 0
    back = {path.name: path.read_bytes() for path in (tmp_path / "back").rglob("*.jsonl")}
    assert back == {f"{SESSIONS[name]}.jsonl": data for name, data in told().items()}


# --- lost ---------------------------------------------------------------------------------------------------------


def test_what_neither_has_is_named_and_made_again(harbour):
    """Without packs every image is missing; the client still has its transcripts, and ``repair`` takes them from there."""
    harbour.filled()
    before = harbour.said()
    for path in (harbour.project.archive / "packs").iterdir():
        path.unlink()
    missing = [line for line in harbour.dedup.store.verify() if line.startswith("blobs/")]
    assert len(missing) == len(DATA)
    savings = storage_account.savings(harbour.dedup, str(harbour.project.state))
    assert savings.damage[-1] == f"blobs: {sum(map(len, DATA.values())):,} bytes of images and documents are missing"
    done = repair(require_log(harbour.dedup.store, "a test"), harbour.project)
    assert done.remaining == []
    assert harbour.said() == before
    harbour.archive()
    assert faults(harbour) == []
    assert harbour.said() == before


def test_a_damaged_file_that_a_pack_has_as_well_is_no_loss(harbour):
    """It is read from the pack, and goes with the next run that packs."""
    harbour.filled()
    store = blobs.Blobs(str(harbour.project.state / "blobs"))
    store.keep(DATA)
    for path in (harbour.project.state / "blobs").glob("*/*"):
        path.write_bytes(b"other")
    assert sorted(set(data_in(harbour.said()))) == sorted(DATA.values())
    assert faults(harbour) == []
    harbour.dedup.store.settle()
    assert harbour.blobs() == {}


def blanked(harbour, size):
    """Zeros in the midst of the only pack."""
    ((name, data),) = harbour.packs().items()
    at = len(data) // 2
    (harbour.project.archive / "packs" / name).write_bytes(data[:at] + bytes(size) + data[at + size :])


def test_a_damaged_pack_gives_its_images_by_parity(harbour):
    """A stretch of zeros in an image: read as if it were whole, named, and written as it was by ``repair``."""
    harbour.filled()
    before, packs = harbour.said(), harbour.packs()
    blanked(harbour, 2_000)
    assert harbour.packs() != packs
    assert harbour.said() == before
    assert len(faults(harbour)) == 1
    repair(require_log(harbour.dedup.store, "a test"), harbour.project)
    assert harbour.packs() == packs
    assert harbour.said() == before


def test_an_image_of_a_file_that_cannot_be_restored_is_kept(harbour, monkeypatch):
    """The pack is damaged beyond its parity, and nobody else has the transcript: what is whole in it stays readable."""
    monkeypatch.setattr(pack_builder, "QUICK_FRAME", 10_000)  # a frame for each image
    harbour.filled()
    shutil.rmtree(harbour.client)
    blanked(harbour, 30_000)
    before = set(data_in(harbour.said()))
    assert before == set(IMAGES.values())
    lost = {each.sha256 for each in examine(require_log(harbour.dedup.store, "a test"), harbour.project)}
    assert hashlib.sha256(LARGE).hexdigest() in lost
    repair(require_log(harbour.dedup.store, "a test"), harbour.project)
    assert set(data_in(harbour.said())) == before
    harbour.dedup.store.settle()
    assert list(harbour.blobs().values()) == [IMAGES["tide"]]  # the others are in a file that came back


def test_a_backup_has_it_once_and_gives_it_back(harbour, tmp_path):
    """Store and archive go into a snapshot together, and messages come back with their images."""
    harbour.filled()
    before = harbour.said()
    take(harbour.project, tmp_path / "backup")
    other = Project((tmp_path / "other").resolve())
    other.root.mkdir()
    restore(tmp_path / "backup", other)
    again = Harbour(other.root, harbour.client)
    assert again.said() == before
    assert faults(again) == []
    size = sum(path.stat().st_size for path in (tmp_path / "backup").rglob("*") if path.is_file())
    assert size < 1.5 * sum(map(len, DATA.values()))


# --- purged -------------------------------------------------------------------------------------------------------


def everywhere(harbour):
    """Every byte that the project has, packs unpacked, Base64 of them as well."""
    found = [path.read_bytes() for path in harbour.project.memory.rglob("*") if path.is_file()]
    found += archive_reader.read(harbour.project.archive / "packs").values()
    return b"\0".join(found)


@pytest.mark.parametrize("session", ["first", "second"])
def test_a_purge_removes_an_image_from_both_and_keeps_what_others_show(harbour, session):
    """What only this session has is gone, as bytes and as Base64; the boat, which both show, stays with the other one."""
    harbour.filled()
    other = next(name for name in SESSIONS if name != session)
    before = harbour.said()[SESSIONS[other]]
    mine, others = (
        {data for data in DATA.values() if base64.b64encode(data) in told()[name]} for name in (session, other)
    )
    shutil.rmtree(harbour.client)
    done = purge(harbour.dedup.store, harbour.project, scope_of([SESSIONS[session]], None, []))
    verify(harbour.dedup.store, harbour.project, done)
    assert done.problems == []
    assert set(done.plan.blobs) == {hashlib.sha256(data).hexdigest() for data in mine - others}
    rest = everywhere(harbour)
    for data in mine - others:
        assert data[100:140] not in rest
        assert base64.b64encode(data)[400:440] not in rest
    assert harbour.said()[SESSIONS[other]] == before
    assert harbour.blobs() == {}
    assert faults(harbour) == []


def test_a_purge_that_leaves_an_image_behind_says_so(harbour, monkeypatch):
    """The proof looks into the packs as well."""
    harbour.filled()
    monkeypatch.setattr("deduplication.purge.run.Search.archived", _nothing)
    done = purge(harbour.dedup.store, harbour.project, scope_of([SESSIONS["first"]], None, []))
    with pytest.raises(PurgeIncomplete, match="blob"):
        verify(harbour.dedup.store, harbour.project, done)


def _nothing(search):
    from deduplication.purge.affected_files import AffectedFiles

    return AffectedFiles()


def test_an_image_stays_where_only_a_file_that_goes_had_it(harbour):
    """One message of two that show it is of no archived file: when the file goes, the image becomes a file of its own."""
    harbour.filled()
    lamp = IMAGES["lamp"]
    harbour.dedup.ingest(shown("z", lamp), name="z.jsonl", conversation_id="elsewhere")
    harbour.dedup.store.settle()
    assert harbour.blobs() == {}
    shutil.rmtree(harbour.client)
    done = purge(harbour.dedup.store, harbour.project, scope_of([SESSIONS["second"]], None, []))
    verify(harbour.dedup.store, harbour.project, done)
    assert list(harbour.blobs().values()) == [lamp]
    assert lamp in data_in(harbour.said())
    assert faults(harbour) == []


# --- what a former version left -----------------------------------------------------------------------------------


def of_former_version(harbour, monkeypatch):
    """Packs with the Base64 of images in them, and every image a file besides."""
    cut = segmenter.cut
    with monkeypatch.context() as patch:
        patch.setattr(segmenter, "cut", lambda data, start=0: cut(data, start, base64=False))
        patch.setattr(frames, "VERSION", 2)
        harbour.filled()
    assert harbour.blobs() == DATA


def test_pack_cuts_the_packs_of_a_former_version_anew(harbour, monkeypatch, capsys):
    """Images that lie twice lie once afterwards; every file and message is what it was."""
    of_former_version(harbour, monkeypatch)
    before, size = harbour.said(), sum(map(len, harbour.packs().values()))
    files = archive_reader.read(harbour.project.archive / "packs")
    assert command(harbour, "pack", "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    assert harbour.blobs() == {}
    assert sum(map(len, harbour.packs().values())) == figures["pack_bytes"] - sum(
        path.stat().st_size for path in (harbour.project.archive / "packs").glob("*.idx")
    )
    assert sum(map(len, harbour.packs().values())) < size
    assert archive_reader.read(harbour.project.archive / "packs") == files
    assert harbour.said() == before
    assert faults(harbour) == []
    packs = harbour.packs()
    assert command(harbour, "pack") == 0
    assert harbour.packs() == packs


def test_what_is_damaged_is_not_cut_anew(harbour, monkeypatch):
    """Nothing may be lost on the way: such packs stay as they are, and so do the files."""
    of_former_version(harbour, monkeypatch)
    (name, data), *_ = harbour.packs().items()
    path = harbour.project.archive / "packs" / name
    path.write_bytes(data[:1_000] + bytes(60_000) + data[61_000:])
    packs = harbour.packs()
    assert command(harbour, "pack") == 0
    assert harbour.packs() == packs
    assert harbour.blobs() == DATA
    assert not (harbour.project.archive / "packs.new").exists() or harbour.dedup.store.verify() == []
