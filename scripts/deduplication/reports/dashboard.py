"""What the user reads of the dashboard on the terminal. Pure functions to text."""

from __future__ import annotations

from ..terminal.console import printable


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
