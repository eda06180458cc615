"""What goes where: the files of the origin and their places below a project."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Optional

from ..hooks import own_skill, slash_commands
from ..project import config
from ..project.client_version import LOWEST
from ..start.late_dataclass import dataclass
from ..start.late_pattern import late_pattern
from . import windows_shell
from .errors import InstallRefused
from .origin import SHIPPED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..project.client_version import Version
    from .origin import Origin

GET_AGAIN: Final = "Clone export-dedup again, or have pip install it again."

COMMANDS: Final = ".claude/commands"
SKILL: Final = own_skill.FILE
HOOKS: Final = ".coditect/hooks"
CONFIG: Final = config.FILE
SCRIPTS: Final = ".coditect/scripts"
README: Final = ".coditect/export-dedup.README.md"
PACKAGE: Final = "deduplication"
_LEFT_OUT: Final = (
    f"{PACKAGE}/installation",
    f"{PACKAGE}/commands/setup",
    f"{PACKAGE}/reports/installation.py",
    f"{PACKAGE}/{SHIPPED}",
)
"""The installer installs the tool, not itself."""
_PLUGIN_SCRIPT: Final = late_pattern(rb'"\$\{CLAUDE_PLUGIN_ROOT\}/scripts/([\w.-]+)"')
_ALLOWED: Final = late_pattern(rb"^allowed-tools: .*", re.MULTILINE)
_NAME: Final = late_pattern(rb"^name: recall$", re.MULTILINE)
_ENDINGS: Final = (".py", ".sql", ".sh", ".html", ".css", ".js", ".svg", ".LICENSE.txt", "SHA256SUMS")


@dataclass(frozen=True)
class Target:
    """One file to install: what is to lie there, with which permissions."""

    data: bytes
    mode: int


def targets(origin: Origin, client: Optional[Version] = LOWEST) -> dict[str, Target]:
    """Every file to install for a client of this version, by its path below the project (forward slashes).

    Raises :class:`InstallRefused` where the origin is not whole.
    """
    found: dict[str, Target] = {}
    for folder, inside in ((origin.scripts, ""), (origin.package, PACKAGE)):
        for path, name in _files(folder, inside):
            mode = 0o755 if "/" not in name or name.endswith(".sh") else 0o644
            found[f"{SCRIPTS}/{name}"] = Target(_read(path), mode)
    for command in sorted(origin.commands.glob("*.md")):
        found[f"{COMMANDS}/{command.name}"] = Target(for_project(_read(command), client), 0o644)
    # A plugin's skill has the plugin's name before its own; in a project the file of somebody else may have the short one.
    skill = _NAME.sub(f"name: {own_skill.IN_PROJECT}".encode(), _read(origin.skills / "recall" / "SKILL.md"), 1)
    found[SKILL] = Target(for_project(skill, client), 0o644)
    for name, mode in (("run.py", 0o755), ("run.sh", 0o755), ("run.cmd", 0o644)):
        found[f"{HOOKS}/{name}"] = Target(_read(origin.hooks / name), mode)
    found[CONFIG] = Target(_read(origin.coditect / os.path.basename(CONFIG)), 0o644)
    found[README] = Target(_read(origin.coditect / "README.md"), 0o644)
    needed = {f"{COMMANDS}/{name}.md" for name in slash_commands.COMMANDS}
    needed.update(f"{SCRIPTS}/{command.script}" for command in slash_commands.COMMANDS.values())
    if not needed <= found.keys():
        raise InstallRefused(f"{origin.scripts} is not whole", hint=GET_AGAIN)
    return found


def _files(folder: Path, inside: str) -> Iterator[tuple[Path, str]]:
    """The files of ours in ``folder``, in their order, and their names below ``.coditect/scripts``, where it is ``inside``."""
    for here, folders, names in os.walk(folder):
        below = Path(inside) / Path(here).relative_to(folder)
        # The package is walked by itself: it lies among the scripts, or somewhere else.
        folders[:] = sorted(name for name in folders if not _left_out(below / name) and below / name != Path(PACKAGE))
        for name in sorted(names):
            if name.endswith(_ENDINGS) and not _left_out(below / name):
                yield Path(here) / name, (below / name).as_posix()


def hooks(origin: Origin, events: Sequence[str], client: Optional[Version] = None) -> dict[str, list[Any]]:
    """Our entries for the client's settings, by event, for those of ``events``; by ``run.cmd`` where ``client`` needs that."""
    found: dict[str, list[Any]] = json.loads(_read(origin.coditect / "settings.hooks.json"))["hooks"]
    kept = {event: entries for event, entries in found.items() if event in events}
    for event, groups in kept.items() if windows_shell.needs_twin(client) else ():
        for entry in (entry for group in groups for entry in group["hooks"]):
            entry.update(windows_shell.by_cmd(event))
    return kept


def for_project(command: bytes, client: Optional[Version] = LOWEST) -> bytes:
    """The slash command or the skill of the plugin, calling the scripts that lie in the project.

    2.0.76 puts no folder in the place of a variable, and allows a command by how it begins: there the path is relative.
    """
    if client is not None and client >= LOWEST:
        return command.replace(b"${CLAUDE_PLUGIN_ROOT}/scripts/", b"${CLAUDE_PROJECT_DIR}/" + SCRIPTS.encode() + b"/")
    plain = _PLUGIN_SCRIPT.sub(SCRIPTS.encode() + rb"/\1", command).replace(b'"${CLAUDE_PROJECT_DIR}"', b".")
    return _ALLOWED.sub(lambda line: line.group().replace(b" *)", b":*)"), plain)


def _left_out(inside: Path) -> bool:
    return inside.name.startswith((".", "__pycache__")) or inside.as_posix() in _LEFT_OUT


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InstallRefused(f"{path}: {error.strerror}", hint=GET_AGAIN) from error
