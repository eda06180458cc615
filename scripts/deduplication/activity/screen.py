"""A table of events that stays on the screen and follows them, drawn by rich; it ends with q, Escape or Ctrl-C."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from ..reports.monitoring import watching as report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .feed import Event, Feed, Now

_KEPT: Final = 200
"""Events that are remembered: a screen has fewer lines."""
_AROUND: Final = 6
"""Lines of a screen that are no events."""
_ENDS: Final = ("q", "Q", "\x03", "\x1b", "\x04")
_COLOURS: Final = {"export": "bold cyan", "capture": "green", "purge": "magenta", "hook": "dim", "failure": "bold red"}


def follow(feed: Feed, titles: Callable[[str], str], every: float, where: str) -> None:
    """Draw until somebody ends it, a look every so many seconds. Raises ``ImportError`` where rich is missing, ``StoreError``."""
    from rich.console import Console
    from rich.live import Live

    console = Console()
    events: list[Event] = []
    with (
        _keys() as pressed,
        Live(console=console, screen=True, auto_refresh=False) as live,
        contextlib.suppress(KeyboardInterrupt),
    ):
        while True:
            events = [*events, *feed.look()][-_KEPT:]
            live.update(_drawn(events, feed.now(), titles, where, console.height), refresh=True)
            if pressed(every):
                return


def _drawn(events: list[Event], now: Now, titles: Callable[[str], str], where: str, height: int) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(expand=True, box=None, pad_edge=False, header_style="dim")
    for name, more in report.COLUMNS:
        table.add_column(name, no_wrap=True, **more)
    for event in reversed(events[-max(1, height - _AROUND) :]):
        cells = report.cells(event, titles)
        style = _COLOURS.get(event.kind, "")
        table.add_row(cells[0], Text(cells[1], style=style), *map(Text, cells[2:]))
    head = Text(report.head(now, where), style="bold", no_wrap=True, overflow="ellipsis")
    return Group(head, Text(report.busy(now), style="dim", no_wrap=True), Text(), table, Text("q ends", style="dim"))


@contextlib.contextmanager
def _keys() -> Iterator[Callable[[float], bool]]:
    """What waits so many seconds, and says whether a key was pressed that ends it; without a keyboard it only waits."""
    try:
        import select
        import termios
        import tty

        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
    except (ImportError, OSError, ValueError, AttributeError):
        yield _only_wait
        return

    def pressed(wait: float) -> bool:
        until = time.monotonic() + wait
        while (left := until - time.monotonic()) > 0:
            ready, _, _ = select.select([descriptor], [], [], left)
            if ready and sys.stdin.read(1) in (*_ENDS, ""):
                return True
        return False

    try:
        tty.setcbreak(descriptor)
        yield pressed
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _only_wait(seconds: float) -> bool:
    time.sleep(seconds)
    return False
