"""A run logged: its new occurrences, then the record of what it processed and which window that showed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..alignment.purged_places import purged_warning
from ..alignment.reading_order import ranges
from ..model import counts
from ..start.late_dataclass import replace
from ..storage.contract import Mark
from ..storage.log.title_records import CLIENT
from ..storage.state.titled import FIGURE
from .conversation_match import session_of
from .export_view import message_dict, placed_marks
from .new_bodies import carrying_bodies, new_here, shown_bodies, span_bytes
from .proven_prefix import Above
from .result import record_of, result_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..model import Export
    from ..storage.contract import Same, Store
    from .export_view import ExportView
    from .new_bodies import Run
    from .result import Ingest, Input

_NOTHING: Final = Above()


def commit_run(
    store: Store,
    target: str,
    export: Export,
    source: Input,
    shown: ExportView,
    run: Run,
    started: float,
    *,
    windows: dict[str, Any] | None = None,
    same: Sequence[Same] = (),
    dry_run: bool = False,
    counted: set[str] | None = None,
    gone: int = 0,
    above: Above = _NOTHING,
    keep: bool = True,
) -> Ingest:
    """Log the run: its new occurrences, then the record with the number of every message shown.

    ``windows`` is what the record says of them where they are not just one window of which nothing is noted; ``gone`` messages of
    the export are not ``shown``, because they were purged. ``above``: what it has above what was read; ``keep``: see ``Asked``.
    """
    numbers, cursor = run.numbers, source.cursor
    besides = frozenset(counted or ())
    carrying = carrying_bodies(store, run.occurrences, besides)
    windows = {"titles": _new_titles(store, target, export), **(windows or {"window": ranges(numbers)})}
    found = store.run_of(target, run.occurrences, windows["window"], captures=source.captures, besides=besides)
    if counted is not None:
        counted.update(shown_bodies(run))
    gone += _purged(store, target, shown, run)
    record = record_of(
        source,
        export.format,
        total=above.counted + sum(counts(kind) for kind in shown.rows.kinds),
        new=found.stored if source.captures else found.new,
        captured=found.captured,
        **windows,
        marks=[*_ended(above.marks, numbers), *placed_marks(shown.marks, numbers)],
        gaps=run.gaps,
        session=session_of(export),
        cursor=cursor and replace(cursor, last=numbers[-1] if numbers else cursor.last),
        follows=source.follows if numbers else -1,
        purged=gone,
        known_bytes=above.shown + span_bytes(export.messages) - span_bytes([new.message for _, new in carrying]),
    )
    new = [message_dict(occurrence, number) for number, occurrence in new_here(run)] if keep else []
    if not dry_run:
        store.commit(target, run.occurrences, record, started, same)
    warnings = (*export.warnings, *shown.warnings, *purged_warning(gone))
    return result_of(store, target, record, warnings, new, known_before=False)


def _new_titles(store: Store, target: str, export: Export) -> tuple[tuple[str, str], ...]:
    """What the source calls the conversation, where that was not known.

    Nothing once something of it was purged: who knows what the client made of what is gone.
    """
    conversation = store.conversation(target)
    if conversation.purged:
        return ()
    known = (conversation.figures.get(FIGURE) or {}).get(CLIENT, {})
    return tuple((kind, text) for kind, text in export.titles if known.get(kind, ("", ""))[1] != text)


def _purged(store: Store, target: str, shown: ExportView, run: Run) -> int:
    """How many of the messages shown that are counted were purged."""
    purged = store.conversation(target).purged.union(n for n, new in run.occurrences if new.purged is not None)
    return sum(counts(kind) and number in purged for kind, number in zip(shown.rows.kinds, run.numbers))


def _ended(marks: Sequence[tuple[str, int]], numbers: Sequence[int]) -> list[Mark]:
    """Marks of what stands above ``numbers``: behind its last message now comes the first of these."""
    return [Mark(kind, number if number >= 0 or not numbers else numbers[0]) for kind, number in marks]
