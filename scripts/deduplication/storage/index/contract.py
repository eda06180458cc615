"""What the log store asks of an index: everything in it follows from the log, so it can be deleted and made again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..state.log_state import State


class AuditMark(NamedTuple):
    """How far the audit file goes: its size in bytes and its CRC-32."""

    size: int = 0
    crc32: int = 0


class Index(Protocol):
    """An index in the store's folder. Whoever calls it holds the store's lock."""

    files: Sequence[str]
    """Which files of the folder belong to it, those that come and go included?"""

    writable: bool
    """May it mend itself on the disk? Somebody who only reads changes nothing."""

    def identity(self) -> tuple[object, ...]:
        """Which index is there, in which state? Empty where there is none; equal means: nothing was changed."""

    def load(self) -> tuple[State, AuditMark] | None:
        """What does it say, and up to where is the audit file accounted for? None where it is missing or damaged."""

    def save(self, state: State, audit: AuditMark) -> None:
        """Take over what is new in ``state``; all of it where it was not loaded from here. Raises ``StoreNotWritable``."""

    def candidates(self, state: State, keys: set[str]) -> Mapping[str, int]:
        """Which conversations have turns with these alignment keys, and how many?"""

    def holding(self, state: State, hashes: set[str]) -> Mapping[str, int]:
        """Which conversations hold bodies with these content hashes, and how many? One conversation a body is enough."""

    def known_uuids(self, state: State, conversation_id: str, uuids: Sequence[str]) -> dict[str, list[int]]:
        """Under which sequence numbers does the conversation have these ids?"""

    def compare(self, state: State, audit: AuditMark) -> list[str]:
        """A line for each file that does not say what ``state`` says, which was counted from the log."""

    def condense(self) -> None:
        """Make its files smaller; what they say stays the same. Raises ``StoreNotWritable``."""

    def remove(self) -> None:
        """Delete its files."""
