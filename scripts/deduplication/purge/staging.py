"""What a purge comes to in files, staged: the new log, the archive without what goes, and lists of what takes whose place.

Nothing that is there is touched. Whoever calls this holds the locks of archive, session files and store.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ..archive import gc, inventory, purged_files
from ..archive.listed import NONE, Listed
from ..archive.packs.pack_names import FOLDER as PACKS
from ..archive.packs.pack_names import listed
from ..backup import known
from ..files import atomic, beneath, journal
from ..files.journal import STAGE, Changes
from ..project.paths import PURGED_FILES
from ..storage.log.records import purge_record
from ..storage.log.sealed import FOLDER as SEALED
from ..storage.log_rewrite import Instead, rewrite
from ..storage.log_store import INDEX_NAMES, QUARANTINE
from .plan import neutral

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..archive.packs.pack_set import Packs
    from ..archive.restore import Entry
    from ..project.paths import Project
    from ..storage.log_store import LogStore
    from .archived import Form
    from .plan import Plan

_STATUS_LOG: Final = os.path.join("..", "export-dedup-status.txt")
_LAST_RUN: Final = "last_run.json"


@dataclass
class Shown:
    """Archived files that show what goes. ``sizes`` are in bytes, before and after."""

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


def stage_store(
    store: LogStore, plan: Plan, moment: str, quarantine: list[str], waiting: Sequence[str] = ()
) -> Changes:
    """The new log beside the old one. ``waiting``: files (SHA-256) that show it and wait. Raises the ``StoreError`` family."""
    folder = store.folder
    stage = os.path.join(folder, STAGE)
    beneath.remove_tree(stage, ignore_errors=True)
    last = []
    for name, messages in plan.conversations.items():
        figures = {
            "scope": plan.scope.kinds,
            "messages": messages,
            "occurrences": sum(each == name for each, _ in plan.tombstones),
            "forgotten": plan.forget,
        }
        last.append(purge_record(name, moment, figures))
    instead = Instead(
        plan.tombstones,
        last,
        lambda name: plan.names.get(name, name),
        lambda digest: plan.hashes.get(digest, digest),
    )
    made = rewrite(store.log, stage, instead)
    changes = Changes(replace=[[os.path.join(STAGE, name), name] for name in made.files])
    # Also a file that a longer one took the place of, and that a killed run did not delete.
    sealed = os.path.join(folder, SEALED)
    old = [os.path.join(SEALED, name) for name in (os.listdir(sealed) if os.path.isdir(sealed) else ())]
    changes.remove = [name for name in old if name not in made.files]
    changes.remove += [name for name in INDEX_NAMES if os.path.lexists(os.path.join(folder, name))]
    changes.remove += store.blobs.unreferred(made.blobs)
    changes.remove += [os.path.join(QUARANTINE, name) for name in quarantine]
    # With the new log it is on the disk which backups still have what went, whoever comes next and wherever they are then.
    backups = os.path.join(STAGE, known.NAME)
    said = known.after_purge(folder, store.log, secrets.token_hex(8), waiting, hashes=not plan.forget)
    atomic.replace(os.path.join(folder, backups), said)
    changes.replace.append([backups, known.NAME])
    changes.texts = [_STATUS_LOG, _LAST_RUN]
    changes.names = [[old, new] for old, new in plan.names.items()]
    return changes


def stage_archive(project: Project, packs: Packs, shown: Shown) -> Changes:
    """Archived files without what goes, beside the old ones. Raises ``ArchiveDamaged`` and ``StoreNotWritable``."""
    folder = str(project.archive)
    stage = os.path.join(folder, STAGE)
    beneath.remove_tree(stage, ignore_errors=True)
    changes = Changes(remove=list(shown.quarantine))
    notes = purged_files.load(folder)
    taken = {name.casefold() for name in os.listdir(folder)}
    with atomic.write_errors(stage):
        atomic.make_private_directory(stage)
    for number, (entry, form) in enumerate(shown.forms):
        if form.messages and form.data is not None:
            before = notes.pop(entry.sha256, None)
            _note(notes, form.data, form.messages + (before.messages if before else 0))
        if form.foreign:
            notes[entry.sha256] = purged_files.PurgedFile(entry.sha256, 0, gone=True)
        if entry.path is None:
            continue
        name = shown.renamed.get(entry.name, entry.name)
        if name != entry.name or form.data is None:
            changes.remove.append(entry.name)
        if form.data is not None:
            while name != entry.name and name.casefold() in taken:
                name = neutral(entry.name)
            taken.add(name.casefold())
            staged = os.path.join(STAGE, f"plain-{number}")
            atomic.replace(os.path.join(folder, staged), form.data)
            with atomic.write_errors(folder):
                beneath.set_times(os.path.join(folder, staged), entry.mtime_ns)
            changes.replace.append([staged, name])
    if shown.packed:
        _stage_packs(folder, packs, shown, changes)
    atomic.replace(os.path.join(stage, PURGED_FILES), purged_files.encoded(notes.values()))
    changes.replace.append([os.path.join(STAGE, PURGED_FILES), PURGED_FILES])
    return changes


def stage_list(project: Project, shown: Shown, changes: dict[str, Changes]) -> None:
    """The list of archived files as it is afterwards, into ``changes``: files that go are not on it, others as they then are.

    Both copies of it, each with the folder in which it lies. Nothing where there is no list, or it stays as it is.
    """
    state, archive = str(project.state), str(project.archive)
    before = inventory.load(state, archive)
    after = [each for each in (_listed(one, shown) for one in before.files.values()) if each is not None]
    if not before.began or after == list(before.files.values()):
        return
    for place, folder, name in (
        (journal.STORE, state, inventory.NAME),
        (journal.ARCHIVE, archive, inventory.COPY),
    ):
        if not os.path.isdir(folder):
            continue
        with atomic.write_errors(folder):
            atomic.make_private_directory(os.path.join(folder, STAGE))
        staged = os.path.join(STAGE, name)
        atomic.replace(os.path.join(folder, staged), inventory.encoded(after or [Listed("", "", 0, 0, state=NONE)]))
        changes.setdefault(place, Changes()).replace.append([staged, name])


def _listed(before: Listed, shown: Shown) -> Listed | None:
    """A file of the list after the purge; None where it goes."""
    form = shown.form_of(before)
    if form is not None and form.data is None:
        return None
    name = shown.renamed.get(before.name, before.name)
    if form is None or form.data is None:
        return before._replace(name=name)
    return before._replace(name=name, sha256=hashlib.sha256(form.data).hexdigest(), size=len(form.data))


def _note(notes: dict[str, purged_files.PurgedFile], data: bytes, messages: int) -> None:
    from .archived import digest

    sha256 = digest(data)
    notes[sha256] = purged_files.PurgedFile(sha256, messages)


def _stage_packs(folder: str, packs: Packs, shown: Shown, changes: Changes) -> None:
    instead = {entry.number: form.data for entry, form in shown.forms if entry.number >= 0}
    staged = os.path.join(folder, STAGE, PACKS)
    made = gc.renew(packs, staged, instead, lambda name: shown.renamed.get(name, name))
    changes.replace += [[os.path.join(STAGE, PACKS, name), os.path.join(PACKS, name)] for name in made]
    old = gc.pack_files(os.path.join(folder, PACKS))
    changes.remove += [os.path.join(PACKS, name) for name in old if name not in made]


def pack_bytes(folder: str) -> int:
    """Bytes of the packs in the archive's folder."""
    packs = os.path.join(folder, PACKS)
    return sum(os.stat(os.path.join(packs, name)).st_size for _, name in listed(packs))
