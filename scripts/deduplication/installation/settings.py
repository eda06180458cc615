"""Our hooks in a project's ``.claude/settings.json``: put in beside whatever is there, and taken out again.

An entry is ours where its command runs our shim; everything else is somebody else's and stays as it is, in its place.
"""

from __future__ import annotations

import json
from typing import Any, Final, Optional

from ..start.late_pattern import late_pattern
from .errors import InstallRefused

NAME: Final = ".claude/settings.json"
BACKUP: Final = ".claude/settings.json.before-export-dedup"
OURS: Final = "/.coditect/hooks/run."
"""What a command of ours runs has it: ``run.sh``, or on Windows its twin ``run.cmd``, behind a backslash."""
_INDENT: Final = late_pattern(r"\n([ \t]+)\S")


def merged(data: Optional[bytes], hooks: dict[str, list[Any]]) -> bytes:
    """The settings with our hooks in them; the very bytes where they are there already.

    Raises :class:`InstallRefused` for settings that are not what the client reads: they are not ours to put right.
    """
    settings = _parsed(data)
    wanted = _without_ours(settings)
    everything = wanted.setdefault("hooks", {})
    for event, groups in hooks.items():
        everything.setdefault(event, []).extend(groups)
    return _dumped(wanted, data) if data is None or wanted != settings else data


def removed(data: bytes) -> bytes:
    """The settings without our hooks; the very bytes where there are none."""
    settings = _parsed(data)
    wanted = _without_ours(settings)
    return _dumped(wanted, data) if wanted != settings else data


def same(one: bytes, other: bytes) -> bool:
    """True where two files set the same, in the same order. An event without hooks is none."""
    try:
        return json.dumps(_without_empty(_parsed(one))) == json.dumps(_without_empty(_parsed(other)))
    except InstallRefused:
        return False


def is_empty(data: bytes) -> bool:
    """True where nothing is set."""
    return _parsed(data) == {}


def _without_ours(settings: dict[str, Any]) -> dict[str, Any]:
    """A copy without our entries, and without what became empty by that."""
    if "hooks" not in settings:
        return dict(settings)
    kept: dict[str, Any] = {}
    for event, groups in settings["hooks"].items():
        left = [group for group in map(_group_without_ours, groups) if group is not None]
        if left or not groups:
            kept[event] = left
    copy = {**settings, "hooks": kept}
    if not kept and settings["hooks"]:
        del copy["hooks"]
    return copy


def _without_empty(settings: dict[str, Any]) -> dict[str, Any]:
    """A copy in which every event has hooks: taking ours out leaves no trace of an empty list that was there before."""
    copy = dict(settings)
    hooks = {event: groups for event, groups in copy.pop("hooks", {}).items() if groups}
    return {**copy, "hooks": hooks} if hooks else copy


def _group_without_ours(group: dict[str, Any]) -> Optional[dict[str, Any]]:
    entries = group.get("hooks", [])
    left = [entry for entry in entries if not (isinstance(entry, dict) and _is_ours(entry))]
    if len(left) == len(entries):
        return group
    return {**group, "hooks": left} if left else None


def _is_ours(entry: dict[str, Any]) -> bool:
    arguments = entry.get("args")
    words = [entry.get("command", ""), *(arguments if isinstance(arguments, list) else ())]
    return any(OURS in str(word).replace("\\", "/") for word in words)


def _parsed(data: Optional[bytes]) -> dict[str, Any]:
    if data is None or not data.strip():
        return {}
    try:
        settings = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise InstallRefused(
            f"{NAME} is not valid JSON ({error})",
            hint="Put it right first (comments are not allowed in it); nothing was changed.",
        ) from error
    hooks = settings.get("hooks", {}) if isinstance(settings, dict) else None
    whole = isinstance(hooks, dict) and all(
        isinstance(groups, list)
        and all(isinstance(group, dict) and isinstance(group.get("hooks", []), list) for group in groups)
        for groups in hooks.values()
    )
    if not whole:
        raise InstallRefused(
            f"{NAME} does not have the form that Claude Code reads",
            hint="Put its hooks right first; nothing was changed.",
        )
    return settings  # type: ignore[no-any-return]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands in it twice")
    return found


def _dumped(settings: dict[str, Any], before: Optional[bytes]) -> bytes:
    """In the form the file had: its indentation, its line ends, its byte order mark."""
    text = before.decode("utf-8-sig") if before else ""
    found = _INDENT.search(text)
    compact = before is not None and text.strip() not in ("", "{}") and "\n" not in text.strip()
    indent: Optional[str] = None if compact else found.group(1) if found else "  "
    made = json.dumps(settings, indent=indent, ensure_ascii=False)
    made += "\n" if not before or text.endswith("\n") else ""
    if "\r\n" in text:
        made = made.replace("\n", "\r\n")
    mark = b"\xef\xbb\xbf" if before and before.startswith(b"\xef\xbb\xbf") else b""
    return mark + made.encode("utf-8", "surrogatepass")
