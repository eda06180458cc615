"""The figures of a store at one moment: what they are called, and what they are counted of."""

from __future__ import annotations

from typing import Any, Final, Optional

from ..figures.savings import percent
from ..start.late_dataclass import dataclass, field
from ..start.late_tuple import NamedTuple
from .audited_runs import Purges
from .distribution import Distribution

ACTIVE_DAYS: Final = 7
"""A conversation is active where something was stored of it in so many days."""


class Source(NamedTuple):
    """What came from one kind of file: exports, or parts of transcripts. ``new`` messages were announced, or captured."""

    files: int = 0
    messages: int = 0
    new: int = 0
    duplicates: int = 0

    @property
    def duplicates_pct(self) -> float:
        """Duplicates in percent of the messages, with one digit."""
        return round(percent(self.duplicates, self.messages), 1)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {**self._asdict(), "duplicates_pct": self.duplicates_pct}


class Growth(NamedTuple):
    """Messages that were stored in no form before, and bytes that the log grew by, on days of the user's own clock."""

    today: int = 0
    week_ago: int = 0
    """On the whole day seven days before."""
    last_7_days: int = 0
    """Today and the six days before."""
    before_7_days: int = 0
    """The seven days before those."""
    log_bytes: int = 0
    """In the last seven days."""

    @property
    def log_bytes_per_day(self) -> float:
        """What the log grows by a day, of the last seven."""
        return self.log_bytes / 7

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {**self._asdict(), "log_bytes_per_day": round(self.log_bytes_per_day, 1)}


class RateTrend(NamedTuple):
    """The deduplication rate of the exports of the last seven days and of the seven before, in percent; None for no message."""

    last_7_days: Optional[float] = None
    before_7_days: Optional[float] = None

    @property
    def change(self) -> Optional[float]:
        """In percentage points."""
        if self.last_7_days is None or self.before_7_days is None:
            return None
        return round(self.last_7_days - self.before_7_days, 1)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {**self._asdict(), "change": self.change}


class DatabaseHealth(NamedTuple):
    """What a database says of itself. ``connections`` are those of this database by state, ``most_connections`` what the server
    takes; ``queries`` are the times that the same small question took just now, in milliseconds, ``connecting`` the first one.
    """

    reachable: bool
    connections: dict[str, int]
    most_connections: int = 0
    size_bytes: int = 0
    connecting_ms: float = 0.0
    queries: Distribution = Distribution()
    error: str = ""
    """The name of the error, where it cannot be reached."""

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            **self._asdict(),
            "connections": dict(self.connections),
            "connecting_ms": round(self.connecting_ms, 3),
            "queries": self.queries.as_dict(),
        }


class Disk(NamedTuple):
    """The file system of the store's folder, in bytes; 0 and 0 where nobody can say. ``free`` is what a user may still write."""

    size: int = 0
    free: int = 0

    @property
    def free_pct(self) -> Optional[float]:
        """Free in percent, with one digit; None where nobody can say."""
        return round(percent(self.free, self.size), 1) if self.size else None

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {**self._asdict(), "free_pct": self.free_pct}


@dataclass(frozen=True)
class StoreMetrics:
    """``totals`` are those of ``accounting.store_totals``; ``exports`` and ``transcripts`` are what the runs told.

    Duplicates are what the runs told, too: of an export the messages that an export before it showed. The ``duplicates_filtered``
    of ``totals`` are all that were stored before, also by a capture: with the different messages they make the messages processed.
    Times are in milliseconds, moments in seconds since 1970 (0: never). ``errors`` and ``operations`` are counts by kind.
    """

    measured: float
    store: str
    totals: dict[str, int]
    savings_pct: Optional[float]
    exports: Source = Source()
    transcripts: Source = Source()
    active_conversations: int = 0
    processing_ms: Distribution = Distribution()
    """Of exports."""
    capturing_ms: Distribution = Distribution()
    """Of parts of transcripts."""
    growth: Growth = Growth()
    rate: RateTrend = RateTrend()
    errors: dict[str, int] = field(default_factory=dict)
    operations: dict[str, int] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)
    """When there was an export, a capture, a purge, and each operation last."""
    purges: Purges = Purges()
    database: Optional[DatabaseHealth] = None
    """None for a store in no database."""
    disk: Disk = Disk()
    milliseconds: tuple[int, ...] = ()
    """How long each export took, in the order of the audit."""

    @property
    def duplicates(self) -> int:
        """What all runs told."""
        return self.exports.duplicates + self.transcripts.duplicates

    @property
    def duplicates_pct(self) -> float:
        """Duplicates in percent of all messages processed, with one digit."""
        return round(percent(self.duplicates, self.totals["messages_processed"]), 1)

    @property
    def saved_bytes(self) -> Optional[int]:
        """Raw bytes seen less the bytes on the disk; None where something is damaged."""
        return None if self.savings_pct is None else self.totals["raw_bytes"] - self.totals["stored_bytes"]

    @property
    def messages_per_conversation(self) -> float:
        """Different messages for each conversation, with one digit."""
        return round(self.totals["unique_messages"] / max(1, self.totals["conversations"]), 1)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``: named figures of plain types."""
        return {
            "measured": self.measured,
            "store": self.store,
            **self.totals,
            "duplicates": self.duplicates,
            "duplicates_pct": self.duplicates_pct,
            "saved_bytes": self.saved_bytes,
            "savings_pct": self.savings_pct,
            "exports": self.exports.as_dict(),
            "transcripts": self.transcripts.as_dict(),
            "active_conversations": self.active_conversations,
            "messages_per_conversation": self.messages_per_conversation,
            "processing_ms": self.processing_ms.as_dict(),
            "capturing_ms": self.capturing_ms.as_dict(),
            "growth": self.growth.as_dict(),
            "dedup_rate": self.rate.as_dict(),
            "errors": dict(self.errors),
            "operations": dict(self.operations),
            "last": dict(self.last),
            "purges": self.purges._asdict(),
            "database": self.database.as_dict() if self.database is not None else None,
            "disk": self.disk.as_dict(),
        }
