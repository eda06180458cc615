"""What the user reads of a store whose log a database or another machine has, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..figures.counted import counted
from ..files import clock
from ..start.late_dataclass import dataclass
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Waits:
    """Runs and bytes that the database does not have, since when it has the others, and what went wrong the last time, and when."""

    runs: int
    size: int
    at: str = ""
    failure: str = ""
    failed_at: str = ""


def state(waits: Waits) -> str:
    """What waits, and why."""
    if not waits.runs:
        return f"has all of this store (since {clock.local(waits.at)})" if waits.at else "nothing to send yet"
    tried = f"; the last attempt ({clock.local(waits.failed_at)}) failed: {printable(waits.failure)}"
    return f"{counted(waits.runs, 'run')} {'waits' if waits.runs == 1 else 'wait'} to be sent{tried if waits.failure else ''}"


def line(waits: Waits) -> str:
    """The same, by itself."""
    return f"🗄 Database: {state(waits)}"


def after_a_run(waits: Waits) -> str:
    """What happens to what waits once a run is done; with a mark where it went wrong the last time."""
    if waits.failure:
        return f"⚠ {line(waits)}"
    return f"🗄 Database: {counted(waits.runs, 'run is', 'runs are')} being sent, in the background"


def done(sent: int, again: int, received: int, waits: Waits) -> str:
    """What an exchange did."""
    told = ((sent, "sent"), (again, "sent behind those of others"), (received, "received"))
    parts = [f"{counted(count, 'run')} {what}" for count, what in told if count]
    return f"{', '.join(parts) or 'Nothing to do'}.\n{line(waits)}"


def taken_in(runs: int, purged: int, copies: int, files: int, folder: str | None) -> str:
    """What ``unite`` did; ``folder``: of the other store, None where it was copies."""
    if folder is None and not copies:
        return "Nothing to do: no copy of the log or of a pack lies there."
    gained = [counted(runs, "run")] if runs else []
    gained += [counted(files, "archived file")] if files else []
    lines = [f"{' and '.join(gained)} taken in" if gained else "Everything was there already"]
    if purged:
        lines.append(counted(purged, "message purged that was", "messages purged that were") + " purged there")
    if folder is None:
        lines.append(counted(copies, "copy is", "copies are") + " gone")
    return f"{', '.join(lines)}."


def as_dict(waits: Waits) -> Mapping[str, Any]:
    """For ``--json``."""
    found: dict[str, Any] = {"waiting_runs": waits.runs, "waiting_bytes": waits.size, "sent_at": waits.at or None}
    return {**found, "failure": waits.failure or None, "failed_at": waits.failed_at or None}
