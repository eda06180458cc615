"""The mark by which our own output is told from an export, and who has it.

What a command of ours wrote may lie where exports are looked for: the new messages of an export, a session as JSON, a report that
was redirected into a file. It holds messages, so that it looks like an export; taken for one it would be counted, and moved away.
So every object, document and page that we write says at its beginning who made it. What version 0.1 wrote has no mark, and is told
by the shape of its beginning. An export begins with its own first turn, whatever it quotes further down.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Optional

from ..alignment.plain_text import FAILED, LOGGED, SUCCESS
from ..errors import OwnOutput
from ..formats.screen import decode
from ..model import KINDS, ROLES
from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

GENERATOR: Final = "export-dedup"
"""The value of the member ``generator``, the first one of every JSON object that we write; the document of a session says it in
its member ``format``."""
COMMENT: Final = f"<!-- generator: {GENERATOR} -->"
"""Below the title of every Markdown document of ours."""
META: Final = f"<meta name=generator content={GENERATOR}>"
"""In the head of every page."""

SNAPSHOT: Final = "a snapshot of a backup"

_HEAD: Final = 4096
"""Bytes at the beginning of a text in which its mark, or its shape, must stand."""
_BLANK: Final = b"\xef\xbb\xbf \t\r\n"
"""What may stand before the first character."""
_JSON_MARK: Final = late_pattern(rb'[{\[\s]*"generator"\s*:\s*"export-dedup"')
_SIGNS: Final = (
    b'"export-dedup',
    b'"duplicates_filtered"',
    b'"content_hash"',
    b'"damaged_lines"',
    b'"unconnected_runs"',
)
"""One of these is in every object of ours, whatever has been done to the order of its members."""
_RUN: Final = frozenset({"total_messages", "new_messages", "duplicates_filtered"})
_HASH: Final = late_pattern(r"[0-9a-f]{64}\Z")
_MARKED: Final = f"(?:{re.escape(COMMENT)}\n\n)?"
_SHAPES: Final = {
    "the new messages of an export": rf"# .+: [\d,]+ new messages?\n\n{_MARKED}"
    r"From `.*`; [\d,]+ of [\d,]+ were (?:stored|in the conversation) before\.\n",
    "a session file": rf"# .+\n\n{_MARKED}\| \| \|\n\|:--\|:--\|\n\| \*\*(?:When|Session)\*\* \|",
    "a part of a session file": rf"# .+, part \d+\n\n{_MARKED}\[all parts\]\(",
    "a checkpoint document": rf"# Checkpoint: .*\n\n{_MARKED}Created .{{19}} UTC by export-dedup\.\n",
    "a document": rf"# .*\n\n{re.escape(COMMENT)}\n",
    "a page": rf"<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n(?:{re.escape(META)}|<meta http-equiv="
    r"\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-)",
    "the output of export-dedup.py": r"={60}\nCODITECT Export & Deduplicate Workflow\n={60}\n",
    "a status log": rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d{LOGGED}(?:{SUCCESS}|{FAILED}) · ",
    "reports of runs": r"={80}\nEXPORT-DEDUP EXECUTION REPORT\n={80}\n",
    "a table of messages": r'"conversation_id","message_index","reading_position",',
    "a table of runs": r'"conversation_id","operation","created_at",',
    "a banner": "🔐{40}\n📊 BACKUP & DEDUPLICATION RESULTS\n",
    "what a command printed": r"(?:\S{1,8} )?export-dedup (?:search|show|status|doctor): ",
}
"""How a text of ours begins; what version 0.1 wrote begins so as well, but for the mark."""


@cache
def _text() -> re.Pattern[str]:
    """All of them, compiled when the first text is looked at: most hooks see none."""
    return re.compile("|".join(f"({shape})" for shape in _SHAPES.values()))


def marked(answer: Mapping[str, Any]) -> dict[str, Any]:
    """``answer`` with our mark as its first member."""
    return {"generator": GENERATOR, **answer}


def refuse(data: bytes) -> None:
    """Raise :class:`OwnOutput` where ``data``, a whole file or the beginning of a text, is something that we wrote."""
    found = kind_of(data)
    if found:
        raise OwnOutput(f"it is export-dedup's own output ({found})")


def kind_of(data: bytes) -> str:
    """What ``data`` is of ours, in a few words; empty where it is none of it."""
    start = data[:_HEAD].lstrip(_BLANK)
    if start[:1] in (b"{", b"["):
        return _kind_of_json(data, start)
    text = decode(data[:_HEAD], partial=True).text.lstrip("\ufeff \t\r\n").replace("\r\n", "\n")
    if text[:1] in ("{", "["):  # UTF-16, as some shells redirect
        whole = decode(data)
        return _kind_of_json(whole.text.encode("utf-8", "replace"), text.encode("utf-8", "replace"))
    begins = _text().match(text)
    return list(_SHAPES)[begins.lastindex - 1] if begins and begins.lastindex else ""


def begins_with_line(data: bytes) -> bool:
    """Whether JSON begins with a line that is a value, as JSON Lines do: then no byte behind it tells what it is of ours."""
    return _first_line(data) is not None


def _first_line(data: bytes) -> bytes | None:
    begin = len(data[:_HEAD]) - len(data[:_HEAD].lstrip(_BLANK))
    end = data.find(b"\n", begin) + 1
    try:
        json.loads(data[begin:end].decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return data[begin:end]


def _kind_of_json(data: bytes, start: bytes) -> str:
    data = _first_line(data) or data
    is_marked = _JSON_MARK.match(start) is not None
    if not is_marked and not any(sign in data for sign in _SIGNS):
        return ""
    try:
        text = data.decode("utf-8-sig", "replace").lstrip()
        value, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return "JSON" if is_marked else ""
    if isinstance(value, list):
        return _kind_of_list(value)
    return _kind_of_object(value) or ("JSON" if value.get("generator") == GENERATOR else "")


def _kind_of_object(value: dict[str, Any]) -> str:
    made_by = value.get("format")
    if isinstance(made_by, str) and made_by.startswith(GENERATOR):
        return "a session as JSON" if made_by == f"{GENERATOR}/session" else SNAPSHOT
    if value.keys() >= _RUN | {"session_id", "export", "sha256", "messages"}:
        return "the new messages of an export"
    if value.keys() >= _RUN | {"exports", "global_unique"}:
        return "the numbers of a run"
    if value.keys() >= {"query", "total", "damaged_lines", "hits"}:
        return "the hits of a search"
    if value.keys() >= {"conversation_id", "reading_position", "content_type"}:
        return "a table of messages"
    if value.keys() >= {"conversation_id", "operation", "export_sha256"}:
        return "a table of runs"
    return "a message log" if _is_log_line(value) else ""


def _kind_of_list(value: list[Any]) -> str:
    if not value or not all(isinstance(each, dict) for each in value):
        return ""
    if all(each.get("generator") == GENERATOR or "unconnected_runs" in each for each in value):
        return "a list of conversations"
    return "stored messages" if all(map(_is_stored_message, value)) else ""


def _is_log_line(value: dict[str, Any]) -> bool:
    source = value.get("source")
    return _is_numbered(value) and "conversation_id" in value and isinstance(source, dict) and "export" in source


def _is_stored_message(value: dict[str, Any]) -> bool:
    return _is_numbered(value) and value.get("role") in ROLES and value.get("kind") in KINDS and "content" in value


def _is_numbered(value: dict[str, Any]) -> bool:
    identity: Optional[object] = value.get("content_hash")
    return isinstance(value.get("index"), int) and isinstance(identity, str) and _HASH.match(identity) is not None
