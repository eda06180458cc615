"""What a storm left, judged from the bytes: by the readers of log, archive and backup that share no code with the product."""

from __future__ import annotations

import hashlib
import lzma
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import archive_reader
import backup_reader
from faults import reader
from faults.storm_world import NAMES
from purge_scenes import _frames, everything

if TYPE_CHECKING:
    from pathlib import Path

    from faults.storm_world import Chat, Export, World

_WORD = re.compile(rf"(?:{'|'.join(NAMES)})zq\d+xv")
_LEFT_OVER = re.compile(r"(\.tmp|\.new|\.old|\.pending|-journal)\Z|\Apurge\.stage\Z|\A\.incoming-|\.restoring-")


@dataclass
class Judge:
    """Judges a world again and again; what must only grow is remembered from the time before."""

    world: World
    commits: list[str] = field(default_factory=list)
    head: list[str] = field(default_factory=list)

    def log(self) -> reader.Log:
        """The completed runs, as the independent reader finds them."""
        return reader.read(reader.whole(self.world.state), self.world.state / "blobs")

    def between(self) -> list[str]:
        """What must hold even while things are not settled: no completed run is gone. Nothing is asked while a purge waits."""
        state = self.world.state
        if not state.is_dir() or (state / "purge.pending").exists():
            return []
        exports = self.log().exports
        if exports[: len(self.commits)] != self.commits:
            return ["completed runs are gone from the log"]
        self.commits = exports
        return self._history()

    def settled(self) -> list[str]:
        """Everything that is wrong once every process has ended and whoever comes next has run."""
        log = self.log()
        found = [*log.problems, *([f"{log.unfinished} bytes behind the last run"] if log.unfinished else [])]
        found += self.between()
        found += self._conversations(log)
        found += self._archive(log)
        found += self._purged()
        found += [f"left over: {path}" for path in left_over(self.world.folder)]
        return found

    # --- messages -------------------------------------------------------------------------------------------------------

    def rows(self, log: reader.Log, name: str) -> list[tuple[int, tuple[str, str, str]]]:
        """What stands in a conversation: of a message in several forms the last one, in the place of the first."""
        place: dict[int, int] = {}
        last: dict[int, tuple[str, str, str]] = {}
        for number, row in sorted(log.messages[name].items()):
            before = log.extends.get((name, number))
            place[number] = number if before is None else place[before]
            last[place[number]] = row
        return [(number, row) for number, row in sorted(last.items()) if row[1] != "bookkeeping"]

    def _conversations(self, log: reader.Log) -> list[str]:
        found: list[str] = []
        of: dict[str, list[str]] = {}
        for name in log.messages:
            rows = [row for _, row in self.rows(log, name)]
            chats = {word.partition("zq")[0] for _, _, text in rows for word in _WORD.findall(text)}
            if rows:
                for chat in chats or {name}:
                    of.setdefault(chat, []).append(name)
            if len(chats) > 1:
                found.append(f"{name} has messages of {sorted(chats)}")
        for chat in self.world.chats.values():
            names = of.get(chat.name, [])
            if len(names) != 1:
                found.append(f"doubled or lost: {chat.name} is in {names}")
                continue
            found += _compared(chat, [row for _, row in self.rows(log, names[0])])
        return found

    # --- archived files -------------------------------------------------------------------------------------------------

    def archived(self) -> dict[str, list[bytes]]:
        """Every archived file by name, plain and packed."""
        folder = self.world.memory / "exports-archive"
        found: dict[str, list[bytes]] = {}
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_file() and path.suffix == ".txt":
                found.setdefault(path.name, []).append(path.read_bytes())
        if (folder / "packs").is_dir():
            for name, data in archive_reader.read(folder / "packs").items():
                found.setdefault(name, []).append(data)
        return found

    def _archive(self, log: reader.Log) -> list[str]:
        files = self.archived()
        found = []
        waiting = {path.name for path in self.world.drop.iterdir()}
        for export in self.world.exports:
            if export.name in waiting:
                found.append(f"{export.name} still waits")
                continue
            if hashlib.sha256(export.data).hexdigest() not in log.exports:
                found.append(f"{export.name} is gone, and the log does not know it")
            copies = files.get(export.name, [])
            if not copies:
                found.append(f"{export.name} is not in the archive")
            found += [
                f"{export.name}: not what was exported" for data in copies if not _is_copy(self.world, export, data)
            ]
        names = {export.name for export in self.world.exports}
        found += [
            f"{name} is in the archive, and nobody exported it"
            for name in files
            if "/" not in name and name not in names
        ]
        return found

    # --- what was purged ------------------------------------------------------------------------------------------------

    def _purged(self) -> list[str]:
        words = [chat.says(n).encode() for chat in self.world.chats.values() for n in chat.gone]
        if not words:
            return []
        data = everything(self.world.memory)
        found = [f"purged, and in the project: {each.decode()}" for each in words if each in data]
        data = _of_backup(self.world.backup)
        return found + [f"purged, and in the backup: {each.decode()}" for each in words if each in data]

    # --- git ------------------------------------------------------------------------------------------------------------

    def _history(self) -> list[str]:
        if not self.world.git:
            return []
        head = self.world.call_git("rev-list", "--first-parent", "HEAD").split()
        found = [] if head[len(head) - len(self.head) :] == self.head else ["HEAD's history was rewritten"]
        self.head = head
        if self.world.call_git("show", ":notes.txt") != "staged, and nobody else's\n":
            found.append("what the user staged is not staged any more")
        return found

    def staged(self) -> list[str]:
        """What is staged besides the user's own file; asked once everything is settled."""
        if not self.world.git:
            return []
        names = self.world.call_git("diff", "--cached", "--name-only").split()
        return [f"staged: {name}" for name in names if name != "notes.txt"]


def _compared(chat: Chat, rows: list[tuple[str, str, str]]) -> list[str]:
    """Each message of the truth once, in its place, up to the end of what is known; a purged one as its place alone."""
    truth = [
        ("", turn.kind, "") if position in chat.gone else turn.squeezed
        for position, turn in enumerate(chat.turns[: chat.said])
    ]
    known = max(chat.shown, chat.said if chat.live else 0)
    if len(rows) >= known and rows == truth[: len(rows)]:
        return []
    at = next((n for n, (a, b) in enumerate(zip(rows, truth)) if a != b), min(len(rows), len(truth)))
    told = (
        f"{chat.name}: {len(rows)} rows, {known} said and shown; at {at}: {rows[at : at + 2]} for {truth[at : at + 2]}"
    )
    words = [word for _, _, text in rows for word in set(_WORD.findall(text))]
    double = sorted({word for word in words if words.count(word) > 1})
    lost = [chat.says(n) for n in range(known) if n not in chat.gone and chat.says(n) and chat.says(n) not in words]
    return [f"{'doubled' if double else 'lost' if lost else 'order'}: {told}; doubled {double[:3]} lost {lost[:3]}"]


def _is_copy(world: World, export: Export, data: bytes) -> bool:
    """Whether these are the bytes of an export, or those without what was purged."""
    chat = world.chats[export.chat]
    gone = {chat.says(n) for n in chat.gone if export.first <= n < export.end}
    if not gone:
        return data == export.data
    before, after = (_WORD.findall(each.decode()) for each in (export.data, data))
    return after == [word for word in before if word not in gone] and data.count(b"[purged by export-dedup]") == len(
        gone
    )


def _of_backup(folder: Path) -> bytes:
    """Every byte of a backup, whether a snapshot needs it or not; but for exports that waited when one was taken.

    Those are the user's own files, of which purge says that they are out of its reach.
    """
    waiting: set[str] = set()
    for snapshot in backup_reader.snapshots(folder):
        files, _ = backup_reader.read(folder, snapshot)
        waiting |= {
            hashlib.sha256(data).hexdigest() for name, (data, _, _) in files.items() if name.startswith("exports/")
        }
    parts = []
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file() and path.name not in waiting:
            data = path.read_bytes()
            parts.append(data)
            if data[:6] == b"\xfd7zXZ\0":
                parts.append(lzma.decompress(data))
            elif data[:8] == b"\x89EDPACK\n":
                parts += _frames(data)
    return b"\n".join(parts)


def left_over(folder: Path) -> list[str]:
    """Files and folders that a process which was killed leaves behind, and that are there still."""
    found = []
    for path in sorted(folder.rglob("*")):
        if ".git" in path.parts and path.name != "index.lock":
            continue
        if _LEFT_OVER.search(path.name) or path.name == "index.lock":
            found.append(path.relative_to(folder).as_posix())
    return found
