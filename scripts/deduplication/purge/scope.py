"""What a person wants to be gone: conversations, a stretch of time, messages by their content hash."""

from __future__ import annotations

from typing import Final

from ..errors import UsageError
from ..files.clock import microseconds
from ..start.late_dataclass import dataclass
from ..start.late_pattern import late_pattern

_HASH: Final = late_pattern(r"[0-9a-f]{8,64}\Z")


@dataclass(frozen=True)
class Scope:
    """What is meant is what every part that is given fits: ``sessions``, ``hashes`` (or beginnings of 8 digits and more), and
    the time from ``since`` (included) to ``until`` (not included), both in seconds.
    """

    sessions: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None

    @property
    def everywhere(self) -> bool:
        """True where messages are named by nothing but what they say: then they are to go wherever they will be shown, too."""
        return bool(self.hashes) and not self.sessions and self.since is None

    @property
    def kinds(self) -> list[str]:
        """By what is chosen: for the audit, which names no content."""
        named = (("session", bool(self.sessions)), ("between", self.since is not None), ("message", bool(self.hashes)))
        return [name for name, given in named if given]


def scope_of(sessions: list[str], between: list[str] | None, hashes: list[str]) -> Scope:
    """The scope that a command line names. Raises :class:`UsageError`."""
    if not sessions and not between and not hashes:
        raise UsageError(
            "say what is to go", hint="Pass --session ID, --between FROM TO, --message HASH, or several of them."
        )
    digits = tuple(each.strip().lower() for each in hashes)
    for each in digits:
        if not _HASH.match(each):
            raise UsageError(
                f"'{each}' is no content hash", hint="A hash has 64 digits 0-9 and a-f; the first 8 are enough."
            )
    if between is None:
        return Scope(tuple(dict.fromkeys(sessions)), digits)
    since, until = moment(between[0]), moment(between[1], end=True)
    if since is None or until is None:
        wrong = between[0] if since is None else between[1]
        raise UsageError(
            f"'{wrong}' is no time", hint="Times look like 2026-03-01 or 2026-03-01T14:30, on your own clock."
        )
    if until <= since:
        raise UsageError("--between ends before it begins")
    return Scope(tuple(dict.fromkeys(sessions)), digits, since, until)


def moment(text: str, *, end: bool = False) -> float | None:
    """Seconds of a time as people and logs write it, on the local clock where it names no zone; None for what is none.

    A day without an hour is its beginning, with ``end`` that of the next one.
    """
    found = microseconds(text.strip(), local=True, end=end)
    return None if found is None else found / 1_000_000
