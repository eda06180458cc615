"""A store must lie where its project is: a repository may bring ``dedup_state`` as a link to anywhere."""

from __future__ import annotations

import os

from ..errors import UnsafePath
from .paths import MEMORY
from .settings_file import leads_out

STATE = "dedup_state"
IGNORES_ALL = b"# Private state: never committed.\n*\n"
"""The ``.gitignore`` in the store's folder."""


def require_inside(folder: str) -> None:
    """Raise :class:`UnsafePath` where ``folder`` is a project's store and a link leads out of the project, or nowhere.

    A store that lies by itself, named with ``--storage-dir``, is where its user says.
    """
    memory, name = os.path.split(os.path.abspath(folder))
    root, above = os.path.split(memory)
    if name == STATE and above == MEMORY and leads_out(root, folder):
        raise UnsafePath(
            f"{folder} leads to {os.path.realpath(folder)}",
            hint=f"Make {MEMORY}/{STATE} a folder of the project; a store elsewhere is named with --storage-dir.",
        )
