"""Whether every checkpoint goes into the project's README: asked once, by a person's terminal, and remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Optional

from ..checkpoint.readme_file import edits
from ..project.paths import Project
from ..start.late_dataclass import replace
from ..terminal.called import as_called
from ..terminal.display import ask
from .manifest import sha256
from .plan import read_below
from .targets import CONFIG

if TYPE_CHECKING:
    from pathlib import Path

    from .manifest import Manifest
    from .targets import Target

_OFF: Final = b'"readme_checkpoints": "command"'
_ON: Final = b'"readme_checkpoints": true'
_QUESTION: Final = "List every checkpoint in the project's README? create-checkpoint.py does so in any case. [y/N] "


def answer(root: Path, wanted: dict[str, Target], before: Optional[Manifest], *, may_ask: bool) -> Optional[bool]:
    """The user's answer, now or earlier; None where nobody was asked. A yes is put into the settings among ``wanted``."""
    told = before.readme if before else None
    if told is None and may_ask and _has_readme(root) and _is_ours(root, before):
        try:
            told = ask(as_called(_QUESTION)).lower() in ("y", "yes")
        except EOFError:
            return None
    if told:
        wanted[CONFIG] = replace(wanted[CONFIG], data=wanted[CONFIG].data.replace(_OFF, _ON))
    return told


def _has_readme(root: Path) -> bool:
    return bool(edits(Project(root), ""))


def _is_ours(root: Path, before: Optional[Manifest]) -> bool:
    """True where the settings are still to be written, or were not touched since: in a file of the user's own he has answered."""
    data = read_below(root, CONFIG)
    return data is None or sha256(data) in (before.files.get(CONFIG, ()) if before else ())
