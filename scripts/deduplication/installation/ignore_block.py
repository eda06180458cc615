"""Our block in a project's ``.gitignore``: pure functions on the file's bytes, nothing outside the block changes."""

from __future__ import annotations

from typing import Final, Optional

from ..project.paths import MEMORY
from ..project.private_folder import PRIVATE

BEGIN: Final = b"# >>> export-dedup >>>"
END: Final = b"# <<< export-dedup <<<"
_LINES: Final = (
    BEGIN,
    b"# Private state of export-dedup: what was said stays on this machine.",
    *(f"/{MEMORY}/{name}{'' if '.' in name else '/'}".encode() for name in PRIVATE),
    b"/.coditect/venv/",
    b"/.coditect/scripts/**/__pycache__/",
    END,
)


def newline_of(data: bytes) -> bytes:
    """The line end that a file uses: a file of CRLF lines gets CRLF lines."""
    return b"\r\n" if data.count(b"\r\n") * 2 > data.count(b"\n") else b"\n"


def block(newline: bytes = b"\n") -> bytes:
    """The whole block, its last line ended."""
    return newline.join((*_LINES, b""))


def find(data: bytes) -> Optional[tuple[int, int]]:
    """Where the block lies, half open and with its last line end; None where there is none.

    Raises :class:`ValueError` where the markers are not one pair: then nobody knows which lines are ours.
    """
    begins: list[int] = []
    ends: list[int] = []
    position = 0
    for line in data.splitlines(keepends=True):
        if line.strip() == BEGIN:
            begins.append(position)
        elif line.strip() == END:
            ends.append(position + len(line))
        position += len(line)
    if not begins and not ends:
        return None
    if len(begins) != 1 or len(ends) != 1 or begins[0] > ends[0]:
        raise ValueError(f"the lines '{BEGIN.decode()}' and '{END.decode()}' are not one pair")
    return begins[0], ends[0]


def add(data: bytes) -> tuple[bytes, bytes]:
    """``data`` with the block at its end, and the separator that was put before it (to take out again later)."""
    newline = newline_of(data)
    separator = b""
    if data:
        separator = newline if data.endswith(b"\n") else newline * 2
    return data + separator + block(newline), separator


def remove(data: bytes, place: tuple[int, int], separator: bytes) -> bytes:
    """``data`` without the block at ``place``, and without ``separator`` where it still stands before the block."""
    before, after = data[: place[0]], data[place[1] :]
    if separator and before.endswith(separator):
        before = before[: -len(separator)]
        if after and before and not before.endswith(b"\n"):
            before += newline_of(data)  # lines were added below the block: they need a line of their own
    return before + after
