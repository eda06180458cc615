"""Writes the list of rooms into architecture.md: each folder of the package, from the top down, by its first docstring line.

``python docs/make_rooms.py`` after a room came, went, or got another job. A test compares.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PACKAGE: Final = ROOT / "scripts" / "deduplication"
PAGE: Final = ROOT / "docs" / "architecture.md"
_SECTION: Final = re.compile(r"(<!-- rooms: docs/make_rooms\.py -->\n).*?(<!-- end of rooms -->\n)", re.DOTALL)
_LAYERS: Final = re.compile(r'name = "Imports run downwards.*?layers = \[(.*?)\]', re.DOTALL)


def order() -> list[str]:
    """The rooms and the modules on the ground as pyproject.toml has their layers, the highest first."""
    layers = _LAYERS.search((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if layers is None:
        raise SystemExit("pyproject.toml: the contract of the layers is not there")
    return [name.strip() for layer in re.findall(r'"([^"]+)"', layers[1]) for name in layer.split(":")]


def job(path: Path) -> str:
    """What a module or a room is for: the first line of its docstring."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.split("\n", 1)[0]


def rooms() -> list[str]:
    """A row for each room; the rooms inside a room stand below it."""
    rows = ["| room | modules | job |", "|---|--:|---|"]
    for name in order():
        folder = PACKAGE / name
        if not folder.is_dir():
            rows.append(f"| `{name}.py` | 1 | {job(PACKAGE / f'{name}.py')} |")
            continue
        for init in sorted(folder.rglob("__init__.py")):
            room = init.parent
            count = sum(1 for module in room.glob("*.py") if module != init)
            rows.append(f"| `{room.relative_to(PACKAGE).as_posix()}/` | {count} | {job(init)} |")
    return rows


def page() -> str:
    """The whole of architecture.md as it should be."""
    text = "\n".join(rooms())
    return _SECTION.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
