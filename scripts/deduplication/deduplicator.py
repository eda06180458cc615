"""ClaudeConversationDeduplicator: parse an export, find its conversation, align it, store what is new."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from . import alignment, fingerprint, formats, gaps, rendering
from .fingerprint import encoded
from .identification import conversation_of
from .model import LOST, counts
from .naming import file_name, validate_session_id
from .ordering import ranges
from .reading import read
from .shown import message_dict, new_occurrences, placed_marks, shown_by
from .storage import open_store
from .storage.base import ExportRecord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .model import Export
    from .shown import Shown
    from .storage.base import NewOccurrence, SeenExport, Store

PARSER_VERSION: Final = 1
"""Raised whenever a parser reads more out of the same bytes, so that a file known under an older one is read again."""


@dataclass(frozen=True)
class Ingest:
    """What became of one export. ``total`` = ``new`` + ``duplicates``; bytes and counts are whole numbers."""

    conversation_id: str
    format: str
    name: str
    sha256: str
    raw_bytes: int
    total: int
    new: int
    duplicates: int
    gaps: tuple[str, ...]
    warnings: tuple[str, ...]
    new_messages: list[dict[str, Any]]
    known_before: bool


class ClaudeConversationDeduplicator:
    """Stores every message of every export exactly once, in its place.

    ``storage_dir`` is the state folder (default ``MEMORY-CONTEXT/dedup_state`` below the current folder);
    ``backend`` names the storage backend, ``connection_string`` is for those that need one.
    """

    def __init__(
        self,
        storage_dir: str | os.PathLike[str] | None = None,
        backend: str = "json",
        connection_string: str | None = None,
    ) -> None:
        """Open nothing yet: the store is created when the first export is processed."""
        folder = os.fspath(storage_dir) if storage_dir is not None else os.path.join("MEMORY-CONTEXT", "dedup_state")
        self.store: Store = open_store(backend, folder, connection_string)

    # -- the seed's interface ----------------------------------------------------------------------------------

    def process_export(
        self, conversation_id: str | None, export_data: Mapping[str, Any] | Sequence[Any] | str | bytes | Path
    ) -> list[dict[str, Any]]:
        """Process one export and return its new messages, in order.

        ``export_data`` is a parsed JSON document, the text or bytes of an export, or the path of a file.
        ``conversation_id`` None leaves it to the content (see :meth:`ingest`). Raises the ``ExportError`` family for
        data that is no export and the ``StoreError`` family where the store cannot be used.
        """
        if isinstance(export_data, os.PathLike):
            data, _ = read(Path(export_data))
            name = file_name(os.path.basename(export_data))
            return self.ingest(data, name=name, conversation_id=conversation_id).new_messages
        if isinstance(export_data, (bytes, bytearray)):
            return self.ingest(bytes(export_data), name="", conversation_id=conversation_id).new_messages
        if isinstance(export_data, str):
            return self.ingest(encoded(export_data), name="", conversation_id=conversation_id).new_messages
        if conversation_id is not None:
            conversation_id = validate_session_id(conversation_id)
        data = fingerprint.canonical(export_data).encode()
        return self._ingest(
            formats.parse_object(export_data, data), data, "", conversation_id, dry_run=False
        ).new_messages

    def get_full_conversation(self, conversation_id: str) -> list[dict[str, Any]]:
        """Every message of a conversation in reading order, repeats included; a message that grew in its last form.

        Each is a dictionary with ``index``, ``role``, ``kind``, ``content``, ``content_hash``, ``timestamp`` and what
        else is known of it. An unknown conversation gives an empty list.
        """
        with self.store.transaction(write=False):
            return list(self.store.bodies(conversation_id, self.store.conversation(conversation_id).reading().order))

    def get_statistics(self, conversation_id: str) -> dict[str, Any]:
        """Counts of one conversation; the seed's keys first. Percentages are of bytes on disk, never estimated."""
        with self.store.transaction(write=False):
            figures = self.store.figures(conversation_id)
            runs = len(set(self.store.conversation(conversation_id).reading().component))
        savings = round(100 * (1 - figures.stored_bytes / figures.raw_bytes), 1) if figures.raw_bytes else 0.0
        return {
            "watermark": figures.watermark,
            "unique_messages": figures.unique,
            "total_messages": figures.occurrences,
            "storage_savings_pct": savings,
            "conversation_id": conversation_id,
            "exports_processed": figures.exports,
            "messages_processed": figures.messages_seen,
            "duplicates_filtered": figures.duplicates,
            "client_commands": figures.bookkeeping,
            "unconnected_runs": runs,
            "raw_bytes": figures.raw_bytes,
            "stored_bytes": figures.stored_bytes,
            "created_at": figures.created_at,
            "last_updated": figures.updated_at,
        }

    def detect_gaps(self, conversation_id: str, messages: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
        """Runs of missing indexes, both ends included, in what is stored and ``messages`` taken together.

        ``messages`` are dictionaries with an ``index``; ``[(5, 7), (10, 12)]`` says that 5 to 7 and 10 to 12 are in
        neither.
        """
        stored = self.get_full_conversation(conversation_id)
        known = [m["source_index"] for m in stored if "source_index" in m]
        given = [m["index"] for m in messages if isinstance(m.get("index"), int) and not isinstance(m["index"], bool)]
        return gaps.missing_indexes([*known, *given])

    # -- the whole of it ---------------------------------------------------------------------------------------

    def ingest(
        self,
        data: bytes,
        *,
        name: str,
        conversation_id: str | None = None,
        dry_run: bool = False,
        strict: bool = False,
    ) -> Ingest:
        """Process the bytes of one export; when this returns, everything new is on the disk.

        The conversation is ``conversation_id``, else the one the source names, else one that shares a run of at least
        three distinctive messages, else one whose end this export (made after a compaction) begins with, else what
        the file's ``name`` says. ``dry_run`` counts and stores nothing; ``strict`` accepts only what is beyond doubt.
        """
        if conversation_id is not None:
            conversation_id = validate_session_id(conversation_id)
        return self._known_file(data, name, conversation_id, dry_run=dry_run) or self._ingest(
            formats.parse(data, strict=strict), data, name, conversation_id, dry_run=dry_run
        )

    def conversations(self) -> list[str]:
        """Ids of all stored conversations."""
        with self.store.transaction(write=False):
            return list(self.store.conversations())

    def global_unique_count(self) -> int:
        """Bodies stored over all conversations."""
        with self.store.transaction(write=False):
            return self.store.unique_count()

    def storage_bytes(self) -> tuple[int, int]:
        """Bytes of all distinct exports processed so far, and bytes that the store takes on disk."""
        with self.store.transaction(write=False):
            return self.store.byte_counts()

    def _known_file(self, data: bytes, name: str, conversation_id: str | None, *, dry_run: bool) -> Ingest | None:
        """The result for a file whose very bytes were processed before, by this parser: nothing in it can be new."""
        started = time.perf_counter()
        sha256 = hashlib.sha256(data).hexdigest()
        with self.store.transaction(write=False):
            if not self.store.seen(sha256):
                return None
        with self.store.transaction(write=not dry_run):
            seen = [entry for entry in self.store.seen(sha256) if entry.parser == PARSER_VERSION]
            seen = [entry for entry in seen if conversation_id in (None, entry.conversation_id)]
            # Where a damaged log lost a message, the export that had it is read again: it brings the message back.
            seen = [entry for entry in seen if not self._has_lost(entry)]
            if not seen:
                return None
            known = seen[0]
            record = ExportRecord(
                name=name,
                sha256=sha256,
                bytes=len(data),
                format=known.format,
                parser=PARSER_VERSION,
                total=known.total,
                new=0,
                window=known.window,
            )
            if not dry_run:
                self.store.commit(known.conversation_id, [], record, started)
        return Ingest(
            conversation_id=known.conversation_id,
            format=known.format,
            name=name,
            sha256=sha256,
            raw_bytes=len(data),
            total=known.total,
            new=0,
            duplicates=known.total,
            gaps=(),
            warnings=tuple(self._store_warnings()),
            new_messages=[],
            known_before=True,
        )

    def _has_lost(self, seen: SeenExport) -> bool:
        kinds = self.store.conversation(seen.conversation_id).columns.kinds
        return LOST in kinds and any(kinds[n] == LOST for first, last in seen.window for n in range(first, last + 1))

    def _ingest(self, export: Export, data: bytes, name: str, conversation_id: str | None, *, dry_run: bool) -> Ingest:
        started = time.perf_counter()
        sha256 = hashlib.sha256(data).hexdigest()
        shown = shown_by(export)
        total = sum(counts(kind) for kind in shown.rows.kinds)
        with self.store.transaction(write=not dry_run):
            target = conversation_id or conversation_of(self.store, export, shown, name)
            conversation = self.store.conversation(target)
            plan = alignment.plan(
                conversation.columns, conversation.reading(), shown.rows, self._compare(target, shown)
            )
            occurrences, numbers = new_occurrences(shown, plan, len(conversation.columns))
            fresh = self._fresh(occurrences)
            found = gaps.describe(
                shown.marks, plan.matches, [m.source_index for m in shown.messages], known=len(conversation.columns)
            )
            record = ExportRecord(
                name=name,
                sha256=sha256,
                bytes=len(data),
                format=export.format,
                parser=PARSER_VERSION,
                total=total,
                new=len(fresh),
                window=ranges(numbers),
                marks=placed_marks(shown.marks, numbers),
                gaps=found,
            )
            if not dry_run:
                self.store.commit(target, occurrences, record, started)
            new_messages = [message_dict(occurrence, number) for number, occurrence in fresh]
        return Ingest(
            conversation_id=target,
            format=export.format,
            name=name,
            sha256=sha256,
            raw_bytes=len(data),
            total=total,
            new=len(fresh),
            duplicates=total - len(fresh),
            gaps=tuple(found),
            warnings=(*export.warnings, *shown.warnings, *self._store_warnings()),
            new_messages=new_messages,
            known_before=False,
        )

    def _store_warnings(self) -> list[str]:
        warnings = list(self.store.warnings)
        self.store.warnings.clear()
        return warnings

    def _compare(self, conversation_id: str, shown: Shown) -> alignment.Compare:
        """How the body shown at a position relates to a stored one; each stored body is read at most once."""
        cache: dict[tuple[int, int], str] = {}

        def compare(position: int, number: int) -> str:
            pair = (position, number)
            if pair not in cache:
                message = shown.messages[position]
                stored = next(iter(self.store.bodies(conversation_id, [number])))
                cache[pair] = rendering.relation(
                    message.kind,
                    stored["content"],
                    message.content,
                    same_source=stored.get("fidelity", message.fidelity) == message.fidelity,
                )
            return cache[pair]

        return compare

    def _fresh(self, occurrences: Sequence[tuple[int, NewOccurrence]]) -> list[tuple[int, NewOccurrence]]:
        """The counted occurrences whose body is not stored yet, each body once."""
        fresh: list[tuple[int, NewOccurrence]] = []
        taken: set[str] = set()
        for number, occurrence in occurrences:
            identity = occurrence.fingerprint.content_hash
            if counts(occurrence.message.kind) and identity not in taken and not self.store.has_body(identity):
                taken.add(identity)
                fresh.append((number, occurrence))
        return fresh
