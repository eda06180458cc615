"""The reader that docs/archive.md prints, as the judge of the archive's tests: it shares no code with the product."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from conftest import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

_DOCUMENT = REPOSITORY / "docs" / "archive.md"
_FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _room() -> dict[str, Any]:
    (code,) = _FENCE.findall(_DOCUMENT.read_text(encoding="utf-8"))
    room: dict[str, Any] = {}
    exec(compile(code.split("\nfor name, content in read(")[0], "archive.md", "exec"), room)
    return room


_ROOM = _room()


def read(folder: Path) -> dict[str, bytes]:
    """Every file of the packs in ``folder`` by name; raises wherever anything is not as the document says."""
    files: dict[str, bytes] = _ROOM["read"](folder)
    return files


def mended(data: bytes) -> bytes:
    """A damaged pack as the document's reader makes it again from its parity."""
    made: bytes = _ROOM["mended"](data)
    return made
