"""The skill ``recall``: the client asks before it loads a skill that may run commands, and for ours this answers.

It answers for what we wrote and nothing else, and by allowing alone: what the user's settings deny stays denied. The commands
themselves are allowed by the skill's own list.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import Any, Final

from ..files import atomic

EVENT: Final = "PreToolUse"
TOOL: Final = "Skill"
"""The client's name of what loads a skill: the matcher of our hook."""
IN_PLUGIN: Final = "export-dedup:recall"
IN_PROJECT: Final = "export-dedup-recall"
FILE: Final = f".claude/skills/{IN_PROJECT}/SKILL.md"
"""Where the installer puts it."""
MANIFEST: Final = ".coditect/export-dedup.manifest"
_SAME_NAME: Final = (
    ".claude/skills/export-dedup:recall",
    ".claude/commands/export-dedup",
    "export-dedup/.claude/skills",
    "export-dedup/.claude/commands",
)
"""By these a repository can give something of its own the name of the plugin's skill."""
_MOST: Final = 1_000_000
"""Bytes of each file that are read."""


def answer(payload: dict[str, Any], root: str) -> dict[str, Any] | None:
    """The permission for our own skill; None for everything else: then the client asks, as it does without us."""
    asked = payload.get("tool_input")
    name = asked.get("skill") if isinstance(asked, dict) and payload.get("tool_name") == TOOL else None
    is_ours = _of_plugin if os.environ.get("CLAUDE_PLUGIN_ROOT") else _of_project
    if not isinstance(name, str) or not is_ours(name.strip(), root, payload):
        return None
    said = "export-dedup's own skill, which only reads the archive"
    decision = {"permissionDecision": "allow", "permissionDecisionReason": said}
    return {"hookSpecificOutput": {"hookEventName": EVENT, **decision}}


def _of_plugin(name: str, root: str, payload: dict[str, Any]) -> bool:
    folders = {root, os.environ.get("CLAUDE_PROJECT_DIR") or root, str(payload.get("cwd") or root)}
    taken = any(os.path.lexists(os.path.join(folder, path)) for folder in folders for path in _SAME_NAME)
    return name == IN_PLUGIN and not taken


def _of_project(name: str, root: str, _payload: dict[str, Any]) -> bool:
    """Whether it is the installed one, and its file as we wrote it."""
    if name != IN_PROJECT:
        return False
    try:
        with atomic.open_regular(os.path.join(root, MANIFEST)) as file:
            hashes = json.loads(file.read(_MOST))["files"][FILE]
        with atomic.open_regular(os.path.join(root, FILE)) as file:
            return hashlib.sha256(file.read(_MOST)).hexdigest() in hashes
    except (OSError, ValueError, LookupError, TypeError):
        return False
