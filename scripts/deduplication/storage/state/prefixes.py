"""How the exports of a store begin, by the first bytes of them: what a longer one may go on from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ...start.late_tuple import NamedTuple
from ..log.lines import Damaged
from ..log.records import PREFIX
from ..prefix import Prefix, SeenPrefix, to_prefix

if TYPE_CHECKING:
    from ..log.lines import Record
    from .conversation import ConversationState
    from .log_state import State

_MOST: Final = 8
"""Prefixes with one head that are kept, the last ones."""
_EACH: Final = 4
"""Of one conversation."""


class NotedPrefix(NamedTuple):
    """A prefix, and the position of its export's window in the conversation.

    ``others``: how many runs the log had of all other conversations.
    """

    conversation_id: str
    parser: int
    format: str
    window: int
    others: int
    marks: list[list[Any]]
    prefix: Prefix


def add_prefix(state: State, conversation: ConversationState, record: Record, position: int) -> None:
    """Note how an export begins that was processed as a whole. Raises :class:`Damaged` for what has another form."""
    if PREFIX not in record:
        return
    try:
        prefix = to_prefix(record[PREFIX])
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise Damaged("a prefix of another form") from error
    name, export = record["conversation_id"], record["export"]
    marks = record.get("marks", [])
    new = NotedPrefix(name, export["parser"], export["format"], position, _others(state, conversation), marks, prefix)
    same = (name, prefix.size, prefix.sha256)
    kept = [
        each
        for each in state.prefixes.get(prefix.head) or []
        if (each.conversation_id, each.prefix.size, each.prefix.sha256) != same
    ]
    superseded = [each for each in kept if each.conversation_id == name][: -(_EACH - 1)]
    state.prefixes[prefix.head] = [*(each for each in kept if each not in superseded), new][-_MOST:]


def prefixes_in(state: State, head: str) -> list[SeenPrefix]:
    """The prefixes with this head, of conversations that go on under their own id and of which nothing was lost."""
    found = []
    for each in state.prefixes.get(head) or []:
        conversation = state.conversation(each.conversation_id)
        if conversation.adopted_by is None and not conversation.figures.get("lost"):
            window = conversation.windows[each.window]
            alone = bool(each.prefix.witness) and each.others == _others(state, conversation)
            marks = [(kind, number) for kind, number in each.marks]
            found.append(SeenPrefix(each.conversation_id, each.parser, each.format, window, marks, each.prefix, alone))
    return found


def _others(state: State, conversation: ConversationState) -> int:
    """How many runs there are of other conversations."""
    every, own = state.figures, conversation.figures
    runs: int = own.get("exports", 0) + own.get("captures", 0)
    return every.exports + every.captures - runs
