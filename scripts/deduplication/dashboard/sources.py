"""What each panel shows of a store: plain values for its template, none of them invented. Which panels there are, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Final

from ..start.late_dataclass import dataclass
from . import days, lists
from .attention import Attention
from .gap_watch import GapWatch
from .overview import layers, overview

if TYPE_CHECKING:
    from collections.abc import Hashable

    from .board import Source
    from .figures import Figures

_SLOW: Final = 15.0
"""Seconds for which what is read of files of others stands."""


@dataclass(frozen=True)
class _Of:
    """A panel of what :class:`Figures` counts."""

    name: str
    title: str
    gather: Callable[[], dict[str, Any]]
    version: Callable[[], Hashable]
    every: float = 0.0


def sources(figures: Figures, *, at_once: bool = False) -> list[Source]:
    """Every panel. ``at_once``: what takes long is waited for, for who looks only once."""
    attention, gaps = Attention(figures), GapWatch(figures, at_once=at_once)
    of_store = figures.version

    def counted(name: str, title: str, gather: Callable[[Figures], dict[str, Any]]) -> _Of:
        return _Of(name, title, lambda: gather(figures), lambda: (of_store(), days.today()))

    return [
        counted("overview", "Overview", overview),
        _Of("alerts", "Alerts", attention.alerts, attention.version, 2.0),
        _Of("risk", "Sessions at risk", gaps.at_risk, gaps.version, 5.0),
        counted("trends", "Deduplication rate", days.rate),
        counted("performance", "Processing time", days.performance),
        counted("growth", "Growth", days.growth),
        counted("savings", "Savings", days.savings),
        _Of("calendar", "Captures and gaps", lambda: days.calendar(figures, gaps.days()), lambda: (of_store(), gaps.version(), days.today())),
        counted("conversations", "Conversations by size", lists.conversations),
        counted("layers", "Storage by layer", layers),
        counted("runs", "Last runs", lists.runs),
        _Of("gaps", "Gaps", gaps.gaps, gaps.version, 5.0),
        _Of("backups", "Backups", lambda: lists.backups(figures), lambda: None, _SLOW),
    ]
