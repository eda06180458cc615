"""What the tests of backups share: a project with something of everything in it, and what of it cannot be made again."""

from __future__ import annotations

import base64
import os
import re
from typing import TYPE_CHECKING

from archive_scenes import added, texts
from deduplication.backup import folder as folders
from deduplication.backup import restoring, taking
from deduplication.backup.source import Source
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.project.paths import Project
from exports import Story, kept
from transcript_lines import line

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from deduplication.backup.snapshot_copy import SnapshotResult

NAME = "workshop"
STORY = Story(7, exchanges=12)
FILES = STORY.exports(3, compact_every=3)
DAY = 86_400.0
LONG_AGO = 1_700_000_000.0
INDEXES = re.compile(
    r"dedup_state/(watermarks\.json|content_hashes\.json|index\.bin|deduplication_log\.jsonl|operations\.jsonl)"
    r"|.*\.idx|.*\.lock|dedup_state/live(/.*)?"
)
"""What follows from the rest, or tells who is at work, or of this copy alone: said here once more, apart from the product."""


def dedup(project: Project, backend: str = "default") -> ClaudeConversationDeduplicator:
    """A deduplicator that knows nothing yet."""
    return ClaudeConversationDeduplicator(project.state, backend=backend)


def ingest(project: Project, number: int, backend: str = "default") -> None:
    """Store one export of the story."""
    file = FILES[number]
    dedup(project, backend).ingest(file.data, name=file.name, conversation_id=NAME)


def made(root: Path, backend: str = "default", runs: int = 2) -> Project:
    """A project with runs, a blob, packs, plain exports, sessions, a status log, settings, and a file of a later version."""
    root.mkdir(parents=True)
    project = Project(root.resolve())
    for number in range(runs):
        ingest(project, number, backend)
    picture = base64.b64encode(bytes(range(256)) * 9).decode()
    block = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": picture}}
    shown = line("picture", "user", {"role": "user", "content": [block, {"type": "text", "text": "What is this?"}]})
    dedup(project, backend).ingest(shown, name="s.jsonl", conversation_id="pictures")
    added(_private(project.archive / "packs"), texts(3))
    (project.archive / "plain.txt").write_bytes(b"plain\n")
    _private(project.exports)
    (project.exports / "waiting.txt").write_bytes(b"not processed yet\n")
    project.sessions.mkdir()
    (project.sessions / "caf\u00e9 notes.md").write_text("# Notes\n", encoding="utf-8")
    (project.checkpoints / "empty").mkdir(parents=True)
    project.status_log.write_bytes(b"report\n" * 100)
    (project.state / "tombstones.jsonl").write_bytes(b"{}\n")
    (project.state / "live").mkdir()
    (project.state / "live" / "marker").write_bytes(b"1")
    (root / ".coditect").mkdir()
    (root / ".coditect" / "config.json").write_text('{"privacy_level": "public"}', encoding="utf-8")
    os.chmod(project.status_log, 0o640)
    return project


def _private(folder: Path) -> Path:
    folder.mkdir(parents=True, mode=0o700)
    return folder


def truth(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Bytes, permissions and time of everything in ``MEMORY-CONTEXT`` that cannot be made again."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not INDEXES.fullmatch(name):
            status = path.stat()
            found[name] = (path.read_bytes(), status.st_mode & 0o777, status.st_mtime_ns)
    return found


def take(project: Project, backup: Path, moment: float | None = None, **options: Any) -> SnapshotResult:
    """A snapshot of a project, at a moment on a clock of the test's own."""
    clock = {} if moment is None else {"now": lambda: moment}
    return taking.take(Source.of_project(project), str(backup), **clock, **options)


def restore(backup: Path, project: Project, **options: Any) -> restoring.Restored:
    """The newest snapshot into a project."""
    with folders.opened(str(backup)) as folder:
        return restoring.restore(folder, restoring.Target.of_project(project), **options)


def messages(project: Project, backend: str = "default") -> dict[str, Any]:
    """Every conversation, and every number that is shown of it."""
    store = dedup(project, backend)
    return {
        name: (kept(store.get_full_conversation(name)), store.get_statistics(name)) for name in store.conversations()
    }


def objects(backup: Path) -> list[Path]:
    """The parts that a backup has."""
    return [path for path in (backup / "objects").rglob("*") if path.is_file()]


def age(project: Project) -> None:
    """Everything was written long ago, so that sizes and times are believed."""
    for path in [*project.memory.rglob("*"), project.root / ".coditect" / "config.json"]:
        if path.is_file():
            os.utime(path, (LONG_AGO, LONG_AGO))
