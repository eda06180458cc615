"""The blocks of a browser exporter (p, pre, ul, ol, table, ...) as readable text.

The block names are HTML's, ``data`` is a string or nested blocks. A block that is not known keeps its text, or its JSON.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from ..start.late_pattern import late_pattern

_HEADING: Final = late_pattern(r"h([1-6])\Z")
_TEXT_KEYS: Final = ("data", "text", "content", "items", "value")


def render(blocks: Any) -> str:
    """Paragraphs joined by blank lines; code fenced with its language; lists and tables as Markdown has them."""
    if isinstance(blocks, list):
        return "\n\n".join(_block(block) for block in blocks)
    return _block(blocks)


def _block(block: Any) -> str:
    if isinstance(block, str):
        return block
    if not isinstance(block, dict):
        return _json(block)
    name = str(block.get("type", "")).lower()
    data = _data(block)
    if data is None:
        return _json(block)
    heading = _HEADING.match(name)
    if heading:
        return "#" * int(heading.group(1)) + " " + _inline(data)
    if name in ("pre", "code"):
        return _fenced(_inline(data), block.get("language"))
    if name in ("ul", "ol") and isinstance(data, list):
        return "\n".join(_item(item, f"{number}. " if name == "ol" else "- ") for number, item in enumerate(data, 1))
    if name == "table" and isinstance(data, list):
        return _table(data)
    if name == "blockquote":
        return "\n".join(f"> {line}".rstrip() for line in _inline(data).split("\n"))
    return (
        _inline(data)
        if name in ("p", "li", "span", "div", "text", "td", "th") or isinstance(data, str)
        else _json(block)
    )


def _data(block: dict[str, Any]) -> Any:
    return next((block[key] for key in _TEXT_KEYS if block.get(key) is not None), None)


def _inline(data: Any) -> str:
    return data if isinstance(data, str) else render(data)


def _fenced(code: str, language: Any) -> str:
    longest = max((len(run) for run in re.findall("`{3,}", code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language if isinstance(language, str) else ''}\n{code}\n{fence}"


def _item(item: Any, marker: str) -> str:
    return marker + _block(item).replace("\n", "\n" + " " * len(marker))


def _table(sections: list[Any]) -> str:
    rows = [_cells(row) for row in _rows(sections)]
    if not rows:
        return ""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * max(1, len(rows[0])), *lines[1:]])


def _rows(sections: list[Any]) -> list[Any]:
    """Rows come grouped in thead and tbody, or bare."""
    found: list[Any] = []
    for section in sections:
        inner = _data(section) if isinstance(section, dict) else None
        grouped = isinstance(section, dict) and section.get("type") in ("thead", "tbody", "tfoot")
        found += inner if grouped and isinstance(inner, list) else [section]
    return found


def _cells(row: Any) -> list[str]:
    cells = _data(row) if isinstance(row, dict) else row
    return [
        " ".join(_block(cell).split()).replace("|", "\\|") for cell in (cells if isinstance(cells, list) else [row])
    ]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
