"""A session of the client in a project: its transcript, its exports, the hooks that it fires as processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import archive_scenes
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.packs import pack_set
from deduplication.project.client_transcripts import folder_name
from deduplication.project.paths import Project
from transcript_lines import SESSION, exported

if TYPE_CHECKING:
    from pathlib import Path


class Session:
    """A project, the transcript of a session in it, and the hooks that the client fires."""

    def __init__(self, root: Path, config: Path, repository: Path) -> None:
        self.root = root
        self.repository = repository
        self.memory = root / "MEMORY-CONTEXT"
        self.state = self.memory / "dedup_state"
        self.transcript = config / "projects" / folder_name(str(root)) / f"{SESSION}.jsonl"
        self.transcript.parent.mkdir(parents=True)

    def write(self, data: bytes) -> None:
        """The client appends lines."""
        with self.transcript.open("ab") as file:
            file.write(data.replace(b"/home/ada/project", str(self.root).encode()))

    def raw(self, event: str, data: bytes, **environment: str) -> subprocess.CompletedProcess:
        """Run a hook on any input."""
        return subprocess.run(
            [sys.executable, str(self.repository / "hooks" / "run.py"), event],
            input=data,
            capture_output=True,
            check=False,
            cwd=self.root,
            env={**os.environ, "COLUMNS": "0", "CLAUDE_PROJECT_DIR": str(self.root), **environment},
        )

    def fire(self, hook: str, /, environment: dict | None = None, **more: object) -> dict:
        """What a hook says of an event; an empty dictionary for silence."""
        payload = {
            "session_id": SESSION,
            "transcript_path": str(self.transcript),
            "cwd": str(self.root),
            "hook_event_name": hook,
            **more,
        }
        done = self.raw(hook, json.dumps(payload).encode(), **(environment or {}))
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.count(b"\n") <= 1
        assert done.stdout.isascii()
        return json.loads(done.stdout) if done.stdout else {}

    def export(self, path: Path | None = None, sentence: str = "Conversation exported to: {}") -> Path:
        """The client writes an export of what was said so far, and says so in the transcript."""
        path = path or self.root / "notes.txt"
        shown = " ▐▛███▜▌   Claude Code v2.1.197\n▝▜█████▛▘  Opus\n  ▘▘ ▝▝    ~/x\n\n"
        for raw in self.transcript.read_bytes().splitlines():
            content = json.loads(raw).get("message", {}).get("content", "")
            text = content if isinstance(content, str) else content[0]["text"]
            if not text.startswith("<"):
                shown += f"{'❯' if isinstance(content, str) else '●'} {text}\n\n"
        path.write_text(shown.rstrip("\n"), encoding="utf-8")
        self.write(exported(path, f"export {path}", sentence))
        return path

    def talk(self, memory: Path | None = None) -> list[str]:
        """What is stored of the conversation."""
        store = ClaudeConversationDeduplicator((memory or self.memory) / "dedup_state")
        return [
            message["content"]
            for name in store.conversations()
            for message in store.get_full_conversation(name)
            if message["kind"] in ("prompt", "text")
        ]

    def archived(self) -> list[str]:
        """The raw exports in the archive."""
        return sorted(archive_scenes.archived(Project(self.memory.parent)))

    def kept(self, memory: Path | None = None) -> list[bytes]:
        """What the packs give back of the transcript, each state of it, the last one last."""
        with pack_set.opened_packs(str((memory or self.memory) / "exports-archive" / "packs")) as opened:
            numbers = [n for n in opened.numbers() if opened.record(n).name.endswith(f"/{SESSION}.jsonl")]
            return [b"".join(opened.restore(number)) for number in numbers]


def expand(session: Session, **more: object) -> dict:
    """Type /export-dedup."""
    return session.fire("UserPromptExpansion", **{"command_name": "export-dedup", "command_args": "", **more})
