"""How we were called: as the command ``export-dedup``, by an entry script, or by a slash command in the client. What we
advise to run is what is at hand.

Texts name the entry scripts, which every copy has. Where the command was called they are shown with its words instead, and
where a slash command was, with slash commands.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from ..start.child import main_module
from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    import re

COMMAND: Final = "export-dedup"
_SCRIPTS: Final = late_pattern(
    r"\./install\.sh --(?:uninstall|demo)|\./install\.sh|export-dedup-with-status\.py|export-dedup\.py|create-checkpoint\.py"
    r"|deduplicate_export\.py"
)
_WORDS: Final = {
    "./install.sh --uninstall": "uninstall",
    "./install.sh --demo": "demo",
    "./install.sh": "install",
    "export-dedup-with-status.py": "run",
    "export-dedup.py": "run",
    "create-checkpoint.py": "checkpoint",
}
_TOOL: Final = "deduplicate_export.py"
_TYPED: Final = "EXPORT_DEDUP_TYPED"
SLASH: Final = "EXPORT_DEDUP_SLASH"
"""Set where a hook has us answer a slash command: what a person types for it."""
_ANSWERED: Final = late_pattern(
    r"(?:export-dedup-with-status|export-dedup)\.py|deduplicate_export\.py (?=(?:search|show|status|doctor)(?![\w-]))"
)
"""What has a slash command."""
_SUBCOMMAND: Final = late_pattern(r" [a-z]+(?![\w./:-])")


class _Called:
    """One for this process."""

    by_command = False
    typed = ""


def by_command(*, so: bool = True) -> None:
    """From now on what is shown names the command."""
    _Called.by_command, _Called.typed = so, ""


def is_by_command() -> bool:
    """Whether the command was called, and not a script."""
    return _Called.by_command


def as_called(text: str) -> str:
    """``text`` with the names of scripts as whoever called us can call them."""
    if slash_command():
        return _ANSWERED.sub(lambda found: f"/{COMMAND}{'-' if found.group().endswith(' ') else ''}", text)
    return _SCRIPTS.sub(lambda found: f"{typed()}{_subcommand(found)}", text) if _Called.by_command else text


def titled(text: str) -> str:
    """The same for titles and help, where the command has its plain name."""
    if slash_command():
        return as_called(text)
    return _SCRIPTS.sub(lambda found: f"{COMMAND}{_subcommand(found)}", text) if _Called.by_command else text


def _subcommand(found: re.Match[str]) -> str:
    word = _WORDS.get(found.group())
    if word is not None:
        return f" {word}"
    return "" if _SUBCOMMAND.match(found.string, found.end()) else " import"


def slash_command() -> str:
    """What a person types for the slash command that is being answered, with its arguments; empty anywhere else."""
    return os.environ.get(SLASH, "")


def command_line(*words: str, script: str = "") -> str:
    """How words of ours are called from a shell: as this process was, or by ``script``."""
    import shlex

    if _Called.by_command:
        return f"{typed()} {shlex.join(words)}"
    script = script or (sys.argv[0] if os.path.basename(sys.argv[0]) == _TOOL else _TOOL)
    return shlex.join(["python3", script, *words])


def typed() -> str:
    """What a person types for the command: its name where the shell finds it by that, else how we were started."""
    if not _Called.typed:
        _Called.typed = os.environ.get(_TYPED) or _found_out(sys.argv[0])
    return _Called.typed


def tell_children() -> None:
    """A process that we start says what a person typed for us."""
    os.environ[_TYPED] = typed()


def _found_out(program: str) -> str:
    name = os.path.basename(program).partition(".")[0]
    folder = program.partition("__main__.py")[0].rstrip(os.sep)
    is_ours = name == COMMAND or os.path.realpath(folder) == os.path.realpath(os.path.dirname(main_module()))
    from shutil import which

    if not is_ours or which(COMMAND):
        return COMMAND
    if name == COMMAND:
        return _quoted(program)
    python = os.path.basename(sys.executable)
    if os.path.abspath(which(python) or "") != os.path.abspath(sys.executable):
        python = _quoted(sys.executable)
    # Python 3.9 does not say whether it was "-m"; the folder does as well.
    is_module = "-m" in getattr(sys, "orig_argv", ())
    return f"{python} {'-m deduplication' if is_module else _quoted(folder)}"


def _quoted(path: str) -> str:
    """In double quotes, since texts put commands in single ones."""
    import shlex

    plain = shlex.quote(path)
    return plain if plain == path or set(path) & set('"$`\\!') else f'"{path}"'
