"""The reader that docs/backup.md prints, as the judge of the backup's tests: it shares no code with the product."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from conftest import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

_DOCUMENT = REPOSITORY / "docs" / "backup.md"
_FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _room() -> dict[str, Any]:
    (code,) = _FENCE.findall(_DOCUMENT.read_text(encoding="utf-8"))
    room: dict[str, Any] = {}
    exec(compile(code.split("\nbackup = pathlib.Path(")[0], "backup.md", "exec"), room)
    return room


_ROOM = _room()


def snapshots(backup: Path) -> list[Path]:
    """The files of the snapshots, the oldest first."""
    return sorted(backup.glob("snapshots/*.jsonl"))


def read(backup: Path, snapshot: Path) -> tuple[dict[str, tuple[bytes, int, int]], dict[str, int]]:
    """Files and folders of a snapshot; raises wherever anything is not as the document says."""
    found: tuple[dict[str, tuple[bytes, int, int]], dict[str, int]] = _ROOM["read"](backup, snapshot)
    return found


def restore(backup: Path, target: Path) -> None:
    """The newest snapshot into a folder that does not exist."""
    _ROOM["restore"](backup, target)


def head(snapshot: Path) -> dict[str, Any]:
    """The first line of a snapshot."""
    first: dict[str, Any] = _ROOM["lines"](snapshot)[0]
    return first
