"""The hooks: in which form they are installed, whether the client calls them, what failed in them."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final, Optional

from ..accounting.run_history import seconds
from ..files import atomic
from ..files.clock import local
from ..hooks import failures, forms
from ..project import client_version
from ..reports.history import clock
from .finding import LINES, NOTE, OK, PROBLEM, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .finding import Subject

_PATIENCE: Final = 600
"""Seconds that a session may go on without a hook before something is wrong."""
_TAIL: Final = 16_384
_AGAIN: Final = "Run ./install.sh --project DIR of a checkout again."


def findings(subject: Subject) -> Iterator[Finding]:
    """Installed, firing, failures."""
    yield from _installed(subject)
    yield _firing(subject)
    yield from _failures(os.path.join(subject.folder, failures.NAME))


def _calls(subject: Subject) -> Iterator[Finding]:
    """An entry whose file is gone does nothing; one for an event that the client does not know costs the whole file."""
    version = _client(subject)
    lacking = client_version.known(version).lacking if version is not None else ()
    for path, events, needed in forms.calls(subject.root):
        gone = [name for name in needed if not os.path.isfile(os.path.join(subject.root, name))]
        if gone:
            text = f"{path} calls {gone[0]}, which is not there, at {', '.join(events)}"
            yield Finding("hooks", PROBLEM, text, f"{_AGAIN[:-1]}, or take these entries out.")
        refused = [event for event in events if event in lacking]
        if version is not None and refused:
            named, lowest = client_version.text(version), client_version.text(client_version.LOWEST)
            text = (
                f"{path} has {', '.join(refused)}, which Claude Code {named} does not know: it refuses the whole file"
            )
            yield Finding(
                "hooks", PROBLEM, text, f"Update it to {lowest} or newer, or run ./install.sh --project DIR again."
            )


def _client(subject: Subject) -> Optional[client_version.Version]:
    """The client of the last session here."""
    for each in reversed(subject.transcripts):
        version = client_version.of_transcript(each.path)
        if version is not None:
            return version
    return None


def _installed(subject: Subject) -> Iterator[Finding]:
    events, plugin = forms.project_events(subject.root), forms.plugin_enabled(subject.root)
    if not subject.settings["hooks"]:
        yield Finding("hooks", NOTE, "turned off by the setting 'hooks'")
        return
    wrong = list(_calls(subject))
    yield from wrong
    if wrong:
        return
    missing = [event for event in forms.EVENTS if event not in events]
    basic, version = client_version.known(None).events, _client(subject)
    needed = client_version.known(version).events if version is not None else basic
    lacking = [event for event in needed if event not in events]
    if events and lacking:
        yield Finding("hooks", PROBLEM, f"the project's own hooks lack {', '.join(lacking)}", _AGAIN)
    elif events and plugin:
        yield Finding("hooks", OK, "in the project and as a plugin: those of the plugin stand down")
    elif events or plugin:
        where = "in the project (.claude/settings.json)" if events else "as a plugin"
        yield Finding("hooks", OK, where + (_partly(missing) if events else ""))
    else:
        text = "not installed: nothing happens by itself (./install.sh --project DIR, or the plugin)"
        yield Finding("hooks", NOTE, text)


def _partly(missing: list[str]) -> str:
    lowest = client_version.text(client_version.LOWEST)
    return f", without {', '.join(missing)}: that needs Claude Code {lowest} or newer" if missing else ""


def _firing(subject: Subject) -> Finding:
    seen = _seen(os.path.join(subject.folder, "hooks.json"))
    details = tuple(f"{event} last at {local(moment)}" for event, moment in sorted(seen.items()))
    last = max(map(seconds, seen.values()), default=0.0)
    settings = [path for path in forms.settings_files(subject.root) if os.path.isfile(path)]
    since = max([last, *(os.stat(path).st_mtime for path in settings)])
    latest = max((each.mtime_ns / 1e9 for each in subject.transcripts), default=0.0)
    installed = forms.project_form(subject.root) or forms.plugin_enabled(subject.root)
    if installed and subject.settings["hooks"] and latest > since + _PATIENCE:
        called = f"since {clock(last)}" if seen else "at all"
        text = f"a session went on until {clock(latest)}, and no hook was called {called}"
        return Finding("firing", PROBLEM, text, "Start a new session; /hooks lists what the client knows.", details)
    if not seen:
        return Finding("firing", NOTE, "no hook was called yet")
    return Finding("firing", OK, f"the last hook was called at {clock(last)}", details=details)


def _seen(path: str) -> dict[str, str]:
    """When each event was last fired; what is no time is left out."""
    try:
        with atomic.open_regular(path) as file:
            noted = {str(event): str(each["last"]) for event, each in json.loads(file.read()).items()}
        for moment in noted.values():
            seconds(moment)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return noted


def _failures(path: str) -> Iterator[Finding]:
    try:
        with atomic.open_regular(path) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return
    told = [line for line in lines if line[:4].isdigit()][-LINES:]  # without traces
    if told:
        yield Finding("failures", NOTE, f"the last lines of {path}", details=tuple(told))
