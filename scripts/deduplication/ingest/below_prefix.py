"""A file of which the beginning is not read, in the terms of alignment: known by the rows of what stands there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, overload

from ..alignment import plan as alignment
from ..alignment.comparison import Comparison
from ..alignment.junctions import at_junctions
from ..alignment.reading_order import numbers_of
from ..alignment.reasons import PREFIX
from ..model import COMPACTION, Message
from .export_view import ExportView
from .placement import stored_body
from .proven_prefix import length

if TYPE_CHECKING:
    from ..alignment.columns import Columns
    from ..alignment.plan import Plan
    from ..storage.contract import Store


_FEW: Final = 2_000
"""Rows up to which each is asked for by itself."""


class _Unread(Exception):
    """A message is asked for that is not read."""


class _Rest(Sequence[Message]):
    """Messages of which the first ones, so many, are not read."""

    def __init__(self, unread: int, messages: Sequence[Message]) -> None:
        self._unread, self._messages = unread, messages

    def __len__(self) -> int:
        return self._unread + len(self._messages)

    @overload
    def __getitem__(self, position: int) -> Message: ...

    @overload
    def __getitem__(self, position: slice) -> Sequence[Message]: ...

    def __getitem__(self, position: int | slice) -> Message | Sequence[Message]:
        if isinstance(position, slice) or position < self._unread:
            raise _Unread
        return self._messages[position - self._unread]


def below(above: Columns, shown: ExportView, *, compacted: bool) -> ExportView:
    """What a file shows: messages with the rows ``above``, which are not read, and ``shown`` below them; without its marks.

    ``compacted``: it begins after a compaction.
    """
    count = len(above)
    above.extend(shown.rows)
    return ExportView(_Rest(count, shown.messages), above, [], [(COMPACTION, 0)] if compacted else [])


def going_on(
    store: Store, conversation_id: str, window: Sequence[Sequence[int]], above: int, shown: ExportView
) -> Plan | None:
    """The plan for what is ``shown`` below the first messages of a ``window``, so many (``above``), where the conversation is what
    that window showed and goes on as what is shown does, message for message, as far as both go. Else None. No row above is read.
    """
    conversation = store.conversation(conversation_id)
    runs = conversation.reading().runs()
    if len(runs) != 1 or list(runs[0][: length(window)]) != list(numbers_of(window)):
        return None
    known = runs[0][above : above + len(shown.rows)]
    if len(known) > _FEW:
        hashes = [conversation.columns.hashes[number] for number in known]
    else:
        hashes = [store.row(conversation_id, number).content_hash for number in known]
    if hashes != shown.rows.hashes[: len(known)]:
        return None
    fresh = len(shown.rows) - len(known)
    return alignment.Plan([*known, *[None] * fresh], reasons=[*[PREFIX] * len(known), *[""] * fresh])


def aligned(store: Store, conversation_id: str, whole: ExportView, unread: int) -> Plan | None:
    """The plan for all of a file (see :func:`below`) of which the first messages, so many, are not read.

    None where one of those would have to be read, takes another one's place, or where the file shows two messages to be one.
    """
    conversation = store.conversation(conversation_id)
    known, reading = conversation.columns, conversation.reading()
    try:
        plan = alignment.plan(
            known,
            reading,
            whole.rows,
            Comparison(partial(stored_body, store, conversation_id), whole),
            conversation.extends,
            begins=whole.begins,
            continuations=conversation.continuations,
        )
    except _Unread:
        return None
    if any(position < unread for position in plan.grown):
        return None
    numbers: list[int] = []
    fresh = len(known)
    for position, match in enumerate(plan.matches):
        if match is None or position in plan.grown:
            numbers.append(fresh)
            fresh += 1
        else:
            numbers.append(match)
    return None if at_junctions(reading.runs(), known.hashes, numbers) else plan
