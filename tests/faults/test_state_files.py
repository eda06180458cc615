"""Every file that a project has of us, gone or something else: it is made again or named, and nothing outside is touched.

A project with everything in it (both kinds of exports, images, sealed log, packs, hooks' markers, session files) is copied;
one file is deleted, cut, replaced by a link, a folder, a pipe, or taken away from us; then the commands are run, in a process
that is ended where it hangs.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import shutil
import signal
import stat
from typing import TYPE_CHECKING, Any

import pytest

import archive_reader
import transcript_lines as lines
from deduplication.archive import pack_files
from deduplication.commands import deduplicate_export, export_dedup
from deduplication.errors import DedupError, StoreDamaged
from deduplication.hooks import events, quick
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.project.paths import Project
from deduplication.storage import indexed_log
from deduplication.storage.log import log_pack
from deduplication.storage.log.opening import read_opening
from exports import kept
from faults.children import End, run
from faults.scenes import FILES, NAME, truth
from faults.test_blob_faults import FIRST, SECOND

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.faults

NOBODY = 65534
PATIENCE = 60
"""Seconds after which a child is taken to hang; all its commands take less than one."""
ONLY_COPY = ("conversation_log.jsonl", "sealed/", "blobs/", "packs/")
"""What cannot be made again: what becomes of it may cost what it holds, and must be said."""
PLAIN = "exports-archive/2026"
"""An archived export that is not packed yet: what becomes of it costs what it holds, and must be said."""


def _cut(path):
    os.truncate(path, path.stat().st_size // 2)


def _zeros(path):
    path.write_bytes(b"\0" * path.stat().st_size)


def _noise(path):
    path.write_bytes(b'{"a": [1e999, "\xff", ' + b"[" * 3000)


def _folder(path):
    path.unlink()
    path.mkdir()


def _full_folder(path):
    _folder(path)
    (path / "mine.txt").write_text("somebody's own")


def _link(path):
    outside = path.parents[len(path.parents) - 1 - 3] / "outside"  # /dev/shm/<disk>/outside
    target = outside / "target"
    target.write_bytes(path.read_bytes())
    target.chmod(0o644)
    path.unlink()
    path.symlink_to(target)


def _dangling(path):
    path.unlink()
    path.symlink_to(path.parents[len(path.parents) - 1 - 3] / "outside" / "not-there")


def _pipe(path):
    path.unlink()
    os.mkfifo(path)


def _closed(path):
    path.chmod(0)


def _taken(path):
    os.chown(path, 0, 0)
    path.chmod(0o600)


HOW = {
    "deleted": lambda path: path.unlink(),
    "emptied": lambda path: path.write_bytes(b""),
    "cut": _cut,
    "zeros": _zeros,
    "noise": _noise,
    "a folder": _folder,
    "a folder with something in it": _full_folder,
    "a link": _link,
    "a link to nothing": _dangling,
    "a pipe": _pipe,
    "mode 000": _closed,
    "somebody else's": _taken,
}


class Everything:
    """The project, and how it is used."""

    def __init__(self, disk: Path) -> None:
        self.disk = disk
        self.root = (disk / "project").resolve()
        self.template = disk / "template"
        self.outside = disk / "outside"
        self.transcript = disk / "s.jsonl"
        self.project = Project(self.root)
        self.memory = self.project.memory
        os.environ["CLAUDE_PROJECT_DIR"] = str(self.root)

    def make(self) -> None:
        """Use it for the first time."""
        self.project.exports.mkdir(parents=True)
        self.memory.chmod(0o700)
        for number, file in enumerate(FILES[:3]):
            (self.project.exports / file.name).write_bytes(file.data)
            assert self.command(*self.import_arguments()) == ""
            if number == 0:
                pack_files.pack(self.project, 0)
        self.transcript.write_bytes(FIRST)
        assert self.event("SessionStart", source="startup") == ""
        assert self.event("Stop") == ""
        self.project.exports.mkdir(exist_ok=True)
        assert self.command("session", "--all", "--project", str(self.root)) == ""
        (self.project.state / "quarantine").mkdir(mode=0o700)
        (self.project.state / "quarantine" / "unfinished-1.jsonl").write_bytes(b"torn")
        shutil.copytree(self.root, self.template)

    def reset(self) -> None:
        """As it was."""
        for folder in (self.root, self.outside):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.template, self.root)
        self.outside.mkdir()
        (self.outside / "witness").write_bytes(b"untouched")
        self.transcript.write_bytes(SECOND)
        (self.project.exports / FILES[3].name).write_bytes(FILES[3].data)

    def import_arguments(self) -> list[str]:
        """Those of the whole command."""
        return ["--project", str(self.root), "--session-id", NAME, "--yes", "--no-checkpoint"]

    def command(self, *arguments: str) -> str:
        """Run a command here: empty, or the error that it names. Anything else goes up."""
        main = export_dedup.main if arguments[0].startswith("--") else deduplicate_export.main
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                code = main(list(arguments))
        except DedupError as error:
            return f"{type(error).__name__}: {error}"
        return "" if code == 0 else said.getvalue()

    def event(self, name: str, **more: str) -> str:
        """What a hook does; its failures are named errors or none."""
        payload = {
            "session_id": lines.SESSION,
            "transcript_path": str(self.transcript),
            "cwd": str(self.root),
            "hook_event_name": name,
            **more,
        }
        import json

        try:
            if not quick.nothing_new(json.dumps(payload, separators=(",", ":")).encode()):
                events.handle(name, payload)
        except DedupError as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def use(self) -> dict[str, str]:
        """What is done with the project; each with the error that it named, if any."""
        at = ("--project", str(self.root))
        told = {
            "status": self.command("status", *at),
            "search": self.command("search", *at, "ledger"),
            "import": self.command(*self.import_arguments()),
            "stop": self.event("Stop"),
            "start": self.event("SessionStart", source="resume"),
            "verify": self.command("verify", *at),
            "restore": self.command("restore", "--all", str(self.disk / "out"), *at),
            "pack": self.command("pack", *at),
            "session": self.command("session", "--all", *at),
        }
        self.command("doctor", *at)
        self.command("status", "--json", *at)
        told["answer"] = self.answer()
        told["rebuild"] = self.command("rebuild", *at)
        told["after"] = self.answer()
        return told

    def answer(self) -> str:
        """Nothing where both conversations are right and whole, else what is wrong or missing of them."""
        try:
            store = ClaudeConversationDeduplicator(self.project.state)
            text = kept(store.get_full_conversation(NAME))
            said = [message["content"] for message in store.get_full_conversation(lines.SESSION)]
        except StoreDamaged as error:
            return f"StoreDamaged: {error}"
        except DedupError as error:
            return f"{type(error).__name__}: {error}"
        whole = truth(4)
        if [row for row in text if row[1] != "lost" and row not in whole]:
            return "WRONG"
        right = (truth(3), whole)
        if text in right and len(said) in (3, 9):
            return ""
        return "incomplete"


def as_nobody(job: Any) -> Any:
    """``job`` by a user who is not root, where this one is: root may read what it likes."""

    def dropped() -> Any:
        importlib.import_module("deduplication.repair.repair")  # the interpreter's own files may be root's alone
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        return job()

    return dropped


def limited(job: Any) -> End:
    """Run ``job`` in a child that is ended where it hangs."""

    def timed() -> Any:
        signal.alarm(PATIENCE)
        return job()

    return run(timed)


@pytest.fixture
def everything(disk, monkeypatch, backend):
    """A project in which everything is."""
    monkeypatch.setattr(indexed_log, "OPEN", 3000)
    monkeypatch.setattr(log_pack, "BLOCK", 1500)
    monkeypatch.setenv("CLAUDE_PROJECT_DIR", "")
    home = disk / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "TMPDIR", "CLAUDE_CONFIG_DIR"):
        (home / name).mkdir()
        monkeypatch.setenv(name, str(home / name))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / "none"))
    made = Everything(disk)
    outcome = run(made.make)
    assert (outcome.error, outcome.trace) == ("", "")
    return made


def files_of(everything: Everything) -> list[str]:
    """Every file that is there, as a path below ``MEMORY-CONTEXT``."""
    memory = everything.template / "MEMORY-CONTEXT"
    return sorted(str(p.relative_to(memory)) for p in memory.rglob("*") if p.is_file())


def seen(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and bytes of what lies outside."""
    return {p.name: (stat.S_IMODE(p.lstat().st_mode), p.read_bytes()) for p in folder.iterdir()}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("backend", ["json"], indirect=True)
def test_each_file_that_is_gone_or_something_else_is_made_again_or_named(everything, how, full):
    """No trace, no hang, no wrong answer, nothing outside touched; what can be made again is right afterwards."""
    other = how in ("mode 000", "somebody else's")
    if how == "somebody else's" and os.geteuid():
        pytest.skip("only root can give a file away")
    names = files_of(everything)
    kinds = {name.split("/")[0] if "/" not in name else "/".join(name.split("/")[:2]) for name in names}
    assert len(names) > 20, names
    assert {"dedup_state/live", "dedup_state/sealed", "dedup_state/blobs", "exports-archive/packs"} <= kinds
    for number, name in enumerate(names):
        if not full and (number + list(HOW).index(how)) % 4:
            continue
        everything.reset()
        path = everything.memory / name
        was = path.read_bytes()
        if other and os.geteuid() == 0:
            give(everything.disk)
        HOW[how](path)
        if path.is_file() and not other and path.read_bytes() == was and not path.is_symlink():
            continue  # an empty file that was emptied
        before = seen(everything.outside)
        outcome = limited(as_nobody(everything.use) if other else everything.use)
        case = f"{name}, {how}"
        assert outcome.signal == 0, f"{case}: it hangs"
        assert (outcome.error, outcome.trace) == ("", ""), f"{case}: {outcome.trace}"
        told = outcome.value
        assert seen(everything.outside) == before, f"{case}: something outside was touched"
        assert "WRONG" not in (told["answer"], told["after"]), case
        restored = everything.disk / "out"
        given = {p.name: p.read_bytes() for p in restored.iterdir()} if restored.is_dir() else {}
        shutil.rmtree(restored, ignore_errors=True)
        expected = {file.name: file.data for file in FILES[:4]}
        if name.startswith(PLAIN):
            given.pop(path.name, None)
            del expected[path.name]
            assert any(told.values()), f"{case}: nothing was said"
        assert {n: data for n, data in given.items() if expected.get(n) != data} == {}, f"{case}: wrong bytes"
        if not any(part in name for part in ONLY_COPY):
            assert given == {n: d for n, d in expected.items() if n in given or n != FILES[3].name}, case
            if not told["rebuild"]:
                assert told["after"] == "", f"{case}: {told}"
        elif how != "somebody else's":
            loud = [each for each in told.values() if each]
            if name.endswith("conversation_log.jsonl") and read_opening(was).size == len(was):
                continue  # all lines are sealed: what lies there is put aside, and nothing is lost
            harmless = how in ("a link", "a link to nothing") and "packs/" in name and name.endswith(".idx")
            assert loud or harmless or name.endswith(".idx") or ".pending" in name, f"{case}: nothing was said: {told}"
        packs = everything.project.archive / "packs"
        if not any(part in name for part in ("packs/",)) and not other and packs.is_dir():
            archive_reader.read(packs)


def give(folder: Path) -> None:
    """Everything in a folder belongs to nobody."""
    for place, _, names in os.walk(folder):
        for path in (place, *(os.path.join(place, name) for name in names)):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
@pytest.mark.parametrize("backend", ["json"], indirect=True)
def test_a_store_of_somebody_else_is_refused(everything):
    """A state folder that another user owns: nothing is written into it, and the error says whose it is."""
    everything.reset()
    give(everything.disk)
    os.chown(everything.project.state, 1, 1)
    everything.project.state.chmod(0o777)
    before = {p.name: p.lstat().st_mtime_ns for p in everything.project.state.iterdir()}
    outcome = limited(as_nobody(lambda: everything.command(*everything.import_arguments())))
    assert (outcome.signal, outcome.trace) == (0, "")
    assert outcome.value.startswith("StoreNotPrivate")
    assert {p.name: p.lstat().st_mtime_ns for p in everything.project.state.iterdir()} == before
    assert (everything.project.exports / FILES[3].name).read_bytes() == FILES[3].data
