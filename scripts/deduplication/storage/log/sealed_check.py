"""Sealed files looked through for damage, and set right where their parity, or one flipped bit, tells what they were."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...files import atomic
from . import former_files, log_pack
from .sealed_files import FOLDER, PACK, named, title

if TYPE_CHECKING:
    from .sealed import Sealed
    from .sealed_files import Segment


def heal(sealed: Sealed) -> list[str]:
    """Set right what can be; a line for each file."""
    problems = []
    for segment in sealed.segments:
        if segment.form == PACK:
            fixed, how = log_pack.mended(segment.path), "it was damaged, and was set right by its parity"
        else:
            fixed, how = _turned_back(segment), "one flipped bit was found and set right"
        if fixed is not None:
            atomic.replace(segment.path, fixed)
            problems.append(f"{title(segment)}: {how}")
    sealed.forget()
    return problems


def _turned_back(segment: Segment) -> bytes | None:
    try:
        found = former_files.read(segment)
    except OSError:
        return None
    return found.data if found.healed else None


def damaged(sealed: Sealed) -> list[str]:
    """What is wrong with each file that is not what was written, and with those that cannot be reached behind a missing one."""
    problems = []
    for name in _beyond(sealed):
        problems.append(f"{FOLDER}: a file before {name} is missing: bytes {sealed.end:,} and on cannot be read")
        break
    for segment in sealed.segments:
        if segment.form == PACK:
            problems += log_pack.faults(segment.path)
            continue
        try:
            fault = former_files.read(segment).fault
        except OSError as error:
            fault = str(error.strerror or error)
        problems += [f"{title(segment)}: {fault}"] if fault else []
    return problems


def _beyond(sealed: Sealed) -> list[str]:
    """Files behind a gap, in order."""
    try:
        found = filter(None, (named(sealed.folder, name) for name in os.listdir(sealed.folder)))
    except OSError:
        return []
    return [os.path.basename(each.path) for each in sorted(found, key=lambda s: s.start) if each.start > sealed.end]
