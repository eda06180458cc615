"""Packs of a former version written anew, where they have as Base64 what the store has as images: cut as they are today.

Then an image is a segment of its own, and the store lets go of its file.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
from typing import TYPE_CHECKING, Final

from ..errors import ArchiveDamaged
from ..packs.pack_set import opened_packs
from ..packs.segmenter import LIFTED, LONGEST
from . import drop_folder, gc, packed_anew
from .places import packs_folder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..packs.pack_set import Packs
    from ..project.paths import Project

_PAYS: Final = 20
"""What is saved must be this part of the packs: every file in them is put together and cut once more."""


def recut(project: Project, images: Iterable[bytes]) -> bool:
    """Write all packs anew where that saves enough of these ``images``; whether it was done.

    Every file is compared before the new packs take the place of the old ones, in one step. What is damaged stays as it is. Runs
    wait meanwhile. Raises the ``StoreError`` family.
    """
    with drop_folder.opened(project):
        folder = packs_folder(project)
        with opened_packs(folder) as packs:
            if sum(len(data) for data in images if _is_cut_out(packs, data)) * _PAYS < _size(packs):
                return False

            def fill(new: str) -> None:
                gc.renew(packs, new, {}, thorough=True)
                packs.close()  # a folder with open files in it cannot be renamed on Windows

            with contextlib.suppress(ArchiveDamaged):
                packed_anew.replace(folder, fill)
                return True
    return False


def _size(packs: Packs) -> int:
    """Bytes of all packs; one more, so that nothing never pays."""
    return sum(member.pack.size for member in packs.members) + 1


def _is_cut_out(packs: Packs, data: bytes) -> bool:
    """Whether the Base64 of this is a segment, as former versions cut a line, or the first of several."""
    text = base64.b64encode(data)
    return len(text) >= LIFTED and packs.segment(hashlib.sha256(text[:LONGEST]).digest()) >= 0
