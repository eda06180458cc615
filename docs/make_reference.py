"""Writes the tables of options into cli-reference.md, from the parsers themselves: what ``--help`` says, and nothing else.

``python docs/make_reference.py`` after an option came, went, or got another help text. A test compares.
"""

from __future__ import annotations

import os
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import argparse

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "cli-reference.md"
_MODULES: Final = {
    "export-dedup.py": "export_dedup",
    "deduplicate_export.py": "deduplicate",
    "create-checkpoint.py": "create_checkpoint",
    "install.sh": "install",
    "migrate": "database.migrate",
    "sync": "database.sync",
    "migrate_json_to_postgresql.py": "database.migrate_json",
    "verify_database_integrity.py": "database.verify_database",
}
"""Those whose module is not called as their last word."""
_TABLE: Final = re.compile(r"(<!-- options: (.+?) -->\n).*?(<!-- end of options -->\n)", re.DOTALL)
_OPTION: Final = re.compile(r"^  (?:-\w, )?(--\S+(?: \S+)*)\s{2,}(\S.*)$", re.MULTILINE)
"""An option, its value and its help, on one line or on two."""
_WIDE: Final = "2000"
"""Columns of a terminal in which no help text is wrapped."""


def parser(command: str) -> argparse.ArgumentParser:
    """What reads the arguments of a command: ``deduplicate_export.py verify``."""
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        last = command.rsplit(maxsplit=1)[-1]
        found: argparse.ArgumentParser = import_module(f"deduplication.commands.{_MODULES.get(last, last)}").parser()
    finally:
        del sys.path[0]
    return found


def rows(command: str) -> list[str]:
    """The table of a command: a row for each option, with the name of its value and its help."""
    os.environ["COLUMNS"] = _WIDE
    try:
        shown = parser(command).format_help()
    finally:
        del os.environ["COLUMNS"]
    options = [(name, told) for name, told in _OPTION.findall(shown) if name != "--help"]
    return ["| option | does |", "|---|---|", *(f"| `{name}` | {_escaped(told)} |" for name, told in options)]


def _escaped(text: str) -> str:
    """A help text in a cell of a table."""
    return text.replace("|", "\\|").replace("<", "&lt;")


def commands() -> list[str]:
    """The commands that the page has a table of, in its order."""
    return [found[2] for found in _TABLE.finditer(PAGE.read_text(encoding="utf-8"))]


def page() -> str:
    """The whole of cli-reference.md as it should be."""
    return _TABLE.sub(
        lambda found: "\n".join([found[1], *rows(found[2]), "", found[3]]), PAGE.read_text(encoding="utf-8")
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
