"""A checkout whose package is small: what an installer does with a project does not hang on how many modules it copies."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from conftest import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

_OF_THE_PACKAGE = ("__init__.py", "errors.py", "model.py", "files", "storage/index")
_BESIDE_IT = (".coditect/README.md", ".coditect/config.json", ".coditect/settings.hooks.json", "pyproject.toml")


def small(checkout: Path) -> None:
    """Make one with all that is installed, but of the package a few modules; they do not run."""
    entries = [path.relative_to(REPOSITORY) for path in (REPOSITORY / "scripts").glob("*.py")]
    package = [f"scripts/deduplication/{name}" for name in _OF_THE_PACKAGE]
    for name in ("commands", "skills", "hooks", *_BESIDE_IT, *package, *entries):
        there, here = REPOSITORY / name, checkout / name
        here.parent.mkdir(parents=True, exist_ok=True)
        if there.is_dir():
            shutil.copytree(there, here, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(there, here)
