"""What the user reads of an explanation: a line for each message, what it is and by what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..alignment.fingerprint import plain_text
from ..alignment.reasons import BETWEEN, GREW, HASH, ID, KEY, PREFIX, SEAM, WHOLE
from ..figures.counted import counted
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..ingest.explain import Explained, Explanation

_WORDS: Final = 40
"""Characters of a message by which it is recognised."""
_BY: Final = {
    PREFIX: "the export and the conversation are equal from the beginning up to here",
    HASH: "the same content",
    KEY: "the same letters and digits, between messages that are the same",
    ID: "the same id in the source",
    GREW: "one is the beginning of the other, between messages that are the same",
    SEAM: "it stands in a stretch that both have at the seam: behind a compaction, or at the beginning",
    BETWEEN: "the same kind in the same place between messages that are the same, drawn another way",
    WHOLE: "all that is shown stands in a row in the conversation",
}
"""What each reason of an alignment means."""


def explanation(name: str, form: str, found: Sequence[Explanation], wanted: int | None) -> str:
    """All messages of an export, or the one that is ``wanted`` with its neighbours."""
    return "\n".join(_lines(name, form, found, wanted))


def _lines(name: str, form: str, found: Sequence[Explanation], wanted: int | None) -> Iterator[str]:
    for each in found:
        new = sum(one.number is None for one in each.messages)
        known = len(each.messages) - new
        yield (
            f"🔎 {printable(name)} ({form}): {known:,} of {counted(len(each.messages), 'message')} known in conversation "
            f"{printable(each.belongs.conversation)}, {new:,} new"
        )
        for other in each.belongs.others:
            yield f"   It shows that conversation {printable(other)} is the same one."
        for one in each.messages:
            if wanted is None:
                yield f"   {_short(one)}"
            elif wanted == one.position:
                yield from _long(one)


def _said(one: Explained) -> str:
    words = " ".join(plain_text(one.message.content).split())
    return f"{one.message.role} {one.message.kind}: {printable(words[:_WORDS])}{'…' if len(words) > _WORDS else ''}"


def _short(one: Explained) -> str:
    what = "new" if one.number is None else f"message {one.number}, by {one.reason}"
    return f"{one.position:>5}  {what:<34}  {_said(one)}"


def _long(one: Explained) -> Iterator[str]:
    yield f"   Message {one.position} of the export, {_said(one)}"
    if one.number is None:
        yield "   is new: nothing stored is the same message in this place."
    else:
        yield f"   is message {one.number} of the conversation."
        yield f"   By {one.reason}: {_BY[one.reason]}."
        if one.takes_place:
            yield "   What it says here is read in the place of what was stored: it is longer, or whole, or written exactly."
    yield f"   Above it: {_neighbour(one.after, 'the beginning')}; below it: {_neighbour(one.before, 'the end')}."


def _neighbour(number: int | None, edge: str) -> str:
    return f"message {number} of the conversation" if number is not None else f"nothing that is stored, up to {edge}"
