"""Which conversation a person means: its id, the beginning of it, or a session that belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..alignment.reading_order import root_of
from ..errors import ConversationUnclear, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..storage.contract import Store
    from ..storage.conversation import Conversation

_MOST_NAMED: Final = 8


def choose(store: Store, asked: str) -> str:
    """The conversation that ``asked`` names. Raises :class:`ConversationUnclear`; inside a transaction of the store."""
    known = store.conversations()
    if asked in known:
        return asked
    if store.canonical(asked) != asked:
        return store.canonical(asked)
    of_session = store.session(asked)
    if of_session:
        return of_session
    found = by_beginning(asked, known)
    if found is None:
        raise ConversationUnclear(f"none begins with '{asked}'")
    return found


def by_beginning(asked: str, known: Iterable[str]) -> str | None:
    """The one of ``known`` that ``asked`` is, or else the only one that begins with it, whatever its case; None for none.

    Raises :class:`ConversationUnclear`, which lists them, where there are several.
    """
    ids = list(dict.fromkeys(known))
    if asked in ids:
        return asked
    found = [name for name in ids if asked and name.casefold().startswith(asked.casefold())]
    if len(found) > 1:
        more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        raise ConversationUnclear(f"'{asked}' begins {', '.join(found[:_MOST_NAMED])}{more}")
    return found[0] if found else None


def around(conversation: Conversation, number: int, reach: int) -> Sequence[int]:
    """The sequence numbers of a message and of ``reach`` messages on each side, in reading order."""
    order = conversation.reading().order
    at = position(conversation, order, number)
    return order[max(0, at - reach) : at + reach + 1]


def position(conversation: Conversation, order: Sequence[int], number: int) -> int:
    """Where a sequence number stands in the reading order; a shorter form of a message stands where its longer one does.

    Raises :class:`UsageError` where there is no such message.
    """
    extends = conversation.extends
    first = root_of(number, extends)
    for place, each in enumerate(order):
        if root_of(each, extends) == first:
            return place
    highest = len(conversation.columns) - 1
    raise UsageError(f"there is no message {number} in this conversation", hint=f"Its numbers go from 0 to {highest}.")
