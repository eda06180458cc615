"""What the user reads of alerts: in a list, below a run, in the status log, in the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ...figures.counted import counted
from ...files.clock import local
from ...terminal.called import as_called
from ...terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...alerts.alert import Alert

_MARKS: Final = {"critical": "❌", "warning": "⚠", "information": "·"}
_OVER: Final = "✓"
NONE: Final = "✓ No alert: nothing needs attention."
NO_TARGET: Final = (
    "No target: alerts are shown, and sent to nobody. Set 'alert_targets' in your own settings, or "
    "EXPORT_DEDUP_ALERT_TARGETS."
)
_LATELY: Final = 10


def listing(
    present: Sequence[Alert],
    recent: Sequence[Alert],
    targets: Sequence[Mapping[str, Any]],
    waiting: Sequence[Mapping[str, Any]],
) -> str:
    """The alerts that last, those of late, where they are sent, what waits."""
    lines = [NONE] if not present else [f"{counted(len(present), 'alert')}:"]
    for each in present:
        lines += ["", *_told(each)]
        if each.cure:
            lines.append(f"   → {printable(as_called(each.cure))}")
    if recent:
        lines += ["", "Lately:"]
        lines += [_line(each) for each in recent[:_LATELY]]
        lines += [f"  … {len(recent) - _LATELY} more (--json has all)"] if len(recent) > _LATELY else []
    if targets:
        lines += ["", "Sent to:", *(_target(each) for each in targets)]
    if waiting:
        lines.append(f"{counted(len(waiting), 'message')} to be sent" + _why(waiting))
    return "\n".join(lines)


def _told(each: Alert) -> list[str]:
    state = " (acknowledged)" if each.state == "acknowledged" else ""
    rule = f"{_MARKS.get(each.level, '·')} {each.level}: {each.rule.replace('_', ' ')}{state}"
    return [f"{rule} · {each.id} · since {local(each.since)}", f"   {printable(each.text)}"]


def _line(each: Alert) -> str:
    mark = _OVER if each.state == "resolved" else _MARKS.get(each.level, "·")
    over = "over: " if each.state == "resolved" else ""
    return f"  {mark} {local(each.changed)} {over}{printable(each.text)}"


def _target(each: Mapping[str, Any]) -> str:
    problem = f": {printable(each['problem'])}" if each["problem"] else ""
    return f"  {'❌' if problem else _OVER} {printable(each['name'])} ({printable(each['scheme']) or '?'}){problem}"


def _why(waiting: Sequence[Mapping[str, Any]]) -> str:
    last = next((each["error"] for each in waiting if each["error"]), "")
    return f"; the last try failed: {printable(last)}" if last else ""


def of_a_run(raised: Sequence[Alert], resolved: Sequence[Alert], unsent: str) -> str:
    """Below a run's summary: what is new and what is over; empty where nothing is. ``unsent``: why nothing can be sent."""
    lines = [f"{_MARKS.get(each.level, '·')} {each.level.capitalize()}: {printable(each.text)}" for each in raised]
    lines += [f"{_OVER} Over: {printable(each.text)}" for each in resolved]
    lines += [f"⚠ {printable(unsent)}"] if unsent and lines else []
    if not lines:
        return ""
    more = as_called("deduplicate_export.py alerts")
    return "\n".join(["", *lines, f"   → {more} lists them"])


def not_looked_for(error: str) -> str:
    """Below a run's summary, where looking failed."""
    return f"⚠ Alerts were not looked for ({printable(error)}); the run itself is done"


def log_line(each: Alert, moment: str) -> str:
    """A line of the status log; ``moment`` is on the user's own clock."""
    word = "Over" if each.state == "resolved" else each.level.capitalize()
    return f"{moment} · ⚠ Alert · {word}: {printable(each.text)}"


def not_captured(lacking: int, written: int) -> str:
    """In the client, where the store lacks what the client wrote: the words that count come first."""
    of = counted(written, "prompt or answer", "prompts and answers")
    return (
        f"❌ export-dedup does not capture this session: {lacking:,} of {of} "
        "are not in the store. 'doctor' says why; the transcript is whole"
    )


def captured_again() -> str:
    """In the client, where that is over."""
    return "✓ export-dedup captures this session again: all of it is in the store"


def capture_fails(error: str) -> str:
    """In the client, where a hook that captures failed."""
    return f"❌ export-dedup does not capture this session: {printable(error)}. 'doctor' says more; the transcript is whole"


def tested(answers: Mapping[str, str]) -> str:
    """What became of a test, target by target."""
    if not answers:
        return NO_TARGET
    return "\n".join(
        f"❌ {printable(name)}: {printable(error)}" if error else f"✓ {printable(name)}: delivered"
        for name, error in answers.items()
    )


def acknowledged(done: Sequence[Alert]) -> str:
    """Which alerts nobody will hear of again."""
    if not done:
        return "No alert to acknowledge."
    return "\n".join(f"✓ acknowledged: {each.id} {printable(each.text)}" for each in done)


def sent(waiting: Sequence[Mapping[str, Any]]) -> str:
    """What is left after a round of sending."""
    return f"{counted(len(waiting), 'message')} to be sent{_why(waiting)}" if waiting else "✓ Nothing waits to be sent."
