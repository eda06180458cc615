"""Writes the three C4 diagrams (context, containers, components) of c4.md, as SVG: rooms are read from the code.

``python docs/make_c4_diagrams.py`` after a room came or went. A test compares. The layers are those of pyproject.toml, and what a
room does is the first line of its docstring.
"""

from __future__ import annotations

import ast
import html
import re
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]
PACKAGE: Final = ROOT / "scripts" / "deduplication"
WIDE: Final = 1080
_BOX: Final = (320, 96)
_STYLE: Final = """
text{font:14px system-ui,sans-serif;fill:#1b2733}.n{font-weight:600}.s{font-size:12px}
.us{fill:#dbeafe;stroke:#1d4ed8}.else{fill:#f1f5f9;stroke:#64748b}.who{fill:#fef3c7;stroke:#b45309}
line{stroke:#475569;marker-end:url(#a)}
"""


class Box(NamedTuple):
    """A box at a column and a row: its name, what it is, whether it is ours."""

    column: int
    row: int
    name: str
    about: str
    kind: str = "us"


class Line(NamedTuple):
    """An arrow from one box to another, by their places in the list."""

    begin: int
    end: int
    about: str


CONTEXT: Final = (
    [
        Box(1, 0, "You", "talk, export, compact, search", "who"),
        Box(1, 2, "export-dedup", "keeps every message exactly once"),
        Box(0, 1, "Claude Code", "transcripts, /export, hooks", "else"),
        Box(2, 1, "Browser", "dashboard, pages", "else"),
        Box(0, 3, "git", "commits of checkpoints and sessions", "else"),
        Box(1, 3, "PostgreSQL", "a store for a team, if wanted", "else"),
        Box(2, 3, "Prometheus, Grafana", "figures and alerts, if wanted", "else"),
    ],
    [
        Line(0, 2, "talks in"),
        Line(0, 3, "looks at"),
        Line(2, 1, "hooks, slash commands"),
        Line(3, 1, "HTTP on this machine"),
        Line(1, 4, "commits"),
        Line(1, 5, "SQL"),
        Line(6, 1, "asks /metrics"),
    ],
)
CONTAINERS: Final = (
    [
        Box(0, 0, "Hooks", "a process for each event: hooks/run.py"),
        Box(1, 0, "Commands", "export-dedup, slash commands"),
        Box(2, 0, "Dashboard", "flask and waitress, port 8377"),
        Box(1, 1, "The package", "scripts/deduplication, Python 3.9"),
        Box(0, 2, "The store", "MEMORY-CONTEXT/dedup_state or PostgreSQL"),
        Box(1, 2, "The archive", "raw exports and transcripts, packed"),
        Box(2, 2, "Sessions, checkpoints", "Markdown, committed"),
    ],
    [
        Line(0, 3, "calls"),
        Line(1, 3, "calls"),
        Line(2, 3, "calls"),
        Line(3, 4, "appends, reads"),
        Line(3, 5, "keeps"),
        Line(3, 6, "writes"),
    ],
)


def rooms() -> list[list[tuple[str, str]]]:
    """The layers from the top down: of each room its name and what it does."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    layers = re.search(r'containers = \["deduplication"\].*?layers = \[\n(.*?)\n\]', text, re.DOTALL)
    assert layers, "pyproject.toml has no layers"
    return [
        [(room, _about(room)) for room in re.split(r" [:|] ", line)]
        for line in re.findall(r'"(.+?)"', layers[1])
        if line != "__main__"
    ]


def _about(room: str) -> str:
    path = PACKAGE / room / "__init__.py"
    tree = ast.parse((path if path.exists() else PACKAGE / f"{room}.py").read_text(encoding="utf-8"))
    return (ast.get_docstring(tree) or "").split("\n")[0].replace("``", "")


def _text(x: float, y: float, words: str, kind: str, anchor: str = "middle") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{html.escape(words)}</text>'


def _svg(title: str, high: int, parts: list[str]) -> str:
    arrow = (
        '<defs><marker id="a" markerWidth="9" markerHeight="9" refX="8" refY="4" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#475569"/></marker></defs>'
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {high}" role="img" aria-label="{title}">'
    back = f'<rect width="{WIDE}" height="{high}" fill="#fff"/>'
    return "\n".join([head, f"<title>{title}</title><style>{_STYLE}</style>{arrow}{back}", *parts, "</svg>\n"])


def boxes(title: str, drawn: list[Box], lines: list[Line]) -> str:
    """Boxes in three columns, with arrows between them."""
    wide, high = _BOX
    places = [(20 + box.column * 360, 20 + box.row * 180) for box in drawn]
    parts = []
    for line in lines:
        (x1, y1), (x2, y2) = places[line.begin], places[line.end]
        down = y2 > y1
        ends = (x1 + wide / 2, y1 + (high if down else 0), x2 + wide / 2, y2 + (0 if down else high))
        parts.append('<line x1="{:g}" y1="{:g}" x2="{:g}" y2="{:g}"/>'.format(*ends))
        parts.append(_text((ends[0] + ends[2]) / 2 + 8, (ends[1] + ends[3]) / 2 + 4, line.about, "s", "start"))
    for box, (x, y) in zip(drawn, places):
        parts.append(f'<rect x="{x}" y="{y}" width="{wide}" height="{high}" rx="8" class="{box.kind}"/>')
        parts.append(_text(x + wide / 2, y + 42, box.name, "n"))
        parts.append(_text(x + wide / 2, y + 64, box.about, "s"))
    return _svg(title, max(y for _, y in places) + high + 20, parts)


def components() -> str:
    """The rooms of the package, a line for each layer: imports run downwards only."""
    parts, y = [], 20
    for layer in rooms():
        wide = (WIDE - 40 - 10 * (len(layer) - 1)) / len(layer)
        for number, (name, about) in enumerate(layer):
            x = 20 + number * (wide + 10)
            room = int(wide / 6.6)
            told = about if len(about) <= room else about[: room - 1].rstrip() + "…"
            parts.append(f'<rect x="{x:g}" y="{y}" width="{wide:g}" height="44" rx="6" class="us"/>')
            parts.append(_text(x + wide / 2, y + 18, name, "n"))
            parts.append(_text(x + wide / 2, y + 35, told, "s"))
        y += 52
    return _svg("Components: the rooms of the package", y + 12, parts)


def pictures() -> dict[str, str]:
    """Each file of docs/ and what it has."""
    return {
        "c4-context.svg": boxes("Context: who has to do with export-dedup", *CONTEXT),
        "c4-containers.svg": boxes("Containers: what runs and what lies on the disk", *CONTAINERS),
        "c4-components.svg": components(),
    }


if __name__ == "__main__":
    for file, drawing in pictures().items():
        (ROOT / "docs" / file).write_text(drawing, encoding="utf-8")
