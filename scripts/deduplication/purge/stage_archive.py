"""The archive without what a purge removes, staged: plain files, packs, notes, and the list of archived files."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from ..archive import gc, inventory, purged_files
from ..archive.listed import NONE, Listed
from ..files import atomic, beneath, journal
from ..files.journal import STAGE, Changes
from ..packs.pack_names import FOLDER as PACKS
from ..project.paths import PURGED_FILES
from .archived import digest
from .file_names import neutral_name

if TYPE_CHECKING:
    from ..packs.pack_set import Packs
    from ..project.paths import Project
    from .affected_files import AffectedFiles


def stage_archive(project: Project, packs: Packs, affected: AffectedFiles) -> Changes:
    """Archived files without what goes, beside the old ones. Raises ``ArchiveDamaged`` and ``StoreNotWritable``."""
    folder = str(project.archive)
    stage = os.path.join(folder, STAGE)
    beneath.remove_tree(stage, ignore_errors=True)
    changes = Changes(remove=list(affected.quarantine))
    notes = purged_files.load(folder)
    taken = {name.casefold() for name in os.listdir(folder)}
    with atomic.write_errors(stage):
        atomic.make_private_directory(stage)
    for number, (entry, form) in enumerate(affected.forms):
        if form.messages and form.data is not None:
            before = notes.pop(entry.sha256, None)
            _note(notes, form.data, form.messages + (before.messages if before else 0))
        if form.foreign:
            notes[entry.sha256] = purged_files.PurgedFile(entry.sha256, 0, gone=True)
        if entry.path is None:
            continue
        name = affected.renamed.get(entry.name, entry.name)
        if name != entry.name or form.data is None:
            changes.remove.append(entry.name)
        if form.data is not None:
            while name != entry.name and name.casefold() in taken:
                name = neutral_name(entry.name)
            taken.add(name.casefold())
            staged = os.path.join(STAGE, f"plain-{number}")
            atomic.replace(os.path.join(folder, staged), form.data)
            with atomic.write_errors(folder):
                beneath.set_times(os.path.join(folder, staged), entry.mtime_ns)
            changes.replace.append([staged, name])
    if affected.packed:
        _stage_packs(folder, packs, affected, changes)
    atomic.replace(os.path.join(stage, PURGED_FILES), purged_files.encoded(notes.values()))
    changes.replace.append([os.path.join(STAGE, PURGED_FILES), PURGED_FILES])
    return changes


def stage_list(project: Project, affected: AffectedFiles, changes: dict[str, Changes]) -> None:
    """The list of archived files as it is afterwards, into ``changes``: files that go are not on it, others as they then are.

    Both copies of it, each with the folder in which it lies. Nothing where there is no list, or it stays as it is.
    """
    state, archive = str(project.state), str(project.archive)
    before = inventory.load(state, archive)
    after = [each for each in (_listed(one, affected) for one in before.files.values()) if each is not None]
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


def _listed(before: Listed, affected: AffectedFiles) -> Listed | None:
    """A file of the list after the purge; None where it goes."""
    form = affected.form_of(before)
    if form is not None and form.data is None:
        return None
    name = affected.renamed.get(before.name, before.name)
    if form is None or form.data is None:
        return before._replace(name=name)
    return before._replace(name=name, sha256=hashlib.sha256(form.data).hexdigest(), size=len(form.data))


def _note(notes: dict[str, purged_files.PurgedFile], data: bytes, messages: int) -> None:
    sha256 = digest(data)
    notes[sha256] = purged_files.PurgedFile(sha256, messages)


def _stage_packs(folder: str, packs: Packs, affected: AffectedFiles, changes: Changes) -> None:
    instead = {entry.number: form.data for entry, form in affected.forms if entry.number >= 0}
    staged = os.path.join(folder, STAGE, PACKS)
    made = gc.renew(packs, staged, instead, lambda name: affected.renamed.get(name, name))
    changes.replace += [[os.path.join(STAGE, PACKS, name), os.path.join(PACKS, name)] for name in made]
    old = gc.pack_files(os.path.join(folder, PACKS))
    changes.remove += [os.path.join(PACKS, name) for name in old if name not in made]
