"""The questions of the contracts that a state and the lines of a log answer; nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..start.late_dataclass import replace
from .prefix_answers import PrefixAnswers
from .state.exports import seen_in
from .state.figures import figures_of
from .state.run_counts import count_run

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Iterator, Sequence

    from ..alignment.columns import Columns
    from ..alignment.tombstone import Bans
    from ..figures.savings import Seen
    from .contract import ConversationFigures, Counts, Cursor, NewOccurrence, SeenExport, StoreFigures, Totals
    from .log.lines import Record
    from .runs import LoggedRun
    from .state.conversation import ConversationState
    from .state.table_records import ReadTo


class Answers(PrefixAnswers):
    """What a store over ``known`` answers (see :class:`~.contract.Store` for what each method promises)."""

    def conversations(self) -> list[str]:
        """Ids of all conversations, in the order in which they were begun."""
        return [name for name, found in self._known.state.conversations.items() if not found.adopted_by]

    def conversation(self, conversation_id: str) -> ConversationState:
        """What is known of a conversation."""
        return self._known.state.conversation(conversation_id)

    def canonical(self, conversation_id: str) -> str:
        """The conversation that this one turned out to be."""
        return self._known.state.canonical(conversation_id)[0]

    def candidates(self, shown: Columns) -> Sequence[str]:
        """Conversations that share telling turns, or a stretch at a seam, the one that shares most first."""
        from . import finding

        shared: dict[str, int] = {}
        for found in (finding.with_turns(self._known.state, shown), finding.with_bodies(self._known.state, shown)):
            for name, count in found.items():
                root = self.canonical(name)
                shared[root] = max(shared.get(root, 0), count)
        return sorted((name for name, count in shared.items() if count), key=lambda name: -shared[name])

    def session(self, session_id: str) -> str:
        """The conversation of a session."""
        found = self._known.state.sessions.get(session_id)
        return self.canonical(found) if found else ""

    def has_session(self, conversation_id: str) -> bool:
        """True where a session belongs to this conversation."""
        return self.conversation(conversation_id).has_session

    def cursor(self, source: str) -> tuple[str, Cursor, int] | None:
        """How far a growing file was read."""
        entry = self._known.state.cursors.get(source)
        return self._placed(entry) if entry else None

    def _placed(self, read: ReadTo) -> tuple[str, Cursor, int]:
        """A cursor in the conversation that its own turned out to be; nothing may be added behind it unseen there."""
        name, cursor, tip, _ = read
        root, at = self._known.state.canonical(name)
        if root == name:
            return name, cursor, tip
        return root, replace(cursor, last=cursor.last + at if cursor.last >= 0 else -1), -1

    def cursors(self) -> list[tuple[str, Cursor]]:
        """Every growing file that was read."""
        return [self._placed(entry)[:2] for entry in self._known.state.cursors.values()]

    def tip(self, conversation_id: str) -> int:
        """The next sequence number."""
        return len(self.conversation(conversation_id))

    def known_uuids(self, conversation_id: str, uuids: Sequence[str]) -> dict[str, list[int]]:
        """Sequence numbers of these ids."""
        from . import finding

        return finding.known_uuids(self._known.state, conversation_id, uuids)

    def body_hash(self, conversation_id: str, number: int) -> str:
        """The content hash of an occurrence."""
        return self.conversation(conversation_id).row(number)[0].content_hash

    def has_body(self, content_hash: str) -> bool:
        """True where a body with this identity is stored."""
        return self._known.state.has_body(content_hash)

    def run_of(
        self,
        conversation_id: str,
        occurrences: Sequence[tuple[int, NewOccurrence]],
        window: Iterable[Sequence[int]],
        *,
        captures: bool,
        besides: Container[str] = (),
    ) -> Counts:
        """What a run comes to."""
        return count_run(self._known.state, conversation_id, occurrences, window, captures=captures, besides=besides)

    def announced(self) -> Totals:
        """What was announced as new, and what waits."""
        return self._known.state.announced.totals()

    def bans(self) -> Bans:
        """What was purged wherever it is shown."""
        return self._known.state.bans()

    def seen(self, sha256: str) -> Sequence[SeenExport]:
        """What became of this very file before."""
        return seen_in(self._known.state, sha256)

    def bodies(self, conversation_id: str, numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
        """Messages by sequence number: ``index``, ``role``, ``kind``, ``content``, ``content_hash``, ``timestamp`` ..."""
        from .message_reader import read_messages

        return read_messages(self._known, conversation_id, numbers)

    def runs_of(self, conversation_ids: Collection[str], start: int = 0) -> Iterator[Record]:
        """The commit records of these conversations."""
        from .run_records import read_runs

        return read_runs(self._known, conversation_ids, start)

    def logged_runs(self, conversation_id: str) -> Iterator[LoggedRun]:
        """The runs of this conversation."""
        from .run_records import logged_runs

        return logged_runs(self._known, conversation_id)

    def commits(self, start: int = 0) -> Iterator[Record]:
        """All commit records."""
        from .run_records import commits_in

        return commits_in(line.data for line in self._known.log.lines(start))

    def figures(self, conversation_id: str) -> ConversationFigures:
        """Counts of a conversation."""
        return figures_of(self.conversation(conversation_id))

    def store_figures(self) -> StoreFigures:
        """The sums over all conversations."""
        return self._known.state.figures

    def unique_count(self) -> int:
        """Bodies stored, bookkeeping aside."""
        return self._known.state.unique

    def seen_bytes(self) -> Seen:
        """Bytes of everything that was processed."""
        return self._known.state.seen_bytes
