"""One at a time: hooks that come across the same export, and a command beside them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from ..files import atomic
from ..files.locking import exclusive
from ..workflow import shared_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .work import Work

_PATIENCE: Final = 20.0
"""Seconds that a hook waits for another one that processes exports."""


@contextlib.contextmanager
def in_turn(work: Work) -> Iterator[None]:
    """Of several hooks that see the same file one processes it; the others wait, and find it gone.

    A command that comes meanwhile waits for its turn: else it would find half of this run's work, and call its messages known.
    """
    atomic.make_private_directory(str(work.live))
    with exclusive(str(work.live / ".exports.lock"), _PATIENCE), shared_run.turn_of(work.project, _PATIENCE):
        yield
