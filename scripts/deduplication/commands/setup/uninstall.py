"""``export-dedup uninstall``: what was installed and not changed since, out of a project again; never its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import EXIT_OK
from ...installation import apply, links, targets
from ...installation import plan as planning
from ...installation.manifest import NAME
from ...reports import installation as report
from ...terminal.console import printable
from ...terminal.display import show
from .. import arguments as shared
from . import into_project

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Uninstall from the project that the arguments name, else from the one that the current folder is in."""
    return run(parser().parse_args(arguments))


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "./install.sh --uninstall",
        "Remove what was installed into a project and not changed since. What you changed stays, and is named; so does\n"
        "MEMORY-CONTEXT with all that was stored.",
    )
    shared.add_project(found)
    into_project.add_arguments(found)
    return found


def run(asked: argparse.Namespace) -> int:
    """Uninstall as ``asked``."""
    root = into_project.root_of(asked.project)
    before = planning.read_manifest(root)
    if before is None:
        if asked.json:
            shared.print_json(report.as_dict(None, root, None, [], dry_run=asked.dry_run))
        else:
            show(report.not_installed(root, NAME))
        return EXIT_OK
    plan = planning.plan_uninstall(root, before)
    agreed = into_project.ask_about_links(root, plan, asked)
    if not asked.json:
        removed = f"export-dedup {before.version} is removed from {printable(str(root))}"
        show(report.title(removed, dry_run=asked.dry_run))
    if not asked.dry_run:
        apply.uninstall(links.placed(root, agreed), plan)
    if asked.json:
        shared.print_json(report.as_dict(before.version, root, plan, [], dry_run=asked.dry_run))
        return EXIT_OK
    show(report.steps(plan, targets.SCRIPTS, dry_run=asked.dry_run))
    show(report.DATA_STAYS)
    return EXIT_OK
