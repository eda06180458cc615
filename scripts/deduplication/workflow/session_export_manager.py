"""SessionExportManager: an export in, its messages stored, its session file written; sessions out again in every form."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..accounting.storage_account import savings
from ..errors import ExportWarning, SessionUnknown, UsageError
from ..files.safe_read import read
from ..ingest.deduplicator import ClaudeConversationDeduplicator
from ..project import own_output
from ..project.export_names import file_name, validate_session_id
from ..project.paths import Project
from ..sessions import full_document
from ..sessions.folder import write_sessions
from ..sessions.own_files import file_among
from ..sessions.redaction import standard

if TYPE_CHECKING:
    from ..sessions.redaction import Redact

_FORMS = {
    "markdown": full_document.MARKDOWN,
    "md": full_document.MARKDOWN,
    "html": full_document.HTML,
    "json": full_document.JSON,
}


class SessionExportManager:
    """The exports and sessions of one project.

    ``storage_dir``, ``backend`` and ``connection_string`` say where the store is (default: ``MEMORY-CONTEXT/dedup_state`` in the
    project). ``each_checkpoint`` writes only what is new, to a new file for each import, instead of one file a session that
    grows. ``redact`` takes a text and gives the text without secrets and what was found in it (None:
    the standard way).
    """

    def __init__(
        self,
        project_root: str | os.PathLike[str],
        *,
        storage_dir: str | os.PathLike[str] | None = None,
        backend: str | None = None,
        connection_string: str | None = None,
        each_checkpoint: bool = False,
        redact: Redact | None = None,
    ) -> None:
        """Open nothing yet. Raises :class:`UsageError` where there is no such folder."""
        if not os.path.isdir(project_root):
            raise UsageError(f"no such project folder: {os.fspath(project_root)}")
        self.project = Project(Path(os.path.realpath(project_root)))
        folder = self.project.state if storage_dir is None else storage_dir
        self._folder = os.fspath(folder)
        self.dedup = ClaudeConversationDeduplicator(folder, backend, connection_string)
        self._each_checkpoint, self._redact = each_checkpoint, redact

    def import_export(self, export_file: str | os.PathLike[str], session_id: str | None = None) -> dict[str, Any]:
        """Store the messages of an export and write its session file; the export stays where it is.

        A relative path counts from the current folder, else from the project. Without ``session_id`` the conversation is found
        by content, else by the file's name. ``session_file`` is relative to the project where it lies in it; None where nothing
        is new for a file of its own. Raises the ``ExportError`` and ``StoreError`` families and :class:`SessionNotWritten`
        (the messages are stored then).
        """
        path = Path(export_file)
        if not path.is_absolute() and not os.path.lexists(path):
            path = self.project.root / path
        data, _ = read(path)
        own_output.refuse(data)
        done = self.dedup.ingest(data, name=file_name(path.name), conversation_id=session_id, keep=False)
        for warning in done.warnings:
            warnings.warn(warning, ExportWarning, stacklevel=2)
        written = write_sessions(
            self.project,
            self.dedup.store,
            [done.conversation_id],
            each_checkpoint=self._each_checkpoint,
            redact=self._redact,
        )[done.conversation_id]
        return {
            "session_id": done.conversation_id,
            "total_messages": done.total,
            "new_messages": done.new,
            "duplicates_filtered": done.duplicates,
            "storage_savings_pct": self.dedup.get_statistics(done.conversation_id)["storage_savings_pct"],
            "session_file": self.project.relative(Path(written.path)) if written.path else None,
        }

    def export_session(self, session_id: str, format: str = "markdown") -> str:  # noqa: A002 - the original design's name
        """The whole session as ``markdown`` (or ``md``), ``html`` (one page that needs nothing else) or ``json``.

        Raises :class:`SessionUnknown` where nothing is stored of it, :class:`UsageError` for another format.
        """
        form = _FORMS.get(format.lower())
        if form is None:
            raise UsageError(f"there is no format {format!r}", hint=f"Formats: {', '.join(_FORMS)}.")
        redact = self._redact or standard(self.project.root)[0]
        return full_document.text_of(self.dedup.store, validate_session_id(session_id), form, redact, pictures=True)

    def list_sessions(self) -> list[dict[str, Any]]:
        """Every session, the one that something was stored of last first.

        ``session_id``, ``messages``, ``unique_messages``, ``exports_processed``, ``created_at``, ``last_updated``, and
        ``session_file``, which is None where there is none yet.
        """
        store = self.dedup.store
        found = []
        folder = os.fspath(self.project.sessions)
        names = os.listdir(folder) if os.path.isdir(folder) else []
        with store.transaction(write=False):
            for name in store.conversations():
                figures = store.figures(name)
                file = file_among(name, names)
                found.append(
                    {
                        "session_id": name,
                        "messages": figures.occurrences,
                        "unique_messages": figures.unique,
                        "exports_processed": figures.exports,
                        "created_at": figures.created_at,
                        "last_updated": figures.updated_at,
                        "session_file": self.project.relative(self.project.sessions / file) if file else None,
                    }
                )
        return sorted(found, key=lambda each: (each["last_updated"], each["session_id"]), reverse=True)

    def statistics(self, session_id: str | None = None) -> dict[str, Any]:
        """The figures of one session (see ``get_statistics``), or the sums over all of them.

        Sums: ``sessions``, ``total_messages``, ``unique_messages`` (each body counted once over all sessions),
        ``messages_processed``, ``duplicates_filtered``, ``exports_processed``, ``raw_bytes``, ``stored_bytes``,
        ``storage_savings_pct`` (with the archive; None where something is damaged). Raises :class:`SessionUnknown` for a
        session of which nothing is stored.
        """
        if session_id is not None:
            if session_id not in self.dedup.conversations():
                raise SessionUnknown(session_id)
            return self.dedup.get_statistics(session_id)
        store = self.dedup.store
        with store.transaction(write=False):
            all_figures = [store.figures(name) for name in store.conversations()]
            storage = savings(self.dedup, self._folder)
            unique = store.unique_count()
        return {
            "sessions": len(all_figures),
            "total_messages": sum(each.occurrences for each in all_figures),
            "unique_messages": unique,
            "messages_processed": sum(each.messages_seen for each in all_figures),
            "duplicates_filtered": sum(each.duplicates for each in all_figures),
            "exports_processed": sum(each.exports for each in all_figures),
            "raw_bytes": storage.seen.raw,
            "stored_bytes": storage.stored,
            "storage_savings_pct": storage.saved_pct,
        }
