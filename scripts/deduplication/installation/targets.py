"""What goes where: the files of the checkout and their places below a project."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..errors import InstallRefused

COMMAND: Final = ".claude/commands/export-dedup.md"
SCRIPTS: Final = ".coditect/scripts"
README: Final = ".coditect/export-dedup.README.md"
VENV: Final = ".coditect/venv"
_LEFT_OUT: Final = ("deduplication/installation", "deduplication/commands/install.py")
"""The installer installs the tool, not itself."""
_ENDINGS: Final = (".py", ".sql", ".sh")


@dataclass(frozen=True)
class Target:
    """One file to install: what is to lie there, with which permissions."""

    data: bytes
    mode: int


def targets(checkout: Path) -> dict[str, Target]:
    """Every file to install, by its path below the project (forward slashes).

    Raises :class:`InstallRefused` where the checkout is not whole.
    """
    scripts = checkout / "scripts"
    found: dict[str, Target] = {}
    for folder, folders, names in os.walk(scripts):
        inside = Path(folder).relative_to(scripts)
        folders[:] = sorted(name for name in folders if not _left_out(inside / name))
        for name in sorted(names):
            path = Path(folder) / name
            if name.endswith(_ENDINGS) and not _left_out(inside / name):
                mode = 0o755 if inside == Path() or name.endswith(".sh") else 0o644
                found[f"{SCRIPTS}/{(inside / name).as_posix()}"] = Target(_read(path), mode)
    command = _read(checkout / "commands" / "export-dedup.md")
    found[COMMAND] = Target(for_project(command), 0o644)
    found[README] = Target(_read(checkout / ".coditect" / "README.md"), 0o644)
    if f"{SCRIPTS}/export-dedup-with-status.py" not in found:
        raise InstallRefused(f"{scripts} is not whole", hint="Clone export-dedup again.")
    return found


def for_project(command: bytes) -> bytes:
    """The slash command of the plugin, calling the scripts that lie in the project."""
    return command.replace(b"${CLAUDE_PLUGIN_ROOT}/scripts/", b"${CLAUDE_PROJECT_DIR}/" + SCRIPTS.encode() + b"/")


def _left_out(inside: Path) -> bool:
    return inside.name.startswith((".", "__pycache__")) or inside.as_posix() in _LEFT_OUT


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InstallRefused(f"{path}: {error.strerror}", hint="Clone export-dedup again.") from error
