"""How the client writes down the commands that it runs itself: the names that are bookkeeping, the tags of transcripts.

In a transcript a command is text between tags in a line of the user. A command of the client's own begins with its name::

    <command-name>/model</command-name> <command-message>model</command-message> <command-args>sonnet</command-args>

and one that is a prompt kept in a file, sent to the model, begins with its message::

    <command-message>review is running…</command-message> <command-name>/review</command-name>
"""

from __future__ import annotations

from typing import Final

from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple

_BOOKKEEPING: Final = late_pattern(r"/(?:export(?:-dedup[\w-]*(?::[\w-]+)?)?|compact|clear|resume|exit|quit)(?=\s|$)")
_STYLE: Final = late_pattern(r"\x1b\[[0-9;:]*m")


class Command(NamedTuple):
    """A slash command as it was typed; ``prompt`` where the model was to answer it."""

    text: str
    prompt: bool


def is_bookkeeping(command: str) -> bool:
    """True for ``/export``, ``/compact`` and the like: they handle the conversation and are no part of it."""
    return _BOOKKEEPING.match(command) is not None


def slash_command(text: str) -> Command | None:
    """The command that ``text`` is between its tags; None where it is none."""
    if not text.startswith(("<command-name>", "<command-message>")):
        return None
    _, opening, rest = text.partition("<command-name>")
    name, closing, rest = rest.partition("</command-name>")
    name = name.strip().lstrip("/")
    if not opening or not closing or not name or "\n" in name:
        return None
    arguments = rest.partition("<command-args>")[2].rpartition("</command-args>")[0].strip()
    return Command(f"/{name} {arguments}".rstrip(), prompt=not text.startswith(opening))


def shell_command(text: str) -> str | None:
    """What was typed behind ``!``; None where ``text`` is no shell command."""
    return between(text, "<bash-input>", "</bash-input>")


def printed(text: str, family: str) -> str | None:
    """What a command printed, standard output first, without colours; None where ``text`` is no such output.

    ``family`` is ``local-command`` for the client's own commands and ``bash`` for those of the shell.
    """
    out, error = f"{family}-stdout>", f"{family}-stderr>"
    inner = between(text, f"<{out}", f"</{error}")
    if inner is not None and f"</{out}<{error}" in inner:
        streams = inner.partition(f"</{out}<{error}")
        inner = "\n".join(stream.rstrip("\n") for stream in (streams[0], streams[2]) if stream.strip())
    else:
        inner = between(text, f"<{out}", f"</{out}")
        if inner is None:
            inner = between(text, f"<{error}", f"</{error}")
    return None if inner is None else _STYLE.sub("", inner)


def between(text: str, opening: str, closing: str) -> str | None:
    """The inside of a text that begins and ends with these tags; None for any other text."""
    if not text.startswith(opening) or not text.endswith(closing) or len(text) < len(opening) + len(closing):
        return None
    return text[len(opening) : len(text) - len(closing)]
