"""ClaudeConversationDeduplicator: parse an export, find its conversation, align it, store what is new."""

from __future__ import annotations

import hashlib
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .. import formats
from ..errors import ExportWarning
from ..files.safe_read import digest_of, opened, read
from ..project import own_output
from ..project.export_names import file_name, validate_session_id
from ..storage import open_store
from .one_export import Asked, Several, Unread, process
from .result import Ingest, Input

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..figures.savings import Seen
    from ..model import Export
    from ..storage.contract import Store

__all__ = ["ClaudeConversationDeduplicator", "Ingest"]


_FOLDER: Final = os.path.join("MEMORY-CONTEXT", "dedup_state")


class ClaudeConversationDeduplicator:
    """Stores every message of every export exactly once, in its place.

    ``storage_dir`` is the state folder (default ``MEMORY-CONTEXT/dedup_state`` below the current folder);
    ``backend`` names the storage backend (None: what the project's settings say), ``connection_string`` is for those that need one.
    """

    def __init__(
        self,
        storage_dir: str | os.PathLike[str] | None = None,
        backend: str | None = None,
        connection_string: str | None = None,
    ) -> None:
        """Open nothing yet: the store is created when the first export is processed."""
        folder = os.fspath(storage_dir) if storage_dir is not None else _FOLDER
        self.store: Store = open_store(backend, folder, connection_string)

    @classmethod
    def over(cls, store: Store) -> ClaudeConversationDeduplicator:
        """One over a store that is open already."""
        made = cls("")
        made.store = store
        return made

    # -- the original design's interface -----------------------------------------------------------------------

    def process_export(
        self, conversation_id: str | None, export_data: Mapping[str, Any] | Sequence[Any] | str | bytes | Path
    ) -> list[dict[str, Any]]:
        """Process one export and return the messages that are new to its conversation, in order, each once.

        ``export_data`` is a parsed JSON document, the text or bytes of an export, or the path of a file.
        ``conversation_id`` None leaves it to the content (see :meth:`ingest`). Raises the ``ExportError`` family for
        data that is no export and the ``StoreError`` family where the store cannot be used; warns (:class:`ExportWarning`)
        of what could not be read as it should be, a message without content or role for one: it is kept as it is.
        """
        from ..alignment import fingerprint

        if isinstance(export_data, os.PathLike):
            path = Path(export_data)
            name = file_name(os.path.basename(export_data))
            done = self.ingest_file(path, name=name, conversation_id=conversation_id)
            if done is None:
                data, _ = read(path)
                own_output.refuse(data)
                done = self.ingest(data, name=name, conversation_id=conversation_id)
            return done.new_messages
        if isinstance(export_data, (bytes, bytearray)):
            own_output.refuse(bytes(export_data))
            return self.ingest(bytes(export_data), name="", conversation_id=conversation_id).new_messages
        if isinstance(export_data, str):
            return self.process_export(conversation_id, fingerprint.encoded(export_data))
        if conversation_id is not None:
            conversation_id = validate_session_id(conversation_id)
        data = fingerprint.canonical(export_data).encode()
        if isinstance(export_data, dict):
            own_output.refuse(data)
        source = Input("", hashlib.sha256(data).hexdigest(), len(data))
        done = process(self.store, source, formats.parse_object(export_data, data), Asked(conversation_id))
        for warning in done.warnings:  # there is no report to tell what of a caller's own object could not be read
            warnings.warn(warning, ExportWarning, stacklevel=2)
        return done.new_messages

    def get_full_conversation(self, conversation_id: str) -> list[dict[str, Any]]:
        """Every message of a conversation in reading order, repeats included; a message that grew in its last form.

        What was purged is left out.
        Each is a dictionary with ``index``, ``role``, ``kind``, ``content``, ``content_hash``, ``timestamp`` and what
        else is known of it. An unknown conversation gives an empty list.
        """
        with self.store.transaction(write=False):
            conversation_id = self.store.canonical(conversation_id)
            conversation = self.store.conversation(conversation_id)
            kept = [number for number in conversation.reading().order if number not in conversation.purged]
            return list(self.store.bodies(conversation_id, kept))

    def get_statistics(self, conversation_id: str) -> dict[str, Any]:
        """Counts of one conversation; the original design's keys first. Percentages are of bytes on disk, never estimated."""
        with self.store.transaction(write=False):
            conversation_id = self.store.canonical(conversation_id)
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
            "purged_messages": figures.purged,
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
        from ..alignment import gaps

        with self.store.transaction(write=False):
            conversation_id = self.store.canonical(conversation_id)
            order = self.store.conversation(conversation_id).reading().order
            known = [m["source_index"] for m in self.store.bodies(conversation_id, order) if "source_index" in m]
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
        announce: bool = True,
        keep: bool = True,
        counted: set[str] | None = None,
    ) -> Ingest:
        """Process the bytes of one export; when this returns, everything new is on the disk.

        The conversation is ``conversation_id``, else the one the source names, else one that shares a run of at least
        three distinctive messages, else one whose end this export (made after a compaction) begins with, else what
        the file's ``name`` says. ``dry_run`` counts and stores nothing; ``strict`` accepts only what is beyond doubt.
        ``announce`` False: nobody is told what is new; it is new to the next who processes the same. ``keep`` False leaves
        ``new_messages`` out of the result, which is faster. ``counted``: see :func:`one_export.process`.
        """
        if conversation_id is not None:
            conversation_id = validate_session_id(conversation_id)
        source = Input(name, hashlib.sha256(data).hexdigest(), len(data), announces=announce)
        return process(self.store, source, Unread(data, strict), Asked(conversation_id, dry_run, keep), counted)

    def ingest_file(
        self,
        path: Path,
        *,
        name: str,
        conversation_id: str | None = None,
        dry_run: bool = False,
        strict: bool = False,
        keep: bool = True,
        counted: set[str] | None = None,
    ) -> Ingest | None:
        """The same for a file of a format that is too large to be read whole; None for every other file.

        Each of its conversations is one of the store, under its own id; the result is that of the file (see
        :func:`one_export.process`; ``keep`` False leaves ``new_messages`` out). No more than one conversation is in memory.
        Raises :class:`ExportChanged` where the file changed meanwhile; what was stored up to there is in order.
        """
        if conversation_id is not None:
            conversation_id = validate_session_id(conversation_id)
        with opened(path) as (file, identity):
            found = formats.large(file, strict=strict)
            if found is None:
                return None
            source = Input(name, digest_of(file), identity.size)
            several = Several(found.NAME, found.members_of(file))
            return process(self.store, source, several, Asked(conversation_id, dry_run, keep), counted)

    def ingest_export(
        self,
        export: Export,
        *,
        name: str,
        sha256: str,
        raw_bytes: int,
        conversation_id: str | None = None,
        dry_run: bool = False,
    ) -> Ingest:
        """The same for one export that was parsed already, of a file that holds several.

        ``sha256`` and ``raw_bytes`` are those of the bytes that it was read from: where they were processed before,
        nothing in it can be new.
        """
        return process(self.store, Input(name, sha256, raw_bytes), lambda: export, Asked(conversation_id, dry_run))

    def conversations(self) -> list[str]:
        """Ids of all stored conversations."""
        with self.store.transaction(write=False):
            return list(self.store.conversations())

    def global_unique_count(self) -> int:
        """Bodies stored over all conversations."""
        with self.store.transaction(write=False):
            return self.store.unique_count()

    def storage_bytes(self) -> tuple[int, int]:
        """Bytes of all distinct exports processed so far, and bytes that the store takes on disk, without the archive."""
        with self.store.transaction(write=False):
            return self.store.byte_counts()

    def seen_bytes(self) -> Seen:
        """Bytes of everything processed so far, and how many of them were there before."""
        with self.store.transaction(write=False):
            return self.store.seen_bytes()

    def lost_blob_bytes(self) -> int:
        """Bytes of images and documents that messages refer to and that are nowhere."""
        store = self.store.log_backed()
        if store is None:
            return 0
        with store.transaction(write=False):
            return store.lost_blob_bytes()


class PostgreSQLDeduplicator(ClaudeConversationDeduplicator):
    """The same over a store in PostgreSQL; without a ``connection_string`` the one of the environment or of the settings."""

    def __init__(self, connection_string: str | None = None) -> None:
        """Connect to nothing yet. Raises ``DatabaseAddressInvalid`` and ``PsycopgMissing``."""
        super().__init__(None, "postgresql", connection_string)
