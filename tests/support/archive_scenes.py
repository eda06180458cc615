"""What the tests of the archive share: growing exports of every kind, and a short way to pack and to read back."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING

import archive_reader
from deduplication.errors import ArchiveDamaged
from deduplication.packs import frames
from deduplication.packs.pack_set import opened_packs
from deduplication.packs.pack_writer import PackWriter
from exports import Story

if TYPE_CHECKING:
    from collections.abc import Callable

    from deduplication.project.paths import Project

TIME = 1_700_000_000_123_456_789
_COUNTS = ("first_segment", "segments", "first_file", "files", "frames")


def added(folder: Path, files: dict[str, bytes], *, thorough: bool = False) -> int:
    """Add files to the packs in ``folder`` in one run; how many the archive gained."""
    with opened_packs(str(folder)) as packs:
        addition = PackWriter(packs, thorough=thorough)
        for name, data in files.items():
            addition.add(data, name=name, mtime_ns=TIME)
        return addition.commit()


def read_back(folder: Path) -> dict[str, bytes]:
    """Every file by name (the last one of a name)."""
    with opened_packs(str(folder)) as packs:
        return {packs.record(number).name: b"".join(packs.restore(number)) for number in packs.numbers()}


def archived(project: Project) -> dict[str, bytes]:
    """Every archived export by name, plain or packed, as an independent reader reads it; no file of the client's own."""
    plain = {
        path.name: path.read_bytes() for path in project.archive.glob("*") if path.is_file() and path.name[0] != "."
    }
    packed = archive_reader.read(project.archive / "packs")
    return {**{name: data for name, data in packed.items() if "/" not in name}, **plain}


def without_parity(folder: Path) -> None:
    """Make the packs in ``folder`` those of version 0.1, which had no parity, with their indexes."""
    for path in folder.glob("*.pack"):
        data = path.read_bytes()
        header = frames.Header.decode(data[: frames.HEADER_SIZE])
        size = header.end + frames.TRAILER_SIZE
        head = frames.Header(*(getattr(header, name) for name in _COUNTS), size).encode()
        body = data[frames.HEADER_SIZE : header.end] + head
        path.write_bytes(head + body + hashlib.sha256(body).digest())
    read_back(folder)


def texts(count: int = 6, seed: int = 3) -> dict[str, bytes]:
    """Cumulative text exports; the closing line of each turn is drawn anew in each."""
    story = Story(seed, exchanges=4 * count)
    shown = [story.show(0, end, closing=number) for number, end in enumerate(story.starts[4::4])]
    return {f"{number:03}.txt": data for number, data in enumerate(shown)}


def transcripts(count: int = 6, seed: int = 3) -> dict[str, bytes]:
    """Growing transcripts, with tool results that stand in a line twice and files that come again."""
    source = random.Random(f"transcript-{seed}")
    listing = "".join(f'{n}: {source.randrange(10**9)} \\ "quoted"\n' for n in range(400))
    lines = b""
    result = {}
    for number in range(count):
        for _ in range(5):
            text = " ".join(str(source.randrange(10**6)) for _ in range(source.randrange(5, 400)))
            line = {"uuid": f"{source.getrandbits(64):x}", "message": {"content": text}}
            if source.random() < 0.3:
                line = {**line, "message": {"content": listing}, "toolUseResult": {"stdout": listing}}
            lines += json.dumps(line).encode() + b"\n"
        result[f"{number:03}.jsonl"] = lines
    return result


def proven_and_restored(folder: Path) -> int:
    """Damage each frame of the packs in ``folder`` in turn; what cannot be restored then must not be proven. How many frames."""
    without_parity(folder)
    with opened_packs(str(folder)) as packs:
        places = [
            (each.pack.path, frame) for each in packs.members for frame, _ in each.pack.scan() if frame is not None
        ]
        for number in packs.numbers():
            packs.assembly.prove(number)
    for path, frame in places:
        whole = Path(path).read_bytes()
        at = frame.at + frames.FRAME_HEAD
        Path(path).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with opened_packs(str(folder)) as packs:
            numbers = list(packs.numbers())
            lost = {number for number in numbers if _fails(lambda n: list(packs.restore(n)), number)}
            unproven = {number for number in numbers if _fails(packs.assembly.prove, number)}
        Path(path).write_bytes(whole)
        assert lost == unproven, frame
        assert lost, frame
    return len(places)


def _fails(question: Callable[[int], object], number: int) -> bool:
    try:
        question(number)
    except ArchiveDamaged:
        return True
    return False
