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
from ..project import config
from .store_location import location_of

EVENT: Final = "PreToolUse"
TOOL: Final = "Skill"
"""The client's name of what loads a skill: the matcher of our hook."""
IN_PLUGIN: Final = "export-dedup:recall"
IN_PROJECT: Final = "export-dedup-recall"
FILE: Final = f".claude/skills/{IN_PROJECT}/SKILL.md"
"""Where the installer puts it."""
MANIFEST: Final = ".coditect/export-dedup.manifest"
_PLACES: Final = (".claude/skills", ".claude/commands")
"""Where a project has skills and commands of its own, below any folder from the session's upwards."""
_WORDS: Final = (b"recall", b"\\")
"""One of these is in the front matter, or in the path, of whatever can pass for the plugin's skill: the client believes a name."""
_MOST: Final = 1_000_000
"""Bytes of each file that are read."""


def handle(payload: dict[str, Any]) -> dict[str, Any] | None:
    """The permission for our own skill; None for everything else: then the client asks, as it does without us.

    Each form answers for its own, whichever of both does the work, unless hooks are turned off.
    """
    place = location_of(payload, user_store=True)
    if place is None or not config.load(str(place.root))["hooks"]:
        return None
    root = str(place.root)
    asked = payload.get("tool_input")
    skill = asked.get("skill") if isinstance(asked, dict) and payload.get("tool_name") == TOOL else None
    is_ours = _of_plugin if _is_plugin() else _of_project
    if not isinstance(skill, str) or not is_ours(skill.strip(), root, payload):
        return None
    said = "export-dedup's own skill, which only reads the archive"
    decision = {"permissionDecision": "allow", "permissionDecisionReason": said}
    return {"hookSpecificOutput": {"hookEventName": EVENT, **decision}}


def name() -> str:
    """What the client calls it, in the form of installation that this process is of."""
    return IN_PLUGIN if _is_plugin() else IN_PROJECT


def _is_plugin() -> bool:
    return bool(os.environ.get("CLAUDE_PLUGIN_ROOT"))


def _of_plugin(skill: str, root: str, payload: dict[str, Any]) -> bool:
    """Whether it is the plugin's, and nothing that a repository brought can have its name: that would be loaded in its place."""
    starts = {root, os.environ.get("CLAUDE_PROJECT_DIR") or root, str(payload.get("cwd") or root)}
    return skill == IN_PLUGIN and not any(map(_may_be_meant, starts))


def _may_be_meant(start: str) -> bool:
    folder, home = os.path.realpath(start), os.path.realpath(os.path.expanduser("~"))
    while folder != home:
        for place in _PLACES:
            for here, _folders, names in os.walk(os.path.join(folder, place), followlinks=True):
                if any(_has_words(os.path.join(here, name), place) for name in names if name.endswith(".md")):
                    return True
        if folder == os.path.dirname(folder):
            break
        folder = os.path.dirname(folder)
    return False


def _has_words(path: str, place: str) -> bool:
    try:
        with atomic.open_regular(path, follow=True) as file:
            head = file.read(_MOST)
    except OSError:
        return True  # nobody can say
    text = os.fsencode(path.rpartition(place)[2]) + head.partition(b"\n---")[0]
    return any(word in text.lower() for word in _WORDS)


def _of_project(skill: str, root: str, _payload: dict[str, Any]) -> bool:
    """Whether it is the installed one, and its file as we wrote it."""
    if skill != IN_PROJECT:
        return False
    try:
        with atomic.open_regular(os.path.join(root, MANIFEST)) as file:
            hashes = json.loads(file.read(_MOST))["files"][FILE]
        with atomic.open_regular(os.path.join(root, FILE)) as file:
            return hashlib.sha256(file.read(_MOST)).hexdigest() in hashes
    except (OSError, ValueError, LookupError, TypeError):
        return False
