"""The last runs of a store: from the audit, which has the numbers, and from ``last_run.json``, which knows who made them."""

from __future__ import annotations

import contextlib
import os
import re
from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ..alignment.plain_text import FAILED, LOGGED, SUCCESS
from ..files import atomic
from ..project.paths import AUDIT, REPORTS, STATUS_LOG
from ..start.late_dataclass import dataclass, replace
from ..start.late_pattern import late_pattern
from ..storage.audit_entries import entry_of
from ..storage.log.lines import Damaged, decode_line
from ..storage.log.records import CAPTURE, PURGE
from ..storage.log.title_records import TITLE
from ..storage.log_backed import folder_of
from . import last_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..storage.audit_entries import AuditEntry
    from ..storage.contract import Store
    from ..storage.log_backed import LogBackedStore

_TOGETHER: Final = 2.0
"""Seconds: exports that were stored so close to each other, or to the beginning of a run, belong together."""
_TAIL: Final = 256 * 1024
"""Bytes at the end of the status log in which the last report is looked for."""
_ENDED: Final = late_pattern(
    r"^Status: \S+ \w+\nExit Code: (?P<code>\d+)\nCompleted: (?P<report>\S+)$"
    rf"|^(?P<day>\d{{4}}-\d\d-\d\d) (?P<time>\d\d:\d\d:\d\d){LOGGED}(?:{SUCCESS}|{FAILED} · Exit Code: (?P<failed>\d+)) ",
    re.MULTILINE,
)
"""How a run ended: in a report, which an older status log has whole, and in a line."""
_RULE: Final = "=" * 80
_TITLE: Final = "EXPORT-DEDUP EXECUTION REPORT"
_LINE: Final = late_pattern(rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d{LOGGED}")


@dataclass(frozen=True)
class Captured:
    """What transcripts brought in between two runs; ``new`` are the messages that were not stored before.

    ``last`` is in seconds, 0 where there was nothing.
    """

    parts: int = 0
    total: int = 0
    new: int = 0
    last: float = 0.0


@dataclass(frozen=True)
class Run:
    """One run over exports. ``finished`` is in seconds; ``by`` is ``hook``, ``command``, or empty where nobody noted it."""

    finished: float
    by: str
    exports: tuple[str, ...]
    conversations: tuple[str, ...]
    total: int
    new: int
    duplicates: int
    captured: int = 0
    """Those of the new messages that were captured before."""
    failed: int = 0
    since: Captured = Captured()
    """What was captured after it, until the next run or until now."""


@dataclass(frozen=True)
class Report:
    """The last report in the status log: its exit code and when it was completed, on the user's clock, in ISO form."""

    exit_code: int
    completed: str


@dataclass(frozen=True)
class _Entry:
    moment: float
    conversation: str
    name: str
    total: int
    new: int
    captured: int
    captures: bool


def runs(folder: str, store: Store | None = None) -> tuple[list[Run], Captured]:
    """Every run that the store in ``folder`` knows of, the newest first, and what was captured before the first one.

    ``store`` is asked where it does not lie there, but in a database. Raises ``StoreError`` where that cannot be reached.
    """
    elsewhere = store.log_backed() if store is not None and folder_of(store) is None else None
    entries = list(_told(_lines(os.path.join(folder, AUDIT)) if elsewhere is None else _entries(elsewhere)))
    exports = [entry for entry in entries if not entry.captures]
    found: list[Run] = []
    lines = last_run.lines(os.path.join(folder, last_run.NAME))
    for line, before in zip(lines, [*(each["finished"] for each in lines[1:]), 0.0]):
        begun = max(line["finished"] - line["duration_s"] - _TOGETHER, before)  # nothing of the run before it
        own = [entry for entry in exports if begun <= entry.moment <= line["finished"]]
        exports = [entry for entry in exports if entry not in own]
        found.append(_noted(line, own))
    found += _unnoted(exports)
    found.sort(key=lambda run: run.finished)
    captures = [entry for entry in entries if entry.captures]
    bounds = [0.0, *(run.finished for run in found), float("inf")]
    between = [
        _captured([entry for entry in captures if after < entry.moment <= until])
        for after, until in zip(bounds, bounds[1:])
    ]
    return [replace(run, since=since) for run, since in zip(found, between[1:])][::-1], between[0]


def last_report(path: str | os.PathLike[str]) -> Report | None:
    """How the last report in the status log at ``path`` ended; None where there is none."""
    try:
        with atomic.open_regular(os.fspath(path)) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return None
    found = list(_ENDED.finditer(text))
    if not found:
        return None
    last = found[-1]
    return Report(int(last["code"] or last["failed"] or 0), last["report"] or f"{last['day']}T{last['time']}")


def reports(folder: str, most: int) -> list[str]:
    """The newest ``most`` whole reports of the project whose store is in ``folder``, the newest first.

    Versions up to 0.1 kept them in the status log: what stands there is older than what stands beside the store.
    """
    found: deque[list[str]] = deque(maxlen=most)
    for path in (os.path.join(os.path.dirname(folder), STATUS_LOG), os.path.join(folder, REPORTS)):
        goes_on = False
        for line in _text_of(path):
            if line == _TITLE:
                if goes_on:
                    found[-1].pop()  # the rule above this title
                found.append([_RULE])
                goes_on = True
            elif _LINE.match(line):
                goes_on = False
            if goes_on:
                found[-1].append(line)
    return ["\n".join(lines).rstrip("\n") for lines in found][::-1]


def _text_of(path: str) -> Iterator[str]:
    with contextlib.suppress(OSError), atomic.open_regular(path) as file:
        for line in file:
            yield line.decode("utf-8", "replace").rstrip("\r\n")


def _lines(path: str) -> Iterator[AuditEntry]:
    """The lines of the audit; what cannot be read is passed over: ``verify`` tells of it."""
    try:
        with atomic.open_regular(path) as file:
            for line in file:
                with contextlib.suppress(Damaged, KeyError, TypeError, ValueError):
                    yield entry_of(decode_line(line))
    except OSError:
        return


def _entries(store: LogBackedStore) -> Iterator[AuditEntry]:
    with store.transaction(write=False):
        yield from store.audit()


def _told(audit: Iterable[AuditEntry]) -> Iterator[_Entry]:
    """The entries of runs that can be read."""
    for each in audit:
        captures = each.operation == CAPTURE
        with contextlib.suppress(KeyError, TypeError, ValueError):
            if each.operation not in (PURGE, TITLE):
                yield _Entry(
                    moment=seconds(each.created_at),
                    conversation=each.conversation_id,
                    name=str(each.metadata["name"]),
                    total=int(each.messages_processed),
                    new=int(each.metadata["captured_messages" if captures else "new_messages"]),
                    captured=int(each.metadata.get("captured", 0)),
                    captures=captures,
                )


def seconds(moment: str) -> float:
    """A time of the log in seconds. Raises :class:`ValueError` for what is none."""
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()


def _noted(line: dict[str, Any], own: list[_Entry]) -> Run:
    return Run(
        finished=line["finished"],
        by=line["by"],
        exports=tuple(line["exports"]),
        conversations=tuple(dict.fromkeys(entry.conversation for entry in own)),
        total=line["total_messages"],
        new=line["new_messages"],
        duplicates=line["duplicates_filtered"],
        captured=sum(entry.captured for entry in own),
        failed=line["failed"],
    )


def _unnoted(entries: list[_Entry]) -> list[Run]:
    """Exports of which only the audit tells; those stored one right after the other are one run."""
    groups: list[list[_Entry]] = []
    for entry in entries:
        if groups and entry.moment - groups[-1][-1].moment <= _TOGETHER:
            groups[-1].append(entry)
        else:
            groups.append([entry])
    return [
        Run(
            finished=group[-1].moment,
            by="",
            exports=tuple(entry.name for entry in group),
            conversations=tuple(dict.fromkeys(entry.conversation for entry in group)),
            total=sum(entry.total for entry in group),
            new=sum(entry.new for entry in group),
            duplicates=sum(entry.total - entry.new for entry in group),
            captured=sum(entry.captured for entry in group),
        )
        for group in groups
    ]


def _captured(entries: list[_Entry]) -> Captured:
    return Captured(
        parts=len(entries),
        total=sum(entry.total for entry in entries),
        new=sum(entry.new for entry in entries),
        last=max((entry.moment for entry in entries), default=0.0),
    )
