"""``install.sh``: the demonstration, the tests, and in and out of a user's project."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

from ...errors import UsageError
from ...installation import demo, environment, origin
from ...installation.errors import InstallRefused
from ...installation.manifest import VENV
from ...terminal.console import printable
from ...terminal.display import show
from .. import arguments as shared
from . import install, into_project, uninstall

if TYPE_CHECKING:
    from collections.abc import Sequence

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
_USAGE: Final = """\
install.sh --demo | --test [PYTEST ARGUMENTS] | --version | [--uninstall] --project DIR [--no-hooks] [--dry-run]
                  [--client VERSION] [--yes] [--offline]"""


def main(arguments: Sequence[str]) -> int:
    """Run ``install.sh`` with ``arguments``; returns its exit code."""
    if list(arguments[:1]) == ["--test"]:
        return _test(list(arguments[1:]))
    asked = parser().parse_args(_joined(arguments))
    if asked.demo == (asked.project is not None) or (asked.demo and (asked.uninstall or asked.dry_run)):
        raise UsageError(
            "say what to do", hint="One of: --demo, --test, --project DIR, --uninstall --project DIR (--help explains)."
        )
    if asked.demo:
        return demo.run(origin.found(), show)
    return uninstall.run(asked) if asked.uninstall else install.run(asked)


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "install.sh",
        "Try export-dedup, test it, install it into a project, or take it out again.",
        "Nothing of yours is overwritten or removed: a file that you changed stays, and is named. The network is used by\n"
        "--test alone, for what the tests need. PYTHON=/path/to/python chooses the interpreter (3.9 or newer).\n"
        f"{shared.EXIT_CODES}",
    )
    found.usage = _USAGE
    add = found.add_argument
    add("--demo", action="store_true", help="run the whole job on three sample exports in a scratch project")
    add(
        "--test",
        action="store_true",
        help="run the tests (first option; all that follows goes to pytest); --test quick: of the core",
    )
    add("--project", metavar="DIR", help="install into this project, or bring it up to date")
    add("--uninstall", action="store_true", help="remove our own unmodified files from --project DIR; never data")
    install.add_arguments(found)
    into_project.add_arguments(found)
    add("--offline", action="store_true", help="accepted as before: no installation uses the network")
    return found


def _joined(arguments: Sequence[str]) -> list[str]:
    """``--project -odd`` as ``--project=-odd``: a folder's name may begin with a dash."""
    joined: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        value = next(rest, None) if argument == "--project" else None
        joined.append(argument if value is None else f"--project={value}")
    return joined


def _test(arguments: list[str]) -> int:
    """Run the tests of the checkout, in an environment of its own."""
    checkout = origin.found().root
    found = environment.for_testing(checkout / VENV, checkout)
    if found.note:
        if environment.missing(found.python, ("pytest",)):
            raise InstallRefused(
                f"the tests need pytest, and it cannot be installed ({printable(found.note)})",
                hint="Connect to a network, or install the group 'dev' of pyproject.toml into your Python.",
            )
        show(f"{printable(found.note)}: going on with the pytest of {printable(found.python)}")
    quick = arguments[:1] == [_QUICK]
    given = [*_CORE, *arguments[1:]] if quick else arguments
    show(_DURATION_OF_CORE if quick else _DURATION)
    # As many at once as there are processors; what the user says of that comes later and counts.
    workers = () if environment.missing(found.python, ("xdist",)) else ("-n", "auto")
    return subprocess.call([found.python, "-m", "pytest", *workers, *given], cwd=checkout)
