"""A file that holds several conversations into a store: each by itself, the figures summed for the file."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from .. import formats
from ..errors import ExportError
from ..project.export_names import session_id_from_name
from . import one_export
from .conversation_match import session_of
from .one_export import Ingest, Input

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..formats.base import Member
    from ..storage.contract import Store

_HELD: Final = 2.0
"""Seconds for which the store is held in one go: others need not wait longer, and it is not opened anew for each conversation."""
_SAID: Final = 20
"""Gaps and warnings of a file that are told one by one."""


def ingest(
    store: Store,
    members: Iterable[Member],
    source: Input,
    format_: str,
    conversation_id: str | None = None,
    *,
    dry_run: bool = False,
    keep: bool = True,
) -> Ingest:
    """Store what is new in each member; durable when this returns, and up to the member before where it raises.

    The result is the file's: sums, ``conversations`` names all of them, and ``conversation_id`` the only one that is no side
    branch, else the file by its name. ``keep`` False leaves the new messages out of it, so that no more than one conversation is
    in memory. Raises :class:`ExportError`, before anything is stored, where a ``conversation_id`` is given for several.
    """
    ahead = iter(members)
    if conversation_id is not None:
        ahead = _only_one(ahead)
    sums = _Sums(source, format_)
    counted: set[str] | None = set() if dry_run else None
    done = False
    while not done:
        with store.transaction(write=not dry_run):
            until = time.monotonic() + _HELD
            done = True
            for member in ahead:
                if member.export.messages:
                    one = _one(store, member, source, conversation_id, counted)
                    sums.add(member, one if keep else replace(one, new_messages=[]))
                else:
                    sums.warn(member.export.warnings)
                if time.monotonic() > until:
                    done = False
                    break
        sums.warn(store.warnings)
        store.warnings.clear()
    return sums.result()


def _one(store: Store, member: Member, file: Input, conversation_id: str | None, counted: set[str] | None) -> Ingest:
    """Store a member; with ``counted``, the bodies of those before it, nothing is stored."""
    dry_run = counted is not None
    title = member.name if member.side else f"{file.name}: {member.name}" if member.name else file.name
    part = Input(title, member.sha256, member.size, announces=file.announces)
    session = session_of(member.export)
    target = conversation_id if not member.side else None
    if target is None and session and formats.load(member.export.format).OWN_IDS:
        target = store.session(session) or session
    known = one_export.known_file(store, part, target, dry_run=dry_run)
    return known or one_export.ingest(store, member.export, part, target, dry_run=dry_run, counted=counted)


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
