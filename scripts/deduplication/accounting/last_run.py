"""The last run that processed an export, kept beside the store: so that a command can show what a hook has done already.

Of the runs before it a line each is kept: who made them stands nowhere else.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any, Final, Optional

from ..files import atomic
from ..start.late_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..figures.run_result import RunResult
    from ..project.paths import Project

NAME: Final = "last_run.json"
LIVE: Final = "live"
"""The folder that hooks leave their markers in."""
BY_HOOK: Final = "hook"
BY_COMMAND: Final = "command"
KEPT: Final = 50
"""Runs before the last one of which a line is kept."""
RECENT: Final = 24 * 3600
"""Seconds for which a result is shown in the place of "no export found"."""
_UNREADABLE: Final = (
    *(OSError, ValueError, KeyError, TypeError, AttributeError),
    *(OverflowError, RecursionError),  # a number without end, brackets without end
)
"""What a file that is not ours any more may raise while it is read."""


@dataclass(frozen=True)
class Earlier:
    """A run that was made before: its figures, when it ended, who started it, and how much was captured around it.

    ``result`` is the object of ``--json``; ``finished`` is a time of this machine's clock, in seconds. ``since`` are the messages
    that came after it, ``unique`` those that the store has now.
    """

    result: dict[str, Any]
    finished: float
    by: str
    since: int = 0
    unique: int = 0

    @property
    def captured(self) -> int:
        """Those of its new messages that were captured before."""
        return int(self.result.get("captured", 0))

    @property
    def clock(self) -> str:
        """The time of day on the user's own clock: ``14:03``."""
        return time.strftime("%H:%M", time.localtime(self.finished))

    @property
    def names(self) -> list[str]:
        """The names of the exports that it processed."""
        return [os.path.basename(str(each.get("path"))) for each in self.result.get("exports", [])]

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.finished))
        return {
            **self.result,
            "by": self.by,
            "finished": moment,
            "captured": self.captured,
            "new_since": self.since,
        }


def save(project: Project, result: RunResult, by: str) -> None:
    """Keep the figures of a run. Best effort: the run itself is in the log, and nothing depends on this."""
    before = lines(str(project.state / NAME))[:KEPT]
    told = result.as_dict()
    record = {"finished": time.time(), "by": by, "captured": result.captured, "result": told, "before": before}
    _write(project, record)


def lines(path: str) -> list[dict[str, Any]]:
    """A line for each run that the file at ``path`` tells of, the newest first; none where it cannot be read.

    Each has ``finished`` (seconds), ``by``, ``exports`` (names), ``total_messages``, ``new_messages``, ``duplicates_filtered``,
    ``duration_s`` and ``failed``.
    """
    try:
        record = _record(path)
        result = record["result"]
        exports = result["exports"]
        last = {
            "finished": _moment(record["finished"]),
            "by": str(record["by"]),
            "exports": [os.path.basename(str(each["path"])) for each in exports],
            **{name: int(result[name]) for name in ("total_messages", "new_messages", "duplicates_filtered")},
            "duration_s": float(result["duration_s"]),
            "failed": sum("error" in each for each in exports),
        }
        before = [each for each in record.get("before", []) if isinstance(each, dict) and _like(each, last)]
    except _UNREADABLE:
        return []
    return [last, *before]


def _record(path: str) -> dict[str, Any]:
    with atomic.open_regular(path) as file:
        record: dict[str, Any] = json.loads(file.read())
    return record


def _moment(value: Any) -> float:
    """A time that a calendar has, in seconds. Raises ``ValueError``, ``TypeError``, ``OverflowError`` or ``OSError``."""
    time.gmtime(float(value))
    return float(value)


def _like(line: dict[str, Any], last: dict[str, Any]) -> bool:
    """Does a line have what the last one has, each in its kind?"""
    try:
        _moment(line.get("finished"))
    except _UNREADABLE:
        return False
    kinds = {name: (int, float) if isinstance(value, float) else type(value) for name, value in last.items()}
    return line.keys() == last.keys() and all(isinstance(line[name], kind) for name, kind in kinds.items())


def before_purge(project: Project, unique: int) -> dict[str, Any]:
    """What :func:`lower` has to know of the time before a purge, when the store had ``unique`` messages; empty for no run."""
    try:
        record = _record(str(project.state / NAME))
        return {"finished": record["finished"], "total": int(record["result"]["global_unique"]), "unique": unique}
    except _UNREADABLE:
        return {}


def lower(project: Project, before: Mapping[str, Any], unique: int) -> None:
    """Messages that were stored at the last run were purged since: the store has ``unique`` now. Best effort, as :func:`save`.

    It may be done again: ``before`` says what the figure was, so that nothing is taken from it twice.
    """
    try:
        record = _record(str(project.state / NAME))
        if record["finished"] != before["finished"]:
            return  # another run came, and counted anew
        record["result"]["global_unique"] = max(0, before["total"] - (before["unique"] - unique))
    except _UNREADABLE:
        return
    _write(project, record)


def _write(project: Project, record: dict[str, Any]) -> None:
    if project.state.is_dir():
        atomic.replace(str(project.state / NAME), json.dumps(record).encode(), durable=False)


def recent(project: Project, unique: int) -> Optional[Earlier]:
    """The last run, where a hook made it within a day; ``unique`` is how many messages the store has now."""
    try:
        record = _record(str(project.state / NAME))
        result, finished, by = record["result"], _moment(record["finished"]), record["by"]
        since = unique - int(result["global_unique"])
        names = [each["path"] for each in result["exports"]]
    except _UNREADABLE:
        return None
    if by != BY_HOOK or not names or not 0 <= time.time() - finished < RECENT:
        return None
    return Earlier(result, finished, by, max(0, since), unique)
