"""Settings for tests: the user's own, and a project's that the user approved."""

from __future__ import annotations

import json
import os
from pathlib import Path

from deduplication.project import approvals, config


def own(text: str | bytes | None = None, **settings: object) -> Path:
    """Write the user's own file of settings."""
    path = Path(config.own_path())
    path.parent.mkdir(parents=True, exist_ok=True)
    data = json.dumps(settings) if text is None else text
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def asked(root: Path, text: str | bytes | None = None, **settings: object) -> Path:
    """Write a project's file of settings, as a clone would bring it."""
    path = root / config.FILE
    path.parent.mkdir(exist_ok=True)
    data = json.dumps(settings) if text is None else text
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def approved(root: Path, text: str | None = None, **settings: object) -> Path:
    """Write a project's file of settings, and approve it as the user would."""
    path = asked(root, text, **settings)
    real = os.path.realpath(root)
    approvals.approve(real, os.path.join(real, *config.FILE.split("/")), path.read_bytes(), 0.0)
    return path


def looser(name, before, after):
    """Whether a setting lets more out, does more, keeps for shorter, or stores something else than before: said once more."""
    orders = {
        "command_banner": ("model", "hook"),
        "session_files": ("session", "checkpoint", "off"),
        "readme_checkpoints": (True, "command", False),
        "privacy_level": ("private", "team", "public"),
        **dict.fromkeys(("compact_context", "hook_checkpoint", "commit_hooks"), (True, False)),
        **dict.fromkeys(("commit_signing", "privacy_detect_secrets"), (False, True)),
    }
    if name in orders:
        return orders[name].index(after) < orders[name].index(before)
    if name.endswith("_days"):
        return after >= 0 and (before < 0 or after < before)
    if name == "privacy_patterns":
        return isinstance(after, dict) and not set(before.values()) <= set(after.values())
    return before != after
