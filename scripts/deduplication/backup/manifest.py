"""One snapshot as a file: which files there were, with all that is needed to put each together again, and a checksum at the end."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from ..errors import BackupDamaged
from ..start.late_dataclass import dataclass, field

FORMAT: Final = "export-dedup-backup"
VERSION: Final = 1
PLAIN: Final = "plain"
DEFAULT: Final = "default"


@dataclass(frozen=True)
class File:
    """A file: ``parts`` are the SHA-256 of its parts in order, ``sha256`` that of all its bytes, ``mode`` its permissions."""

    path: str
    size: int
    mode: int
    mtime_ns: int
    sha256: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Snapshot:
    """A store at one moment. ``problems``: pairs of a file and what was wrong with it when it was taken.

    ``backup`` is the id of the backup that it is in; ``purges`` are those that the store had had, by their ids.
    """

    number: int
    time: str
    store: str
    index: str
    """:data:`PLAIN` where all files of the store were plain."""
    files: dict[str, File] = field(default_factory=dict)
    folders: dict[str, int] = field(default_factory=dict)
    problems: tuple[tuple[str, str], ...] = ()
    backup: str = ""
    purges: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files.values())

    def objects(self) -> set[str]:
        """The SHA-256 of every part that it needs."""
        return {part for file in self.files.values() for part in file.parts}


def encode(snapshot: Snapshot) -> bytes:
    """The snapshot's file."""
    head = {
        "format": FORMAT,
        "version": VERSION,
        "store": snapshot.store,
        "number": snapshot.number,
        "time": snapshot.time,
        "index": snapshot.index,
        "files": len(snapshot.files),
        "bytes": snapshot.size,
        "problems": [list(problem) for problem in snapshot.problems],
        "backup": snapshot.backup,
        "purges": list(snapshot.purges),
    }
    lines: list[dict[str, Any]] = [head]
    lines += [{"folder": path, "mode": f"{mode:04o}"} for path, mode in sorted(snapshot.folders.items())]
    for _, file in sorted(snapshot.files.items()):
        line = {"file": file.path, "size": file.size, "mode": f"{file.mode:04o}", "mtime_ns": file.mtime_ns}
        more = {} if file.parts == (file.sha256,) else {"parts": list(file.parts)}
        lines.append({**line, "sha256": file.sha256, **more})
    return seal(lines)


def decode(data: bytes, name: str) -> Snapshot:
    """The snapshot that a file says. Raises :class:`BackupDamaged`, with ``name``, where it is not what was written."""
    head, *lines = unseal(data, name)
    if head.get("format") != FORMAT or head.get("version") != VERSION:
        raise BackupDamaged(f"{name}: written in another format ({head.get('format')} {head.get('version')})")
    try:
        folders = {_safe(line["folder"], name): int(line["mode"], 8) & 0o777 for line in lines if "folder" in line}
        files = {}
        for line in lines:
            if "file" in line:
                parts = tuple(line.get("parts", [line["sha256"]]))
                path = _safe(line["file"], name)
                mode = int(line["mode"], 8) & 0o777
                files[path] = File(path, line["size"], mode, line["mtime_ns"], line["sha256"], parts)
        problems = tuple((path, text) for path, text in head["problems"])
        backup, purges = str(head.get("backup", "")), tuple(map(str, head.get("purges", ())))
        figures = head["number"], head["time"], head["store"], head["index"]
        return Snapshot(*figures, files, folders, problems, backup, purges)
    except (KeyError, TypeError, ValueError) as error:
        raise BackupDamaged(f"{name}: {error}") from error


def seal(lines: list[dict[str, Any]]) -> bytes:
    """JSON objects, one a line, and a last line with the SHA-256 of all before it."""
    body = b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)
    return body + b'{"sha256":"%s"}\n' % hashlib.sha256(body).hexdigest().encode()


def unseal(data: bytes, name: str) -> list[dict[str, Any]]:
    """The objects of :func:`seal`, at least one. Raises :class:`BackupDamaged`."""
    body, last = data[:-_LAST], data[-_LAST:]
    if last != b'{"sha256":"%s"}\n' % hashlib.sha256(body).hexdigest().encode():
        raise BackupDamaged(f"{name}: its checksum does not match")
    try:
        lines = [json.loads(line) for line in body.splitlines()]
    except (ValueError, RecursionError) as error:
        raise BackupDamaged(f"{name}: {error}") from error
    if not lines or not all(isinstance(line, dict) for line in lines):
        raise BackupDamaged(f"{name}: it says nothing")
    return lines


_LAST: Final = len(b'{"sha256":""}\n') + 64


def _safe(path: str, name: str) -> str:
    """A path that leads nowhere else: whoever can write to the backup must not write beside the store that is restored."""
    parts = path.split("/")
    if path != "." and any(part in ("", ".", "..") or "\0" in part or "\\" in part for part in parts):
        raise BackupDamaged(f"{name}: no path of a store: {path!r}")
    return path
