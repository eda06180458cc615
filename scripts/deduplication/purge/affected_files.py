"""Which files show something of what a purge removes: archived ones, and those in quarantine."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

from ..archive import gc, inventory
from ..archive import restore as restoring
from ..files import atomic
from ..project.paths import QUARANTINE
from ..start.late_dataclass import dataclass, field, replace
from .archived import Form, digest, form_of, of_plan
from .file_names import neutral_name, reveals_prompt

if TYPE_CHECKING:
    from ..archive.entry import Entry
    from ..archive.listed import Listed
    from ..packs.pack_set import Packs
    from ..project.paths import Project
    from ..storage.log_backed import FolderStore
    from .plan import Plan

_COMPRESSED: Final = (".xz", ".pack", ".idx")
"""Endings of damaged files that cannot be looked into."""


@dataclass
class AffectedFiles:
    """Archived files that show what goes, and what becomes of each."""

    forms: list[tuple[Entry, Form]] = field(default_factory=list)
    quarantine: list[str] = field(default_factory=list)
    """Damaged files that go, below the archive's folder."""
    renamed: dict[str, str] = field(default_factory=dict)
    """Files whose name tells what was said, and the name that they get."""

    def form_of(self, listed: Listed) -> Form | None:
        """What becomes of a file of the list; None where it stays as it is."""
        same = [(entry.name, form) for entry, form in self.forms if entry.sha256 == listed.sha256]
        return dict(same).get(listed.name, same[0][1]) if same else None

    @property
    def packed(self) -> bool:
        """True where packs have to be made anew."""
        return any(entry.number >= 0 for entry, _ in self.forms)


class Search:
    """Looks for what ``plan`` removes, under the locks of archive and store; ``packs`` is None where there is no archive."""

    def __init__(self, store: FolderStore, project: Project | None, packs: Packs | None, plan: Plan) -> None:
        self._store, self._project, self._packs, self._plan = store, project, packs, plan

    def archived(self) -> AffectedFiles:
        """Archived files that show something of it."""
        affected = AffectedFiles()
        if self._packs is None or self._project is None:
            return affected
        plan = self._plan
        gone = of_plan(plan)
        gc.require_whole(self._packs)
        shelf = restoring.ArchivedFiles(self._project, self._packs)
        if shelf.lost:
            raise shelf.lost[0]
        for entry in shelf.entries:
            data = b"".join(shelf.parts(entry))
            owner = (self._store.session(entry.session) or entry.session) if entry.transcript else ""
            form = form_of(self._store, data, entry.name, gone, lambda part: bool(plan.probes.found_in(part)), owner)
            if not entry.transcript and (entry.name in plan.names or reveals_prompt(entry.name, plan.prompts)):
                affected.renamed[entry.name] = plan.names.setdefault(entry.name, neutral_name(entry.name))
                form = form or Form(data, 0)
            if form is not None:
                affected.forms.append((replace(entry, sha256=digest(data)), form))
        for listed in inventory.load(self._store.folder, str(self._project.archive)).files.values():
            # What is gone has a name as well.
            if not listed.session and (listed.name in plan.names or reveals_prompt(listed.name, plan.prompts)):
                affected.renamed[listed.name] = plan.names.setdefault(listed.name, neutral_name(listed.name))
        return affected

    def quarantine(self) -> list[str]:
        """What runs that did not finish left, or repair put aside, and that holds something of it."""
        return self._put_aside(os.path.join(self._store.folder, QUARANTINE))

    def archive_quarantine(self) -> list[str]:
        """The same of the archive, below its folder."""
        if self._project is None or self._packs is None:
            return []
        found = self._put_aside(os.path.join(self._project.archive, QUARANTINE))
        return [os.path.join(QUARANTINE, name) for name in found]

    def _put_aside(self, folder: str) -> list[str]:
        """The files in a quarantine that hold something of it, and those that nobody can look into."""
        found = []
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            try:
                with atomic.open_regular(os.path.join(folder, name)) as file:
                    data = file.read()
            except OSError:
                data = b""
            if (
                not data
                or name.endswith(_COMPRESSED)
                or any(each in name for each in self._plan.blobs)
                or self._holds(data)
            ):
                found.append(name)
        return found

    def _holds(self, data: bytes) -> bool:
        plan = self._plan
        if any(f'"content_hash":"{identity}"'.encode() in data for identity in plan.identities):
            return True
        return bool(plan.probes.found_in(data)) or any(_line_of(name) in data for name in plan.whole)


def _line_of(conversation_id: str) -> bytes:
    """How a line of the log begins that belongs to a conversation."""
    return f'{{"conversation_id":{json.dumps(conversation_id, ensure_ascii=False)},'.encode("utf-8", "backslashreplace")
