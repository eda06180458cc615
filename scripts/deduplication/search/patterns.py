"""A regular expression that is looked for, line by line, as whoever asks for it wrote it: case and signs count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import PrivacySettingInvalid, UsageError
from ..redaction.user_patterns import compiled, windows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..redaction.user_patterns import OwnPattern


class Pattern:
    """What ``--regex`` names. Whoever searches holds the store, so that it must be proven to be fast."""

    def __init__(self, text: str) -> None:
        """Raises ``UsageError`` for what is none, or could take for ever."""
        self.text = text
        try:
            self._pattern: OwnPattern = compiled({"regex": text})["regex"]
        except PrivacySettingInvalid as error:
            detail = str(error).split(": regex ", 1)[-1]
            raise UsageError(
                f"--regex {text!r} {detail}", hint="Say how long each repeat may be: .{0,80} for .*"
            ) from None

    def is_in(self, text: str) -> bool:
        """Whether a line of a text has it."""
        return next(self.spans(text), None) is not None

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where it stands in a text, in order; of a line that is very long, twice at times."""
        for start, end in windows(text):
            for found in self._pattern.expression.finditer(text[start:end]):
                if found.end() > found.start():
                    yield start + found.start(), start + found.end()
