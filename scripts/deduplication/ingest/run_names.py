"""What tells a run from every other one, wherever it is logged: whether a log has it already."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..storage.log.records import PURGE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..storage.log.lines import Record

    Name = tuple[str, ...]


def name_of(run: Record) -> Name:
    """By what was processed, and when: the same in every log in which the run was done."""
    export = run["export"]
    return run["timestamp"], export["sha256"], export["name"], str((run.get("cursor") or {}).get("offset", ""))


def place_of(run: Record) -> Name:
    """By when it was done, and which numbers it showed: the same where a purge gave its file another name."""
    export = run["export"]
    shown = json.dumps([run["window"], export["bytes"], export["total"]], separators=(",", ":"))
    offset = str((run.get("cursor") or {}).get("offset", ""))
    return run["timestamp"], run["conversation_id"], export["format"], offset, shown


def purge_of(run: Record) -> Name:
    """The same of the record of a purge."""
    return run["timestamp"], run["conversation_id"], json.dumps(run[PURGE], sort_keys=True)


class Runs:
    """The runs of a log, of which the commit records are told, and the purges that it went through."""

    def __init__(self, commits: Iterable[Record] = ()) -> None:
        self._named: dict[Name, str] = {}
        self._placed: dict[Name, str] = {}
        self.purges: set[Name] = set()
        for run in commits:
            if PURGE in run:
                self.purges.add(purge_of(run))
            else:
                self._named[name_of(run)] = self._placed[place_of(run)] = run["conversation_id"]

    def __len__(self) -> int:
        return len(self._named)

    def conversation_of(self, run: Record, *, placed: bool = False) -> str | None:
        """The conversation that a run became part of; None where it is not among them.

        ``placed``: one of the two logs was purged, and what a file is called there may be another thing.
        """
        found = self._named.get(name_of(run))
        return self._placed.get(place_of(run)) if found is None and placed else found
