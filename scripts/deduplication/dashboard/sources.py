"""Which panels there are, in their order, and what each of them shows of a store. None of it is invented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Final

from . import days, lists
from .attention import Attention
from .board import UNKNOWN, Source
from .gap_watch import GapWatch
from .overview import layers, overview

if TYPE_CHECKING:
    from .figures import Figures

_SLOW: Final = 15.0
"""Seconds for which what is read of files of others stands."""


def sources(figures: Figures, *, at_once: bool = False) -> list[Source]:
    """Every panel. ``at_once``: what takes long is waited for, for who looks only once."""
    attention, gaps = Attention(figures), GapWatch(figures, at_once=at_once)
    of_store = figures.version

    def counted(name: str, title: str, gather: Callable[[Figures], dict[str, Any]]) -> Source:
        return Source(name, title, lambda: gather(figures), lambda: (of_store(), days.today()))

    return [
        counted("overview", "Overview", overview),
        Source("alerts", "Alerts", attention.alerts, attention.version, 2.0),
        Source("risk", "Sessions at risk", gaps.at_risk, gaps.version, 5.0),
        counted("trends", "Deduplication rate", days.rate),
        counted("savings", "Savings", days.savings),
        counted("performance", "Processing time", days.performance),
        counted("growth", "Growth", days.growth),
        Source(
            "calendar",
            "Captures and gaps",
            lambda: days.calendar(figures, gaps.days()),
            lambda: (of_store(), gaps.version(), days.today()),
        ),
        counted("conversations", "Conversations by size", lists.conversations),
        counted("layers", "Storage by layer", layers),
        counted("runs", "Last runs", lists.runs),
        Source("gaps", "Gaps", gaps.gaps, gaps.version, 5.0),
        Source("backups", "Backups", lambda: lists.backups(figures), UNKNOWN, _SLOW),
    ]
