"""``re.compile`` at no cost when a module is imported: a pattern is compiled when it is first asked for anything.

A pattern takes 0.1 to 1 ms to compile, and of those in the modules that it imports a run uses few. From its first use on it
is as fast as the compiled one, whose methods it has then. Where the pattern itself is wanted, ``re.compile`` is right.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing would take longer than most hooks
if TYPE_CHECKING:
    from typing import Any

__all__ = ["late_pattern"]


class _LatePattern:
    """Whatever it is asked for it has from the compiled pattern, and keeps."""

    def __init__(self, pattern: Any, flags: Any = 0) -> None:
        self._given = pattern, flags

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what copy and pickle ask of an object that has no state yet
            raise AttributeError(name)
        import re

        found = getattr(re.compile(*self._given), name)
        setattr(self, name, found)
        return found


if TYPE_CHECKING:
    from re import compile as late_pattern
else:
    late_pattern = _LatePattern
