"""``install.sh``: the demonstration, the tests, and in and out of a user's project."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import EXIT_OK, DedupError, InstallRefused, UsageError
from ..hooks.forms import plugin_enabled
from ..installation import apply, client, demo, environment, links, readme, targets
from ..installation import plan as planning
from ..installation.manifest import NAME, Manifest, sha256
from ..project import approvals, client_version, config
from ..project.client_transcripts import config_dir
from ..terminal.console import printable

if TYPE_CHECKING:
    import argparse

CHECKOUT: Final = Path(__file__).resolve().parents[3]
_LABELS: Final = {
    planning.NEW: "new",
    planning.UPDATE: "update",
    planning.PERMISSIONS: "make executable",
    planning.REMOVE: "remove",
}


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
        return _demo(offline=asked.offline)
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
        "The network is used by pip alone, for rich and filelock; without it everything works. "
        "PYTHON=/path/to/python chooses the interpreter (3.9 or newer). "
        "Exit codes: 0 done, 1 a named failure, 2 usage, 3 unexpected, 130 interrupted.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--version", action="version", version=f"export-dedup {version()}", help="say which version this is, and exit")
    add("--demo", action="store_true", help="run the whole job on three sample exports in a scratch project")
    add("--test", action="store_true", help="run the tests (first option; all that follows goes to pytest)")
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
    add("--offline", action="store_true", help="make no virtual environment, ask pip for nothing")
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


def _demo(*, offline: bool) -> int:
    found = environment.Environment(sys.executable)
    if not offline:
        found = environment.for_running(CHECKOUT / targets.VENV)
    if found.note:
        _say(printable(found.note))
    return demo.run(CHECKOUT, found.python, _say)


def _test(arguments: list[str]) -> int:
    found = environment.for_testing(CHECKOUT / targets.VENV, CHECKOUT)
    if found.note:
        if environment.missing(found.python, ("pytest",)):
            raise InstallRefused(
                f"the tests need pytest, and it cannot be installed ({printable(found.note)})",
                hint="Connect to a network, or install the group 'dev' of pyproject.toml into your Python.",
            )
        _say(f"{printable(found.note)}: going on with the pytest of {printable(found.python)}")
    return subprocess.call([found.python, "-m", "pytest", *arguments], cwd=CHECKOUT)


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
    title = f"export-dedup {version()} → {printable(str(root))}"
    _say(f"{title} (dry run: nothing is changed)" if asked.dry_run else title)
    if not asked.dry_run:
        apply.install(place, plan, before)
        _approve(root, plan)
    _tell(plan, dry_run=asked.dry_run)
    if by_plugin and not asked.no_hooks:
        _say("  The plugin is enabled and has the hooks: none were put into the project, or they would run twice.")
    for line in client.told(found) if wants_hooks else ():
        _say(f"  {printable(line)}")
    if not asked.offline:
        _packages(root, place, plan.manifest, dry_run=asked.dry_run)
    if not asked.dry_run:
        _say(_next_steps(root))
    return EXIT_OK


def _approve(root: Path, plan: planning.Plan) -> None:
    """Settings that were written just now with the user's answer count from now on; those of anybody else are not touched."""
    written = any(step.path == targets.CONFIG and step.changes for step in plan.steps)
    found = config.examine(str(root))
    if (
        written
        and (found.waiting or found.file.fault)
        and sha256(found.file.data) in plan.manifest.files.get(targets.CONFIG, ())
    ):
        try:
            approvals.approve(str(root), found.path, found.file.data, time.time())
        except DedupError as error:
            _say(f"  {printable(str(error))}")


def _uninstall(root: Path, asked: argparse.Namespace) -> int:
    before = planning.read_manifest(root)
    if before is None:
        _say(f"export-dedup is not installed in {printable(str(root))} (no {NAME}): nothing to remove.")
        return EXIT_OK
    plan = planning.plan_uninstall(root, before)
    agreed = _ask_about_links(root, plan, asked)
    title = f"export-dedup {before.version} is removed from {printable(str(root))}"
    _say(f"{title} (dry run: nothing is changed)" if asked.dry_run else title)
    if not asked.dry_run:
        apply.uninstall(links.placed(root, agreed), plan)
    _tell(plan, dry_run=asked.dry_run)
    _say("  Your data in MEMORY-CONTEXT stays.")
    return EXIT_OK


def _may_ask() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def _ask_about_links(root: Path, plan: planning.Plan, asked: argparse.Namespace) -> dict[str, str]:
    """The links on the way and where they lead. Raises :class:`InstallRefused` unless writing through each is agreed to."""
    found = links.links_on_the_way(root, [NAME, *(step.path for step in plan.steps)])
    links.refuse_checkout(found, CHECKOUT)
    for link, real in found.items():
        _say(f"{printable(link)} is a symbolic link to {printable(real)}: what is done there, other projects may see.")
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


def _tell(plan: planning.Plan, *, dry_run: bool) -> None:
    changing = [step for step in plan.steps if step.changes]
    scripts = [step for step in changing if step.path.startswith(targets.SCRIPTS + "/")]
    for step in changing:
        if dry_run or step not in scripts:
            note = f" ({step.note})" if step.note else ""
            _say(f"  {_LABELS[step.kind]}: {printable(step.path)}{note}")
    if scripts and not dry_run:
        counted = [f"{sum(step.kind == kind for step in scripts)} {label}" for kind, label in _LABELS.items()]
        shown = ", ".join(text for text in counted if not text.startswith("0 "))
        _say(f"  {targets.SCRIPTS}: {shown}")
    if not changing:
        _say("  Everything is up to date.")
    for step in plan.steps:
        if step.kind == planning.KEEP:
            _say(f"  kept: {printable(step.path)} ({printable(step.note)})")


def _packages(root: Path, place: links.Place, manifest: Manifest, *, dry_run: bool) -> None:
    folder = Path(os.path.realpath(root / ".coditect")) / "venv"
    if dry_run:
        if not apply.is_venv(str(folder)):
            _say(f"  new: {targets.VENV} (with rich and filelock, if pip can get them)")
        return
    found = environment.for_running(folder)
    if found.created:
        manifest.venv = True
        apply.save(place, manifest)
        _say(f"  new: {targets.VENV} (rich, filelock)")
    if found.note:
        _say(f"  {printable(found.note)}")


def _next_steps(root: Path) -> str:
    lowest = client_version.text(client_version.LOWEST)
    together = "  git: commit .coditect, .claude/commands, .claude/settings.json and .gitignore together"
    everybody = f"(everybody then needs Claude Code {lowest} or newer)"
    lines = [
        f"{together} {everybody}, or ignore the first three (.git/info/exclude): one without the other does nothing."
    ]
    lines += ["", "Next, in Claude Code: /export, then /export-dedup (start a new session once, to make it known)."]
    lines.append("From a shell in the project: python3 .coditect/scripts/export-dedup-with-status.py")
    if any(character in str(root) for character in '"$`\\'):
        lines.append(
            "Note: the project's path has one of the characters \" $ ` \\ in it. Claude Code does not run commands "
            "through such a path: use the shell."
        )
    return "\n".join(lines)
