"""How many messages were migrated so far: each hundred is said."""

from __future__ import annotations

from ..reports import json_migration as said
from ..storage.log.lines import decode_line
from ..storage.log.records import is_occurrence
from ..terminal.display import show


class CountedAloud:
    """``count`` of them."""

    def __init__(self) -> None:
        self.count = 0

    def line(self, line: bytes) -> None:
        """A line of a log was read."""
        self.add(is_occurrence(decode_line(line)))

    def add(self, count: int) -> None:
        """So many more."""
        before, self.count = self.count, self.count + count
        for number in range(before // said.EACH + 1, self.count // said.EACH + 1):
            show(said.messages_so_far(number * said.EACH))
