"""One export into the store: its bytes read, its messages stored, and whose fault it is where that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional, Protocol

from ..errors import DedupError, ExportError, UnsafePath
from ..figures.run_result import ExportResult
from ..files.safe_read import read
from ..project.export_names import file_name
from ..start.late_dataclass import dataclass, replace

if TYPE_CHECKING:
    from pathlib import Path

    from ..archive.discovery import Candidate
    from ..figures.savings import Seen
    from ..files.safe_read import Identity
    from ..storage.contract import Store


class Deduplicator(Protocol):
    """What the steps need of a deduplicator."""

    store: Store
    """Where does it keep what is new?"""

    def ingest(
        self,
        data: bytes,
        *,
        name: str,
        conversation_id: str | None = None,
        dry_run: bool = False,
        strict: bool = False,
        keep: bool = True,
        counted: set[str] | None = None,
    ) -> Any:
        """Which messages of this export are new? They are durable when this returns."""

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
    ) -> Any:
        """The same for a file that is too large to be read whole. None: it is not one of these."""

    def global_unique_count(self) -> int:
        """How many different messages does the store hold?"""

    def seen_bytes(self) -> Seen:
        """How many bytes went in over all runs, and how many of them were there before?"""

    def lost_blob_bytes(self) -> int:
        """How many bytes of images and documents are nowhere?"""


@dataclass
class Entry:
    """One export on its way through the steps."""

    candidate: Candidate
    result: ExportResult
    identity: Optional[Identity] = None
    sha256: str = ""
    """Set once its messages are durable."""
    done: Any = None
    """What the deduplicator said of it."""


@dataclass(frozen=True)
class Failure:
    """Why one export could not be processed. ``defect`` is the cause where it is one of ours, not the file's."""

    error: DedupError
    defect: Optional[Exception] = None


def process(
    entry: Entry, dedup: Deduplicator, session_id: str | None, *, counted: set[str] | None = None, keep: bool = False
) -> Failure | None:
    """Read the export of ``entry`` and have its messages stored; the entry then has its figures, or its error.

    With ``counted`` nothing is stored: it has the bodies of the exports before, which count as stored. ``keep``: the result is
    to have the new messages.

    A failure of the file is returned. What may be the store's is raised: nothing more should be done with it.
    """
    data = b""
    path = entry.candidate.path
    try:
        asked: Any = {
            "name": file_name(path.name),
            "conversation_id": session_id,
            **({"dry_run": True, "counted": counted} if counted is not None else {}),
            "strict": not entry.candidate.named,
            "keep": keep,
        }
        entry.identity = entry.candidate.identity
        done = dedup.ingest_file(path, **asked)
        if done is None:
            data, entry.identity = read(path)
            done = dedup.ingest(data, **asked)
    except (ExportError, UnsafePath) as error:
        return _failed(entry, Failure(error))
    except DedupError:
        raise
    except Exception as error:
        if not _breaks_the_parser(data):
            raise
        named = DedupError(f"{type(error).__name__}: {error}", hint="This is a defect of export-dedup.")
        return _failed(entry, Failure(named, error))
    entry.done, entry.sha256 = done, done.sha256
    entry.result = ExportResult.of(entry.result.path, done)
    return None


def _failed(entry: Entry, failure: Failure) -> Failure:
    entry.result = replace(entry.result, error=str(failure.error))
    return failure


def _breaks_the_parser(data: bytes) -> bool:
    """Whether an unexpected failure is owed to the file, not to the store: then the store was not touched by it."""
    from .. import formats

    try:
        formats.parse(data)
    except DedupError:
        return False
    except Exception:  # noqa: BLE001 - whatever a parser lets through is its defect; the caller reports the first one
        return True
    return False
