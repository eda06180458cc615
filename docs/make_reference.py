"""Writes the tables of cli-reference.md: of subcommands, from their one table, of options, from the parsers: what ``--help`` says.

``python docs/make_reference.py`` after a subcommand or an option came, went, or got another help text. A test compares.
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
    from types import ModuleType

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "cli-reference.md"
_MODULES: Final = {
    "batch_deduplicate.py": "deduplicate",
    "dedup_stats.py": "stats",
    "export-dedup.py": "export_dedup",
    "deduplicate_export.py": "deduplicate",
    "create-checkpoint.py": "create_checkpoint",
    "install.sh": "setup.install_script",
    "migrate_json_to_postgresql.py": "database.migrate_json",
    "verify_database_integrity.py": "database.verify_database",
}
"""The scripts, by their names."""
_PARSERS: Final = {"batch_deduplicate.py": "batch_parser", "dedup_stats.py": "session_parser"}
_SAME: Final = {"import": "deduplicate_export.py", "checkpoint": "create-checkpoint.py"}
"""Subcommands whose options stand with the script that does the same."""
_LIST: Final = re.compile(r"(<!-- subcommands -->\n).*?(<!-- end of subcommands -->\n)", re.DOTALL)
_TABLE: Final = re.compile(r"(<!-- options: (.+?) -->\n).*?(<!-- end of options -->\n)", re.DOTALL)
_OPTION: Final = re.compile(r"^  (?:-\w, )?(--\S+(?: \S+)*)\s{2,}(\S.*)$", re.MULTILINE)
"""An option, its value and its help, on one line or on two."""
_WIDE: Final = "2000"
"""Columns of a terminal in which no help text is wrapped."""


def parser(command: str) -> argparse.ArgumentParser:
    """What reads the arguments of a command: ``deduplicate_export.py verify``."""
    name = command.partition(" ")[2]
    called = package("terminal.called")
    called.by_command(so=command.startswith(f"{called.COMMAND} "))
    try:
        module = package("commands.shell.table").module_of(name) if name else package(f"commands.{_MODULES[command]}")
        found: argparse.ArgumentParser = getattr(module, _PARSERS.get(command, "parser"))()
    finally:
        called.by_command(so=False)
    return found


def package(name: str) -> ModuleType:
    """A module of the package."""
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        return import_module(f"deduplication.{name}")
    finally:
        del sys.path[0]


def subcommands() -> list[str]:
    """The table of all that there is: a row for each, with the section that has its options."""
    table = package("commands.shell.table")
    rows = ["| `export-dedup …` | does | options |", "|---|---|---|"]
    for group in table.GROUPS:
        for each in group.subcommands:
            section = (
                f"{each.script} {each.name}"
                if each.script == table.TOOL
                else _SAME.get(each.name, f"export-dedup {each.name}")
            )
            rows.append(f"| `{each.name}` | {each.help} | [{section}](#{anchor(section)}) |")
    return rows


def anchor(heading: str) -> str:
    """As renderers make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


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
    text = _LIST.sub(
        lambda found: "\n".join([found[1], *subcommands(), "", found[2]]), PAGE.read_text(encoding="utf-8")
    )
    return _TABLE.sub(lambda found: "\n".join([found[1], *rows(found[2]), "", found[3]]), text)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
