"""Which archived files are not what was exported: messages of theirs were purged, by their owner's own wish.

``purged.jsonl`` in the archive's folder has a line for each, by the SHA-256 of the file as it is now, and for each that went and
could be found again where it came from. A line is written before its file: one whose file never came harms nothing.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from ..files import atomic
from ..project.paths import PURGED_FILES
from ..start.late_dataclass import dataclass
from ..storage.log.lines import Damaged, decode_line, encode_line

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class PurgedFile:
    """``messages`` of the file were purged; ``sha256`` (64 digits) is that of its bytes without them.

    ``gone``: the file itself was, with these bytes; it is not to be archived again.
    """

    sha256: str
    messages: int
    gone: bool = False


def load(folder: str) -> dict[str, PurgedFile]:
    """The files by their SHA-256; what cannot be read is left out: it is a note, and nothing depends on it."""
    with contextlib.suppress(OSError), atomic.open_regular(os.path.join(folder, PURGED_FILES)) as file:
        return parsed(file)
    return {}


def parsed(lines: Iterable[bytes]) -> dict[str, PurgedFile]:
    """The same of the lines of such a note."""
    found: dict[str, PurgedFile] = {}
    for line in lines:
        with contextlib.suppress(Damaged, KeyError, TypeError, ValueError):
            record = decode_line(line)
            gone = record.get("gone") is True
            found[record["sha256"]] = PurgedFile(str(record["sha256"]), int(record["messages"]), gone)
    return found


def encoded(files: Iterable[PurgedFile]) -> bytes:
    """The bytes of the list."""
    return b"".join(
        encode_line(
            {
                "conversation_id": "",
                "sha256": each.sha256,
                "messages": each.messages,
                **({"gone": True} if each.gone else {}),
            }
        )
        for each in files
    )


def add(folder: str, *files: PurgedFile) -> None:
    """Note further files, before they are there; under the archive's lock. Raises ``StoreNotWritable``."""
    known = load(folder)
    new = [file for file in files if file.sha256 not in known]
    if new:
        path = os.path.join(folder, PURGED_FILES)
        atomic.append(path, (b"\n" if _torn(path) else b"") + encoded(new))


def _torn(path: str) -> bool:
    """Whether somebody was killed within the last line: what is appended begins a line of its own."""
    with contextlib.suppress(OSError), atomic.open_regular(path) as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"
    return False
