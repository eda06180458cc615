"""Our slash commands, and how a hook answers them: one table.

In a hook the text behind a command is data: it is cut into words here, and no shell ever sees it.
"""

from __future__ import annotations

import shlex
from typing import Final

from ..start.late_dataclass import dataclass
from ..start.late_pattern import late_pattern

PLUGIN: Final = "export-dedup"
"""In the plugin form a command may be called ``export-dedup:NAME``."""


@dataclass(frozen=True)
class Command:
    """``script`` is called with ``words`` and the user's own; ``captures``: first what was said up to now is stored.

    ``whole``: the script's own report is long, and a person wants its banner and what became of the exports. ``arguments``
    is what may follow the command, as the client hints at it; ``tells``: its exit
    code is part of the answer, and says of no failure.
    """

    script: str
    arguments: str
    words: tuple[str, ...] = ()
    captures: bool = True
    whole: bool = False
    tells: bool = False


TOOL: Final = "deduplicate_export.py"
MAIN: Final = "export-dedup"
SEARCH: Final = "export-dedup-search"
COMMANDS: Final = {
    MAIN: Command(
        "export-dedup-with-status.py",
        "[PATH...] [--session-id ID] [--description TEXT] [--no-archive] [--no-checkpoint]",
        ("--yes",),
        whole=True,
    ),
    "export-dedup-status": Command(TOOL, "[--limit N] [--full]", ("status", "--characters")),
    SEARCH: Command(
        TOOL, 'WORD... ["A PHRASE"] [--session ID] [--role R] [--limit N] [--context N]', ("search", "--characters")
    ),
    "export-dedup-show": Command(
        TOOL, "[SESSION] [--around N] [--last N] [--no-tools] [--output FILE]", ("show", "--characters")
    ),
    "export-dedup-doctor": Command(TOOL, "[--all]", ("doctor",), captures=False, tells=True),
}
"""``--characters`` is followed by the number that the client shows."""
MATCHER: Final = "|".join(f"{name}|{PLUGIN}:{name}" for name in COMMANDS)
"""The matcher of UserPromptExpansion in the settings of both forms."""

_WORD: Final = late_pattern(r'"([^"]*)"?|\S+')
_PLAIN: Final = late_pattern(r'(?:[\w@%+=:,./ ~-]|"[\w@%+=:,./ ~-]*")*')


def named(name: object) -> str:
    """The name of our command without the plugin's; empty for a command that is not ours."""
    plain = name[len(PLUGIN) + 1 :] if isinstance(name, str) and name.startswith(f"{PLUGIN}:") else name
    return plain if isinstance(plain, str) and plain in COMMANDS else ""


def words_of(name: str, text: str) -> list[str]:
    """The arguments in the text behind a command. Raises :class:`ValueError` where a quote is open.

    Those of the main command are quoted as in a shell, since they are paths and titles. In the others an apostrophe and a
    backslash are what they are, because a search is for any text: double quotes hold words together, and nothing else. They stay
    around what is looked for, where they ask for whole words.
    """
    if name == MAIN:
        return shlex.split(text)
    words: list[str] = []
    for match in _WORD.finditer(text):
        word = match.group() if match.group(1) is None else match.group(1)
        is_sought = name == SEARCH and not (words and words[-1].startswith("--"))
        words.append(f'"{word}"' if word and is_sought and match.group(1) is not None else word)
    return [word for word in words if word]


def is_plain(text: str) -> bool:
    """True for arguments that mean the same with and without a shell: no ``;``, ``$``, backslash, quote that is open."""
    return _PLAIN.fullmatch(text) is not None
