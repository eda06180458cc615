"""What of a store is to be told: which conversations, and from when until when."""

from __future__ import annotations

from typing import Optional

from ..start.late_tuple import NamedTuple


class Choice(NamedTuple):
    """``conversation_id``: this one alone. ``since`` (included) and ``until`` (not) are microseconds since 1970; None: no bound."""

    conversation_id: Optional[str] = None
    since: Optional[int] = None
    until: Optional[int] = None

    @property
    def is_timed(self) -> bool:
        """Whether a time was asked for: then what has none is left out."""
        return self.since is not None or self.until is not None

    def takes(self, moment: int | None) -> bool:
        """Whether what happened then is to be told."""
        if moment is None:
            return not self.is_timed
        return (self.since is None or self.since <= moment) and (self.until is None or moment < self.until)


class Tally:
    """What was told, counted while rows are made."""

    def __init__(self) -> None:
        self.rows = 0
        self.conversations = 0
        """Those that have a row."""
        self.redacted = 0
        """Places that were taken out."""
        self.without_time = 0
        """Left out, because a time was asked for and nobody can read theirs."""
