"""How we were called: as the command ``export-dedup``, or by an entry script. What we advise to run is what is at hand.

Texts name the entry scripts, which every copy has. Where the command was called they are shown with its words instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    import re

COMMAND: Final = "export-dedup"
_SCRIPTS: Final = late_pattern(
    r"\./install\.sh --(?:uninstall|demo)|\./install\.sh|export-dedup-with-status\.py|export-dedup\.py|create-checkpoint\.py"
    r"|deduplicate_export\.py"
)
_WORDS: Final = {
    "./install.sh --uninstall": f"{COMMAND} uninstall",
    "./install.sh --demo": f"{COMMAND} demo",
    "./install.sh": f"{COMMAND} install",
    "export-dedup-with-status.py": f"{COMMAND} run",
    "export-dedup.py": f"{COMMAND} run",
    "create-checkpoint.py": f"{COMMAND} checkpoint",
}
_SUBCOMMAND: Final = late_pattern(r" [a-z]+(?![\w./:-])")


class _Called:
    """One for this process."""

    by_command = False


def by_command(*, so: bool = True) -> None:
    """From now on what is shown names the command."""
    _Called.by_command = so


def is_by_command() -> bool:
    """Whether the command was called, and not a script."""
    return _Called.by_command


def as_called(text: str) -> str:
    """``text`` with the names of scripts as whoever called us can call them."""
    return _SCRIPTS.sub(_word, text) if _Called.by_command else text


def _word(found: re.Match[str]) -> str:
    word = _WORDS.get(found.group())
    if word is not None:
        return word
    return COMMAND if _SUBCOMMAND.match(found.string, found.end()) else f"{COMMAND} import"
