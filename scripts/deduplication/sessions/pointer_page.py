"""The file of a conversation that turned out to be part of another one: it says where that goes on."""

from __future__ import annotations

import os

from ..files import atomic
from ..project.own_output import COMMENT
from ..titles.slug import short
from . import footer
from .layout import escaped_inline
from .names import file_of
from .own_files import own_files, remove


def write_pointer(folder: str, name: str, session: str, file: str) -> str | None:
    """Put a pointer to ``file``, the first one of ``session``, in the place of the files of ``name``; returns its path.

    None where ``name`` has no file of ours, or one that somebody changed: that one is left alone. The pointer is named by digits:
    what the conversation was called belongs to the other one now. Call it under a lock of the folder. Raises ``OSError``,
    ``StoreNotWritable`` and ``SessionNotWritten``.
    """
    own = own_files(folder, name).files
    if not own:
        return None
    text = (
        f"# {escaped_inline(name)}\n\n{COMMENT}\n\n"
        f"This conversation turned out to be part of another one. It goes on in [{escaped_inline(session)}]({file}).\n\n"
    )
    said = {"v": footer.VERSION, "session": name, "part": 1, "write_pointer": session}
    data, _ = footer.sealed(text.encode(), said)
    first = os.path.join(folder, file_of(short(name), 1))
    if _read(first) != data:
        atomic.replace(first, data, durable=False)
    remove(folder, [each for each in own if each != os.path.basename(first)])
    return first


def _read(path: str) -> bytes:
    try:
        with atomic.open_regular(path) as file:
            return file.read()
    except OSError:
        return b""
