"""What a storm works on: a project, maybe in git, and conversations of known truth, as exports and transcripts show them.

Nothing here shares a rule with the product but the layout of an export and of a transcript's line, which the other tests have, too.
"""

from __future__ import annotations

import os
import random
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deduplication.project.client_transcripts import folder_name
from exports import Turn
from purge_scenes import Talk, word

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("alder", "birch", "cedar", "maple")
_TAIL = 12
"""Messages that an export shows again after a compaction: enough for no doubt where it belongs."""
_MOST = 400


class Chat(Talk):
    """A conversation that grows; some prompts are the same short word again and again. ``said``: messages so far."""

    def __init__(self, name: str, chance: random.Random, *, live: bool) -> None:
        super().__init__(name, _MOST, tools=False, images=False)
        self.live = live
        self.said = self.shown = self.begin = 0
        self.gone: set[int] = set()
        """Positions of messages that were purged."""
        for position in range(6, _MOST, 2):
            if chance.random() < 0.2:
                self.turns[position] = Turn("user", "prompt", "yes")

    def says(self, position: int) -> str:
        """The word that only this message has; empty for a short one."""
        return word(self.name, position) if word(self.name, position) in self.turns[position].text else ""


@dataclass(frozen=True)
class Export:
    """An export that was dropped: its name, its bytes, the conversation and which of its messages it shows (half open)."""

    name: str
    data: bytes
    chat: str
    first: int
    end: int


@dataclass
class World:
    """The project at ``root`` and what people and the client do in it."""

    folder: Path
    seed: int
    git: bool
    chats: dict[str, Chat] = field(default_factory=dict)
    exports: list[Export] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"world-{self.seed}")
        self.root = self.folder / "project"
        self.memory = self.root / "MEMORY-CONTEXT"
        self.state = self.memory / "dedup_state"
        self.drop = self.memory / "exports"
        self.client = self.folder / "client"
        self.backup = self.folder / "backup"
        self.back = self.folder / "back"
        self.restored = self.folder / "restored"
        self.drop.mkdir(parents=True, exist_ok=True)
        self.sessions = self.client / "projects" / folder_name(str(self.root))
        self.sessions.mkdir(parents=True)
        for number, name in enumerate(NAMES):
            self.chats[name] = Chat(name, self.chance, live=number % 2 == 1)
        if self.git:
            self._repository()
        for chat in self.chats.values():
            self.say(chat, 16)
            self.export(chat)

    def environment(self) -> dict[str, str]:
        """What every process of the storm sees."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR")}
        return {
            **kept,
            "HOME": str(home),
            "CLAUDE_CONFIG_DIR": str(self.client),
            "CLAUDE_PROJECT_DIR": str(self.root),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    # --- what people and the client do --------------------------------------------------------------------------------

    def transcript(self, chat: Chat) -> Path:
        """Where the client writes a conversation down."""
        return self.sessions / f"{chat.session}.jsonl"

    def say(self, chat: Chat, messages: int) -> None:
        """A conversation goes on: prompts and their answers, an even number of messages."""
        end = min(chat.said + messages, _MOST)
        if chat.live:
            with self.transcript(chat).open("ab") as file:
                file.write(chat.lines(chat.said, end))
        chat.said = end

    def export(self, chat: Chat) -> None:
        """The client exports all since the last compaction; nothing where nothing was said since the last export."""
        if chat.said == chat.shown:
            return
        compacted = chat.shown - chat.begin > _TAIL + 8 and self.chance.random() < 0.4
        first = chat.begin = chat.shown - _TAIL if compacted else chat.begin
        data = chat.text(first, chat.said, compacted=first > 0, width=self.chance.choice((80, 80, 100)))
        number = len(self.exports)
        month, day = number // 28, number % 28
        name = f"{2026 + month // 12}-{month % 12 + 1:02}-{day + 1:02}-EXPORT-{chat.name.upper()}.txt"
        self.exports.append(Export(name, data, chat.name, first, chat.said))
        path = self.drop / name
        path.write_bytes(data)
        moment = 1_700_000_000 + number * 3600
        os.utime(path, (moment, moment))
        chat.shown = chat.said

    def go_on(self) -> None:
        """Something is said, and perhaps exported."""
        for chat in self.chance.sample(list(self.chats.values()), self.chance.randrange(1, 3)):
            self.say(chat, 2 * self.chance.randrange(1, 4))
            if self.chance.random() < 0.6:
                self.export(chat)

    # --- git ------------------------------------------------------------------------------------------------------------

    def _repository(self) -> None:
        self.call_git("init", "-q", "-b", "main", ".")
        (self.root / "README.md").write_text("# Tides\n")
        (self.root / "notes.txt").write_text("first\n")
        self.call_git("add", "README.md", "notes.txt")
        self.call_git("commit", "-q", "-m", "one")
        (self.root / "notes.txt").write_text("staged, and nobody else's\n")
        self.call_git("add", "notes.txt")
        (self.root / "notes.txt").write_text("not staged\n")

    def call_git(self, *arguments: str) -> str:
        """What git says in the project; its user is made up."""
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        done = subprocess.run(
            ["git", *(who if arguments[0] == "commit" else ()), *arguments],
            cwd=self.root,
            env={**self.environment(), "GIT_CONFIG_NOSYSTEM": "1"},
            capture_output=True,
            check=True,
        )
        return done.stdout.decode()
