"""A project as the tests look at it: installing into it, what was stored of a conversation, which files are there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import settings_scenes
from archive_scenes import archived
from deduplication.errors import DedupError
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.model import PROMPT, TEXT


class Place:
    """The project at ``root`` and its store; ``memory`` is where another store lies, ``client`` is who works in it."""

    def __init__(self, root: Path, memory: Path | None = None, client: str = "") -> None:
        self.root = root
        self.client = client
        self.memory = memory or root / "MEMORY-CONTEXT"
        self.archive = self.memory / "exports-archive"

    def begin(self) -> None:
        """Make the folder, a repository with one commit and a folder ``sub`` in it."""
        (self.root / "sub").mkdir(parents=True)
        (self.root / "sub" / "README.md").write_text("# Tides\n", encoding="utf-8")
        for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
            subprocess.run(["git", *arguments], cwd=self.root, check=True)

    def install(self, checkout: Path) -> None:
        """Install in project form."""
        command = [str(checkout / "install.sh"), "--project", str(self.root), "--offline"]
        found = f"{Path(self.client).parent}{os.pathsep}{os.environ['PATH']}"
        variables = {**os.environ, "PYTHON": sys.executable, "PATH": found}
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def set(self, **settings: object) -> None:
        """Write settings of the project, and approve them."""
        settings_scenes.approved(self.root, **settings)

    def conversations(self) -> dict[str, list[dict]]:
        """What the store holds; nothing while there is no store."""
        state = self.memory / "dedup_state"
        if not state.is_dir():
            return {}
        try:
            store = ClaudeConversationDeduplicator(state)
            return {name: store.get_full_conversation(name) for name in store.conversations()}
        except DedupError as error:
            raise AssertionError(f"the store cannot be read: {error}") from error

    def talk(self) -> list[str]:
        """Prompts and answers of the one conversation of the store, in order."""
        (messages,) = self.conversations().values() or [[]]
        return [message["content"] for message in messages if message["kind"] in (PROMPT, TEXT)]

    def archived(self) -> list[str]:
        """The names of the raw exports in the archive; none while somebody is at work there."""
        try:
            return sorted(archived(self))
        except (OSError, AssertionError):
            return []

    def checkpoints(self) -> list[str]:
        """The names of the checkpoint documents."""
        return sorted(path.name for path in (self.memory / "checkpoints").glob("2*.md"))

    def hook_log(self) -> str:
        """What hooks noted of their failures."""
        path = self.memory / "dedup_state" / "hooks.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def shown(self, prompt: str, answer: str) -> str:
        """A text export of one turn."""
        head = " ▐▛███▜▌   Claude Code v2.1.197\n▝▜█████▛▘  Opus\n  ▘▘ ▝▝    ~/x\n"
        return f"{head}\n❯ {prompt}\n\n● {answer}\n\n✻ Baked for 0s"

    def files(self) -> list[str]:
        """Every file and folder of the project outside ``.git``."""
        found = []
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(name for name in folders if name != ".git")
            found += [str(Path(folder, name).relative_to(self.root)) for name in (*folders, *names)]
        return sorted(found)

    def verify(self) -> None:
        """The store's own check finds nothing."""
        script = Path(__file__).resolve().parents[2] / "scripts" / "deduplicate_export.py"
        command = [sys.executable, str(script), "verify", "--storage-dir", str(self.memory / "dedup_state")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
