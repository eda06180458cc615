"""Whether our own files are those of the release: ``SHA256SUMS`` in the package says what they were when it was made.

The list is made and signed where a release is built (``.ci/sums``); a checkout between two releases has none. It is no defence
against who may write the files: he may write the list, too. For that its signature is checked elsewhere (``SECURITY.md``).
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Final, Optional

from ..figures.counted import counted
from ..files import atomic
from ..start.late_pattern import late_pattern
from .finding import LINES, OK, PROBLEM, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .finding import Subject

NAME: Final = "SHA256SUMS"
PACKAGE: Final = "scripts/deduplication/"
_SHIPPED: Final = "shipped"
_LINE: Final = late_pattern(r"([0-9a-f]{64})  ([A-Za-z0-9._/-]+)\n?")
_CURE: Final = "Install it again; where you changed the files yourself, nothing is to be done."


def findings(_subject: Subject) -> Iterator[Finding]:
    """One, where the package has a list."""
    found = _of_list(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
    if found is not None:
        yield found


def _of_list(package: str) -> Optional[Finding]:
    try:
        with atomic.open_regular(os.path.join(package, NAME)) as file:
            lines = file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return None
    except OSError as error:
        return Finding("release", PROBLEM, f"{NAME}: {error.strerror or error}", _CURE)
    wanted = {}
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None or ".." in match[2].split("/"):
            return Finding("release", PROBLEM, f"{NAME} is damaged: {line[:80]!r}", _CURE)
        wanted[match[2]] = match[1]
    here = {name: path for name in wanted if (path := _place(package, name)) is not None}
    differ = [name for name, path in here.items() if _hash(path) != wanted[name]]
    added = [name for name in _modules(package) if name not in wanted]
    if not differ and not added:
        return Finding("release", OK, f"{counted(len(here), 'file')} of ours are as they were released")
    details = [f"changed: {name}" for name in differ[:LINES]] + [f"added: {name}" for name in added[:LINES]]
    text = f"{counted(len(differ), 'file')} of ours differ from the release, {len(added):,} are not part of it"
    return Finding("release", PROBLEM, text, _CURE, tuple(details))


def _place(package: str, name: str) -> Optional[str]:
    """Where a file of the list lies, as this package was installed; None where that form of installing leaves it out."""
    if name.startswith(PACKAGE):
        path = os.path.join(package, *name[len(PACKAGE) :].split("/"))
    elif os.path.isdir(os.path.join(package, _SHIPPED)):
        path = os.path.join(package, _SHIPPED, *name.split("/"))
    else:
        path = os.path.join(os.path.dirname(os.path.dirname(package)), *name.split("/"))
    return path if os.path.isfile(path) else None


def _hash(path: str) -> str:
    try:
        with atomic.open_regular(path) as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return ""


def _modules(package: str) -> Iterator[str]:
    """The modules that lie in the package, by their names in the list."""
    for here, folders, names in os.walk(package):
        folders[:] = sorted(name for name in folders if name not in ("__pycache__", _SHIPPED))
        for name in sorted(names):
            if name.endswith(".py"):
                yield PACKAGE + os.path.relpath(os.path.join(here, name), package).replace(os.sep, "/")
