"""Results of which a conversation has only a part: lines that exports hide, outputs that the client put aside and that are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Final

from ..figures.counted import counted
from ..ingest.persisted_output import name_of_output, size_said
from .cut_messages import cut_of
from .gap import BYTES, CERTAIN, HIDDEN_LINES, LIKELY, LINES, MISSING_OUTPUT, Gap

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .cut_messages import Cut
    from .sequences import Stored

_FILLS_LINES: Final = "the session's transcript, or an export that shows more of these results"
FILLS_OUTPUT: Final = "a backup of the client's folder that has the file"
Kept = Callable[[str], bool]
"""Is the output of this name, ``<tool-results>/<name>``, on the disk or in the archive?"""


def hidden_lines(of: Stored, cuts: Mapping[int, Cut], *, compare: bool = True) -> Iterator[Gap]:
    """One for the conversation: its places are many, and one transcript fills all of them.

    ``compare`` False: no other conversation is asked, so that one may have the lines.
    """
    numbers = [number for number, cut in cuts.items() if cut.lines]
    numbers = [number for number in numbers if not (compare and _is_whole_elsewhere(of, number))]
    if not numbers:
        return
    lines = sum(cuts[number].lines for number in numbers)
    times = sorted(_times(of, numbers))
    yield Gap(
        HIDDEN_LINES,
        f"the exports hide {counted(lines, 'line')} of {counted(len(numbers), 'result')}",
        CERTAIN if compare else LIKELY,
        _FILLS_LINES,
        of.conversation_id,
        lines,
        LINES,
        since=times[0] if times else "",
        until=times[-1] if times else "",
        source=of.runs[-1].name if of.runs else "",
        place=numbers[0],
    )


def missing_outputs(of: Stored, cuts: Mapping[int, Cut], kept: Kept) -> Iterator[Gap]:
    """One for each result whose file is neither on the disk nor in the archive, and of which the beginning is stored."""
    for number, cut in cuts.items():
        name = name_of_output(cut.put_aside) if cut.put_aside else ""
        if name and not kept(name) and not _is_whole_elsewhere(of, number):
            (time,) = _times(of, [number]) or [""]
            yield missing_output(name, size_said(cut.put_aside), cut.length, of.conversation_id, time, number)


def missing_output(name: str, size: int, shown: int, conversation_id: str, time: str, place: int = -1) -> Gap:
    """The result whose file ``name`` is gone: ``size`` bytes in all, 0 where unknown, of which ``shown`` are there."""
    return Gap(
        MISSING_OUTPUT,
        f"the client put a result aside in tool-results/{name}, and the file is gone",
        CERTAIN,
        FILLS_OUTPUT,
        conversation_id,
        max(0, size - shown) if size else None,
        BYTES,
        since=time,
        until=time,
        source=name,
        place=place,
    )


def _is_whole_elsewhere(of: Stored, number: int) -> bool:
    return any(_is_whole(other.content(number)) for other in of.others)


def _is_whole(body: dict[str, Any] | None) -> bool:
    return body is not None and cut_of(body["kind"], body["content"], str(body.get("fidelity"))) is None


def _times(of: Stored, numbers: list[int]) -> list[str]:
    return [str(body["timestamp"]) for body in of.bodies(numbers) if body.get("timestamp")]
