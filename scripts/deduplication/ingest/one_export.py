"""Process one export: known already, read and stored, or, where it holds several conversations, each of them with the sums.

Every way into the store ends in :func:`process`: a file, bytes, a parsed document, one conversation of a file, a part of a
transcript, a run that a repair does again.
"""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Optional

from .. import formats
from ..errors import ExportError
from ..project.export_names import MEMBER, session_id_from_name
from ..start.late_tuple import NamedTuple
from .known_file import known_file
from .result import Ingest, Input

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..formats.base import Member
    from ..model import Export
    from ..storage.contract import Store

_HELD: Final = 2.0
"""Seconds for which the store is held in one go: others need not wait longer, and it is not opened anew for each conversation."""
_SAID: Final = 20
"""Gaps and warnings of a file that are told one by one."""


class Asked(NamedTuple):
    """How an export is to be processed: into which conversation (None: into the one that it shows), or only counted.

    ``keep`` False leaves the new messages out of its result: to tell them takes what storing does without, a look at the bodies of
    the conversation, and of a file with several conversations more than one in memory.
    """

    conversation_id: Optional[str] = None
    dry_run: bool = False
    keep: bool = True


NOTHING_ASKED: Final = Asked()


class Several(NamedTuple):
    """The conversations of a file that may hold more than one, and the name of its format."""

    format: str
    members: Iterable[Member]


class Unread(NamedTuple):
    """The bytes of a file that is to be read; ``strict`` as in :func:`formats.detect`."""

    data: bytes
    strict: bool


def process(
    store: Store,
    file: Input,
    found: Export | Several | Unread | Callable[[], Export],
    asked: Asked = NOTHING_ASKED,
    counted: set[str] | None = None,
) -> Ingest:
    """Store what is new in one export; durable when this returns.

    ``found`` is what the file holds, or what reads it: then it is not read where its very bytes were processed before, and only its
    rest where an earlier export's bytes are its beginning.
    Of a file with several conversations each is an export of its own, and the result is the file's: sums, ``conversations`` names
    all of them, and ``conversation_id`` the only one that is no side branch, else the file by its name. There what stands before a
    conversation that fails is stored. Raises :class:`ExportError`, before anything is stored, where a ``conversation_id`` is given
    for several, and whatever reading raises.

    ``counted``: bodies that count as announced, those of this export are added. Only with ``dry_run``, for exports that would be
    processed one after the other: the store does not know of the one before.
    """
    if callable(found) or isinstance(found, Unread):
        known = known_file(store, file, asked.conversation_id, dry_run=asked.dry_run)
        if known is not None:
            return known
        if isinstance(found, Unread):
            return _process_unread(store, file, found, asked, counted)
        found = found()
    if isinstance(found, Several):
        return _process_several(store, file, found, asked, counted)
    from .store_export import store_export  # a file that is known, and one that only goes on, need none of it

    return store_export(
        store, found, file, asked.conversation_id, dry_run=asked.dry_run, counted=counted, keep=asked.keep
    )


def _process_unread(store: Store, file: Input, found: Unread, asked: Asked, counted: set[str] | None) -> Ingest:
    known = formats.detect(found.data, strict=found.strict)
    if known.members is not None:
        return _process_several(store, file, Several(known.NAME, known.members(found.data)), asked, counted)
    from .proven_prefix import Beginning

    cumulative = formats.cumulative(known)
    beginning = Beginning(found.data, cumulative) if cumulative is not None else None
    if beginning is not None and counted is None:
        from .grown_export import store_grown

        grown = store_grown(store, file, beginning, asked)
        if grown is not None:
            return grown
    from .store_export import store_export

    export = formats.parse(found.data, known=known)
    return store_export(
        store,
        export,
        file,
        asked.conversation_id,
        dry_run=asked.dry_run,
        counted=counted,
        beginning=beginning,
        keep=asked.keep,
    )


def _process_several(store: Store, file: Input, found: Several, asked: Asked, counted: set[str] | None) -> Ingest:
    ahead = iter(found.members)
    if asked.conversation_id is not None:
        ahead = _only_one(ahead)
    sums = _Sums(file, found.format)
    counted = set() if asked.dry_run and counted is None else counted
    done = False
    while not done:
        with store.transaction(write=not asked.dry_run):
            until = time.monotonic() + _HELD
            done = True
            for member in ahead:
                if member.export.messages:
                    one = _process_member(store, file, member, asked, counted)
                    sums.add(member, one)
                else:
                    sums.warn(member.export.warnings)
                if time.monotonic() > until:
                    done = False
                    break
        sums.warn(store.warnings)
        store.warnings.clear()
    return sums.result()


def _process_member(store: Store, file: Input, member: Member, asked: Asked, counted: set[str] | None) -> Ingest:
    """Process one conversation of a file; ``counted``: the bodies of those before it, where nothing is stored."""
    title = member.name if member.side else f"{file.name}{MEMBER}{member.name}" if member.name else file.name
    part = Input(title, member.sha256, member.size, announces=file.announces)
    from .conversation_match import session_of

    session = session_of(member.export)
    target = asked.conversation_id if not member.side else None
    if target is None and session and formats.load(member.export.format).OWN_IDS:
        target = store.session(session) or session
    return process(store, part, lambda: member.export, asked._replace(conversation_id=target), counted)


def _only_one(members: Iterator[Member]) -> Iterator[Member]:
    """The members, where a name for one conversation is a name for the file: those before the second one are held back."""
    first = list(islice(members, 2))
    if len(first) == 2 and not first[1].side:
        raise ExportError(
            "it holds several conversations, and --session-id names one",
            hint="Leave --session-id out: each conversation has an id of its own in the file.",
        )
    yield from first
    yield from members


class _Sums:
    """What the members come to, one after another."""

    def __init__(self, source: Input, format_: str) -> None:
        self._source = source
        self._format = format_
        self._total = self._new = self._captured = 0
        self._known = True
        self._mains: set[str] = set()
        self._all: dict[str, None] = {}
        self._gaps: list[str] = []
        self._warnings: list[str] = []
        self._messages: list[dict[str, Any]] = []

    def add(self, member: Member, one: Ingest) -> None:
        """A member that was stored."""
        self._total += one.total
        self._new += one.new
        self._captured += one.captured
        self._known = self._known and one.known_before
        self._all.setdefault(one.conversation_id)
        if not member.side:
            self._mains.add(one.conversation_id)
        self._gaps += [f"{one.conversation_id}: {gap}" for gap in one.gaps]
        self.warn(one.warnings)
        self._messages += one.new_messages

    def warn(self, warnings: Iterable[str]) -> None:
        """Warnings of a member that had no messages, or had them."""
        self._warnings += warnings

    def result(self) -> Ingest:
        """The file's result."""
        whole = session_id_from_name(self._source.name)
        return Ingest(
            conversation_id=next(iter(self._mains)) if len(self._mains) == 1 else whole,
            format=self._format,
            name=self._source.name,
            sha256=self._source.sha256,
            raw_bytes=self._source.size,
            total=self._total,
            new=self._new,
            duplicates=self._total - self._new,
            captured=self._captured,
            gaps=_first_of(self._gaps, "gaps"),
            warnings=_first_of(self._warnings, "warnings"),
            new_messages=self._messages,
            known_before=self._known,
            conversations=tuple(self._all),
        )


def _first_of(lines: list[str], what: str) -> tuple[str, ...]:
    more = len(lines) - _SAID
    return (*lines[:_SAID], f"{more:,} more {what}") if more > 0 else tuple(lines)
