"""The settings: defaults, then the project's ``.coditect/config.json``, then the environment.

An unknown setting or a value of another type is passed over: a slip in a file of settings must not stop a hook.
"""

from __future__ import annotations

import json
import os
from typing import Any, Final

from . import atomic

FILE: Final = ".coditect/config.json"
ENVIRONMENT: Final = "EXPORT_DEDUP_"
OFF: Final = "off"
ONE: Final = "session"
EACH: Final = "checkpoint"
HOOK: Final = "hook"
MODEL: Final = "model"
COMMAND: Final = "command"
DEFAULTS: Final[dict[str, Any]] = {
    "hooks": True,
    "capture_transcripts": True,
    "archive_transcripts": True,
    "compact_context": True,
    "command_banner": HOOK,
    "hook_checkpoint": True,
    "session_files": ONE,
    "pack_older_than_days": 7,
    "backup_retention_days": 30,
    "user_store": True,
    "readme_checkpoints": COMMAND,
    "commit_hooks": False,
    "commit_signing": True,
    "privacy_level": "team",
    "privacy_patterns": {},
    "privacy_allow": [],
    "privacy_detect_secrets": True,
}
"""``hooks``: do anything at all. ``capture_transcripts``: store the client's own transcripts. ``archive_transcripts``: keep
them as files in the archive's packs, too, for when the client deletes its own. ``compact_context``: two lines of
context after a compaction or on resume. ``command_banner``: ``hook`` shows /export-dedup's banner without a request to the
model, ``model`` lets the model comment. ``hook_checkpoint``: a checkpoint commit when a hook processed an export.
``session_files``: ``session`` writes a readable file for each session in every run and commits it with the checkpoint,
``checkpoint`` writes a new file with what is new instead, ``off`` writes none.
``pack_older_than_days``: when an archived export goes into a pack, 0 at once, below 0 never. ``backup_retention_days``: how
long a snapshot of a backup is kept, below 0 for ever.
``user_store``: capture into the user's own store where a project did not opt in. ``readme_checkpoints``: a line in the
project's README for each checkpoint (true), for those of ``create-checkpoint.py`` (``command``), or for none (false).
``commit_hooks``: run the repository's commit hooks for a checkpoint commit. ``commit_signing``: sign it where git is to sign
commits. ``privacy_level``: what is redacted in what is shared, ``private``, ``team`` or ``public``; ``privacy_patterns``: further
patterns by name; ``privacy_allow``: what is no secret; ``privacy_detect_secrets``: use ``detect-secrets`` where it is installed."""
STRICTEST: Final = "public"


def load(root: str) -> dict[str, Any]:
    """Every setting for the project in the folder ``root``."""
    settings = dict(DEFAULTS)
    try:
        with atomic.open_regular(os.path.join(root, FILE), follow=True) as file:
            found = json.loads(file.read(1_000_000))
    except (OSError, ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        settings.update((name, value) for name, value in found.items() if fits(name, value))
        if not fits("privacy_level", found.get("privacy_level", STRICTEST)):
            settings["privacy_level"] = STRICTEST  # a slip of the pen must not publish anything
    for name, default in DEFAULTS.items():
        if not isinstance(default, (bool, str, int)):
            continue
        text = os.environ.get(ENVIRONMENT + name.upper())
        if text:
            value = _value(text.strip(), default if name != "readme_checkpoints" or text.strip() == COMMAND else True)
            if fits(name, value):
                settings[name] = value
            elif name == "privacy_level":
                settings[name] = STRICTEST
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


def fits(name: str, value: object) -> bool:
    """True for a setting that exists with a value that it can have."""
    if name == "command_banner":
        return value in (HOOK, MODEL)
    if name == "privacy_level":
        return value in ("private", "team", STRICTEST)
    if name in ("privacy_patterns", "privacy_allow"):
        return True  # judged where they are used: under half of them nothing is shared
    if name == "readme_checkpoints":
        return isinstance(value, bool) or value == COMMAND
    if name == "session_files":
        return value in (OFF, ONE, EACH)
    if name in ("pack_older_than_days", "backup_retention_days"):
        return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e6
    return name in DEFAULTS and isinstance(value, bool)
