"""The settings: defaults, the user's own file, the project's ``.coditect/config.json``, the environment.

A project's file may come with a clone: it may only tighten what the user's say (:mod:`.tightening`), until the user approved it
(:mod:`.approvals`). An unknown setting or a value of another type is passed over: a slip in a file of settings must not stop a
hook.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from . import settings_file, user_folders

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .settings_file import SettingsFile

FILE: Final = ".coditect/config.json"
ENVIRONMENT: Final = "EXPORT_DEDUP_"
ALERT_TARGETS: Final = "EXPORT_DEDUP_ALERT_TARGETS"
"""Where alerts are sent, too: addresses, or NAME=ADDRESS, with blanks between them."""
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
    "pack_older_than_days": 0,
    "backup_retention_days": 30,
    "user_store": True,
    "backend": "default",
    "database_url": "",
    "database_schema": "",
    "archive_database_mb": 100,
    "archive_folder": "",
    "metrics_folder": "",
    "readme_checkpoints": COMMAND,
    "commit_hooks": False,
    "commit_signing": True,
    "privacy_level": "team",
    "privacy_patterns": {},
    "privacy_allow": [],
    "privacy_detect_secrets": True,
    "alerts": True,
    "alert_targets": {},
    "alert_level": "warning",
    "alert_quiet_hours": "",
    "alert_disk_percent": 10,
    "alert_export_seconds": 10,
    "alert_export_mb": 10,
    "alert_dedup_low_percent": 50,
    "alert_dedup_high_percent": 99,
    "alert_backup_days": 30,
}
"""``hooks``: do anything at all. ``capture_transcripts``: store the client's own transcripts. ``archive_transcripts``: keep
them as files in the archive's packs, too, for when the client deletes its own. ``compact_context``: two lines of
context after a compaction or on resume. ``command_banner``: ``hook`` shows /export-dedup's banner without a request to the
model, ``model`` lets the model comment. ``hook_checkpoint``: a checkpoint commit when a hook processed an export.
``session_files``: ``session`` writes a readable file for each session in every run and commits it with the checkpoint,
``checkpoint`` writes a new file with what is new instead, ``off`` writes none.
``pack_older_than_days``: when an archived export goes into a pack, 0 at once, below 0 never. ``backup_retention_days``: how
long a snapshot of a backup is kept, below 0 for ever.
``user_store``: capture into the user's own store where a project did not opt in. ``backend``: the kind of store; ``database_url``
and ``database_schema``: which database, for one that needs it, and which schema of it (empty: what the address says).
``archive_database_mb``: files of the archive up to so many megabytes go into that database (0: none); ``archive_folder``: where
larger ones go, a folder that all who read them can reach (empty: they stay on this machine).
``metrics_folder``: the folder of node_exporter's textfile collector, where each run leaves figures for Prometheus (empty: nowhere).
``readme_checkpoints``: a line in the
project's README for each checkpoint (true), for those of ``create-checkpoint.py`` (``command``), or for none (false).
``commit_hooks``: run the repository's commit hooks for a checkpoint commit. ``commit_signing``: sign it where git is to sign
commits. ``privacy_level``: what is redacted in what is shared, ``private``, ``team`` or ``public``; ``privacy_patterns``: further
patterns by name; ``privacy_allow``: what is no secret; ``privacy_detect_secrets``: use ``detect-secrets`` where it is installed.
``alerts``: look for what needs attention. ``alert_targets``: where alerts are sent, addresses by name (``alerts/targets.py``);
``alert_level``: from which level on; ``alert_quiet_hours``: when only critical ones are (``22:00-07:00``). Thresholds, at which 0
turns a rule off: ``alert_disk_percent`` of the disk that must be free, ``alert_export_seconds`` and ``alert_export_mb`` of one
export, ``alert_dedup_low_percent`` and ``alert_dedup_high_percent`` of known messages, ``alert_backup_days`` since a backup."""
STRICTEST: Final = "public"
THRESHOLDS: Final = {
    "alert_disk_percent": 100,
    "alert_export_seconds": 1e6,
    "alert_export_mb": 1e6,
    "alert_dedup_low_percent": 100,
    "alert_dedup_high_percent": 100,
    "alert_backup_days": 1e6,
}
"""Numbers that alerts are raised at, and the highest that each can be."""
QUIET_HOURS: Final = late_pattern(r"(?P<begin>([01]\d|2[0-3]):[0-5]\d)-(?P<end>([01]\d|2[0-3]):[0-5]\d)")
BACKENDS: Final = ("default", "json", "sqlite", "hybrid", "postgresql")
"""Kinds of store; ``sqlite`` is what version 0.1 called one with an index in a database: the default one."""


FAULT: Final = "privacy_fault"
"""Among the values only where the user's own file cannot be read: nobody can tell then what he wants to be redacted."""


class Settings(NamedTuple):
    """The ``values`` in force, and what the project's ``file`` at ``path`` asks for that waits for the user's approval.

    ``own`` is the user's own file, at ``own_path``.
    """

    values: dict[str, Any]
    waiting: dict[str, Any]
    path: str
    file: SettingsFile
    own_path: str
    own: SettingsFile


def load(root: str) -> dict[str, Any]:
    """Every setting for the project in the folder ``root``."""
    return examine(root).values


def own_path() -> str:
    """The user's own file of settings."""
    return os.path.join(user_folders.settings_folder(), "config.json")


def examine(root: str) -> Settings:
    """Every setting for the project in the folder ``root``, and what waits."""
    own_file, own = own_path(), settings_file.read(own_path())
    values = dict(DEFAULTS)
    values.update(_fitting(own.values or {}))
    if own.fault:
        values[FAULT] = f"{own_file}: {own.fault}"
    path = os.path.join(root, *FILE.split("/"))
    file = settings_file.read(path)
    waiting: dict[str, Any] = {}
    if (
        file.values is not None and file.values != DEFAULTS
    ):  # as it is installed it lists what there is, and asks for nothing
        file, waiting = _add_projects(values, root, path, file)
    _add_environment(values)
    return Settings(values, {n: asked for n, asked in waiting.items() if values[n] != asked}, path, file, own_file, own)


def _add_projects(
    values: dict[str, Any], root: str, path: str, file: SettingsFile
) -> tuple[SettingsFile, dict[str, Any]]:
    """Put into ``values`` what a project's file asks for and may have; what it may not have is returned."""
    from . import tightening

    asked = _fitting(file.values or {})
    outside = settings_file.leads_out(root, path)
    tighter = {name: tightening.RULES[name].merged(values[name], value) for name, value in asked.items()}
    approved = {name: tightening.together(name, values[name], value) for name, value in asked.items()}
    waiting = {name: value for name, value in asked.items() if tighter[name] != approved[name]}
    if waiting or outside:
        from . import approvals  # of most projects nobody has to ask

        if approvals.is_approved(root, path, file.data):
            values.update(approved)
            return file, {}
    if outside:
        return file._replace(values=None, fault="a link leads to it out of the project, and you did not approve it"), {}
    values.update(tighter)
    return file, waiting


def _fitting(found: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a file that exist, with values that they can have."""
    fitting = {name: value for name, value in found.items() if fits(name, value)}
    if not fits("privacy_level", found.get("privacy_level", STRICTEST)):
        fitting["privacy_level"] = STRICTEST  # a slip of the pen must not publish anything
    return fitting


def _add_environment(settings: dict[str, Any]) -> None:
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
    if name == "backend":
        return value in BACKENDS
    if name in ("database_url", "database_schema", "archive_folder", "metrics_folder"):
        return isinstance(value, str)
    if name == "archive_database_mb":
        return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e6
    if name in THRESHOLDS:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= THRESHOLDS[name]
    if name == "alert_targets":
        return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())
    if name == "alert_level":
        return value in ("critical", "warning", "information")
    if name == "alert_quiet_hours":
        return isinstance(value, str) and (not value or bool(QUIET_HOURS.fullmatch(value)))
    if name in ("pack_older_than_days", "backup_retention_days"):
        return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e6
    return name in DEFAULTS and isinstance(value, bool)
