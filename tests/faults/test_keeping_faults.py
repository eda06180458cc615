"""Transcripts into the archive and back to the client under faults: killed and refused at every call, nothing is half done."""

from __future__ import annotations

import errno
import shutil

import pytest

import archive_reader
from deduplication.archive import restore as restoring
from deduplication.archive import restore_to_client
from deduplication.archive import verify as checking
from deduplication.errors import DedupError
from deduplication.project import client_transcripts
from deduplication.project.paths import Project
from deduplication.workflow import archive_transcripts
from faults.children import Shim, run
from transcript_lines import SESSION, answer, day, prompt

pytestmark = pytest.mark.faults
FIRST = {
    f"{SESSION}.jsonl": day(3),
    f"{SESSION}/subagents/agent-a1.jsonl": prompt("look around", "agent"),
    f"{SESSION}/tool-results/b7.txt": b"line\n" * 900,
}
LATER = {**FIRST, f"{SESSION}.jsonl": day(3) + answer("and one more"), f"{SESSION}/tool-results/b8.txt": b"more\n"}


class Scene:
    """A project whose archive has a session in its first state; the client has a later one."""

    def __init__(self, folder):
        self.project = Project(folder.resolve() / "project")
        self.config = folder / "config"
        self.sessions = self.config / "projects" / client_transcripts.folder_name(str(self.project.root))
        self.packs = self.project.archive / "packs"
        self._template = folder / "template"
        self.project.root.mkdir()
        self.client_has(FIRST)
        self.keep()
        shutil.copytree(self.project.root, self._template)
        self.client_has(LATER)

    def client_has(self, files):
        shutil.rmtree(self.config, ignore_errors=True)
        for name, data in files.items():
            path = self.sessions / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def reset(self):
        """Begin again."""
        shutil.rmtree(self.project.root)
        shutil.copytree(self._template, self.project.root)

    def keep(self):
        """What a child does: the files archived, and what failed."""
        found = [client_transcripts.Transcript(self.sessions / f"{SESSION}.jsonl", SESSION, 0, 0)]
        done = archive_transcripts.archive_transcripts(self.project, found)
        return done.names, [name for name, _ in done.failures]

    def back(self):
        """What a child does: the files returned."""
        with restoring.opened(self.project) as shelf:
            return [path for _, path, _ in restore_to_client.to_client(shelf, SESSION).files]

    def states(self):
        """Every file of the archive, by a reader that is not ours."""
        return {name.split("/", 1)[1]: data for name, data in archive_reader.read(self.packs).items()}

    def there(self):
        """What the client has."""
        return {
            p.relative_to(self.sessions).as_posix(): p.read_bytes() for p in self.sessions.rglob("*") if p.is_file()
        }


@pytest.fixture
def scene(disk, monkeypatch):
    """See :class:`Scene`."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(disk / "config"))
    return Scene(disk)


FAULTS = [
    pytest.param("kill", {}, id="killed"),
    pytest.param("torn", {}, id="torn"),
    pytest.param(errno.ENOSPC, {}, id="ENOSPC"),
    pytest.param(errno.EIO, {}, id="EIO"),
    pytest.param(errno.EACCES, {}, id="EACCES"),
    pytest.param(errno.EROFS, {"forever": True}, id="EROFS from then on"),
    pytest.param("short", {"only": ("write",)}, id="short write"),
    pytest.param(errno.EIO, {"only": ("fsync",), "forever": True}, id="every fsync"),
]


def each_call(job, action, options, before, calls):
    """Run ``job`` with the fault at one call after the other, until it is not reached; yields each outcome."""
    for at in calls(2 if "only" in options else 7):
        before()

        def shimmed(at=at):
            shim = Shim(at, action, **options).install()
            try:
                value, error = job(), ""
            except DedupError as failed:
                value, error = None, str(failed)
            return value, error, shim.count >= at

        outcome = run(shimmed)
        assert outcome.trace == ""
        value, error, reached = outcome.value if not outcome.signal else (None, "killed", True)
        assert value is not None or error
        yield value
        if not reached:
            break
    assert at > 2, "the shim does not see the calls"


@pytest.mark.parametrize(("action", "options"), FAULTS)
def test_archiving_a_transcript_loses_nothing(scene, action, options, calls):
    """What was archived before is whole, what is reported is there, and the next run archives the rest."""
    for value in each_call(scene.keep, action, options, scene.reset, calls):
        found = scene.states()
        assert set(FIRST) <= set(found)
        assert all(data in (FIRST.get(name), LATER[name]) for name, data in found.items())
        names, failed = value or ((), ())
        if value and not failed:
            assert len(names) >= 2
            assert found == LATER
        assert scene.there() == LATER
        assert scene.keep()[1] == []
        assert scene.states() == LATER
        assert checking.check(str(scene.packs)).all_problems() == []


@pytest.mark.parametrize(("action", "options"), FAULTS)
def test_a_session_comes_back_whole_or_not_yet(scene, action, options, calls):
    """Every file that is there has its bytes; the transcript is there only with all that belongs to it; again completes it."""
    scene.keep()
    for value in each_call(scene.back, action, options, lambda: scene.client_has({}), calls):
        if scene.sessions.exists():
            found = {name: data for name, data in scene.there().items() if not name.endswith(".tmp")}
            assert all(LATER[name] == data for name, data in found.items())
            assert f"{SESSION}.jsonl" not in found or found == LATER
        if value is not None:
            assert scene.there() == LATER
        scene.back()
        assert scene.there() == LATER
