"""Exports that the client says it made, and of which nothing came into the store."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ..gaps.announced_exports import Unseen, named, unseen
from ..gaps.transcript_facts import exports_in
from ..reports.history import clock
from ..terminal.console import printable
from .finding import LINES, NOTE, PROBLEM, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .finding import Subject


def findings(subject: Subject) -> Iterator[Finding]:
    """One for the files that are still there, one for those that are not; nothing where every export was stored."""
    told = named(notice for each in subject.transcripts for notice in exports_in(each.path))
    found = list(unseen(subject.store, subject.folder, told))
    there = [each for each in found if each.there]
    gone = [each for each in found if not each.there and each.in_time]
    for state, some, cure in ((PROBLEM, there, _cure(there)), (NOTE, gone, "")):
        if some:
            first = some[0]
            text = f"the client said at {clock(first.moment)} that it exported {printable(first.path)}, nothing of it was stored"
            more = tuple(f"{printable(each.path)}, at {clock(each.moment)}" for each in some[1 : LINES + 1])
            yield Finding("exported", state, text if state == PROBLEM else f"{text}, and it is gone", cure, more)


def _cure(found: list[Unseen]) -> str:
    return f"Run export-dedup.py {' '.join(shlex.quote(each.path) for each in found[:LINES])}."
