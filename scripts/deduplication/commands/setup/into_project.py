"""What installing and uninstalling share: which project, and what is asked of its owner."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import UsageError
from ...installation import links, origin
from ...installation.errors import InstallRefused
from ...installation.manifest import NAME
from ...project.client_transcripts import config_dir
from ...project.paths import find_project
from ...reports import installation as report
from ...terminal.console import printable
from ...terminal.display import ask, show

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from typing import Optional

    from ...installation.plan import Plan
    from .. import arguments as shared


def add_arguments(parser: shared.Parser) -> None:
    """What both take besides the project."""
    add = parser.add_argument
    add("--dry-run", action="store_true", help="say what would be done, change nothing")
    add("--yes", action="store_true", help="write through symbolic links without asking")
    add("--json", action="store_true", help="print one JSON object and nothing else; nobody is asked then")


def root_of(name: Optional[str]) -> Path:
    """The folder of the project called ``name``, else of the one that the current folder is in.

    Raises :class:`UsageError` for what is none, and for the place that we are installed from.
    """
    chosen = os.fspath(find_project(None).root) if name is None else name
    if not chosen or not os.path.isdir(chosen):
        what = "is not a folder" if os.path.exists(chosen) else "does not exist"
        raise UsageError(f"the project {chosen!r} {what}", hint="Pass the folder of a project.")
    root = Path(os.path.realpath(chosen))
    own = origin.found().root
    if root == own or own in root.parents:
        raise UsageError(
            f"{root} is this checkout of export-dedup",
            hint="Pass the folder of the project that you want to use it in.",
        )
    if not os.access(root, os.W_OK | os.X_OK):
        raise InstallRefused(f"{root} is not writable", hint="Correct the permissions, or pass another folder.")
    return root


def refuse_the_users_own(root: Path) -> None:
    """Raise :class:`InstallRefused` where ``root``'s settings are the user's for every project: hooks there fail in all others."""
    own = os.path.realpath(config_dir())
    home = os.path.realpath(os.path.expanduser("~"))
    if str(root) == home or os.path.realpath(root / ".claude") == own:
        raise InstallRefused(
            f"{printable(str(root))} is no project: its .claude/settings.json holds for all your projects",
            hint="Pass the folder of one project; for all of them use the plugin (README, Install).",
        )


def links_to(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """The symbolic links on the way to our manifest and to ``paths``, and where they lead."""
    return links.links_on_the_way(root, [NAME, *paths])


def may_ask(asked: argparse.Namespace) -> bool:
    """Whether a person sits in front of a terminal, and waits for no JSON."""
    return not asked.json and sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def ask_about_links(root: Path, plan: Plan, asked: argparse.Namespace) -> dict[str, str]:
    """The links on the way and where they lead. Raises :class:`InstallRefused` unless writing through each is agreed to."""
    found = links_to(root, (step.path for step in plan.steps))
    links.refuse_checkout(found, origin.found().root)
    for link, real in found.items():
        show(report.link(link, real), sys.stderr if asked.json else None)
    if not found or asked.yes or asked.dry_run:
        return found
    if not may_ask(asked):
        raise InstallRefused(
            "a symbolic link is on the way, and nobody can be asked here", hint="Pass --yes to write through it."
        )
    try:
        agreed = ask("Write through it? [y/N] ").lower() in ("y", "yes")
    except EOFError:
        agreed = False
    if not agreed:
        raise InstallRefused("not agreed to", hint="Replace the link by a folder, or answer yes.")
    return found
