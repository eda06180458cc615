"""The one door between what was stored and what is shown: secrets taken out, what a terminal would obey made harmless.

Every renderer passes every text of a conversation through :meth:`Cleaner.text` (or whole values through
:meth:`Cleaner.value`) before it cuts, escapes or measures it: a secret is found only while it is in one piece.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any, Callable, Final

from ..project import config
from ..redaction import redact as privacy
from ..start.late_pattern import late_pattern
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

Redact = Callable[[str], "tuple[str, Sequence[Any]]"]
"""Text goes in; the text without its secrets and what was found come out."""

_SEQUENCES: Final = late_pattern(
    # Colours, cursor moves, window titles: the forms that programs print. What is left of others is escaped below.
    r"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]|\x1b\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)|\x1b[ -/]{0,4}[0-Z\\^-~]"
)


_SHORT: Final = 200
_REMEMBERED: Final = 1_000


def unchanged(text: str) -> tuple[str, Sequence[Any]]:
    """The redaction of somebody who wants none."""
    return text, ()


def standard(root: str | os.PathLike[str]) -> tuple[Redact, str]:
    """What takes secrets out wherever nobody asked for something else, and the name of its rules.

    It follows the settings of the project in the folder ``root``. This is the one place that decides it, for session files,
    pages, documents and the manager alike. Raises ``PrivacySettingInvalid``.
    """
    settings = config.load(os.fspath(root))
    policy = privacy.policy(settings)
    asked = {name: value for name, value in settings.items() if name.startswith("privacy_")}
    told = json.dumps([privacy.RULES, asked, type(policy.detector).__name__], sort_keys=True)
    return lambda text: privacy.redact(text, policy), hashlib.sha256(told.encode()).hexdigest()[:16]


class Cleaner:
    """Cleans the texts of one document and counts what was redacted in it.

    ``rules`` names what ``redact`` does, so that files that were written under other rules are known and made anew.
    """

    def __init__(self, redact: Redact = unchanged, rules: str = "") -> None:
        self._redact = redact
        self.rules = rules
        self.redacted = 0
        self._deferred = hasattr(redact, "require")
        """Then it remembers texts itself, and its first answer is no last one."""
        self._known: dict[str, tuple[str, int]] = {}
        """Short texts, which repeat: what became of them, and how many places were redacted."""

    def text(self, text: str) -> str:
        """``text`` redacted, without terminal sequences, control and reordering characters visible as escapes."""
        return printable_text(self.redacted_text(text))

    def redacted_text(self, text: str) -> str:
        """``text`` redacted and otherwise as it was written: for documents that a program reads."""
        known = self._known.get(text)
        if known is None:
            clean, found = self._redact(text)
            known = clean, len(found)
            if len(text) <= _SHORT and not self._deferred:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[text] = known
        self.redacted += known[1]
        return known[0]

    @property
    def is_waiting(self) -> bool:
        """Whether a text is still to be cleaned: what is rendered now will not be written, only asked for."""
        return self._deferred and self._redact.is_waiting  # type: ignore[attr-defined]

    def require(self) -> None:
        """Raises ``NotYetClean`` where a text is still to be cleaned (:mod:`.deferred_redaction`): then nothing may be written."""
        require = getattr(self._redact, "require", None)
        if require is not None:
            require()

    def value(self, value: Any) -> Any:
        """A value of JSON with every string in it redacted, keys included."""
        if isinstance(value, str):
            return self.redacted_text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {self.redacted_text(str(key)): self.value(item) for key, item in value.items()}
        return value


def printable_text(text: str) -> str:
    """``text`` as it may stand in a file that somebody looks at: lines end with a line feed, nothing is obeyed."""
    if "\x1b" in text:
        text = _SEQUENCES.sub("", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isascii() and text.isprintable() else printable(text, newlines=True)
