"""``export-dedup install``: scripts, slash commands, hooks and settings into a project, or up to date there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import __version__
from ...errors import EXIT_OK
from ...hooks.forms import plugin_enabled
from ...installation import apply, client, links, origin, readme, targets
from ...installation import plan as planning
from ...project import client_version
from ...reports import installation as report
from ...terminal.display import show
from .. import arguments as shared
from . import into_project

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from pathlib import Path


def main(arguments: Sequence[str]) -> int:
    """Install into the project that the arguments name, else into the one that the current folder is in."""
    return run(parser().parse_args(arguments))


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "./install.sh",
        "Put the scripts into .coditect/, the slash commands into .claude/commands/, hooks into .claude/settings.json and a\n"
        "marked block into .gitignore. Safe to repeat; a file that you changed stays. It needs no network.",
    )
    shared.add_project(found)
    add_arguments(found)
    into_project.add_arguments(found)
    return found


def add_arguments(parser: shared.Parser) -> None:
    """Those of installing alone."""
    add = parser.add_argument
    add("--no-hooks", action="store_true", help="leave .claude/settings.json without hooks: nothing happens by itself")
    add(
        "--client",
        metavar="VERSION",
        help="the version of Claude Code to write for (default: the one that is here is asked)",
    )


def run(asked: argparse.Namespace) -> int:
    """Install as ``asked``."""
    root = into_project.root_of(asked.project)
    into_project.refuse_the_users_own(root)
    found, place_of_files = client.named(asked.client), origin.found()
    wanted = targets.targets(place_of_files, found.version)
    into_project.links_to(root, wanted)  # one that leads nowhere is named before anything reads through it
    before = planning.read_manifest(root)
    by_plugin = plugin_enabled(str(root))
    wants_hooks = not asked.no_hooks and not by_plugin
    events = client_version.known(found.version).events if wants_hooks else ()
    hooks = targets.hooks(place_of_files, events, found.version)
    agreed = into_project.ask_about_links(root, planning.plan_install(root, wanted, before, __version__, hooks), asked)
    place = links.placed(root, agreed)
    may_ask = into_project.may_ask(asked) and not asked.dry_run and not asked.yes
    answer = readme.answer(root, wanted, before, may_ask=may_ask)
    plan = planning.plan_install(root, wanted, before, __version__, hooks)
    plan.manifest.readme = answer
    remarks = client.describe(found) if wants_hooks else ()
    refused = _carried_out(asked, root, plan, lambda: apply.install(place, plan, before))
    if asked.json:
        said = [refused] if refused else []
        shared.print_json(report.as_dict(__version__, root, plan, [*said, *remarks], dry_run=asked.dry_run))
        return EXIT_OK
    show(report.steps(plan, targets.SCRIPTS, dry_run=asked.dry_run))
    if by_plugin and not asked.no_hooks:
        show(report.HOOKS_OF_THE_PLUGIN)
    for line in remarks:
        show(report.remark(line))
    if not asked.dry_run:
        show(report.next_steps(root, client_version.text(client_version.LOWEST)))
    return EXIT_OK


def _carried_out(asked: argparse.Namespace, root: Path, plan: planning.Plan, write: Callable[[], None]) -> str:
    """``write`` what is planned, unless it is a dry run; why the settings that came could not be approved, else nothing."""
    if not asked.json:
        show(report.installed(__version__, root, dry_run=asked.dry_run))
    if asked.dry_run:
        return ""
    write()
    refused = apply.approve_settings(root, plan)
    if refused and not asked.json:
        show(report.remark(refused))
    return refused
