"""What an assistant does that follows the skill ``recall``: loads it, and runs the commands as they stand in what the client sent.

The lines are taken from the request, with what the client put in the place of the variables, so that a line which the client
would not allow, or not fill in, shows itself.
"""

from __future__ import annotations

import re
import shlex
from typing import Final

from deduplication.hooks import own_skill

NAMES: Final = {"plugin": own_skill.IN_PLUGIN, "project": own_skill.IN_PROJECT}
ASKED_FOR: Final = ("Do you want to proceed?", "Use skill", "Yes, and don't ask again")
"""What stands in the client's dialogs before it runs something."""
COMMANDS: Final = 3
_LINE: Final = re.compile(r"^python3 .*", re.MULTILINE)
PLACE: Final = re.compile(r"^(\S+:\d+) · (\d{4}-\d\d-\d\d \d\d:\d\d) · [^\n]*\n> [^\n]*(?:\n> [^\n]*)*", re.MULTILINE)
"""A quotation in the output of ``search`` and ``show``: where it stands, when it was said, and its lines."""


def skill(name: str):
    """The call that loads the skill."""
    return "Skill", lambda _body: {"skill": name}


def search(*words: str):
    """The call of the first command with these words."""
    return "Bash", lambda body: _bash(
        lines(body)[0].replace(" 'WORD' 'WORD'", "".join(f" {shlex.quote(w)}" for w in words))
    )


def show(place):
    """The call of the second command with the place that ``place(body)`` returns."""
    return "Bash", lambda body: _bash(lines(body)[1].replace("'ID:NUMBER'", shlex.quote(place(body))))


def listed():
    """The call of the third command."""
    return "Bash", lambda body: _bash(lines(body)[2])


def command(line: str):
    """The call of a command that somebody else thought of."""
    return "Bash", lambda body: _bash(line.replace("SEARCH", lines(body)[0].partition(" -- ")[0]))


def lines(body: dict) -> list[str]:
    """The command lines of the skill, as the last request that has it shows them."""
    texts = [text for text in _texts(body) if len(_LINE.findall(text)) == COMMANDS]
    assert texts, "the skill was not loaded"
    return _LINE.findall(texts[-1])


def results(body: dict) -> list[tuple[str, bool]]:
    """What the tools returned in a request, and whether the client calls it an error."""
    blocks = [block for block in _blocks(body) if block["type"] == "tool_result"]
    return [("\n".join(_said(block.get("content", ""))), bool(block.get("is_error"))) for block in blocks]


def first_place(body: dict) -> str:
    """The ``ID:NUMBER`` of the first hit of the last search."""
    found = PLACE.search(results(body)[-1][0])
    assert found, results(body)[-1]
    return found.group(1)


def _bash(line: str) -> dict:
    return {"command": line, "description": "Look into the archive"}


def _blocks(body: dict) -> list[dict]:
    contents = [message["content"] for message in body.get("messages", [])]
    return [block for content in contents if not isinstance(content, str) for block in content]


def _texts(body: dict) -> list[str]:
    texts = [message["content"] for message in body.get("messages", []) if isinstance(message["content"], str)]
    for block in _blocks(body):
        texts += [block["text"]] if block["type"] == "text" else _said(block.get("content", ""))
    return texts


def _said(content) -> list[str]:
    return [content] if isinstance(content, str) else [part["text"] for part in content if part.get("type") == "text"]


def standing(body: dict, name: str) -> list[str]:
    """What a request has of the skill although nobody uses it: its line in the list of skills."""
    offered = [text for text in _texts(body) if "skills" in text]
    offered += [tool.get("description", "") for tool in body.get("tools", []) if tool["name"] == "Skill"]
    return [line for text in offered for line in text.splitlines() if line.startswith((f"- {name}:", f'"{name}"'))]
