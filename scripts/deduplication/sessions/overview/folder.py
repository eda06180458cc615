"""The index of all sessions in ``MEMORY-CONTEXT``: made when it is asked for, and kept up to date from then on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...errors import SessionNotWritten, StoreNotWritable
from ...files import atomic
from ..place import prepared_folder
from ..redaction import Cleaner
from .documents import README, markdown, page
from .rows import files_of, rows_of

if TYPE_CHECKING:
    from ...project.paths import Project
    from ...storage.contract import Store
    from ..redaction import Redact

INDEX: Final = ("index.md", "index.html")
_README: Final = "README.md"


def has_index(project: Project) -> bool:
    """Whether somebody had it made."""
    return os.path.isfile(project.memory / INDEX[0])


def write_index(project: Project, store: Store, redact: Redact, rules: str) -> list[Path]:
    """Write both forms of it, and the README where there is none; the paths of all three.

    Under the lock of the session files, inside a transaction of the store. Raises :class:`SessionNotWritten`, and ``NotYetClean``
    before anything is written.
    """
    clean = Cleaner(redact)
    rows = rows_of(project, store, clean.redacted_text, rules, clean.require)
    prepared_folder(project)
    files = files_of(project, rows)
    pages = {session: Path(file).with_suffix(".html").name for session, file in files.items()}
    pages = {each: name if (project.sessions / name).is_file() else files[each] for each, name in pages.items()}
    texts = dict(zip(INDEX, (markdown(rows, files), page(rows, pages))))
    if not os.path.lexists(project.memory / _README):
        texts[_README] = README
    try:
        for name, text in texts.items():
            data = text.encode("utf-8", "backslashreplace")
            if _read(project.memory / name) != data:
                atomic.replace(str(project.memory / name), data, mode=atomic.SHARED_FILE, durable=False)
    except (StoreNotWritable, OSError) as error:
        raise SessionNotWritten(str(error)) from error
    return [project.memory / name for name in (*INDEX, _README)]


def _read(path: Path) -> bytes:
    try:
        with atomic.open_regular(str(path)) as file:
            return file.read()
    except OSError:
        return b""
