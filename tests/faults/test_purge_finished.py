"""A purge that was stopped after it was decided: whoever comes next finishes all of it, and until then it is said."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import time

import pytest

from deduplication.backup import known
from deduplication.commands import create_checkpoint, deduplicate_export, export_dedup
from deduplication.errors import DedupError, NothingToPurge
from deduplication.files import journal
from deduplication.files.locking import exclusive
from deduplication.project.client_transcripts import folder_name
from faults import reader
from faults.children import Shim, end, run, start
from faults.test_disk import fill
from purge_scenes import Place, Talk, everything, left

pytestmark = pytest.mark.faults
ALDER, BIRCH, CEDAR = Talk("alder", 8, images=False), Talk("birch", 8, images=False), Talk("cedar", 8, images=False)


def said(command, *arguments):
    """Exit code of a command and what it wrote; a named error is 1, and its text."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            code = command(list(arguments))
        except DedupError as error:
            return 1, f"{out.getvalue()}{type(error).__name__}: {error}"
    return code, out.getvalue()


class Whole:
    """A repository with two conversations in store, packs, archive, committed session files, checkpoints, two backups.

    One of the backups is on a disk that is taken away before the purge; an export that shows what goes waits.
    """

    def __init__(self, folder, backend):
        self.folder, self.backend = folder, backend
        self.root = folder / "project"
        self.here, self.away = folder / "here", folder / "away"
        self.root.mkdir()
        subprocess.run(["git", "init", "-q", "-b", "main"], cwd=self.root, check=True)
        place = self.place
        for talk in (ALDER, BIRCH):
            for until in (4, 8):
                place.export(f"2026-03-0{until}-EXPORT-{talk.name.upper()}.txt", talk.text(0, until))
        place.pack()
        place.export("2026-03-11-EXPORT-ALDER.txt", ALDER.text(0, 8, width=60))
        place.sessions()
        assert self.command("session", "alder", "--format", "html")[0] in (0, 1)
        assert said(create_checkpoint.main, "before", "--project", str(self.root))[0] == 0
        for backup in (self.here, self.away):
            assert self.command("backup", str(backup))[0] == 0
        (place.project.exports / "2026-03-12-EXPORT-ALDER.txt").write_bytes(ALDER.text(0, 8, width=70))
        assert left(place, ALDER.words()) != []
        self.away.rename(folder / "in a drawer")
        self.birch = place.said("birch")
        for name in ("project", "here"):
            shutil.copytree(folder / name, folder / "template" / name, symlinks=True)

    @property
    def place(self):
        """The project, as a new process has it."""
        return Place(self.root, backend=self.backend)

    def reset(self):
        """Begin again."""
        for name in ("project", "here"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            shutil.copytree(self.folder / "template" / name, self.folder / name, symlinks=True)

    def command(self, name, *arguments):
        """A subcommand for this project."""
        return said(deduplicate_export.main, name, *arguments, "--project", str(self.root))

    def job(self):
        """The whole purge: planned, done, looked for, recounted, and the backups renewed."""
        return self.command("purge", "--session", "alder", "--yes")

    def stopped(self):
        """Stopped at the worst instant: it was decided, and nothing was done."""
        real = journal.begin

        def begin(*arguments):
            real(*arguments)
            os.kill(os.getpid(), signal.SIGKILL)

        journal.begin = begin
        return self.job()

    @property
    def waits(self):
        """Whether a purge is decided and not finished."""
        return (self.place.project.state / journal.NAME).exists()

    def shows(self, folder, talk=ALDER):
        """Which words of a conversation are anywhere in a folder, what waits to be processed aside."""
        hidden = self.place.project.exports
        moved = self.folder / "waiting"
        hidden.rename(moved)
        try:
            data = b"\n".join(everything(path) for path in folder.iterdir() if path.name != ".git" and path.is_dir())
            data += b"\n".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
        finally:
            moved.rename(hidden)
        return sorted(word.decode() for word in talk.words() if word in data)


def left_in(folder):
    """Which words of what goes are anywhere in a folder."""
    data = everything(folder)
    return sorted(word.decode() for word in ALDER.words() if word in data)


@pytest.fixture
def whole(disk, backend):
    """Made anew for each test."""
    return Whole(disk, backend)


def _export(whole):
    """An export of another conversation is processed."""
    (whole.place.project.exports / "2026-03-20-EXPORT-CEDAR.txt").write_bytes(CEDAR.text())
    arguments = ["--project", str(whole.root), "--yes", "--no-checkpoint", "--backend", whole.backend]
    return said(export_dedup.main, *arguments, str(whole.place.project.exports / "2026-03-20-EXPORT-CEDAR.txt"))[0]


def _hook(whole):
    """A turn of another session ends."""
    from deduplication.hooks import events

    folder = whole.folder / "client" / "projects" / folder_name(str(whole.root))
    folder.mkdir(parents=True, exist_ok=True)
    transcript = folder / f"{CEDAR.session}.jsonl"
    transcript.write_bytes(CEDAR.lines())
    os.environ.update(CLAUDE_CONFIG_DIR=str(whole.folder / "client"), CLAUDE_PROJECT_DIR=str(whole.root))
    payload = {"session_id": CEDAR.session, "transcript_path": str(transcript), "cwd": str(whole.root)}
    with contextlib.redirect_stdout(io.StringIO()):
        events.handle("Stop", {**payload, "hook_event_name": "Stop"})
    return 0


def _library(whole):
    """Somebody's own program asks for a conversation."""
    return len(whole.place.said("alder"))


NEXT = {
    "an export": _export,
    "a hook": _hook,
    "a library call": _library,
    "session": lambda whole: whole.command("session", "birch")[0],
    "checkpoint": lambda whole: said(create_checkpoint.main, "after", "--project", str(whole.root))[0],
    "backup": lambda whole: min(whole.command("backup", str(whole.here))[0], 0),
    "show": lambda whole: whole.command("show", "birch")[0],
    "search": lambda whole: whole.command("search", "lantern")[0],
    "stats": lambda whole: whole.command("stats")[0],
    "restore": lambda whole: whole.command("restore", "--list")[0],
    "pack": lambda whole: whole.command("pack", "--older-than", "0")[0],
    "rebuild": lambda whole: whole.command("rebuild")[0],
    "repair": lambda whole: whole.command("repair")[0],
    "capture": lambda whole: whole.command("capture")[0],
    "the same purge": lambda whole: min(whole.job()[0], 0),
}


def judge(whole):
    """Nothing of it is left in the project; both backups lose it as soon as they are there; all of it is sound."""
    assert not whole.waits
    assert whole.shows(whole.root) == []
    assert len(whole.shows(whole.root, BIRCH)) == 8
    place = whole.place
    assert place.said("birch") == whole.birch
    owed = {each.path for each in known.owed(str(place.project.state))}
    assert str(whole.away) in owed
    code, out = whole.command("verify")
    assert code == 0, out
    assert f"The backup {whole.away} may still have what was purged" in out
    log = reader.read(reader.whole(place.project.state))
    assert (log.problems, log.unfinished) == ([], 0)
    # What waits, and shows it, is known, and brings nothing back; the same purge goes on with the backups, one of which is away.
    code, out = whole.job()
    assert (code, "Nothing more to purge in the store" in out) == (1, True), out
    assert f"The backup {whole.away} may still have it" in out
    waiting = place.project.exports / "2026-03-12-EXPORT-ALDER.txt"
    if waiting.exists():
        assert f"The backup {whole.here} may still have it: an export that waits" in out
        arguments = ["--project", str(whole.root), "--yes", "--no-checkpoint", "--backend", whole.backend]
        assert said(export_dedup.main, *arguments)[0] == 0
        assert whole.place.said("alder") == []
        waiting.unlink(missing_ok=True)
    assert left(place, ALDER.words()) == []
    assert whole.job()[0] == 1
    assert left_in(whole.here) == []
    (whole.folder / "in a drawer").rename(whole.away)
    try:
        assert left_in(whole.away) != []
        shutil.copytree(whole.away, whole.folder / "as it was")
        assert whole.job()[0] == 0
        assert left_in(whole.away) == []
        assert known.owed(str(place.project.state)) == []
        with pytest.raises(NothingToPurge), contextlib.redirect_stdout(io.StringIO()):
            deduplicate_export.main(["purge", "--session", "alder", "--yes", "--project", str(whole.root)])
        code, out = whole.command("verify")
        assert (code, "purged" in out) == (0, False)
    finally:
        shutil.rmtree(whole.away)
        (whole.folder / "as it was").rename(whole.folder / "in a drawer")


@pytest.mark.parametrize("name", NEXT)
def test_whoever_comes_next_finishes_all_of_it(whole, name):
    """Every command and hook that opens store, archive or session files leaves nothing to be done, whatever it is for."""
    assert run(whole.stopped).signal == signal.SIGKILL
    assert whole.waits
    assert whole.shows(whole.root) != []
    outcome = run(lambda: NEXT[name](whole))
    assert (outcome.signal, outcome.error, outcome.trace, outcome.value) == (0, "", "", 0)
    judge(whole)


def test_who_only_looks_says_that_a_purge_is_unfinished_and_changes_nothing(whole):
    """``verify``, ``status`` and ``doctor`` name what is still to be done, end with 1, and show no name of an export."""
    assert run(whole.stopped).signal == signal.SIGKILL
    before = whole.place.snapshot()
    for name in ("verify", "status", "doctor"):
        code, out = whole.command(name)
        assert code == 1, out
        assert "purge was stopped half way; still to be done: the store, the archive, the session files" in out
        assert "EXPORT-ALDER" not in out
        code, out = whole.command(name, "--json")
        assert code == 1
        if name != "doctor":
            assert json.loads(out)["unfinished_purge"] == ["store", "archive", "sessions", "last_run"]
    assert whole.place.snapshot() == before
    assert whole.command("stats")[0] == 0
    for name in ("verify", "status"):
        assert "half way" not in whole.command(name)[1]
    judge(whole)


def test_a_place_that_refuses_stays_to_be_done_and_the_rest_goes_on(whole):
    """Session files that cannot be written: the store is open to everybody, no backup is taken, and who asks is told why."""
    assert run(whole.stopped).signal == signal.SIGKILL
    sessions, outside = whole.place.project.sessions, whole.folder / "outside"
    sessions.rename(outside)
    sessions.symlink_to(outside)
    assert whole.command("stats")[0] == 0
    assert whole.place.said("alder") == []
    for name in ("verify", "status", "doctor"):
        code, out = whole.command(name)
        assert (code, "still to be done: the session files\n" in out) == (1, True), out
    code, out = whole.command("backup", str(whole.here))
    assert (code, "a purge was stopped half way and is not finished" in out) == (1, True), out
    code, out = whole.job()
    assert (code, "leads outside the project" in out) == (1, True), out
    sessions.unlink()
    outside.rename(sessions)
    assert whole.command("stats")[0] == 0
    judge(whole)


def test_a_purge_that_is_under_way_is_waited_for(whole):
    """Who only looks does not take it for one that was stopped."""
    state = str(whole.place.project.state)

    def purge_slowly():
        with exclusive(os.path.join(state, ".lock")):
            journal.begin(state, {journal.SESSIONS: journal.Changes()}, {})
            time.sleep(1)
            os.unlink(os.path.join(state, journal.NAME))

    for name in ("verify", "status"):
        child = start(purge_slowly)
        while not whole.waits:
            time.sleep(0.01)
        code, out = whole.command(name)
        assert (code, "half way" in out) == (0, False), out
        assert end(*child).signal == 0


@pytest.mark.parametrize("action", ["kill", "torn"])
def test_a_whole_purge_killed_between_any_two_calls_is_finished_by_the_next_command(whole, action, calls):
    """Store, archive, session files and backups: whatever call is its last, one command later it is all or nothing."""
    names = list(NEXT)
    seen = set()
    for turn, at in enumerate(calls(23 if action == "kill" else 47)):
        whole.reset()

        def shimmed(at=at):
            Shim(at, action).install()
            return whole.job()

        outcome = run(shimmed)
        assert (outcome.error, outcome.trace) == ("", ""), f"call {at}"
        decided = whole.waits
        if decided:
            assert whole.command("verify")[0] == whole.command("status")[0] == 1
        name = names[turn % len(names)]
        came = run(lambda name=name: NEXT[name](whole))
        assert (came.signal, came.error, came.trace) == (0, "", ""), f"call {at}, then {name}: {came}"
        gone = whole.place.said("alder") == []
        assert gone or not decided
        if not gone:
            assert len(whole.shows(whole.root)) == 8
            assert run(whole.job).value[0] == 1, "one backup is away"
        judge(whole)
        seen.add(gone)
        if not outcome.signal:
            break
    assert at > 100, "the shim does not see the calls"
    assert seen == {False, True}


@pytest.mark.parametrize("how", ["full", "read-only"])
def test_a_backup_whose_disk_takes_nothing_is_said_and_remembered(tiny, disk, backend, how):
    """The purge is done, the backup named with the reason; once the disk takes something again the next backup has it gone."""
    place = Place(disk / "project", backend=backend)
    for talk in (ALDER, BIRCH):
        place.dedup.ingest(talk.text(), name=f"{talk.name}.txt", conversation_id=talk.name)
    project, backup = str(place.project.root), tiny / "backup"
    assert said(deduplicate_export.main, "backup", str(backup), "--project", project)[0] == 0
    if how == "full":
        fill(tiny / "filler", 0)
    else:
        subprocess.run(["mount", "-o", "remount,ro", str(tiny)], check=True)
    try:
        code, out = said(deduplicate_export.main, "purge", "--session", "alder", "--yes", "--project", project)
        assert (code, f"The backup {backup} may still have it" in out) == (1, True), out
        assert left(place, ALDER.words()) == []
        assert left_in(backup) != []
        assert f"The backup {backup} may still" in said(deduplicate_export.main, "verify", "--project", project)[1]
        assert said(deduplicate_export.main, "backup", str(backup), "--project", project)[0] == 1
    finally:
        if how == "read-only":
            subprocess.run(["mount", "-o", "remount,rw", str(tiny)], check=True)
    (tiny / "filler").unlink(missing_ok=True)
    assert said(deduplicate_export.main, "backup", str(backup), "--project", project)[0] == 0
    assert left_in(backup) == []
    assert known.owed(str(place.project.state)) == []
