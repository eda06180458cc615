"""The file of a pack's index: read where it fits the pack, else made again from the pack."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from ..errors import StoreNotWritable
from ..files import atomic, beneath
from . import pack_index as index
from .pack_names import index_path

if TYPE_CHECKING:
    from .pack_file import Pack
    from .pack_index import Index


def opened_index(pack: Pack) -> Index:
    """The index of a pack, made again where it is missing or another one's; only in memory where it cannot be written.

    In memory alone as well where the pack is damaged: what lies on the disk may know more of it than is left, and an index
    that leaves files out without a word would be taken for the whole truth.
    """
    path = index_path(pack.path)
    try:
        return index.Index.load(path, pack.sha256)
    except (OSError, ValueError):
        data = index.made_from(pack)
    made = index.Index(data, pack.sha256)
    if not (pack.problems or made.lacks()):
        with contextlib.suppress(StoreNotWritable):
            write_index(path, data)
    return made


def write_index(path: str, data: bytes) -> None:
    """Put an index in its place; whatever lay there, a link or an empty folder too, is gone.

    Durably, though it can be made again: what is damaged behind its header is found out only when an answer is about to be
    used, and that run fails.
    """
    if os.path.isdir(path) and not os.path.islink(path):
        with atomic.write_errors(path):
            beneath.rmdir(path)
    atomic.replace(path, data)
