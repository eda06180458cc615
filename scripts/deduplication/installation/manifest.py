"""What we put into a project: each file with the SHA-256 of what was written, so that only our own is ever removed."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final, Optional

from ..start.late_dataclass import dataclass, field
from ..start.late_pattern import late_pattern
from .errors import InstallRefused

NAME: Final = ".coditect/export-dedup.manifest"
VENV: Final = ".coditect/venv"
"""Made by earlier versions in projects; in a checkout its tests have theirs there."""
_OURS: Final = (".coditect/", ".claude/")
_HASH: Final = late_pattern(r"[0-9a-f]{64}")


@dataclass
class Manifest:
    """``files``: path below the project -> the hashes that are ours there (two while an update is under way).

    ``directories`` are those that did not exist before; ``ignore`` describes the block in ``.gitignore``:
    ``sha256`` of the block, ``separator`` before it, ``created`` where the file itself is ours; ``settings`` says that
    ``.claude/settings.json`` is, ``venv`` that ``.coditect/venv`` is, which earlier versions made. ``unfinished``: not all
    of it is known to be on the disk, so that a file may be torn. ``readme`` is the answer to whether every checkpoint goes into
    the README, None where nobody was asked.
    """

    version: str
    files: dict[str, list[str]] = field(default_factory=dict)
    directories: list[str] = field(default_factory=list)
    ignore: Optional[dict[str, Any]] = None
    venv: bool = False
    settings: bool = False
    readme: Optional[bool] = None
    unfinished: bool = False

    def dump(self) -> bytes:
        """The manifest as it lies on the disk: the same content gives the same bytes."""
        record = {
            "version": self.version,
            "files": dict(sorted(self.files.items())),
            "directories": sorted(set(self.directories)),
            "ignore": self.ignore,
            "venv": self.venv,
            "settings": self.settings,
            **({} if self.readme is None else {"readme": self.readme}),
            **({"unfinished": True} if self.unfinished else {}),
        }
        return json.dumps(record, indent=1).encode("ascii") + b"\n"


def sha256(data: bytes) -> str:
    """The hash under which a file is recognised as ours."""
    return hashlib.sha256(data).hexdigest()


def parse(data: bytes, name: str) -> Manifest:
    """The manifest in ``data``. Raises :class:`InstallRefused` where it is damaged or names what cannot be ours.

    A project may come from anybody: a manifest that leads out of it must not make us delete there.
    """
    try:
        record = json.loads(data.decode("utf-8"))
        files = {_ours(path): [_hash(one) for one in hashes] for path, hashes in record["files"].items()}
        directories = [_ours(path) for path in record["directories"]]
        ignore = record["ignore"]
        if ignore is not None:
            ignore = {
                "sha256": _hash(ignore["sha256"]),
                "separator": str(ignore["separator"]),
                "created": ignore["created"] is True,
            }
        venv, settings = record["venv"] is True, record.get("settings") is True
        readme = record.get("readme")
        readme = readme if isinstance(readme, bool) else None
        unfinished = record.get("unfinished") is True
        return Manifest(str(record["version"]), files, directories, ignore, venv, settings, readme, unfinished)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InstallRefused(
            f"{name} is damaged ({type(error).__name__})",
            hint="Restore that file, or delete it: then every file that lies there counts as your own.",
        ) from error


def _ours(path: str) -> str:
    parts = path.split("/")
    named = path in (".coditect", ".claude") or path.startswith(_OURS)
    if not named or any(part in ("", ".", "..") for part in parts) or "\\" in path or "\0" in path:
        raise ValueError(path)
    return path


def _hash(text: str) -> str:
    if not _HASH.fullmatch(text):
        raise ValueError(text)
    return text
