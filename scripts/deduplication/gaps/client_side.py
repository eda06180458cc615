"""What the client keeps of a project's sessions beside the store: transcripts, outputs, history; and for how long."""

from __future__ import annotations

import os
import time
from functools import cached_property
from typing import TYPE_CHECKING, Final, Optional

from ..archive import inventory
from ..files.listing import entries_of
from ..project import client_retention, client_transcripts
from ..project.client_retention import Retention
from ..start.late_dataclass import dataclass, field
from .transcript_facts import TranscriptFacts, facts_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..project.client_transcripts import Transcript
    from ..project.paths import Project
    from .client_history import Remembered

_OUTPUTS: Final = "tool-results"


@dataclass(frozen=True)
class ClientSide:
    """``root`` is the project's folder, ``place`` where the store's archive lies, None for one by itself; ``now`` in seconds."""

    root: Path
    transcripts: Sequence[Transcript] = ()
    place: Optional[Project] = None
    retention: Retention = Retention()
    now: float = field(default_factory=time.time)

    @cached_property
    def facts(self) -> list[TranscriptFacts]:
        """What each transcript tells: all of them are read, once."""
        return [facts_of(each) for each in self.transcripts]

    @cached_property
    def prompts(self) -> dict[str, list[Remembered]]:
        """What the client's history remembers of each session of the project."""
        from .client_history import prompts_of

        return prompts_of(self.root)

    @cached_property
    def sessions(self) -> set[str]:
        """The sessions of which a transcript is on the disk, in whichever project: a session can be gone on with elsewhere."""
        every = client_transcripts.find_transcripts()
        return {each.session for each in every} | {each.path.stem for each in every}

    @cached_property
    def outputs(self) -> set[str]:
        """The names of outputs that the client put aside, on the disk or in the archive."""
        found: set[str] = set()
        for session in {
            each.path.parent / each.session for each in self.transcripts if each.path.parent.name != "subagents"
        }:
            found.update(entry.name for entry in entries_of(os.fspath(session / _OUTPUTS)))
        if self.place is not None:
            listed = inventory.load(os.fspath(self.place.state), os.fspath(self.place.archive))
            names = (each.name.split("/") for each in listed.in_state(""))
            found.update(parts[-1] for parts in names if len(parts) > 1 and parts[-2] == _OUTPUTS)
        return found


def client_side(root: Path, place: Optional[Project] = None) -> ClientSide:
    """What the client keeps of the project in ``root``."""
    found = client_transcripts.find_transcripts(root)
    return ClientSide(root, found, place, client_retention.retention(root))
