"""The names of packs and of their indexes: ``packs/pack-0007.pack`` with ``packs/pack-0007.idx``."""

from __future__ import annotations

import os
import re
from typing import Final

from ..errors import ArchiveDamaged
from ..start.late_pattern import late_pattern

FOLDER: Final = "packs"
_NAME: Final = late_pattern(r"pack-(\d{4,})\.pack\Z", re.ASCII)
INDEX: Final = late_pattern(r"pack-\d{4,}\.idx\Z", re.ASCII)


def listed(folder: str) -> list[tuple[int, str]]:
    """The packs in ``folder`` by number, whatever lies under their names."""
    return sorted((int(match.group(1)), name) for name in names_in(folder) if (match := _NAME.match(name)))


def names_in(folder: str) -> list[str]:
    """Everything in the folder of packs; nothing where there is none."""
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ArchiveDamaged(f"{folder}: {error.strerror or error}") from error


def pack_path(folder: str, number: int) -> str:
    """Where the pack with this number lies."""
    return os.path.join(folder, f"pack-{number:04}.pack")


def index_path(path: str) -> str:
    """Where the index of the pack at ``path`` lies."""
    return path[: -len("pack")] + "idx"


def pack_of(name: str) -> str:
    """The name of the pack to which the index of this name belongs."""
    return name[: -len("idx")] + "pack"


def number_of(name: str) -> int:
    """The number of the pack of this name; -1 where it is none's."""
    found = _NAME.match(name)
    return int(found.group(1)) if found else -1
