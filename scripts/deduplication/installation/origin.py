"""Where the files lie that are installed: in a checkout, or, where pip installed the package, in its folder ``shipped``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from ..start.late_dataclass import dataclass

SHIPPED: Final = "shipped"
"""What a wheel has of the checkout, beside the package itself: setup.py puts it there."""


@dataclass(frozen=True)
class Origin:
    """``root``: nothing is installed into it. ``coditect`` has settings, README, entries for hooks, and the samples.

    ``checkout`` says that there is one, with tests.
    """

    root: Path
    scripts: Path
    package: Path
    commands: Path
    skills: Path
    hooks: Path
    coditect: Path
    checkout: bool = True


def of_checkout(root: Path) -> Origin:
    """A checkout at ``root``."""
    scripts = root / "scripts"
    commands, skills, hooks, coditect = (root / name for name in ("commands", "skills", "hooks", ".coditect"))
    return Origin(root, scripts, scripts / "deduplication", commands, skills, hooks, coditect)


def found() -> Origin:
    """That of the package which is running."""
    package = Path(os.path.realpath(__file__)).parents[1]
    shipped = package / SHIPPED
    if not shipped.is_dir():
        return of_checkout(package.parents[1])
    commands, skills, hooks, coditect = (shipped / name for name in ("commands", "skills", "hooks", "coditect"))
    return Origin(package, shipped / "scripts", package, commands, skills, hooks, coditect, checkout=False)
