"""Which conversation a person means: its id, the beginning of it, or a session that belongs to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..alignment.reading_order import root_of
from ..errors import ConversationUnclear, UsageError
from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..storage.contract import Store
    from ..storage.conversation import Conversation

_MOST_NAMED: Final = 8
_UUID: Final = late_pattern(r"[0-9a-f]{8}-[0-9a-f]{4}-")
_PLACE: Final = late_pattern(r"(.+):(\d{1,9})")


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


def message_of(store: Store, asked: str) -> tuple[str, int | None]:
    """The conversation that ``asked`` names, and the message, where it is ``ID:NUMBER`` and no id. Raises as :func:`choose`."""
    found = _PLACE.fullmatch(asked)
    if found is None or asked in store.conversations():
        return choose(store, asked), None
    return choose(store, found.group(1)), int(found.group(2))


def handle(name: str, known: Iterable[str]) -> str:
    """What is enough of an id to name its conversation: of a UUID its beginning, where no other one has it."""
    short = name[: name.index("-")] if _UUID.match(name) else name
    return short if sum(each.startswith(short) for each in known) == 1 else name


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
