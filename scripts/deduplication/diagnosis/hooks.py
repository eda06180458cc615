"""The hooks: in which form they are installed, whether the client calls them, what failed in them."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

from .. import atomic
from ..clock import local
from ..history_report import clock
from ..live import failures, forms
from ..run_history import seconds
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
    yield _installed(subject)
    yield _firing(subject)
    yield from _failures(os.path.join(subject.folder, failures.NAME))


def _installed(subject: Subject) -> Finding:
    events, plugin = forms.project_events(subject.root), forms.plugin_enabled(subject.root)
    if not subject.settings["hooks"]:
        return Finding("hooks", NOTE, "turned off by the setting 'hooks'")
    if events and not os.path.isfile(os.path.join(subject.root, forms.SHIM)):
        return Finding("hooks", PROBLEM, f"the project's settings call {forms.SHIM}, which is not there", _AGAIN)
    missing = [event for event in forms.EVENTS if event not in events]
    if events and missing:
        return Finding("hooks", PROBLEM, f"the project's own hooks lack {', '.join(missing)}", _AGAIN)
    if events and plugin:
        return Finding("hooks", OK, "in the project and as a plugin: those of the plugin stand down")
    if events or plugin:
        return Finding("hooks", OK, "in the project (.claude/settings.json)" if events else "as a plugin")
    text = "not installed: nothing happens by itself (./install.sh --project DIR, or the plugin)"
    return Finding("hooks", NOTE, text)


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
