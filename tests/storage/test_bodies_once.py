"""Each body is on the disk once: what the archive has, the log leaves out, and is the same log, byte for byte."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import replace

import pytest

from backup_scenes import restore, take
from deduplication.archive import drop_folder
from deduplication.archive.pack_files import pack
from deduplication.files.safe_read import read
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.transcript_capture import capture_file
from deduplication.packs.pack_and_verify import Source as Packing
from deduplication.packs.pack_and_verify import pack_and_verify
from deduplication.project.paths import Project
from deduplication.purge.run import purge
from deduplication.purge.scope import Scope
from deduplication.storage import settle
from deduplication.storage.log import better_files, log_pack
from exports import Story, kept
from faults import reader
from transcript_lines import SESSION, day

STORY = Story(11, exchanges=30)
FILES = STORY.exports(5)


class Place:
    """A project whose exports are stored, archived and packed one after another."""

    def __init__(self, root):
        root.mkdir(parents=True, exist_ok=True)
        self.project = Project(root)
        self.project.exports.mkdir(parents=True)

    @property
    def dedup(self):
        """Its deduplicator, opened anew."""
        return ClaudeConversationDeduplicator(os.fspath(self.project.state))

    def keep(self, file):
        """Store, archive and pack an export."""
        path = self.project.exports / file.name
        path.write_bytes(file.data)
        self.dedup.ingest(file.data, name=file.name, conversation_id="s")
        data, identity = read(path)
        with drop_folder.opened(self.project) as archive:
            archive.add(path, identity, hashlib.sha256(data).hexdigest())
        pack(self.project, 0, thorough=False)

    @property
    def log(self):
        """Every byte of its log, as an independent reader reads it."""
        return reader.whole(self.project.state)

    def words(self):
        """Bytes of contents that a sealed file or the open part has."""
        log = self.dedup.store.log
        log.recover(write=False)
        kept_there = sum(sum(log.sealed.kept_of(each).files.values()) for each in log.sealed.segments)
        return kept_there + self.open_size()

    def open_size(self):
        """Bytes of the lines that are not sealed."""
        return len(reader.opened(self.project.state)[1])


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A project in which even a short log is sealed."""
    monkeypatch.setattr(settle, "_PAYS", 1)
    monkeypatch.setattr(log_pack, "_LITTLE", 1)
    return Place(tmp_path / "a project")


def test_the_log_is_the_same_without_its_bodies(place):
    """Export by export: sealed lines come back as they were, from a tenth of the bytes, parity included."""
    for file in FILES:
        place.dedup.ingest(file.data, name=file.name, conversation_id="s")
        before = place.log
        place.keep(file)
        place.dedup.store.settle()
        assert place.log.startswith(before)
        assert place.words() == 0
    sealed = sum(path.stat().st_size for path in (place.project.state / "sealed").iterdir())
    assert sealed < len(place.log) / 10
    assert place.dedup.store.verify() == []
    assert kept(place.dedup.get_full_conversation("s")) == STORY.truth()
    assert place.dedup.ingest(FILES[-1].data, name="again", conversation_id="s").new == 0


def test_what_was_sealed_before_it_was_archived_is_written_anew(place, monkeypatch):
    """A file that keeps bodies is replaced once the archive has them; never again after that."""
    for file in FILES:
        place.dedup.ingest(file.data, name=file.name, conversation_id="s")
    place.dedup.store.condense()
    before, words = place.log, place.words()
    assert words > len(before) / 3
    for file in FILES:
        place.keep(file)
    place.dedup.store.settle()
    assert place.log.startswith(before)
    assert place.words() == 0
    names = sorted(os.listdir(place.project.state / "sealed"))
    place.dedup.store.settle()
    assert sorted(os.listdir(place.project.state / "sealed")) == names
    assert place.dedup.store.verify() == []


def parallel(count):
    """Exports of conversations of their own."""
    return [replace(Story(90 + n, exchanges=6).exports(6)[0], name=f"{n}.txt") for n in range(count)]


def test_lines_wait_open_for_an_export_that_is_on_its_way(place, monkeypatch):
    """What another process has stored and not yet archived is not sealed with its bodies; once it is late, it is."""
    one, other, last = parallel(3)
    place.dedup.ingest(one.data, name=one.name, conversation_id="one")
    place.dedup.ingest(other.data, name=other.name, conversation_id="other")
    before = place.log
    place.keep(last)
    place.dedup.store.settle()
    assert place.open_size() == len(place.log), "none of the three: the first one is on its way"
    place.keep(one)
    place.dedup.store.settle()
    sealed = len(place.log) - place.open_size()
    assert 0 < sealed < len(before), "the first one, and no line of the second"
    monkeypatch.setattr(settle, "_SOON", 0)
    place.dedup.store.settle()
    assert place.open_size() == 0
    assert place.log.startswith(before)
    assert place.dedup.store.verify() == []


def test_many_runs_at_once_write_their_lines_anew_a_few_times(place, monkeypatch):
    """Sealed with all their bodies before any of them was archived: rewritten as often as what is kept can be halved."""
    files = parallel(12)
    for file in files:
        place.dedup.ingest(file.data, name=file.name, conversation_id=file.name)
    place.dedup.store.condense()
    written = []
    monkeypatch.setattr(
        settle, "improved", lambda *given, **named: written.append(1) or better_files.improved(*given, **named)
    )
    for file in files:
        place.keep(file)
        place.dedup.store.settle()
    assert 2 <= len(written) <= 5
    assert place.words() == 0
    assert place.dedup.store.verify() == []


def test_packs_may_be_put_together_below_it(place):
    """Their numbers stay, and so do the words of the log; with the index deleted as well."""
    for file in FILES:
        place.keep(file)
        place.dedup.store.settle()
    before = place.log
    pack(place.project, 0)
    place.dedup.store.condense()
    assert place.log == before
    for path in (place.project.archive / "packs").glob("*.idx"):
        path.unlink()
    assert place.dedup.store.rebuild() == []
    assert kept(place.dedup.get_full_conversation("s")) == STORY.truth()


def test_a_captured_transcript_is_left_to_the_archive(place):
    """Its lines name their own part of it; the archive has the whole file, which has grown meanwhile."""
    path = place.project.root / f"{SESSION}.jsonl"
    for turns in (2, 5):
        path.write_bytes(day(turns))
        capture_file(place.dedup, path)
    place.dedup.store.condense()
    before = place.log
    assert place.words() > 1000
    path.write_bytes(day(9))
    with drop_folder.opened(place.project):
        folder = os.fspath(place.project.archive / "packs")
        pack_and_verify([Packing(path, f"project/{path.name}", lambda _: SESSION)], folder, read, [], thorough=False)
    place.dedup.store.settle()
    assert place.log == before
    assert place.words() == 0
    assert place.dedup.store.verify() == []


def test_a_purge_reaches_it(place):
    """Message and archived bytes go, and the log is whole by itself: its spans are those of files that are others now."""
    for file in FILES:
        place.keep(file)
        place.dedup.store.settle()
    (said,) = [m for m in place.dedup.get_full_conversation("s") if m["kind"] == "text"][3:4]
    purge(place.dedup.store, place.project, Scope(hashes=(said["content_hash"],)))
    assert place.dedup.store.verify() == []
    rest = place.dedup.get_full_conversation("s")
    assert said["content"] not in [m["content"] for m in rest]
    before = place.log
    place.dedup.store.condense()
    assert place.log == before
    assert place.dedup.get_full_conversation("s") == rest
    assert place.dedup.store.verify() == []


def test_a_pack_that_is_gone_costs_what_lies_in_it(place):
    """Every line whose bytes are elsewhere is read; what is lost is named by verify, and the store still opens."""
    for file in FILES[:2]:
        place.dedup.ingest(file.data, name=file.name, conversation_id="own")
    place.dedup.store.condense()
    for file in FILES:
        place.keep(file)
        place.dedup.store.settle()
    before = place.dedup.get_full_conversation("s")
    aside = place.project.root / "aside"
    shutil.move(place.project.archive / "packs", aside)
    problems = place.dedup.store.verify()
    assert any("cannot be read" in problem for problem in problems)
    shutil.move(aside, place.project.archive / "packs")
    assert place.dedup.store.verify() == []
    assert place.dedup.get_full_conversation("s") == before


def test_a_backup_has_what_its_log_refers_to(place, tmp_path):
    """A snapshot is restored elsewhere, and its log reads the archive that came with it."""
    for file in FILES:
        place.keep(file)
        place.dedup.store.settle()
    taken = take(place.project, tmp_path / "backup")
    assert taken.snapshot.problems == ()
    other = Project(tmp_path / "other")
    other.root.mkdir()
    assert restore(tmp_path / "backup", other).problems == []
    assert reader.whole(other.state) == place.log
    assert kept(ClaudeConversationDeduplicator(os.fspath(other.state)).get_full_conversation("s")) == STORY.truth()
