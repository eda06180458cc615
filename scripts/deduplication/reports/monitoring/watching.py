"""What the user reads of a store that is watched: events as they come, and where the dashboard is. Pure functions to text."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from ...figures.counted import counted
from ...terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...activity.feed import Event, Now

COLUMNS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("when", {}),
    ("what", {}),
    ("messages", {"justify": "right"}),
    ("new", {"justify": "right"}),
    ("took", {"justify": "right"}),
    ("of", {"ratio": 1, "overflow": "ellipsis"}),
)
"""What a line says, and how its column is laid out."""


def cells(event: Event, titles: Callable[[str], str]) -> tuple[str, ...]:
    """One event, a text for each column."""
    has = bool(event.messages or event.milliseconds)
    about = titles(event.about) if event.kind in ("export", "capture", "purge") else event.about
    return (
        time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event.moment)),
        event.kind,
        f"{event.messages:,}" if has else "",
        f"{event.new:,}" if has and event.kind != "purge" else "",
        f"{event.milliseconds:,} ms" if event.milliseconds else "",
        printable(" · ".join(filter(None, (about, event.text)))),
    )


def line(event: Event, titles: Callable[[str], str]) -> str:
    """One event as a line: where there is no screen that stays."""
    when, kind, messages, new, took, of = cells(event, titles)
    numbers = ", ".join(filter(None, (messages and f"{messages} messages", new and f"{new} new", took)))
    return f"{when}  {kind:<8} {of}" + (f" ({numbers})" if numbers else "")


def head(now: Now, where: str) -> str:
    """How things stand; the path comes last, where a narrow screen may cut it."""
    parts = (
        counted(now.conversations, "conversation"),
        counted(now.messages, "message"),
        f"{now.today:,} new today",
        counted(now.exports, "export"),
        counted(now.captures, "capture"),
        printable(where),
    )
    return "📊 " + " · ".join(parts)


def busy(now: Now) -> str:
    """What is under way."""
    return f"under way: {', '.join(now.busy)}" if now.busy else "nothing is under way"


def snapshot(events: Sequence[Event], now: Now, where: str, titles: Callable[[str], str]) -> str:
    """All of it, once."""
    return "\n".join([head(now, where), busy(now), "", *(line(event, titles) for event in events)]).rstrip("\n")


def serving(url: str, store: str, *, own_token: bool) -> str:
    """Where it is."""
    key = "Your key opens it." if own_token else "Whoever has this address may read everything: it has the key in it."
    return f"📊 The dashboard of {printable(store)}:\n\n   {printable(url)}\n\n{key} Ctrl-C ends it."


def open_to_others(host: str) -> str:
    """What it means to listen where others are."""
    return (
        f"⚠ It listens at {printable(host)}, where other machines reach it, without encryption: the key and all conversations\n"
        "  can be read on the way. Better leave --host out, and put a reverse proxy with TLS before it (docs/monitoring.md)."
    )


def written(path: str, size: int) -> str:
    """The report as a file."""
    return f"📊 {printable(path)}: {size:,} bytes"
