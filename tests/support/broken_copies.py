"""Copies of the package in which something is broken on purpose: what a watchdog is there for."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from conftest import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

_LINES = "scripts/deduplication/formats/transcript_lines.py"
_READER = "scripts/deduplication/formats/transcript.py"
_CAPTURE = "scripts/deduplication/ingest/transcript_capture.py"
_READ = 'def read_line(line: dict[str, Any], after: str = "") -> Reading | None:\n'
_SLICE = "def parse_slice(data: bytes, after: str = "
_FILE = "    file = Path(os.path.realpath(path))\n"
BROKEN = {
    "the parser finds no message": (
        _LINES,
        '    if type_ in ("user", "assistant"):\n',
        '    if type_ in ("person", "machine"):\n',
    ),
    "the parser passes the assistant over": (
        _LINES,
        '        if type_ == "assistant":\n',
        '        if type_ == "assistant":\n            return Reading("assistant")\n        if type_ == "nobody":\n',
    ),
    "the parser fails": (
        _READER,
        "    reader = LineReader(_DIALECT, after, before)\n",
        "    raise ZeroDivisionError(after)\n",
    ),
    "the parser cannot be imported": (_READER, "NAME: Final", "]"),
    "the parser refuses every file": (
        _READER,
        "    reader = LineReader(_DIALECT, after, before)\n",
        "    from ..errors import ExportUnreadable\n    raise ExportUnreadable(after)\n",
    ),
    "capture sees nothing new": (_CAPTURE, _FILE, _FILE + "    return None\n"),
}
"""What is broken: the file, a text in it, and what stands there instead."""


def broken_copy(folder: Path, fault: str) -> Path:
    """What hooks are started from, with a fault of :data:`BROKEN`; without one for an empty ``fault``."""
    for name in ("hooks", "scripts"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    if fault:
        name, old, new = BROKEN[fault]
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) >= 1, fault
        path.write_text(text.replace(old, new), encoding="utf-8")
    return folder
