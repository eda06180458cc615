"""The log of a store in a folder as it is at one moment, while others go on with it."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from ..project.paths import LOG_NAME
from .log.archived_files import ArchivedFiles
from .log.followed_log import FollowedLog
from .log_backed import LogMoment
from .state.blobs import Blobs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from .known import Known


@contextlib.contextmanager
def at_one_moment(folder: str, held: Callable[[], AbstractContextManager[None]], known: Known) -> Iterator[LogMoment]:
    """The store is ``held`` at the beginning, and again at the end: see ``log_backed.LogBackedStore.at_one_moment``."""
    with contextlib.ExitStack() as stack:
        log = FollowedLog(os.path.join(folder, LOG_NAME), ArchivedFiles(folder))
        stack.callback(log.close)
        stack.callback(log.let_go)
        with held():
            size, head = known.state.size, known.state.head
            log.take(size)
        yield LogMoment(log, Blobs.beside(log), size, head)
        with held():
            log.go_on()
