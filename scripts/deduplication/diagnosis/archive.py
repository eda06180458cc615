"""Whether every file that the archive took in is still there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ..archive import completeness, copies, inventory
from ..errors import DedupError
from ..figures.counted import counted
from .finding import LINES, NOTE, OK, PROBLEM, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..archive.listed import Listed
    from .finding import Subject

_CURE: Final = (
    "Run 'deduplicate_export.py repair': it looks for other copies. 'repair --accept-lost' gives up what nothing has."
)
_UNITE: Final = "Run 'deduplicate_export.py unite': it takes them in."


def findings(subject: Subject) -> Iterator[Finding]:
    """One for the archive; others for files that are given up, or of which nobody is sure. Nothing where there is none."""
    project = subject.project
    if os.path.realpath(subject.folder) != os.path.realpath(project.state):
        return  # a store by itself has no archive
    try:
        if not (os.path.isdir(project.archive) or inventory.load(str(project.state), str(project.archive)).began):
            return
        found = completeness.compare_with_inventory(project)
        waiting = [os.path.basename(path) for path in (*copies.of_packs(project), *copies.of_lists(project))]
    except DedupError as error:
        yield Finding("archive", PROBLEM, str(error), error.hint)
        return
    if waiting:
        text = "another machine archived something, too: what synchronises the project left copies there"
        yield Finding("copies", PROBLEM, text, _UNITE, tuple(waiting[:LINES]))
    if found.missing:
        text = f"{counted(len(found.missing), 'file that it took in is', 'files that it took in are')} not there"
        yield Finding("archive", PROBLEM, text, _CURE, tuple(map(_told, found.missing)))
    elif found.problems:
        yield Finding("archive", PROBLEM, "it is damaged, every file is there", _CURE, tuple(found.problems[:LINES]))
    else:
        yield Finding(
            "archive",
            OK,
            f"{counted(len(found.there), 'file that it took in is', 'files that it took in are all')} there",
        )
    for listed, text in (
        (found.given_up, "given up, known to be lost"),
        (found.unsure, "from before it kept a list: in the log and not in it, never archived or lost"),
    ):
        if listed:
            yield Finding(
                "archive", NOTE, f"{counted(len(listed), 'file')} {text}", details=tuple(map(_told, listed[:LINES]))
            )


def _told(each: Listed) -> str:
    return f"{each.name}, {each.size:,} bytes"
