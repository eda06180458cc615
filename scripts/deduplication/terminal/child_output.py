"""Keeps what a process prints for the report: all of it as a rule, beginning and end where it is beyond measure."""

from __future__ import annotations

from collections import deque
from typing import Final

MOST: Final = 10_000_000
"""Characters kept of one run; a run prints some thousand."""


class Capture:
    """Text in the order of its arrival, at most ``most`` characters: half from the beginning, the rest from the end."""

    def __init__(self, most: int = MOST) -> None:
        self._head: list[str] = []
        self._room = most // 2
        self._tail: deque[str] = deque()
        self._tail_size = 0
        self._tail_most = most - self._room
        self._dropped = 0

    def add(self, text: str) -> None:
        """Keep ``text``; parts beyond the measure are counted instead."""
        if self._room:
            first, text = text[: self._room], text[self._room :]
            self._head.append(first)
            self._room -= len(first)
        if not text:
            return
        self._tail.append(text)
        self._tail_size += len(text)
        while self._tail_size > self._tail_most:
            surplus = self._tail_size - self._tail_most
            oldest = self._tail.popleft()
            kept = oldest[surplus:]
            if kept:
                self._tail.appendleft(kept)
            self._dropped += len(oldest) - len(kept)
            self._tail_size -= len(oldest) - len(kept)

    def text(self) -> str:
        """What was kept, with a note at the place where something was left out."""
        note = f"\n[{self._dropped:,} characters of output were left out here]\n" if self._dropped else ""
        return "".join(self._head) + note + "".join(self._tail)
