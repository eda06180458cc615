"""Sealed files checked against their checksums, and set right where one bit was flipped."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING

from ...files import atomic
from . import bit_flips
from .sealed_files import FOLDER, named, title

if TYPE_CHECKING:
    from .sealed import Sealed


def heal(sealed: Sealed) -> list[str]:
    """Set files right in which one bit was flipped; a line for each."""
    problems = []
    for segment in sealed.segments:
        try:
            with atomic.open_regular(segment.path) as file:
                data = file.read()
        except OSError:
            continue
        difference = zlib.crc32(data) ^ segment.crc32
        fixed = bit_flips.turned_back(data, difference) if difference else None
        if fixed is not None:
            atomic.replace(segment.path, fixed)
            problems.append(f"{title(segment)}: one flipped bit was found and set right")
    sealed.forget()
    return problems


def damaged(sealed: Sealed) -> list[str]:
    """A line for each file that is not what was written, and for those that cannot be reached behind a missing one."""
    problems = []
    for name in _beyond(sealed):
        problems.append(f"{FOLDER}: a file before {name} is missing: bytes {sealed.end:,} and on cannot be read")
        break
    for segment in sealed.segments:
        try:
            with atomic.open_regular(segment.path) as file:
                same = zlib.crc32(file.read()) == segment.crc32
        except OSError as error:
            problems.append(f"{title(segment)}: {error.strerror or error}")
        else:
            if not same:
                problems.append(f"{title(segment)}: the checksum does not match")
    return problems


def _beyond(sealed: Sealed) -> list[str]:
    """Files behind a gap, in order."""
    try:
        found = filter(None, (named(sealed.folder, name) for name in os.listdir(sealed.folder)))
    except OSError:
        return []
    return [os.path.basename(each.path) for each in sorted(found, key=lambda s: s.start) if each.start > sealed.end]
