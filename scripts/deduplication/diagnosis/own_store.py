"""What the user's own store has of a project that opted in later, and its store has not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..errors import DedupError
from ..hooks.store_location import left_behind
from ..ingest.run_names import Runs
from ..project.paths import LOCK
from ..storage import open_in_folder
from ..storage.log.records import PURGE
from ..storage.log_backed import folder_of
from ..terminal.called import command_line
from .finding import NOTE, OK, PROBLEM, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .finding import Subject


def findings(subject: Subject) -> Iterator[Finding]:
    """How it is taken along, or that it was; nothing where there is none."""
    folder = left_behind(subject.project.root)
    here = folder_of(subject.store) if subject.store is not None else None
    if not folder or here is None or not os.path.lexists(os.path.join(folder, LOCK)):  # opening it would make the lock
        return
    try:
        own = open_in_folder(folder)
        with here.transaction(write=False), own.transaction(write=False):
            known = Runs(here.commits())
            waiting = sum(known.conversation_of(run, placed=True) is None for run in own.commits() if PURGE not in run)
    except DedupError as error:
        yield Finding("own store", PROBLEM, str(error), error.hint)
        return
    if waiting:
        text = f"{folder} has {waiting:,} {'run' if waiting == 1 else 'runs'} from before this project opted in"
        line = command_line("unite", folder, "--project", subject.root)
        yield Finding("own store", NOTE, text, f"This takes along what was said then: {line}")
    else:
        yield Finding("own store", OK, f"all of {folder} is here, too")
