"""Stored messages of which a part is missing: results that the client cut in an export, or put aside in a file of its own.

They are found in one pass over the log, in which only lines with the client's own words are decoded: that takes half of what it
takes to ask for each result. Of a single conversation, and of a store without a log, the results are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Optional

from ..alignment.fingerprint import plain_text
from ..alignment.same_source import hidden_lines
from ..errors import StoreError
from ..ingest.persisted_output import PERSISTED, is_only_begun
from ..model import COMMAND_OUTPUT, EXACT, TOOL_RESULT
from ..search.log_lines import OCCURRENCE, name_of
from ..start.late_tuple import NamedTuple
from ..storage.log.lines import Damaged, decode_line
from ..storage.log.records import message_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..storage.log.lines import Line
    from ..storage.log_backed import LogBackedStore
    from .sequences import Stored

CUT_KINDS: Final = frozenset((TOOL_RESULT, COMMAND_OUTPUT))
"""Kinds of messages that the client cuts."""
_KINDS: Final = frozenset(each.encode() for each in CUT_KINDS)
_ELLIPSIS: Final = ("…".encode(), b"...", b"more tool use")
"""What stands in a mark of the client besides the plus sign."""
_HEAD: Final = 500
"""Characters of a result that was put aside which say where."""


class Cut(NamedTuple):
    """What is missing of a message: ``lines`` that an export hides, or the file of which ``put_aside`` is the client's word.

    ``length``: characters that are there.
    """

    lines: int
    put_aside: str
    length: int


def cut_of(kind: str, content: Any, fidelity: str) -> Optional[Cut]:
    """What is missing of a message; None where it is whole.

    A text that was written exactly ends like a cut one where a tool printed it so; one that a screen drew does where it was cut.
    """
    if kind not in CUT_KINDS:
        return None
    if fidelity == EXACT:
        if isinstance(content, str) and is_only_begun(content):
            return Cut(0, content[:_HEAD], len(content))
        return None
    text = plain_text(content)
    lines = hidden_lines(text)
    return Cut(lines, "", len(text)) if lines else None


def in_conversation(of: Stored) -> dict[int, Cut]:
    """Those of one conversation as it is read, by sequence number."""
    kinds, purged = of.kinds, of.conversation.purged
    numbers = [number for number in of.order if kinds[number] in CUT_KINDS and number not in purged]
    found = {}
    for number, body in zip(numbers, of.bodies(numbers)):
        cut = cut_of(kinds[number], body["content"], str(body.get("fidelity")))
        if cut is not None:
            found[number] = cut
    return found


class Pass(NamedTuple):
    """What one pass over the log found: by the conversation under which it was stored, and its sequence number there."""

    places: dict[str, dict[int, Cut]]

    def of(self, of: Stored) -> dict[int, Cut]:
        """Those of one conversation as it is read, by sequence number; what came from others included."""
        conversation = of.conversation
        names = {of.conversation_id, *(each.conversation_id for each in conversation.adopted)}
        if names.isdisjoint(self.places):
            return {}
        found = {}
        for number in of.order:
            name, there = conversation.origin(number) or (of.conversation_id, number)
            cut = self.places.get(name, {}).get(there)
            if cut is not None and number not in conversation.purged:
                found[number] = cut
        return found


def in_log(store: LogBackedStore, paced: Callable[[Iterator[Line]], Iterator[Line]] = iter) -> Optional[Pass]:
    """Those of the whole log, while others go on; None where somebody wrote its lines anew meanwhile, or it cannot be read.

    ``paced`` passes the lines on, as fast as the caller likes.
    """
    cuts: dict[bytes, Cut] = {}
    places: dict[str, dict[int, Cut]] = {}
    try:
        with store.at_one_moment() as moment:
            for line in paced(moment.lines()):
                head = OCCURRENCE.match(line.data)
                if head is None:
                    continue
                identity = head.group(
                    4
                )  # the first line with a content hash carries the body, so the repeats come behind it
                kind = head.group(7)
                cut = _carried(line.data) if kind in _KINDS else cuts.get(identity)
                if cut is not None:
                    cuts[identity] = cut
                    places.setdefault(name_of(head.group(1)), {})[int(head.group(2))] = cut
    except StoreError:
        return None
    return Pass(places)


def _carried(line: bytes) -> Optional[Cut]:
    """What is missing of the body that a line carries."""
    if PERSISTED.encode() not in line and not (b"+" in line and any(each in line for each in _ELLIPSIS)):
        return None
    try:
        message = message_of(decode_line(line))
    except (Damaged, KeyError):
        return None  # whoever reads the message says what is wrong with it
    return cut_of(message.kind, message.content, message.fidelity)
