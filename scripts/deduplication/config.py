"""The settings: defaults, then the project's ``.coditect/config.json``, then the environment.

An unknown setting or a value of another type is passed over: a slip in a file of settings must not stop a hook.
"""

from __future__ import annotations

import json
import os
from typing import Any, Final

FILE: Final = ".coditect/config.json"
ENVIRONMENT: Final = "EXPORT_DEDUP_"
OFF: Final = "off"
ONE: Final = "session"
EACH: Final = "checkpoint"
HOOK: Final = "hook"
MODEL: Final = "model"
DEFAULTS: Final[dict[str, Any]] = {
    "hooks": True,
    "capture_transcripts": True,
    "compact_context": True,
    "command_banner": HOOK,
    "hook_checkpoint": True,
    "session_files": OFF,
    "user_store": True,
}
"""``hooks``: do anything at all. ``capture_transcripts``: store the client's own transcripts. ``compact_context``: two lines of
context after a compaction or on resume. ``command_banner``: ``hook`` shows /export-dedup's banner without a request to the
model, ``model`` lets the model comment. ``hook_checkpoint``: a checkpoint commit when a hook processed an export.
``session_files``: ``session`` writes a readable file for each session in every run and commits it with the checkpoint,
``checkpoint`` writes a new file with what is new instead, ``off`` writes none.
``user_store``: capture into the user's own store where a project did not opt in."""


def load(root: str) -> dict[str, Any]:
    """Every setting for the project in the folder ``root``."""
    settings = dict(DEFAULTS)
    try:
        with open(os.path.join(root, FILE), "rb") as file:
            found = json.loads(file.read(1_000_000))
    except (OSError, ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        settings.update((name, value) for name, value in found.items() if _fits(name, value))
    for name, default in DEFAULTS.items():
        text = os.environ.get(ENVIRONMENT + name.upper())
        if text:
            value = text.strip().lower() in ("1", "true", "yes", "on") if isinstance(default, bool) else text.strip()
            if _fits(name, value):
                settings[name] = value
    return settings


def _fits(name: str, value: object) -> bool:
    if name == "command_banner":
        return value in (HOOK, MODEL)
    if name == "session_files":
        return value in (OFF, ONE, EACH)
    return name in DEFAULTS and isinstance(value, bool)
