"""A progress bar for long work: on a terminal only, with rich where it is installed."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Final

from . import console
from .display import is_holding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONG: Final = 4_000_000
"""Bytes from which on work takes long enough to be shown."""


@contextlib.contextmanager
def progress(size: int, title: str) -> Iterator[Callable[[int], None]]:
    """Yield a function that takes the bytes done since its last call; it draws on standard error or does nothing."""
    if size < LONG or is_holding() or not console.is_terminal(sys.stderr):
        yield _nothing
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError:
        yield _nothing
        return
    screen = Console(stderr=True, no_color=not console.wants_colour(sys.stderr))
    with Progress(TextColumn(title), BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=screen) as bar:
        task = bar.add_task(title, total=size)
        yield lambda done: bar.advance(task, done)


def _nothing(_done: int) -> None:
    """Where nobody watches."""
