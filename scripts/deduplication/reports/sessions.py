"""What the user reads of session files: which were written, which sessions there are. Pure functions to text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..figures.counted import counted
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def written(session: str, shown: str, *, messages: int, new: int, parts: int, changed: bool) -> str:
    """One session's files; ``shown`` is the path of the first one, empty where none was written."""
    name = printable(session)
    if not shown:
        return f"  = {name}: nothing new ({counted(messages, 'message')} in earlier files)"
    files = f", {parts:,} parts" if parts > 1 else ""
    told = (
        f"{counted(messages, 'message')}{files}, {new:,} new"
        if changed
        else f"{counted(messages, 'message')}{files}, up to date"
    )
    return f"  📖 {name}: {told}\n     → {printable(shown)}"


def left_alone(path: str) -> str:
    """A file that somebody else changed."""
    return f"     ⚠ {printable(path)} was changed by hand and is left as it is; the session goes on beside it"


def in_a_run(shown: Sequence[str], untouched: Sequence[str]) -> str:
    """The session files that a run wrote, a line each."""
    lines = [f"✓ Session file: {printable(path)}" for path in shown] or ["✓ Session files: nothing new"]
    return "\n".join([*lines, *(left_alone(path) for path in untouched)])


def named(told: Mapping[str, Any]) -> str:
    """What a conversation is called now, and its files that were written anew."""
    words = f" [{', '.join(map(printable, told['tags']))}]" if told["tags"] else ""
    lines = [f"  🏷 {titled(told['title'] or '', told['conversation_id'])}{words}"]
    return "\n".join([*lines, *(f"     → {printable(path)}" for path in told["files"])])


def relinked(told: Mapping[str, Any]) -> str:
    """What was kept of a project under its former path."""
    place = printable(told["to"])
    if told["moved"]:
        return f"  🔗 Moved, with all that is in it\n     → {place}"
    runs = f"{counted(told['runs'], 'run')} taken in"
    return (
        f"  🔗 {runs}\n     → {place}\n     What was there before stays, until you delete it: {printable(told['from'])}"
    )


def indexed(paths: Sequence[str]) -> str:
    """The index of all sessions was written."""
    return "\n".join(["  📇 Index of all sessions", *(f"     → {printable(path)}" for path in paths)])


def titled(title: str, session: str) -> str:
    """A conversation as it is named wherever it is shown: its title, and its id."""
    return f"{printable(title)} ({printable(session)})" if title else printable(session)


def document(session: str, shown: str, size: int) -> str:
    """A document that was written whole; ``size`` in bytes."""
    return f"  📖 {printable(session)}: {size:,} bytes\n     → {printable(shown)}"


def listed(sessions: Sequence[Mapping[str, Any]]) -> str:
    """All sessions of a store (the dictionaries of ``list_sessions``), the one that was told of last first."""
    if not sessions:
        return "  There is no session."
    wide = max(len(f"{each['messages']:,}") for each in sessions)
    lines = [
        f"  {each['messages']:>{wide},} messages  {each['last_updated'][:16].replace('T', ' ')}  "
        f"{titled(each['title'] or '', each['session_id'])}{''.join(f' #{printable(tag)}' for tag in each['tags'])}"
        for each in sessions
    ]
    return "\n".join(lines)
