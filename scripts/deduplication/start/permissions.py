"""What to do where the system forbids something: which file or folder it is, whose, and the command that opens it."""

from __future__ import annotations

import contextlib
import os
import shlex
import stat

TYPE_CHECKING = False  # importing typing would take longer than most hooks
if TYPE_CHECKING:
    from typing import Any, Optional


class Hint:
    """What to do next: as told with the error; else, where the system forbade something, what opens it; else the usual."""

    def __get__(self, error: Any, of: Any) -> str:
        """Of an error, or of its class, which has the usual one alone."""
        if error is None or error.told:
            return str(of.usual_hint if error is None else error.told)
        refusal = refusal_behind(error)
        return str(error.usual_hint) if refusal is None else advice(refusal, error.detail)


def refusal_behind(error: BaseException) -> Optional[PermissionError]:
    """The refusal of the system that an error was raised from, however many stand between; None where there is none."""
    seen = 0
    cause = error.__cause__
    while cause is not None and seen < 10:
        if isinstance(cause, PermissionError):
            return cause
        cause, seen = cause.__cause__, seen + 1
    return None


def advice(refusal: PermissionError, detail: str = "") -> str:
    """One line: ``chmod`` where it is ours, ``chown`` where it is somebody else's. ``detail`` may begin with the whole path."""
    named = detail.rpartition(": ")[0]
    path = named if os.path.isabs(named) else os.fsdecode(refusal.filename or named or "")
    if not path or os.name == "nt":
        return "Correct the permissions, then run the command again; nothing was lost."
    if not os.path.isabs(path) and not os.path.lexists(path):  # told by its name alone, from within its folder
        return (
            f"Give yourself the permission: chmod u+rwX {shlex.quote(path)}, or sudo chown where it is somebody else's."
        )
    closed = _closed(os.path.abspath(path))
    shown = shlex.quote(closed)
    owner = _owner(closed)
    if owner is not None and owner != os.geteuid():
        return f'It belongs to {_name(owner)}. Give it to yourself: sudo chown -R "$(id -un)" {shown}'
    return f"Give yourself the permission: chmod u+rwX {shown}. Then run the command again; nothing was lost."


def _closed(path: str) -> str:
    """What is in the way: the file, or the folder that it is in or would be in, or one above that cannot be looked into."""
    above = os.path.dirname(path)
    while above != path:
        try:
            mode = os.lstat(path).st_mode
        except PermissionError:  # the folder above cannot be looked into, or cannot be reached itself
            if os.access(os.path.dirname(above), os.X_OK):
                return above
        except OSError:  # it would be made here, or further up
            if os.path.isdir(above):
                return above
        else:
            return path if stat.S_ISDIR(mode) or not os.access(path, os.R_OK | os.W_OK) else above
        path, above = above, os.path.dirname(above)
    return path


def _owner(path: str) -> Optional[int]:
    with contextlib.suppress(OSError):
        return os.lstat(path).st_uid
    return None


def _name(user: int) -> str:
    with contextlib.suppress(ImportError, KeyError):
        import pwd

        return pwd.getpwuid(user).pw_name
    return f"the user {user}"
