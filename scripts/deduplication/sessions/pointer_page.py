"""The file of a conversation that turned out to be part of another one: it says where that goes on."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from ..files import atomic, beneath
from ..project.own_output import COMMENT
from . import footer
from .layout import escaped_inline
from .names import file_of, stem

if TYPE_CHECKING:
    from collections.abc import Iterator


def write_pointer(folder: str, name: str, session: str, file: str) -> str | None:
    """Put a pointer to ``file``, the first one of ``session``, in the place of the files of ``name``; returns its path.

    None where ``name`` has no file of ours, or one that somebody changed: that one is left alone. Call it under a lock of the
    folder. Raises ``OSError`` and ``StoreNotWritable``.
    """
    first = os.path.join(folder, file_of(stem(name), 1))
    found = _proven(first, name, 1)
    if found is None:
        return None
    text = (
        f"# {escaped_inline(name)}\n\n{COMMENT}\n\n"
        f"This conversation turned out to be part of another one. It goes on in [{escaped_inline(session)}]({file}).\n\n"
    )
    said = {"v": footer.VERSION, "session": name, "part": 1, "write_pointer": session}
    data, _ = footer.sealed(text.encode(), said)
    if found.said.get("write_pointer") != session:
        for path in list(_parts(folder, name)):
            with contextlib.suppress(FileNotFoundError):
                beneath.unlink(path)
        atomic.replace(first, data, durable=False)
    return first


def _parts(folder: str, name: str) -> Iterator[str]:
    part = 2
    while True:
        path = os.path.join(folder, file_of(stem(name), part))
        if _proven(path, name, part) is None:
            return
        yield path
        part += 1


def _proven(path: str, name: str, part: int) -> footer.Proven | None:
    try:
        with atomic.open_regular(path) as file:
            found = footer.proven(file.read())
    except OSError:
        return None
    return found if found is not None and (found.said.get("session"), found.said.get("part")) == (name, part) else None
