"""The settings: defaults, then the project's ``.coditect/config.json``, then the environment.

An unknown setting or a value of another type is passed over: a slip in a file of settings must not stop a hook.
"""

from __future__ import annotations

import json
import os
from typing import Any, Final

FILE: Final = ".coditect/config.json"
ENVIRONMENT: Final = "EXPORT_DEDUP_"
HOOK: Final = "hook"
MODEL: Final = "model"
DEFAULTS: Final[dict[str, Any]] = {
    "hooks": True,
    "capture_transcripts": True,
    "compact_context": True,
    "command_banner": HOOK,
    "hook_checkpoint": True,
    "pack_older_than_days": 7,
    "user_store": True,
}
"""``hooks``: do anything at all. ``capture_transcripts``: store the client's own transcripts. ``compact_context``: two lines of
context after a compaction or on resume. ``command_banner``: ``hook`` shows /export-dedup's banner without a request to the
model, ``model`` lets the model comment. ``hook_checkpoint``: a checkpoint commit when a hook processed an export.
``pack_older_than_days``: when an archived export goes into a pack, 0 at once, below 0 never.
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
            value = _value(text.strip(), default)
            if _fits(name, value):
                settings[name] = value
    return settings


def _value(text: str, default: object) -> object:
    if isinstance(default, bool):
        return text.lower() in ("1", "true", "yes", "on")
    if isinstance(default, str):
        return text
    try:
        return float(text)
    except ValueError:
        return None


def _fits(name: str, value: object) -> bool:
    if name == "command_banner":
        return value in (HOOK, MODEL)
    if name == "pack_older_than_days":
        return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e6
    return name in DEFAULTS and isinstance(value, bool)
