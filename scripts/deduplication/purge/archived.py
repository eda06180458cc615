"""The archive's files that show what is purged: each without it, or, where it shows nothing else or cannot be patched, none of it.

The same is asked of a file that is about to be archived, when what was purged is known by its tombstones alone.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

from .. import formats
from ..alignment.fingerprint import content_hash
from ..alignment.tombstone import is_marker
from ..errors import DedupError
from ..formats.base import Purging
from ..ingest.locate_stored import locate
from ..model import LAYOUT, PROMPT, USER, counts
from ..start.late_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..alignment.fingerprint import Fingerprint
    from ..ingest.locate_stored import Located, LocatedFile
    from ..model import Message
    from ..storage.contract import Store
    from .plan import Plan


@dataclass(frozen=True)
class Form:
    """What is to lie in the archive in the place of a file: ``data``, None for nothing at all.

    ``messages`` of the file were purged. ``why`` says in a few words why it goes as a whole: it shows nothing else (empty), or it
    cannot be patched. ``foreign``: it is in no form that is known, and is to be known again by its bytes.
    """

    data: bytes | None
    messages: int
    why: str = ""
    foreign: bool = False


@dataclass
class PurgedMessages:
    """What goes: ``occurrence`` by conversation and number, ``conversation`` as a whole, ``message`` wherever it is shown,
    ``text`` wherever it stands alone. ``unstored``: of such a conversation also what the store does not know.
    """

    occurrence: Callable[[str, int], bool]
    conversation: Callable[[str], bool] = lambda _: False
    message: Callable[[Message, Fingerprint], bool] = lambda *_: False
    text: Callable[[str], bool] = lambda _: False
    unstored: bool = False


def of_plan(plan: Plan) -> PurgedMessages:
    """What a plan says to go."""

    def text(said: str) -> bool:
        return bool(plan.probes.found(said)) or content_hash(USER, PROMPT, said, LAYOUT) in plan.layouts

    return PurgedMessages(plan.is_gone, lambda name: name in plan.whole, plan.bans.has, text, unstored=True)


def of_store(store: Store, names: set[str]) -> PurgedMessages:
    """What was purged before of some conversations: only hashes are left of it."""
    purged = {name: store.conversation(name).purged for name in names}
    layouts: set[str] = set()
    for name, numbers in purged.items():
        for body in store.bodies(name, sorted(numbers)):
            layouts.add(body["tombstone"].layout or body["tombstone"].identity)
    return PurgedMessages(
        lambda name, number: number in purged.get(name, ()),
        lambda name: bool(purged.get(name)) and len(purged[name]) == len(store.conversation(name).columns),
        store.bans().has,
        lambda said: content_hash(USER, PROMPT, said, LAYOUT) in layouts,
    )


def form_of(
    store: Store, data: bytes, name: str, gone: PurgedMessages, found_in: Callable[[bytes], bool], owner: str = ""
) -> Form | None:
    """What a file is to be without what goes; None where it shows nothing of it. Inside a transaction.

    ``found_in`` finds what goes in bytes that no format reads; such a file also goes with the conversation ``owner``.
    """
    read = locate(store, data, name)
    if read is None:
        if owner and gone.conversation(owner):
            return Form(None, 0, foreign=True)
        return Form(None, 0, "it is in no form that is known", foreign=True) if found_in(data) else None
    going = _going(read, gone)
    if not any(going.values()):
        if any(found_in(data[a:b]) for a, b in _outside(read)):
            going = {}
        else:
            return None
    messages = sum(len(each) for each in going.values())
    if _shows_nothing_else(read, going):
        return Form(None, messages)
    blanked = _blanked(data, read, going, gone)
    if blanked is None or not _says_the_rest(blanked, read, going):
        return Form(None, messages, f"messages cannot be taken out of the form {read.format.NAME}")
    if blanked == data:
        return None
    return Form(blanked, messages)


def later_form(store: Store, read: Callable[[], bytes], name: str, session: str = "") -> Form | None:
    """The same for a file that is to be archived now, for what was purged before. Opens a transaction of its own.

    ``read`` gives the file's bytes; it is not asked where nothing was purged.
    """
    with store.transaction(write=False):
        purged = [each for each in store.conversations() if store.conversation(each).purged]
        if not purged:
            return None
        data = read()
        owner = (store.session(session) or session) if session else ""
        found = locate(store, data, name)
        names = {owner} if found is None else {placed.conversation_id for placed in found.conversations}
        names.intersection_update(purged)
        if not names and not store.bans():
            return None
        return form_of(store, data, name, of_store(store, names), lambda _: False, owner)


def _going(read: LocatedFile, gone: PurgedMessages) -> dict[int, list[Message]]:
    """The messages that go, by the position of their conversation in the file."""
    found: dict[int, list[Message]] = {}
    for position, placed in enumerate(read.conversations):
        whole = gone.unstored and gone.conversation(placed.conversation_id)
        mine = [
            message
            for (message, number), item in zip(placed.pairs(), placed.shown.prints)
            if whole
            or (number is not None and gone.occurrence(placed.conversation_id, number))
            or gone.message(message, item)
        ]
        if mine and len(placed.shown.messages) < len(placed.export.messages):  # a second copy of what is shown
            shown = set(map(id, placed.shown.messages))
            said = {(m.role, m.kind, str(m.content)) for m in mine}
            mine += [
                m for m in placed.export.messages if id(m) not in shown and (m.role, m.kind, str(m.content)) in said
            ]
        found[position] = mine
    return found


def _outside(read: LocatedFile) -> list[tuple[int, int]]:
    """The bytes of a file that are no messages."""
    if read.format.members is not None:
        return []
    found = []
    for placed in read.conversations:
        kinds = {message.kind for message in placed.export.messages}
        found += [(span.start, span.end) for span in placed.export.spans if span.label not in kinds]
    return found


def _shows_nothing_else(read: LocatedFile, going: dict[int, list[Message]]) -> bool:
    for position, placed in enumerate(read.conversations):
        mine = set(map(id, going.get(position, ())))
        if any(counts(m.kind) and id(m) not in mine and not is_marker(m.content) for m in placed.export.messages):
            return False
    return any(going.values())


def _blanked(data: bytes, read: LocatedFile, going: dict[int, list[Message]], gone: PurgedMessages) -> bytes | None:
    every = [message for each in going.values() for message in each]
    if any(message.start < 0 for message in every):
        return None
    if read.format.blank is None:
        return None
    mine = set(map(id, every))
    return read.format.blank(
        data, [placed.export for placed in read.conversations], Purging(lambda message: id(message) in mine, gone.text)
    )


def _says_the_rest(blanked: bytes, read: LocatedFile, going: dict[int, list[Message]]) -> bool:
    """True where the blanked file, read again, says what stays and nothing else."""
    mine = {id(message) for each in going.values() for message in each}
    expected = Counter(_said(p, mine) for p in read.conversations)
    try:
        exports = [member.export for member in formats.conversations(blanked, read.format)]
    except (DedupError, ValueError):
        return False
    again = Counter(
        tuple((m.role, m.kind, repr(m.content)) for m in export.messages if not is_marker(m.content))
        for export in exports
    )
    again.pop((), None)
    expected.pop((), None)
    return again == expected


def _said(placed: Located, mine: set[int]) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (m.role, m.kind, repr(m.content))
        for m in placed.export.messages
        if id(m) not in mine and not is_marker(m.content)
    )


def digest(data: bytes) -> str:
    """SHA-256, 64 digits."""
    return hashlib.sha256(data).hexdigest()
