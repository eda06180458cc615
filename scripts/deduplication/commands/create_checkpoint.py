"""``create-checkpoint.py``: a checkpoint document and its commit, from the shell."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .. import checkpoint, console
from ..errors import EXIT_OK, UsageError
from ..project import find_project

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ..checkpoint import Checkpoint
    from ..project import Project


def main(arguments: Sequence[str]) -> int:
    """Run the command with ``arguments`` (without the program's name); returns its exit code."""
    asked = _parser().parse_args(arguments)
    project = find_project(asked.project)
    made = checkpoint.create(project, asked.description, commit=not asked.no_commit)
    if asked.json:
        import json

        # ASCII: a name that is no valid Unicode becomes an escape, on every console.
        print(json.dumps({"document": str(made.document), "commit": made.commit, "note": made.note}))
    else:
        print("\n".join(_lines(project, made)))
    return EXIT_OK


def _lines(project: Project, made: Checkpoint) -> list[str]:
    done, remark = ("✓", "ℹ") if console.speaks_unicode(sys.stdout) else ("OK:", "Note:")
    lines = [f"{done} Checkpoint created: {console.printable(project.relative(made.document))}"]
    if made.commit:
        lines.append(f"{done} Committed: {made.commit[:10]}")
    if made.note:
        lines.append(f"{remark} {made.note}")
    return lines


def _parser() -> argparse.ArgumentParser:
    import argparse

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> None:  # type: ignore[override]
            # argparse would print the argument as it came, with whatever a terminal obeys in it.
            raise UsageError(message)

    parser = Parser(
        prog="create-checkpoint.py",
        description="Write a checkpoint document into MEMORY-CONTEXT/checkpoints/ and commit it. Only that document "
        "is committed: what you have staged stays staged, and your work tree is left alone.",
        epilog='Example: create-checkpoint.py "Sprint Complete"\n\n'
        "Without a git repository, or while a merge or rebase is in progress, the document is written and not "
        "committed.\nExit codes: 0 done, 1 a named failure, 2 usage, 3 unexpected (a log is named), 130 interrupted.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("description", nargs="?", default="Checkpoint", metavar="DESCRIPTION", help='the title (default: "Checkpoint")')
    add("--no-commit", action="store_true", help="write the document only")
    add("--project", metavar="DIR", help="the project (default: found from the current folder upwards)")
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return parser
