"""A project with everything in it that can be damaged, what it holds, and how to judge what a repair left of that."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import shutil
from typing import TYPE_CHECKING, Any

import archive_reader
from deduplication.archive import drop_folder, inventory, pack_files, places
from deduplication.files.safe_read import read
from deduplication.ingest import transcript_capture
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.packs.pack_set import opened_packs
from deduplication.packs.pack_writer import PackWriter
from deduplication.project.client_transcripts import folder_name
from deduplication.project.paths import Project
from document_readers import reader_of
from exports import Story
from faults import reader
from transcript_lines import answer, line, prompt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SESSION = "11111111-2222-4333-8444-555555555555"
LATER = 1_780_000_000


class Scene:
    """A template of the project, copied anew for each damage. ``archived``: whether the exports are kept after processing."""

    def __init__(
        self, folder: Path, *, backend: str = "default", archived: Callable[[str], bool] = lambda _: True
    ) -> None:
        self.backend = backend
        self.client = folder / "client"
        self.project = Project((folder / "project").resolve())
        self._template = folder / "template"
        self.folder = folder_name(str(self.project.root))
        self.transcript = f"{self.folder}/{SESSION}.jsonl"
        self.project.memory.mkdir(parents=True, mode=0o700)
        self._fill(archived)
        shutil.move(str(self.project.root), str(self._template))
        self.reset()
        self.images = images(transcript(""))
        self.truth = self.messages()[0]
        self.files = self.archive()

    @property
    def state(self) -> Path:
        """The store's folder."""
        return self.project.state

    def dedup(self) -> ClaudeConversationDeduplicator:
        """A deduplicator as a new process has it."""
        return ClaudeConversationDeduplicator(self.state, backend=self.backend)

    def reset(self) -> None:
        """Begin again, undamaged."""
        shutil.rmtree(self.project.root, ignore_errors=True)
        shutil.copytree(self._template, self.project.root)

    # --- made -------------------------------------------------------------------------------------------------------

    def _fill(self, archived: Callable[[str], bool]) -> None:
        stories = [("harbour", Story(7, exchanges=12), 4), ("quarry", Story(9, exchanges=8), 4)]
        work = [(name, file) for name, story, every in stories for file in story.exports(every, compact_every=2)]
        random.Random("order").shuffle(work)
        lines = transcript(str(self.project.root))
        parts = [lines[: len(lines) // 3], lines[: 2 * len(lines) // 3], lines]
        for number, (name, file) in enumerate(sorted(work, key=lambda each: each[1].end)):
            path = self.project.root / f"{name}-{file.name}"
            path.write_bytes(file.data)
            os.utime(path, (LATER + number, LATER + number))
            self._stored(path, name, keep=archived(path.name))
            if number % 2 and parts:
                self._captured(b"".join(parts.pop(0)), keep=archived(self.transcript), whole=not parts)
            if number == 3:
                pack_files.pack(self.project, 0, session_of=pack_files.session_lookup(self.project))
        while parts:
            self._captured(b"".join(parts.pop(0)), keep=archived(self.transcript), whole=not parts)

    def _stored(self, path: Path, name: str, *, keep: bool) -> None:
        data, identity = read(path)
        done = self.dedup().ingest(data, name=path.name, conversation_id=name)
        if not keep:
            path.unlink()
            return
        with drop_folder.opened(self.project) as archive:
            archive.add(path, identity, done.sha256)

    def _captured(self, data: bytes, *, keep: bool, whole: bool) -> None:
        path = self.client / "projects" / self.folder / f"{SESSION}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        transcript_capture.capture_file(self.dedup(), path)
        if keep:
            with drop_folder.opened(self.project), opened_packs(places.packs_folder(self.project)) as packs:
                addition = PackWriter(packs)
                record = addition.add(data, name=self.transcript, mtime_ns=LATER * 10**9, session_of=lambda _: SESSION)
                addition.commit()
                inventory.add(self.project, [inventory.Listed.of(record)])
            if not whole:  # the images of the last part are files as well, as a run leaves them that was killed
                self.dedup().store.settle()

    # --- judged -----------------------------------------------------------------------------------------------------

    def messages(self) -> tuple[dict[str, dict[int, tuple[str, str, str]]], list[str]]:
        """What an independent reader finds in the log, and what it complains of."""
        log = reader.read(reader.whole(self.state), self.state / "blobs")
        return log.messages, log.problems

    def broken_blobs(self) -> set[str]:
        """The blobs that no pack has, and whose files are gone, or not what their names say."""
        packed = set(reader_of("storage").segments(self.state))
        here = {path.name for path in (self.state / "blobs").glob("*/*") if _digest(path) == path.name}
        return self.images - packed - here

    def archive(self) -> dict[str, bytes]:
        """Every archived file by name, plain ones and packed ones, as an independent reader has them."""
        found = dict(archive_reader.read(self.project.archive / "packs"))
        for path in self.project.archive.glob("*"):
            if path.is_file() and not path.name.startswith("."):
                found[path.name] = path.read_bytes()
        return found

    def damageable(self) -> list[Path]:
        """Every file that holds something, indexes included."""
        folders = (self.state, self.project.archive)
        names = {".lock", ".gitignore"}
        return sorted(p for f in folders for p in f.rglob("*") if p.is_file() and p.name not in names)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def transcript(cwd: str) -> list[bytes]:
    """The lines of a session, with images that are kept as blobs."""
    source = random.Random("transcript")
    lines: list[bytes] = []
    for number in range(24):
        text = " ".join(f"{source.randrange(10**6)}" for _ in range(source.randrange(8, 90)))
        lines.append(prompt(f"Question {number}: {text}", at=10 * number, session=SESSION, cwd=cwd))
        lines.append(answer(f"Answer {number}: {text[::-1]}", at=10 * number + 5, session=SESSION, cwd=cwd))
        if number % 7 == 3:
            data = base64.b64encode(source.getrandbits(8 * 2100).to_bytes(2100, "big")).decode()
            image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
            message: dict[str, Any] = {
                "role": "user",
                "content": [image, {"type": "text", "text": f"picture {number}"}],
            }
            lines.append(line(f"image {number}", "user", message, at=10 * number + 7, cwd=cwd))
    return lines


def images(lines: list[bytes]) -> set[str]:
    """SHA-256 of the images in the lines of a session."""
    contents = [json.loads(each)["message"]["content"] for each in lines]
    blocks = [block for content in contents if isinstance(content, list) for block in content if "source" in block]
    return {hashlib.sha256(base64.b64decode(block["source"]["data"])).hexdigest() for block in blocks}


def damage(path: Path, how: str, chance: random.Random) -> str:
    """Damage a file; what was done, in a few words."""
    data = bytearray(path.read_bytes())
    if how == "deleted":
        path.unlink()
        return how
    if how == "truncated":
        at = chance.randrange(len(data)) if data else 0
        path.write_bytes(bytes(data[:at]))
        return f"cut at {at} of {len(data)}"
    if how == "blanked":
        for _ in range(100):
            at = chance.randrange(len(data))
            data[at : at + 3] = bytes(len(data[at : at + 3]))
    elif how == "stretch":
        at = chance.randrange(len(data))
        data[at : at + 3000] = bytes(len(data[at : at + 3000]))
    else:  # "flipped": a few bits
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(data))
            data[at] ^= 1 << chance.randrange(8)
    path.write_bytes(bytes(data))
    return how
