"""What ``--verbose`` says besides, on standard error: what was looked at, how long it took, what a failure rests on."""

from __future__ import annotations

import sys
import time
from typing import Final, Optional

from .console import printable
from .display import show

_CAUSES: Final = 5


class _Detail:
    """One for this process; ``began`` is of the monotonic clock, and None where nobody wants to know."""

    began: Optional[float] = None
    said: frozenset[str] = frozenset()


def begin() -> None:
    """From now on details are said; the version and the interpreter at once."""
    import platform

    from .. import __version__

    _Detail.began, _Detail.said = time.monotonic(), frozenset()
    say(f"export-dedup {__version__}, Python {platform.python_version()} ({sys.executable})")


def say(text: str) -> None:
    """A detail, once, where somebody wants to know."""
    if _Detail.began is not None and text not in _Detail.said:
        _Detail.said |= {text}
        show(f"· {printable(text)}", sys.stderr)


def end(failure: Optional[BaseException] = None) -> None:
    """How long it took, and what a ``failure`` rests on; nothing is said from now on."""
    if _Detail.began is None:
        return
    cause = failure
    for _ in range(_CAUSES if failure is not None else 0):
        cause = cause and (cause.__cause__ or cause.__context__)
        if cause is None:
            break
        say(f"because of {type(cause).__name__}: {cause}")
    say(f"{time.monotonic() - _Detail.began:.2f} s")
    _Detail.began = None
