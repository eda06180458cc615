"""Lines that the client left out of an export, ``… +57 lines (ctrl+o to expand)``, where no other source has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ..alignment.fingerprint import plain_text
from ..alignment.same_source import hidden_lines
from ..figures.counted import counted
from ..formats import client_export
from ..model import COMMAND_OUTPUT, EXACT, TOOL_RESULT
from .gap import CERTAIN, HIDDEN_LINES, LINES, Gap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .sequences import Stored

_CUT_KINDS: Final = frozenset((TOOL_RESULT, COMMAND_OUTPUT))
"""Kinds of messages that the client cuts."""
_FILL: Final = "the session's transcript, or an export that shows more of these results"


class Hidden(NamedTuple):
    """A stored message of which lines are hidden: its sequence number, how many, and its time."""

    number: int
    lines: int
    timestamp: str


def hidden_in(of: Stored) -> Iterator[Hidden]:
    """The messages as they are read that end with the client's mark of a cut, as a screen drew them.

    What was written exactly ends so where a tool printed it. Where another source has all of a result, that one is read.
    """
    if not of.has_format(frozenset((client_export().NAME,))):
        return
    kinds, purged = of.kinds, of.conversation.purged
    numbers = [number for number in of.order if kinds[number] in _CUT_KINDS and number not in purged]
    for number, body in zip(numbers, of.bodies(numbers)):
        if body.get("fidelity") != EXACT:
            lines = hidden_lines(plain_text(body["content"]))
            if lines:
                yield Hidden(number, lines, str(body.get("timestamp", "")))


def gaps(of: Stored) -> Iterator[Gap]:
    """One for the conversation: its places are many, and one transcript fills all of them."""
    found = list(hidden_in(of))
    if not found:
        return
    lines = sum(each.lines for each in found)
    times = sorted(each.timestamp for each in found if each.timestamp)
    yield Gap(
        HIDDEN_LINES,
        f"the exports hide {counted(lines, 'line')} in {counted(len(found), 'result')}",
        CERTAIN,
        _FILL,
        of.conversation_id,
        lines,
        LINES,
        since=times[0] if times else "",
        until=times[-1] if times else "",
        place=found[0].number,
    )
