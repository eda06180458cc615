"""The interpreter, the packages, the project's settings."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .. import atomic, config
from .finding import NOTE, OK, PROBLEM, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .finding import Subject

_LOST_WITHOUT: Final = {
    "rich": "no progress bar is drawn",
    "filelock": "a run that waits for another one asks again and again instead of being told",
}


def findings(subject: Subject) -> Iterator[Finding]:
    """Python, rich, filelock, ``.coditect/config.json``."""
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
            yield Finding(name, NOTE, f"not installed: {lost}; nothing depends on it")
        else:
            yield Finding(name, OK, "installed")


def _settings(root: str) -> Iterator[Finding]:
    try:
        with atomic.open_regular(os.path.join(root, config.FILE), follow=True) as file:
            found = json.loads(file.read())
    except FileNotFoundError:
        return
    except (OSError, ValueError, RecursionError) as error:
        found, fault = None, str(error)
    else:
        fault = "" if isinstance(found, dict) else "it is no JSON object"
    if fault:
        cure = "Put it right; until then the defaults hold."
        yield Finding("settings", PROBLEM, f"{config.FILE}: {fault}", cure)
        return
    passed_over = sorted(name for name, value in found.items() if not config.fits(name, value))
    if passed_over:
        text = f"{config.FILE} sets what does not exist, or to what cannot be: {', '.join(passed_over)}"
        yield Finding("settings", PROBLEM, text, "Correct these settings, or take them out.")
    else:
        yield Finding("settings", OK, config.FILE)
