"""The first line of the open part where lines before it are sealed: where those are, at which byte the open part begins, and
how what stands before it ends.

It is no line of the log, counts in no offset, and is written anew whenever lines are sealed: in the step that takes them out of
the open part. So whoever finds sealed lines behind its byte knows that they stand in both places. A log without one begins at 0,
or was sealed by version 0.1.
"""

from __future__ import annotations

import hashlib
from typing import Final

from ...errors import StoreOfNewerVersion
from ...start.late_tuple import NamedTuple
from .lines import FRAME, Damaged, decode_line, encode_line

VERSION: Final = 2
"""Of the store: 1 is that of export-dedup 0.1, which has no such line."""
ENDING: Final = 128
"""Bytes of the last line by which it is known."""
_MEMBER: Final = "store"
_BEGINNING: Final = b'{"conversation_id":"","store":{'
LONGEST: Final = 1000
"""Bytes that are looked at: the line has some 200."""
_SEALED: Final = "The lines before this one are in sealed/; 'deduplicate_export.py log' prints all of the log."


class Opening(NamedTuple):
    """Its bytes, 0 where there is no such line; the byte of the log that follows it, where that is known; what is wrong with it;
    how what stands before that byte ends (see :func:`ending_of`), empty where the line does not tell.
    """

    size: int = 0
    begins: int | None = None
    fault: str = ""
    ends: str = ""


def opening_line(begins: int, ends: str = "") -> bytes:
    """The line before byte ``begins`` of the log; nothing before its beginning. ``ends``: how what stands before it ends."""
    if not begins:
        return b""
    about = {"version": VERSION, "begins": begins, **({"ends": ends} if ends else {}), "sealed": _SEALED}
    return encode_line({"conversation_id": "", _MEMBER: about})


def ending_of(lines: bytes) -> str:
    """By what the log up to the end of these lines is known: its last run names the head before it, and nothing else ends so."""
    return hashlib.sha256(lines[-ENDING:]).hexdigest()[:16]


def read_opening(data: bytes) -> Opening:
    """What the first bytes of an open part say. Raises :class:`StoreOfNewerVersion`."""
    line = data[: data.find(b"\n") + 1 or len(data)]
    if line.startswith(_BEGINNING):
        end = line.find(FRAME) + len(FRAME) + len('00000000"}\n')
        line = data[:end] if FRAME in line else line  # its line feed may be what is damaged
    try:
        return _said(line)
    except Damaged as error:
        fault = str(error)
    from .bit_flips import healed

    fixed = healed(line)
    try:
        if fixed is not None and (found := _said(fixed)).size:
            return found._replace(fault=fault)
    except Damaged:
        pass
    return Opening(len(line), None, fault) if line.startswith(_BEGINNING) else Opening()


def _said(line: bytes) -> Opening:
    if not line.startswith(_BEGINNING) or b"\n" not in line:
        raise Damaged("not the first line of an open part")
    about = decode_line(line)[_MEMBER]
    if about["version"] > VERSION:
        raise StoreOfNewerVersion(
            f"format {about['version']}, and this version of export-dedup knows formats 1 to {VERSION}"
        )
    return Opening(len(line), about["begins"], ends=about.get("ends", ""))
