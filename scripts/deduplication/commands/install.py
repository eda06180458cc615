"""``install.sh``: the demonstration, the tests, and in and out of a user's project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import EXIT_OK, InstallRefused, UsageError
from ..hooks.forms import plugin_enabled
from ..installation import apply, client, demo, environment, links, readme, targets
from ..installation import plan as planning
from ..installation.manifest import NAME, VENV
from ..project import client_version
from ..project.client_transcripts import config_dir
from ..reports import installation as report
from ..terminal.console import printable

if TYPE_CHECKING:
    import argparse

CHECKOUT: Final = Path(__file__).resolve().parents[3]
_QUICK: Final = "quick"
_CORE: Final = (
    *(f"tests/{room}" for room in ("alignment", "files", "figures", "formats", "ingest", "storage")),
    *("tests/test_counting.py", "tests/test_house.py", "tests/test_public_api.py"),
    *("-m", "not slow and not faults and not e2e"),
)
"""What ``--test quick`` runs: from bytes to stored messages, and the house."""
_DURATION: Final = (
    "All tests: some 15 minutes on two cores. './install.sh --test quick' runs those of the core in about one."
)
_DURATION_OF_CORE: Final = "The tests of the core: about a minute on two cores."


def main(arguments: list[str]) -> int:
    """Run ``install.sh`` with ``arguments``; returns its exit code."""
    if arguments[:1] == ["--test"]:
        return _test(arguments[1:])
    asked = parser().parse_args(_joined(arguments))
    if asked.demo == (asked.project is not None) or (asked.demo and (asked.uninstall or asked.dry_run)):
        raise UsageError(
            "say what to do", hint="One of: --demo, --test, --project DIR, --uninstall --project DIR (--help explains)."
        )
    if asked.demo:
        return demo.run(CHECKOUT, sys.executable, _say)
    root = _root(asked.project)
    if asked.uninstall:
        return _uninstall(root, asked)
    _refuse_the_users_own(root)
    return _install(root, asked)


def version() -> str:
    """The version of this checkout, from its one home."""
    with open(CHECKOUT / "pyproject.toml", encoding="utf-8") as file:
        for line in file:
            if line.startswith("version = "):
                return line.split('"')[1]
    raise InstallRefused("pyproject.toml names no version", hint="Clone export-dedup again.")


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    import argparse

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> None:  # type: ignore[override]
            raise UsageError(message, hint="Run ./install.sh --help to see what it takes.")

    parser = Parser(
        prog="install.sh",
        usage="install.sh --demo | --test [PYTEST ARGUMENTS] | --version | [--uninstall] --project DIR [--no-hooks] [--dry-run]\n"
        "                  [--client VERSION] [--yes] [--offline]",
        description="Try export-dedup, test it, install it into a project, or take it out again.",
        epilog="Nothing of yours is overwritten or removed: a file that you changed stays, and is named. "
        "The network is used by --test alone, for what the tests need. "
        "PYTHON=/path/to/python chooses the interpreter (3.9 or newer). "
        "Exit codes: 0 done, 1 a named failure, 2 usage, 3 unexpected, 130 interrupted.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--version", action="version", version=f"export-dedup {version()}", help="say which version this is, and exit")
    add("--demo", action="store_true", help="run the whole job on three sample exports in a scratch project")
    add(
        "--test",
        action="store_true",
        help="run the tests (first option; all that follows goes to pytest); --test quick: of the core",
    )
    add("--project", metavar="DIR", help="install into this project, or bring it up to date")
    add("--uninstall", action="store_true", help="remove our own unmodified files from --project DIR; never data")
    add("--dry-run", action="store_true", help="say what would be done, change nothing")
    add("--no-hooks", action="store_true", help="leave .claude/settings.json without hooks: nothing happens by itself")
    add(
        "--client",
        metavar="VERSION",
        help="the version of Claude Code to write for (default: the one that is here is asked)",
    )
    add("--yes", action="store_true", help="write through symbolic links without asking")
    add("--offline", action="store_true", help="accepted as before: no installation uses the network")
    return parser


def _joined(arguments: list[str]) -> list[str]:
    """``--project -odd`` as ``--project=-odd``: a folder's name may begin with a dash."""
    joined: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        value = next(rest, None) if argument == "--project" else None
        joined.append(argument if value is None else f"--project={value}")
    return joined


def _say(text: str) -> None:
    print(text, flush=True)


# --- the checkout itself ---------------------------------------------------------------------------------------


def _test(arguments: list[str]) -> int:
    found = environment.for_testing(CHECKOUT / VENV, CHECKOUT)
    if found.note:
        if environment.missing(found.python, ("pytest",)):
            raise InstallRefused(
                f"the tests need pytest, and it cannot be installed ({printable(found.note)})",
                hint="Connect to a network, or install the group 'dev' of pyproject.toml into your Python.",
            )
        _say(f"{printable(found.note)}: going on with the pytest of {printable(found.python)}")
    quick = arguments[:1] == [_QUICK]
    given = [*_CORE, *arguments[1:]] if quick else arguments
    _say(_DURATION_OF_CORE if quick else _DURATION)
    # As many at once as there are processors; what the user says of that comes later and counts.
    workers = () if environment.missing(found.python, ("xdist",)) else ("-n", "auto")
    return subprocess.call([found.python, "-m", "pytest", *workers, *given], cwd=CHECKOUT)


# --- a user's project ------------------------------------------------------------------------------------------


def _root(name: str) -> Path:
    if not name or not os.path.isdir(name):
        what = "is not a folder" if os.path.exists(name) else "does not exist"
        raise UsageError(f"the project {name!r} {what}", hint="Pass the folder of a project.")
    root = Path(os.path.realpath(name))
    if root == CHECKOUT or CHECKOUT in root.parents:
        raise UsageError(
            f"{root} is this checkout of export-dedup",
            hint="Pass the folder of the project that you want to use it in.",
        )
    if not os.access(root, os.W_OK | os.X_OK):
        raise InstallRefused(f"{root} is not writable", hint="Correct the permissions, or pass another folder.")
    return root


def _refuse_the_users_own(root: Path) -> None:
    """Raise :class:`InstallRefused` where ``root``'s settings are the user's for every project: hooks there fail in all others."""
    own = os.path.realpath(config_dir())
    home = os.path.realpath(os.path.expanduser("~"))
    if str(root) == home or os.path.realpath(root / ".claude") == own:
        raise InstallRefused(
            f"{printable(str(root))} is no project: its .claude/settings.json holds for all your projects",
            hint="Pass the folder of one project; for all of them use the plugin (README, Install).",
        )


def _client(asked: argparse.Namespace) -> client.Client:
    if asked.client is None:
        return client.find()
    version = client_version.parse(asked.client)
    if version is None:
        raise UsageError(f"--client {asked.client!r} is no version", hint="Pass one such as 2.1.197.")
    return client.Client(version, "as you said")


def _install(root: Path, asked: argparse.Namespace) -> int:
    found = _client(asked)
    wanted = targets.targets(CHECKOUT, found.version)
    links.links_on_the_way(root, [NAME, *wanted])  # one that leads nowhere is named before anything reads through it
    before = planning.read_manifest(root)
    by_plugin = plugin_enabled(str(root))
    wants_hooks = not asked.no_hooks and not by_plugin
    hooks = targets.hooks(CHECKOUT, client_version.known(found.version).events) if wants_hooks else {}
    agreed = _ask_about_links(root, planning.plan_install(root, wanted, before, version(), hooks), asked)
    place = links.placed(root, agreed)
    answer = readme.answer(root, wanted, before, may_ask=_may_ask() and not asked.dry_run and not asked.yes)
    plan = planning.plan_install(root, wanted, before, version(), hooks)
    plan.manifest.readme = answer
    _say(report.title(f"export-dedup {version()} → {printable(str(root))}", dry_run=asked.dry_run))
    if not asked.dry_run:
        apply.install(place, plan, before)
        refused = apply.approve_settings(root, plan)
        if refused:
            _say(f"  {printable(refused)}")
    _say(report.steps(plan, targets.SCRIPTS, dry_run=asked.dry_run))
    if by_plugin and not asked.no_hooks:
        _say(report.HOOKS_OF_THE_PLUGIN)
    for line in client.describe(found) if wants_hooks else ():
        _say(f"  {printable(line)}")
    if not asked.dry_run:
        _say(report.next_steps(root, client_version.text(client_version.LOWEST)))
    return EXIT_OK


def _uninstall(root: Path, asked: argparse.Namespace) -> int:
    before = planning.read_manifest(root)
    if before is None:
        _say(report.not_installed(root, NAME))
        return EXIT_OK
    plan = planning.plan_uninstall(root, before)
    agreed = _ask_about_links(root, plan, asked)
    _say(report.title(f"export-dedup {before.version} is removed from {printable(str(root))}", dry_run=asked.dry_run))
    if not asked.dry_run:
        apply.uninstall(links.placed(root, agreed), plan)
    _say(report.steps(plan, targets.SCRIPTS, dry_run=asked.dry_run))
    _say(report.DATA_STAYS)
    return EXIT_OK


def _may_ask() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def _ask_about_links(root: Path, plan: planning.Plan, asked: argparse.Namespace) -> dict[str, str]:
    """The links on the way and where they lead. Raises :class:`InstallRefused` unless writing through each is agreed to."""
    found = links.links_on_the_way(root, [NAME, *(step.path for step in plan.steps)])
    links.refuse_checkout(found, CHECKOUT)
    for link, real in found.items():
        _say(report.link(link, real))
    if not found or asked.yes or asked.dry_run:
        return found
    if not _may_ask():
        raise InstallRefused(
            "a symbolic link is on the way, and nobody can be asked here", hint="Pass --yes to write through it."
        )
    try:
        agreed = input("Write through it? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        agreed = False
    if not agreed:
        raise InstallRefused("not agreed to", hint="Replace the link by a folder, or answer yes.")
    return found
