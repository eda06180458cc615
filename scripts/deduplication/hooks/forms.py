"""The two forms in which our hooks can be there: a project's own installation, and the plugin. One of both stands down."""

from __future__ import annotations

import json
import os
from typing import Any, Final

from ..files import atomic
from ..project.client_version import EVENTS

ENTRY: Final = ".coditect/hooks/run"
"""Every command of the project form has it, and no other."""
SHIM: Final = ".coditect/hooks/run.py"
TWIN: Final = ".coditect/hooks/run.cmd"
"""What is called on a Windows that has no ``sh``."""
NEEDED: Final = (".coditect/hooks/run.sh", SHIM, ".coditect/scripts/deduplication/hooks/entry.py")
"""What a call of ours runs, one after the other; on a Windows without ``sh`` it begins with ``TWIN``."""
PLUGIN: Final = "export-dedup@"
__all__ = ["EVENTS", "calls", "plugin_enabled", "project_events", "project_form", "settings_files", "stands_down"]
_PROJECT_FILES: Final = (".claude/settings.json", ".claude/settings.local.json")
_MOST: Final = 1_000_000
"""Bytes of a settings file that are read."""


def settings_files(root: str) -> list[str]:
    """The files in which the client looks for settings of a project: the user's, the project's, the user's for it."""
    config = os.environ.get("CLAUDE_CONFIG_DIR") or os.path.join(os.path.expanduser("~"), ".claude")
    return [os.path.join(config, "settings.json"), *(os.path.join(root, name) for name in _PROJECT_FILES)]


def plugin_enabled(root: str) -> bool:
    """True where the plugin form is active for the user or for the project: the last file that says so decides."""
    enabled: dict[str, bool] = {}
    for path in settings_files(root):
        plugins = _read(path).get("enabledPlugins")
        if isinstance(plugins, dict):
            enabled.update((name, value is True) for name, value in plugins.items() if name.startswith(PLUGIN))
    return any(enabled.values())


def project_events(root: str) -> set[str]:
    """The events for which the project's settings call our hooks."""
    found: set[str] = set()
    for name in _PROJECT_FILES:
        hooks = _read(os.path.join(root, name)).get("hooks")
        if isinstance(hooks, dict):
            found.update(event for event, groups in hooks.items() if _runs(ENTRY, groups))
    return found


def calls(root: str) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Each file of settings in which our project form's hooks are called, for which events, and what these calls run."""
    found: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = []
    for path in settings_files(root):
        hooks = _read(path).get("hooks")
        events = (
            tuple(event for event, groups in hooks.items() if _runs(ENTRY, groups)) if isinstance(hooks, dict) else ()
        )
        if events:
            found.append((path, events, (TWIN, *NEEDED[1:]) if _runs(TWIN, hooks) else NEEDED))
    return found


def project_form(root: str) -> bool:
    """True where the project has hooks of its own installation that can run."""
    return os.path.isfile(os.path.join(root, SHIM)) and bool(project_events(root))


def stands_down(root: str) -> bool:
    """True where this process is the plugin's and the project has hooks of its own: one of both is enough."""
    return bool(os.environ.get("CLAUDE_PLUGIN_ROOT")) and project_form(root)


def _runs(name: str, groups: object) -> bool:
    """Is the file ``name`` called in these entries, with slashes of either kind?"""
    return name in json.dumps(groups).replace("\\\\", "/")


def _read(path: str) -> dict[str, Any]:
    try:
        with atomic.open_regular(path, follow=True) as file:
            found = json.loads(file.read(_MOST).decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
