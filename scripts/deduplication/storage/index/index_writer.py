"""What a state has that an index lacks, as entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .conversation_head import head_of
from .kind_codes import CODES
from .stored_state import stretches_of
from .table_entries import CHUNKS, CONVERSATION, FORMS, KINDS, KINDS_PAGE, dumps, packed, page_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..state.conversation import ConversationState
    from ..state.log_state import State

    Get = Callable[[bytes], "bytes | None"]


def changed_entries(state: State, get: Get) -> dict[bytes, bytes]:
    """Keys and values of everything that changed in ``state``; ``get`` asks the index that has the rest."""
    found: dict[bytes, bytes] = {}
    for name in state.conversations.changed:
        conversation = state.conversation(name)
        found[CONVERSATION + packed(name)] = dumps(head_of(conversation))
        found.update(_kinds(conversation, get))
    stretches = stretches_of(state)
    for page, data in stretches.chunks.pages():
        found[CHUNKS + page_key(page)] = data
    for name, form in FORMS.items():
        table = stretches.again if name == "again" else state.table(name)
        for key in table.changed:
            found[form.key(key)] = form.write(table.get(key))
    return found


def _kinds(conversation: ConversationState, get: Get) -> Iterator[tuple[bytes, bytes]]:
    """The pages of kinds that have fresh rows."""
    codes = "".join(CODES[item.kind] for item, _ in conversation.fresh())
    page, full = divmod(conversation.stored, KINDS_PAGE)
    if not codes:
        return
    if full:
        codes = (get(KINDS + page_key(conversation.number, page)) or b"").decode()[:full] + codes
    for at in range(0, len(codes), KINDS_PAGE):
        yield KINDS + page_key(conversation.number, page), codes[at : at + KINDS_PAGE].encode()
        page += 1
