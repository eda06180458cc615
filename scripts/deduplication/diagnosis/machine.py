"""The interpreter, the packages, the settings of the user and the project."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import PrivacySettingInvalid
from ..figures.counted import counted
from ..project import approvals, config
from ..redaction import redact as privacy
from .finding import LINES, NOTE, OK, PROBLEM, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..project.settings_file import SettingsFile
    from .finding import Subject

_NAMES: Final = 20
_CHARACTERS: Final = 100
"""Of a name or a value that is shown: anybody may have written it."""
_LOST_WITHOUT: Final = {
    "rich": "no progress bar is drawn",
    "filelock": "a run that waits for another one asks again and again instead of being told",
}


def findings(subject: Subject) -> Iterator[Finding]:
    """Python, rich, filelock, both files of settings."""
    yield _interpreter()
    yield from _packages()
    yield from _settings(subject.root)


def _interpreter() -> Finding:
    # An older one than 3.9 does not come this far: the commands say so themselves.
    details = []
    with contextlib.suppress(OSError, ValueError):
        cache = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
        chosen = (cache / "export-dedup" / "python").read_text(encoding="utf-8").strip()
        details.append(f"the hooks start {chosen}")
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", OK, f"{version} ({sys.executable})", details=tuple(details))


def _packages() -> Iterator[Finding]:
    from importlib.util import find_spec

    for name, lost in _LOST_WITHOUT.items():
        if find_spec(name) is None:
            yield Finding(name, OK, f"not installed, and nothing depends on it; {lost}")
        else:
            yield Finding(name, OK, "installed")


def _settings(root: str) -> Iterator[Finding]:
    found = config.examine(root)
    for shown, file in ((found.own_path, found.own), (config.FILE, found.file)):
        yield from _file(shown, file)
    if found.waiting:
        text = f"{config.FILE} loosens your own settings and is not approved; not in force: {', '.join(found.waiting)}"
        details = tuple(f"{name}: {_shown(value)}" for name, value in found.waiting.items())
        yield Finding(
            "settings", NOTE, text, "Look at it with 'deduplicate_export.py trust', then approve it or not.", details
        )
    approved = [one.path for one in approvals.approvals()]
    if approved:
        more = (f"and {len(approved) - LINES:,} more",) if len(approved) > LINES else ()
        yield Finding(
            "approved", OK, f"{counted(len(approved), 'file')} of settings", details=(*approved[:LINES], *more)
        )
    try:
        privacy.policy(found.values)
    except PrivacySettingInvalid as error:
        yield Finding("redaction", PROBLEM, f"nothing is shared: {error}", error.hint)


def _file(name: str, file: SettingsFile) -> Iterator[Finding]:
    """What is wrong with one file of settings; that it is right; nothing where there is none."""
    if file.fault:
        cure = "Put it right; until then it counts for nothing."
        yield Finding("settings", PROBLEM, f"{name}: {file.fault}", cure)
    elif file.values is not None:
        passed_over = sorted(each for each, value in file.values.items() if not config.fits(each, value))
        if passed_over:
            more = f" and {len(passed_over) - _NAMES:,} more" if len(passed_over) > _NAMES else ""
            names = ", ".join(each[:_CHARACTERS] for each in passed_over[:_NAMES])
            text = f"{name} sets what does not exist, or to what cannot be: {names}{more}"
            yield Finding("settings", PROBLEM, text, "Correct these settings, or take them out.")
        else:
            yield Finding("settings", OK, name)


def _shown(value: object) -> str:
    return json.dumps(value)[:_CHARACTERS]
