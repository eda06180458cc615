"""Text as a terminal shows it: bytes to characters without loss, and how wide a line is in cells."""

from __future__ import annotations

import unicodedata

from ..start.late_dataclass import dataclass, field


@dataclass(frozen=True)
class Decoded:
    """A file's characters and the way back to its bytes.

    ``lead`` is the length in bytes of a byte order mark; ``size(text)`` tells how many bytes a slice came from.
    """

    text: str
    codec: str
    errors: str
    lead: int = 0
    warnings: tuple[str, ...] = field(default=())

    def size(self, text: str) -> int:
        """Bytes of a slice of ``self.text`` in the file."""
        if self.codec == "utf-8" and text.isascii():
            return len(text)
        return len(text.encode(self.codec, self.errors))


def decode(data: bytes, *, partial: bool = False) -> Decoded:
    """UTF-8, or UTF-16 where a byte order mark says so; bytes that are neither become escapes, never a failure.

    ``partial`` says that ``data`` is only the beginning of a file and may end inside a character.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        codec = "utf-16-le" if data[0] == 0xFF else "utf-16-be"
        body = data[2:]
        try:
            return Decoded(body.decode(codec), codec, "strict", 2)
        except UnicodeDecodeError:
            if partial:
                return Decoded(body[: len(body) // 2 * 2].decode(codec, "replace"), codec, "strict", 2)
    lead = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    try:
        return Decoded(data[lead:].decode("utf-8"), "utf-8", "strict", lead)
    except UnicodeDecodeError as error:
        warning = f"byte {error.start + lead} is not UTF-8; it is kept as it is"
        text = data[lead:].decode("utf-8", "surrogateescape")
        return Decoded(text, "utf-8", "surrogateescape", lead, (warning,))


def display_width(line: str) -> int:
    """Cells that ``line`` takes: two for East Asian wide characters and emoji, none for combining ones."""
    if line[1:].isascii():  # a prompt's first line has its glyph in front, and nothing else that is no ASCII
        return len(line) - 1 + _width(line[0]) if line else 0
    return sum(_width(c) for c in line)


def _width(character: str) -> int:
    if unicodedata.combining(character) or character == "\u200d":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
