"""Fits a text to the console at hand: rules no wider than it is, ASCII labels where it cannot show emoji."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Final

from ..start.late_pattern import late_pattern
from . import console

if TYPE_CHECKING:
    from typing import Optional, TextIO

FULL_WIDTH: Final = 80
"""Cells; also what is assumed where there is no terminal."""

_ASCII: Final = str.maketrans(
    {
        "🔐": "#",
        "📊": "*",
        "🆕": "+",
        "🔄": "=",
        "📨": "*",
        "💾": "*",
        "📦": "*",
        "📁": "*",
        "📄": "*",
        "📝": "*",
        "🔎": "*",
        "🔍": "*",
        "💬": "*",
        "📋": "*",
        "🩺": "*",
        "👤": "*",
        "🤖": "*",
        "🔧": "*",
        "📤": "*",
        "💭": "*",
        "«": "<<",
        "»": ">>",
        "✓": "OK",
        "✅": "OK",
        "❌": "!!",
        "⚠": "!",
        "\ufe0f": "",
        "→": "->",
        "…": "...",
        "—": "-",
        "·": "-",
        **dict.fromkeys("▁▂▃", "."),
        **dict.fromkeys("▄▅▆", ":"),
        **dict.fromkeys("▇█", "#"),
    }
)
_RULES: Final = late_pattern("^(?:=+|🔐+)$", re.MULTILINE)


def adapt(text: str, *, unicode: bool = True, columns: int = FULL_WIDTH) -> str:
    """``text`` for a console of ``columns`` cells that can show emoji or not. Everything but rules and labels stays."""
    if columns < FULL_WIDTH:

        def shorten(match: re.Match[str]) -> str:
            rule = match.group()
            cells = 2 if unicode and rule[0] == "🔐" else 1
            return rule[: max(1, columns // cells)]

        text = _RULES.sub(shorten, text)
    return text if unicode else text.translate(_ASCII)


class _Held:
    """What standard output has not got yet; ``texts`` is None where it gets everything at once."""

    texts: Optional[list[str]] = None


def hold() -> None:
    """From now on what :func:`show` is given for standard output is kept back, for :func:`release` or :func:`drop`."""
    _Held.texts = []


def is_holding() -> bool:
    """Whether texts are kept back: then nothing else is drawn either."""
    return _Held.texts is not None


def release(stream: Optional[TextIO] = None) -> None:
    """Show what was kept back, on ``stream`` (standard output by default), and from now on everything at once."""
    texts = drop()
    if texts:
        show("".join(texts), stream, end="")


def drop() -> list[str]:
    """From now on everything is shown at once; what was kept back, for nobody."""
    texts, _Held.texts = _Held.texts, None
    return texts or []


def show(text: str, stream: Optional[TextIO] = None, *, end: str = "\n") -> None:
    """Print ``text`` fitted to ``stream`` (standard output by default), at once."""
    if stream is None and _Held.texts is not None:
        _Held.texts.append(text + end)
        return
    stream = sys.stdout if stream is None else stream
    stream.write(adapt(text, unicode=console.speaks_unicode(stream), columns=console.columns(FULL_WIDTH)) + end)
    stream.flush()


def ask(prompt: str) -> str:
    """What is typed after ``prompt``, without blanks around it. What was kept back is shown first: it says what is asked about.

    Raises ``EOFError`` where the input has ended.
    """
    release()
    return input(prompt).strip()


class Screen:
    """A stream shown to while it arrives in parts of lines; once its reader has gone, everything goes nowhere."""

    def __init__(self, stream: Optional[TextIO]) -> None:
        self._stream = stream
        self._held = ""

    def line(self, text: str) -> None:
        """Show whole lines."""
        self.part(text + "\n")

    def part(self, text: str) -> None:
        """Show text up to any point; only a rule in the making is held back, since it may have to be shortened."""
        text = self._held + text
        whole, newline, rest = text.rpartition("\n")
        held = rest if rest and not rest.strip("=🔐") else ""
        self._held = held
        self._write(whole + newline + rest[len(held) :])

    def flush(self) -> None:
        """Show what was held back."""
        held, self._held = self._held, ""
        self._write(held)

    def raw(self, text: str) -> None:
        """Show ``text`` as it is, whatever the console (the JSON object)."""
        self._write(text, fit=False)

    def _write(self, text: str, *, fit: bool = True) -> None:
        if self._stream is None or not text:
            return
        try:
            if fit:
                show(text, self._stream, end="")
            else:
                self._stream.write(text)
                self._stream.flush()
        except OSError:
            # A closed pipe, a terminal that was closed: the work goes on and the log has it all.
            self._stream = None
            console.abandon_output()


def show_nothing(_text: str) -> None:
    """In the place of :func:`show` where the texts of a run are for nobody: under ``--json``, and in hooks, which say one line."""
