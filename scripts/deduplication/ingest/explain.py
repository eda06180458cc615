"""Why a message of an export was new, or which stored one it is: alignment once more, with its reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from .. import formats
from ..start.late_tuple import NamedTuple
from . import placement
from .conversation_match import Belonging, conversation_of
from .export_view import view_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..model import Export, Message
    from ..storage.contract import Store


class Explained(NamedTuple):
    """One message: ``number`` is the stored message that it is (None: it is new), ``reason`` what that rests on.

    ``after`` and ``before`` are the stored messages that the nearest matched messages above and below it are. ``takes_place``:
    what it says is read from now on in the place of the stored one.
    """

    position: int
    message: Message
    number: Optional[int]
    reason: str
    after: Optional[int]
    before: Optional[int]
    takes_place: bool


class Explanation(NamedTuple):
    """A conversation of the file: where it belongs, which others it shows to be the same, and each message."""

    belongs: Belonging
    messages: list[Explained]


def explain(store: Store, data: bytes, name: str) -> tuple[str, list[Explanation]]:
    """The format of a file and what becomes of each of its messages; of one that was processed, what became of them then.

    Inside a transaction. Nothing is stored. Raises ``NotAnExport``, ``ExportUnreadable`` and the ``StoreError`` family.
    """
    found = formats.detect(data)
    explained = []
    for each in list(formats.conversations(data, found)):
        known = _before(store, each.sha256)
        explained.append(_explained(known or store, each.export, name))
    return found.NAME, explained


def _explained(store: Store, export: Export, name: str) -> Explanation:
    shown = view_of(export)
    belongs = conversation_of(store, export, shown, name)
    plan = placement.place(store, belongs.conversation, shown).plan
    after, before = _neighbours(plan.matches), _neighbours(plan.matches[::-1])[::-1]
    return Explanation(
        belongs,
        [
            Explained(p, message, plan.matches[p], plan.reasons[p], after[p], before[p], p in plan.grown)
            for p, message in enumerate(shown.messages)
        ],
    )


def _neighbours(matches: Sequence[Optional[int]]) -> list[Optional[int]]:
    """For each position the last match before it."""
    found: list[Optional[int]] = []
    last: Optional[int] = None
    for match in matches:
        found.append(last)
        last = match if match is not None else last
    return found


def _before(store: Store, sha256: str) -> Optional[Store]:
    """The store as it was before it first saw this file; None where it never did, or keeps no log that tells."""
    backed = store.log_backed() if store.seen(sha256) else None
    if backed is None:
        return None
    from ..storage.replay import before

    return before(backed, sha256)
