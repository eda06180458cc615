"""A folder of files that are not what they should be any more, or not needed any more: kept under names that say when and why."""

from __future__ import annotations

import contextlib
import os
import time
from typing import Final

from ..errors import StoreNotWritable
from . import atomic, beneath

DAMAGED: Final = "damaged"
TAKEN_IN: Final = "taken-in"
"""What another machine may still need: a copy of a pack that was taken in, a pack that a copy may rest on."""
_DAY: Final = 86_400


def quarantined(folder: str, path: str, name: str, kind: str = DAMAGED) -> str:
    """Copy the file at ``path`` into ``folder``, durably, under a name that tells what it was; that name.

    The same bytes under the same name are kept once, so that a repair which was killed and is run again does not pile up copies.
    """
    if os.path.islink(folder):
        raise StoreNotWritable(f"{folder} is a link", hint="Remove the link, then run the command again.")
    with atomic.write_errors(folder):
        atomic.make_private_directory(folder)
        atomic.remove_temporaries(folder)
        with open(path, "rb") as file:
            data = file.read()
        stem = f"{kind}-{time.strftime('%Y%m%d', time.gmtime())}"
        number = 1
        while True:
            again = f"{stem}-{number}-{name}" if number > 1 else f"{stem}-{name}"
            copy = os.path.join(folder, again)
            if not os.path.lexists(copy):
                break
            with open(copy, "rb") as file:
                if file.read() == data:
                    return again
            number += 1
    atomic.replace(copy, data)
    return again


def remove_old(folder: str, kind: str, *, days: int) -> None:
    """Delete what lies in ``folder`` under a name of this kind for longer than so many days."""
    limit = time.strftime("%Y%m%d", time.gmtime(time.time() - days * _DAY))
    with contextlib.suppress(OSError):  # a file that is left does no harm
        for name in os.listdir(folder):
            if name.startswith(f"{kind}-") and name[len(kind) + 1 :][:8] < limit:
                beneath.unlink(os.path.join(folder, name))
