"""Tool calls for people: which tool, what it is about, and its input in the form in which one reads such a thing."""

from __future__ import annotations

import json
import os
import re
from typing import Any, Final

from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from .redaction import printable_text

_ABOUT: Final = {
    "Bash": ("description", "command"),
    "Grep": ("pattern",),
    "Glob": ("pattern",),
    "Task": ("description",),
    "Agent": ("description",),
    "WebSearch": ("query",),
    "WebFetch": ("url",),
}
"""Which input says best what a call is about; of other tools, the first of these that is there."""
_USUAL: Final = ("file_path", "notebook_path", "path", "pattern", "query", "url", "command", "skill", "description")
_LANGUAGES: Final = {
    "c": "c",
    "cpp": "cpp",
    "cs": "csharp",
    "css": "css",
    "go": "go",
    "html": "html",
    "java": "java",
    "js": "javascript",
    "json": "json",
    "jsx": "jsx",
    "kt": "kotlin",
    "md": "markdown",
    "php": "php",
    "py": "python",
    "rb": "ruby",
    "rs": "rust",
    "sh": "bash",
    "sql": "sql",
    "swift": "swift",
    "toml": "toml",
    "ts": "typescript",
    "tsx": "tsx",
    "xml": "xml",
    "yaml": "yaml",
    "yml": "yaml",
}
_LONGEST_ABOUT: Final = 120
_MOST_DIFFED: Final = 400
"""Lines of an edit that are compared line by line; longer ones are shown as a whole, old before new."""
_DRAWN: Final = late_pattern(r"([^\n(]{1,80})\((.*)\)\Z", re.DOTALL)
_BOXES: Final = {"completed": "☑", "in_progress": "◐"}


class Call(NamedTuple):
    """``about`` is one line, possibly empty; ``bodies`` are pairs of text and language."""

    tool: str
    about: str
    bodies: tuple[tuple[str, str], ...]


def call_of(block: dict[str, Any]) -> Call:
    """The call that a block of the Messages API is; its strings are redacted already."""
    tool = _line(block.get("name") if isinstance(block.get("name"), str) else block.get("type", "tool"))
    given = block.get("input")
    if not isinstance(given, dict):
        return Call(tool, "", () if given is None else ((_json(given), "json"),))
    names = _ABOUT.get(tool, _USUAL)
    about = next((given[name] for name in names if isinstance(given.get(name), str) and given[name].strip()), "")
    return Call(tool, _line(about), tuple(_bodies(tool, given)))


def call_of_text(text: str) -> Call:
    """The call that a text export drew: ``Bash(git status)``."""
    drawn = _DRAWN.match(text)
    if drawn is None or "\n" in drawn[1]:
        first, _, rest = text.partition("\n")
        return Call(_line(first), "", ((rest.strip("\n"), ""),) if rest.strip() else ())
    language = "bash" if drawn[1] == "Bash" else ""
    whole = drawn[2].strip()
    about = _line(whole)
    return Call(_line(drawn[1]), about, () if about == whole else ((drawn[2], language),))


def _bodies(tool: str, given: dict[str, Any]) -> list[tuple[str, str]]:
    if tool == "Bash" and isinstance(given.get("command"), str):
        rest = {name: value for name, value in given.items() if name not in ("command", "description")}
        return [(printable_text(given["command"]), "bash"), *([(_json(rest), "json")] if rest else [])]
    path = given.get("file_path")
    if isinstance(path, str) and isinstance(given.get("content"), str):
        return [(printable_text(given["content"]), language_of(path))]
    if isinstance(path, str) and isinstance(given.get("old_string"), str) and isinstance(given.get("new_string"), str):
        return [(difference(printable_text(given["old_string"]), printable_text(given["new_string"])), "diff")]
    edits = given.get("edits")
    if isinstance(path, str) and isinstance(edits, list) and all(_is_edit(edit) for edit in edits):
        return [
            (difference(printable_text(edit["old_string"]), printable_text(edit["new_string"])), "diff")
            for edit in edits
        ]
    if tool == "TodoWrite" and isinstance(given.get("todos"), list):
        return [("\n".join(_todo(item) for item in given["todos"]), "")]
    if tool in ("Task", "Agent") and isinstance(given.get("prompt"), str):
        return [(printable_text(given["prompt"]), "")]
    told_already = [name for name in ("file_path", "pattern", "query", "url") if isinstance(given.get(name), str)]
    if len(given) == 1 and told_already and _line(given[told_already[0]]) == given[told_already[0]]:
        return []
    return [(_json(given), "json")] if given else []


def _is_edit(edit: Any) -> bool:
    return (
        isinstance(edit, dict) and isinstance(edit.get("old_string"), str) and isinstance(edit.get("new_string"), str)
    )


def difference(old: str, new: str) -> str:
    """What an edit changes, as lines that begin with ``-``, ``+`` or a blank."""
    before, after = old.splitlines(), new.splitlines()
    if len(before) + len(after) > _MOST_DIFFED:
        return "\n".join([*(f"-{line}" for line in before), *(f"+{line}" for line in after)])
    import difflib

    lines = list(difflib.unified_diff(before, after, lineterm="", n=3))[2:]
    return "\n".join(line for line in lines if not line.startswith("@@"))


def language_of(path: str) -> str:
    """The language of a file by its ending; empty where it is not known."""
    return _LANGUAGES.get(os.path.splitext(path)[1].lstrip(".").lower(), "")


def _todo(item: Any) -> str:
    if not isinstance(item, dict):
        return _line(item)
    return f"{_BOXES.get(str(item.get('status')), '☐')} {_line(item.get('content', ''))}"


def _line(text: Any) -> str:
    """One line, cut where it is long."""
    line = " ".join(printable_text(str(text)[: 4 * _LONGEST_ABOUT]).split())
    return line if len(line) <= _LONGEST_ABOUT else line[: _LONGEST_ABOUT - 1] + "…"


def _json(value: Any) -> str:
    return printable_text(json.dumps(value, indent=2, ensure_ascii=False))
