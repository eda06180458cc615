"""A state that asks an index for what it needs, and reads the log for what that does not keep."""

from __future__ import annotations

import json
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from ..state.chunks import Chunks
from ..state.conversation import ConversationState
from ..state.places import Places
from ..state.stretches import Stretches
from ..state.table import Table
from .conversation_head import take_head
from .kind_codes import KINDS_BY_CODE
from .table_entries import CHUNKS, CONVERSATION, FORMS, KINDS, KINDS_PAGE, packed, page_key, unpacked

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ...alignment.fingerprint import Fingerprint
    from ..state.log_state import State
    from ..state.stored_rows import Row, Rows
    from ..state.whereabouts import Found
    from .log_rows import LogRows
    from .sorted_runs import Entry

    Get = Callable[[bytes], "bytes | None"]
    Beginning = Callable[[bytes], "list[Entry]"]


class StoredState:
    """What an index has (see ``state.log_state.Stored``).

    ``get`` and ``beginning`` ask its entries, ``places`` its places; ``prove`` says which line carries a body.
    """

    def __init__(
        self,
        get: Get,
        beginning: Beginning,
        places: Callable[[bytes], Sequence[int]],
        prove: Callable[[LogRows, str, Sequence[int]], Found | None],
        rows: LogRows,
        chunks: int,
    ) -> None:
        self._get, self._beginning, self._places, self._rows = get, beginning, places, rows
        self._chunks = chunks
        self._prove = partial(prove, rows)

    def table(self, name: str) -> Table[Any]:
        """Of conversations, names and cursors all can be listed."""
        if name == "conversations":
            return Table(None, self._conversation, self._conversations)
        form = FORMS[name]

        def fetch(key: str) -> Any:
            data = self._get(form.key(key))
            value = form.read(data) if data is not None else None
            if name == "again" and value is not None:
                value = value[0], value[1]._replace(content_hash=key)
            return value

        def scan() -> Iterable[tuple[str, Any]]:
            for key, value in self._beginning(form.code):
                yield unpacked(key[1:]), form.read(value)

        return Table(None, fetch, scan)

    def whereabouts(self) -> Stretches:
        """By the stretches of the log."""
        chunks = Chunks(self._chunks, lambda page: self._get(CHUNKS + page_key(page)) or b"")
        return Stretches(Places(self._places), chunks, self.table("again"), self._prove, self._rows.ids)

    def _conversation(self, name: str) -> ConversationState | None:
        data = self._get(CONVERSATION + packed(name))
        return self._lazy(name, json.loads(data)) if data is not None else None

    def _conversations(self) -> Iterable[tuple[str, ConversationState]]:
        found = [(json.loads(value), unpacked(key[1:])) for key, value in self._beginning(CONVERSATION)]
        for head, name in sorted(found, key=lambda each: each[0]["number"]):
            yield name, self._lazy(name, head)

    def _lazy(self, name: str, head: dict[str, Any]) -> ConversationState:
        rows = _Rows(self._get, self._rows, name)
        conversation = ConversationState(head["count"], rows)
        rows.conversation = weakref.proxy(conversation)  # a circle would hold the index's file open
        take_head(conversation, head)
        return conversation


class _Rows:
    """The rows of one conversation (see ``state.stored_rows.StoredRows``)."""

    def __init__(self, get: Get, rows: LogRows, name: str) -> None:
        self._get, self._rows, self._name = get, rows, name
        self.conversation: ConversationState

    def all(self) -> Rows:
        return self._rows.rows(self._name, self.conversation)

    def one(self, number: int) -> Row:
        return self._rows.row(self._name, self.conversation, number)

    def some(self, first: int, end: int) -> Iterator[tuple[int, Fingerprint]]:
        return self._rows.some(self._name, first, end)

    def offsets(self, first: int, end: int) -> array[int]:
        return self._rows.offsets(self._name, self.conversation, first, end)

    def kinds(self) -> list[str]:
        codes = "".join(
            (self._get(KINDS + page_key(self.conversation.number, page)) or b"").decode()
            for page in range(-(-self.conversation.stored // KINDS_PAGE))
        )
        return [KINDS_BY_CODE[code] for code in codes[: self.conversation.stored]]


def stretches_of(state: State) -> Stretches:
    """Where things stand in the log, of a state that asks an index in files."""
    return cast("Stretches", state.whereabouts)
