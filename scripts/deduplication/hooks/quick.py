"""Is there nothing to do? Told by a few ``stat`` calls, without importing anything.

When a sweep is done, it leaves a marker in the store: the size and time of the session's transcript and the times of the
folders that it looked into. While they are what the marker says, nothing can be new.
"""

from __future__ import annotations

import os

MEMORY = "MEMORY-CONTEXT"
_SIGNS = (MEMORY, ".coditect")


def nothing_new(data: bytes) -> bool:
    """True where the last sweep of the session in the event ``data`` saw what is there now."""
    session, transcript, cwd = (field(data, name) for name in ("session_id", "transcript_path", "cwd"))
    if not session or not transcript:
        return False
    root = project_root(os.environ.get("CLAUDE_PROJECT_DIR") or cwd)
    memory = os.path.join(root if opted_in(root) else user_store(root), MEMORY)
    try:
        marker = _text(marker_path(memory, session))
    except OSError:
        return False
    return marker == state(root, memory, cwd, transcript).encode("ascii", "replace")


def _text(path: str) -> bytes:
    """A small file of ours; whatever lies in its place, a link is not followed and a pipe not waited for."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    try:
        return os.read(descriptor, 4096)
    finally:
        os.close(descriptor)


def field(data: bytes, name: str) -> str:
    """The text of a member of the event; empty where there is none, or where it is not written plainly."""
    _, found, rest = data.partition(f'"{name}":"'.encode())
    if not found:
        _, found, rest = data.partition(f'"{name}": "'.encode())
    text, end, _ = rest.partition(b'"')
    try:
        return text.decode() if found and end and b"\\" not in text else ""
    except UnicodeDecodeError:
        return ""


def project_root(start: str) -> str:
    """The folder of the project that ``start`` lies in: the nearest one that opted in, else ``start`` itself."""
    start = os.path.realpath(start) if start else os.path.realpath(".")
    home = os.path.realpath(os.path.expanduser("~"))
    folder = start
    while True:
        if folder != home and opted_in(folder):
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return start
        folder = parent


def opted_in(root: str) -> bool:
    """True where export-dedup was installed into the project, or works in it already."""
    return any(os.path.isdir(os.path.join(root, sign)) for sign in _SIGNS)


def user_store(root: str) -> str:
    """The folder in which the user's own store keeps what belongs to a project that did not opt in."""
    data = os.environ.get("XDG_DATA_HOME") or (
        os.environ.get("LOCALAPPDATA") if os.name == "nt" else os.path.join(os.path.expanduser("~"), ".local", "share")
    )
    name = "".join(character if character.isalnum() and character.isascii() else "-" for character in root)
    folder = os.path.realpath(data or os.path.expanduser("~"))  # an archive is refused where a link leads out of it
    return os.path.join(folder, "export-dedup", "projects", name[-200:])


def marker_path(memory: str, session: str) -> str:
    """Where the marker of a session lies."""
    return os.path.join(memory, "dedup_state", "live", marker_name(session))


def marker_name(session: str) -> str:
    """A session's id as a file name."""
    name = "".join(character for character in session if character.isalnum() or character in "-_")
    return name[:100] or "session"


def state(root: str, memory: str, cwd: str, transcript: str) -> str:
    """What the marker says: a line for each thing that a sweep looks at."""
    lines = []
    for path in (transcript, root, memory, os.path.join(memory, "exports"), cwd or root):
        try:
            status = os.stat(path)
            lines.append(f"{status.st_size if path == transcript else 0} {status.st_mtime_ns}\n")
        except OSError:
            lines.append("-\n")
    return "".join(lines)
