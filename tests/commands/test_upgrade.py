"""Upgrade: what earlier versions wrote, in the format of today; a store of plain files becomes one like any other."""

from __future__ import annotations

import json
import os

import pytest

from archive_scenes import without_parity
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.project.paths import Project
from exports import Story, kept
from faults import reader
from in_process import call
from sealed_of_0_1 import seal

STORY = Story(8, exchanges=12)
FILES = STORY.exports(4)


@pytest.fixture
def project(tmp_path):
    """A project with three stored exports."""
    found = Project((tmp_path / "a project").resolve())
    found.exports.mkdir(parents=True)
    for file in FILES[:3]:
        (found.exports / file.name).write_bytes(file.data)
        done = call("--session-id", "s", found.exports / file.name, cwd=found.root)
        assert done.returncode == 0, done.stderr
    dedup(found).store.condense()
    return found


def dedup(project, backend="default"):
    """The deduplicator, opened anew."""
    return ClaudeConversationDeduplicator(os.fspath(project.state), backend=backend)


def truth(project):
    """Every byte of the log, the messages, and the archived files."""
    with_store = dedup(project)
    return reader.whole(project.state), kept(with_store.get_full_conversation("s"))


def of_version_0_1(project):
    """Its log sealed as compact lines, an index that is not ours."""
    log = reader.whole(project.state)
    for path in (project.state / "sealed").glob("*"):
        path.unlink()
    sealed = seal(project.state, log)
    (project.state / "index.bin").unlink()
    (project.state / "alignment_index.json").write_bytes(b"what version 0.1 wrote")
    return [sealed.name, "alignment_index.json"]


@pytest.mark.parametrize("killed", [False, True], ids=["at once", "killed in between"])
def test_what_version_0_1_wrote_is_converted_and_proven(project, killed):
    """The same log, messages and numbers from files of today; a second time there is nothing to do."""
    before = truth(project)
    former = of_version_0_1(project)
    if killed:  # with the index done, and the sealed file written anew but not removed
        dedup(project).store.verify()
        with dedup(project).store.transaction():
            pass
        former.remove("alignment_index.json")
    done = call("upgrade", cwd=project.root)
    assert done.returncode == 0
    assert [f"Converted: {name}" in done.stdout for name in former] == [True] * len(former)
    assert truth(project) == before
    assert [path.suffix for path in (project.state / "sealed").iterdir()] == [".pack"]
    again = call("upgrade", cwd=project.root)
    assert (again.returncode, "Nothing to convert" in again.stdout) == (0, True)


def test_packs_without_parity_get_one(project):
    """Packs of version 0.1 are put together into one of today, which restores the same files."""
    project.archive.mkdir(mode=0o700, exist_ok=True)
    for file in FILES[:3]:
        (project.archive / file.name).write_bytes(file.data)
    assert call("pack", "--older-than", "0", cwd=project.root).returncode == 0
    packs = project.archive / "packs"
    without_parity(packs)
    told = json.loads(call("upgrade", "--json", cwd=project.root).stdout)
    assert told == {
        "generator": "export-dedup",
        "converted": ["pack-0001.pack"],
        "left": [],
        "plain": False,
        "problems": [],
    }
    for file in FILES[:3]:
        out = project.root / f"restored-{file.name}"
        assert call("restore", file.name, "--output", out, cwd=project.root).returncode == 0
        assert out.read_bytes() == file.data


def test_a_store_of_plain_files_becomes_one_like_any_other(tmp_path):
    """By one command: its log is compressed, the hashes beside it go, and it says what it said."""
    folder = tmp_path / "state"
    for file in FILES:
        ClaudeConversationDeduplicator(os.fspath(folder), backend="json").ingest(
            file.data, name=file.name, conversation_id="s"
        )
    log = (folder / "conversation_log.jsonl").read_bytes()
    stayed = call("upgrade", "--storage-dir", folder)
    assert (stayed.returncode, (folder / "content_hashes.json").exists()) == (0, True)
    done = call("upgrade", "--storage-dir", folder, "--to", "default")
    assert (done.returncode, "no longer one of plain files" in done.stdout) == (0, True)
    assert not (folder / "content_hashes.json").exists()
    assert reader.opened(folder) == (len(log), b"")
    assert reader.whole(folder) == log
    store = ClaudeConversationDeduplicator(os.fspath(folder))
    assert kept(store.get_full_conversation("s")) == STORY.truth()
    assert (store.store.verify(), store.store.is_plain) == ([], False)


def test_damage_is_said_and_ends_with_1(project):
    """What cannot be read is left as it is."""
    (sealed, _) = of_version_0_1(project)
    path = project.state / "sealed" / sealed
    data = bytearray(path.read_bytes())
    data[100:200] = bytes(100)
    path.write_bytes(data)
    done = call("upgrade", cwd=project.root)
    assert done.returncode == 1
    assert path.read_bytes() == data
