"""How long redaction may take: so much processor time for a text, and more the longer it is. Then it ends with an error."""

from __future__ import annotations

import time
from typing import Final

from ..errors import RedactionTooSlow

BASE: Final = 0.3
"""Seconds that the user's own patterns may take for texts of any length, taken together."""
EACH_CHARACTER: Final = 6e-6
"""Further seconds for each character: what a hundred plain patterns take."""
RULES_BASE: Final = 5.0
RULES_EACH_CHARACTER: Final = 50e-6
"""The same for all rules and a single text: they are linear, and far from that."""


class Allowance:
    """Processor time of this thread, not time on the clock: a busy machine must not make anybody's settings invalid."""

    def __init__(self, base: float = BASE, each_character: float = EACH_CHARACTER) -> None:
        self._left, self._each_character = base, each_character
        self._since = 0.0

    def begin(self, characters: int) -> None:
        """So many characters more are looked at from now on."""
        self._left += characters * self._each_character
        self._since = time.thread_time()

    def check(self) -> None:
        """Count the time since the last call. Raises :class:`RedactionTooSlow` where none is left."""
        now = time.thread_time()
        self._left -= now - self._since
        self._since = now
        if self._left < 0:
            raise RedactionTooSlow("privacy_patterns")
