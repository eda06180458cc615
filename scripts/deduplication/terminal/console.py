"""What reaches a screen: text from exports made harmless, UTF-8 wherever the console can, a closed pipe without a trace."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Final, TextIO

from ..start.late_pattern import late_pattern

_CONTROLS: Final = late_pattern(
    # C0 without tab and newline, DEL, C1; then the controls that reorder or hide text (Unicode bidi, zero width joins).
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def printable(text: str, *, newlines: bool = False) -> str:
    """``text`` with everything escaped that a terminal would obey instead of show; one line unless ``newlines``."""
    safe = _CONTROLS.sub(lambda match: match.group().encode("unicode_escape").decode("ascii"), text)
    return safe if newlines else safe.replace("\n", "\\n").replace("\t", " ")


def printable_name(path: str | os.PathLike[str]) -> str:
    """A file without its folders, fit for the screen."""
    return printable(os.path.basename(os.fspath(path)) or os.fspath(path))


def prepare() -> None:
    """Make standard output and error speak UTF-8; characters that cannot be shown become escapes, never a crash.

    A stream that was closed before we began leads nowhere.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            setattr(sys, name, open(nowhere, "w", encoding="utf-8", closefd=False))  # noqa: SIM115 - it lives as long as we
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            encoding = (getattr(stream, "encoding", "") or "").lower().replace("_", "-")
            wished = bool(os.environ.get("PYTHONIOENCODING"))
            if encoding != "utf-8" and not wished and (os.name == "nt" or not stream.isatty()):
                reconfigure(encoding="utf-8", errors="backslashreplace")
            else:
                reconfigure(errors="backslashreplace")


def speaks_unicode(stream: TextIO) -> bool:
    """True where emoji can be written to ``stream`` (a console without UTF-8 gets ASCII labels instead)."""
    encoding = getattr(stream, "encoding", None) or "ascii"
    try:
        "🔐✅".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def columns(otherwise: int) -> int:
    """Cells of a line of the terminal, or what ``COLUMNS`` says, as ``shutil`` has it, which imports three compressors."""
    with contextlib.suppress(KeyError, ValueError):
        if int(os.environ["COLUMNS"]) > 0:
            return int(os.environ["COLUMNS"])
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or otherwise  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):
        return otherwise


def is_terminal(stream: TextIO) -> bool:
    """True where a person watches ``stream`` and progress may be drawn."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def wants_colour(stream: TextIO) -> bool:
    """True where colour is welcome (https://no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def abandon_output() -> None:
    """The reader has gone (a closed pipe): give the interpreter somewhere to flush, so that it exits in silence."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            os.dup2(null, stream.fileno())
        except (OSError, ValueError):
            continue
