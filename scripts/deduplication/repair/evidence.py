"""What the whole lines of a damaged log tell: which runs there were, which numbers are taken, and what each run showed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Optional

from .. import formats
from ..errors import DedupError
from ..ingest.export_view import view_of
from ..model import LOST
from ..start.late_tuple import NamedTuple
from ..storage.log.lines import is_commit
from ..storage.log.records import PURGED
from .raw_sources import called, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..alignment.fingerprint import Fingerprint
    from ..model import Export, Message
    from ..storage.log.salvage import Piece
    from ..storage.log_backed import Remembered
    from .raw_sources import Sources


_AT_HAND: Final = 8
"""Exports that are kept parsed."""


class FoundMessage(NamedTuple):
    """A message as an archived file shows it, and the file's name."""

    message: Message
    item: Fingerprint
    file: str


class Evidence:
    """What can be told before the first damaged line is mended.

    ``remembered``: what an index that can be believed had of the log.
    """

    def __init__(self, pieces: Sequence[Piece], sources: Sources, remembered: Remembered) -> None:
        self.sources = sources
        self.remembered = remembered
        self.commits: list[dict[str, Any]] = []
        self.present: dict[str, dict[int, str]] = {}
        """By conversation: the content hash of each sequence number of which the line is whole."""
        self.purged: dict[str, set[int]] = {}
        """By conversation: the sequence numbers of its tombstones."""
        self.blanked: dict[str, int] = {}
        """What :mod:`.blanked` found out of archived files, by their SHA-256."""
        self.digests: set[str] = set()
        """SHA-256 of every export of which the commit record is whole."""
        self._after: dict[tuple[str, int], str] = {}
        self._starts: dict[str, list[int]] = {}
        self._cache: dict[int, dict[int, FoundMessage]] = {}
        for piece in pieces:
            if piece.record is not None:
                self._note(piece.record)

    def _note(self, record: dict[str, Any]) -> None:
        if not is_commit(record):
            if type(record.get("index")) is int:
                own = self.present.setdefault(record["conversation_id"], {})
                own[record["index"]] = str(record.get("content_hash"))
                if PURGED in record:
                    self.purged.setdefault(record["conversation_id"], set()).add(record["index"])
            return
        self.commits.append(record)
        export = record["export"]
        self.digests.add(export["sha256"])
        cursor = record.get("cursor")
        if cursor:
            self._after[cursor["source"], cursor["offset"]] = cursor["after"]
            self._starts.setdefault(cursor["source"], []).append(cursor["offset"] - export["bytes"])

    def was_stored(self, conversation_id: str, number: int) -> bool:
        """Whether an index remembers a message under this sequence number."""
        kinds = self.remembered.kinds.get(conversation_id, ())
        return 0 <= number < len(kinds) and kinds[number] != LOST

    def was_purged(self, conversation_id: str, number: int) -> bool:
        """Whether an index remembers that this sequence number was purged."""
        return number in self.remembered.purged.get(conversation_id, ())

    def sources_captured(self) -> list[str]:
        """The paths of the transcripts that were captured."""
        return list(self._starts)

    @staticmethod
    def is_named(record: Mapping[str, Any], name: str) -> bool:
        """Whether a run is that of a file, or of a conversation in one, that the archive calls by this name."""
        own = record["export"]["name"]
        return not record.get("cursor") and not called(name).isdisjoint((own, own.partition(": ")[0]))

    def next_part(self, source: str, offset: int) -> Optional[int]:
        """Where the next part of a transcript begins that was captured behind ``offset``, as far as it is known."""
        return min((start for start in self._starts.get(source, ()) if start > offset), default=None)

    def export_of(self, record: Mapping[str, Any]) -> Optional[tuple[Export, str]]:
        """The export of a run, parsed once more, and the file that has it; None where nothing has its bytes."""
        export, cursor = record["export"], record.get("cursor")
        try:
            if cursor:
                part = self.sources.part(cursor, export["bytes"], export["sha256"])
                after = self._after.get((cursor["source"], part.start), "") if part is not None else ""
                return (parsed(part, after), part.where) if part is not None else None
            raw = self.sources.file(export["sha256"])
            if raw is not None:
                return formats.load(export["format"]).parse(raw.data), raw.name
            member = self.sources.members().get(export["sha256"])
            return (member.export, export["name"]) if member is not None else None
        except (DedupError, KeyError):
            return None

    def exported_messages(self, record: Mapping[str, Any]) -> Mapping[int, FoundMessage]:
        """Each message of a run's export by its sequence number; nothing where the two do not fit together."""
        key = id(record)
        if key not in self._cache:
            if len(self._cache) >= _AT_HAND:
                del self._cache[next(iter(self._cache))]
            self._cache[key] = self._fitted(record)
        return self._cache[key]

    def _fitted(self, record: Mapping[str, Any]) -> dict[int, FoundMessage]:
        found = self.export_of(record)
        if found is None:
            return {}
        shown = view_of(found[0])
        numbers = [number for first, last in record["window"] for number in range(first, last + 1)]
        if len(numbers) != len(shown.messages):
            return {}
        rows = {n: FoundMessage(m, p, found[1]) for n, m, p in zip(numbers, shown.messages, shown.prints)}
        # The lines that this run brought and that are whole must say what the export says in their places.
        own = self.present.get(record["conversation_id"], {})
        first = min((n for n in rows if n in own and own[n] == rows[n].item.content_hash), default=None)
        agree = sum(own.get(n) == row.item.content_hash for n, row in rows.items() if n in own)
        known = sum(n in own for n in rows)
        return rows if not known or (first is not None and 2 * agree >= known) else {}

    def found(self, conversation_id: str, number: int, content_hash: str, *, exactly: bool) -> Optional[FoundMessage]:
        """The message of this number as a source has it, with this content hash where that is known.

        Else, unless it must be so ``exactly``, as it was drawn in another export.
        """
        drawn: Optional[FoundMessage] = None
        for shown in self.showing(conversation_id, number):
            if content_hash in ("", shown.item.content_hash):
                return shown
            drawn = drawn or shown
        carried = self.sources.carrying(content_hash) if content_hash else None
        if carried is not None:
            return FoundMessage(*carried)
        return None if exactly else drawn

    def showing(self, conversation_id: str, number: int) -> Iterator[FoundMessage]:
        """What each run that showed this sequence number has in its place, the first one first."""
        for record in self.commits:
            if record["conversation_id"] == conversation_id and any(a <= number <= b for a, b in record["window"]):
                row = self.exported_messages(record).get(number)
                if row is not None:
                    yield row
