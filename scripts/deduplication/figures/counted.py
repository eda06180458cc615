"""A number with the word that fits it: ``1 file``, ``2 files``. What people read never leaves that to them."""

from __future__ import annotations


def counted(count: int, one: str, many: str = "") -> str:
    """``count`` with separators and its word; ``many`` where another ``s`` does not make it: ``(2, "file is", "files are")``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
