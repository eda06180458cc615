"""Session files that show what was purged, made anew from what is stored now.

It may be done again: what a purge that was stopped had come to is done over.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Final

from ..errors import SessionNotWritten
from ..files import atomic
from ..start.late_tuple import NamedTuple
from . import full_document, per_checkpoint, session_file
from .deferred_redaction import DeferredRedaction, NotYetClean, ask_for_all
from .overview.folder import has_index, write_index
from .own_files import own_files, pages_of, remove
from .place import is_purged, prepared_folder
from .redaction import Cleaner, standard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..project.paths import Project
    from ..storage.contract import Store

GROWING: Final = "growing"
"""Sessions whose files grow turn by turn."""
CHECKPOINTS: Final = "checkpoints"
"""Files that have what was new at a checkpoint."""
PAGES: Final = "pages"
"""Pages and documents of whole sessions: name and session."""
_PAGES: Final = (full_document.HTML, full_document.JSON)


class Renewal(NamedTuple):
    """How the files are redacted, and the name of its rules."""

    redact: DeferredRedaction
    rules: str


def notes_of(folder: str, sessions: set[str]) -> tuple[dict[str, list[Any]], list[str]]:
    """What there is of these sessions in ``folder`` that is as we left it, for :func:`renew`; and the names of those files."""
    notes: dict[str, list[Any]] = {GROWING: [], CHECKPOINTS: [], PAGES: []}
    names: list[str] = []
    if not os.path.isdir(folder):
        return notes, names
    for session in sorted(sessions):
        own = own_files(folder, session)
        if own.unread:
            raise SessionNotWritten(f"{own.unread[0]} is no file: nobody can tell what it shows")
        if own.files:
            notes[GROWING].append(session)
            names += own.files
        kept = per_checkpoint.files_of(folder, session)
        notes[CHECKPOINTS] += [[file.name, file.session, file.after, file.through] for file in kept]
        names += [file.name for file in kept]
        for form in _PAGES:
            for page in pages_of(folder, session, full_document.ENDINGS[form]):
                notes[PAGES].append([page, session])
                names.append(page)
    return notes, names


def prepared_for(project: Project) -> Renewal:
    """What :func:`renew` takes secrets out with. Raises ``PrivacySettingInvalid``."""
    redact, rules = standard(project.root)
    return Renewal(DeferredRedaction(redact), rules)


def clean_beforehand(project: Project, store: Store, sessions: set[str]) -> Renewal | None:
    """Clean all that the files of these sessions say, so that :func:`renew` finds it clean under the locks of a purge.

    None where they have no files. Call it while no lock is held. Raises ``PrivacySettingInvalid`` and the ``StoreError`` family.
    """
    if not any(notes_of(str(project.sessions), sessions)[0].values()):
        return None
    renewal = prepared_for(project)
    with store.transaction(write=False):
        known = set(store.conversations())
        for session in sorted(sessions & known):
            ask_for_all(store, session, renewal.redact)
    renewal.redact.clean()
    return renewal


def renew(project: Project, store: Store, notes: Mapping[str, Any], renewal: Renewal) -> list[str]:
    """Make the files anew that :func:`notes_of` noted; files that have nothing left to say go. The paths that were written.

    Under the lock of the session files and inside a transaction of the store. Raises :class:`SessionNotWritten`, and
    ``NotYetClean`` where texts have to be cleaned before the rest can be written: then it is called again.
    """
    if not any(notes.get(name) for name in (GROWING, CHECKPOINTS, PAGES)) and not has_index(project):
        return []
    redact, rules = renewal
    folder = prepared_folder(project)
    written: list[str] = []
    for session in notes.get(GROWING, ()):
        if is_purged(store, session):
            remove(folder, own_files(folder, session).files)
            continue
        clean = Cleaner(redact, rules)
        names = full_document.names_of(store, session, clean)
        with contextlib.suppress(NotYetClean):
            written += session_file.update(store, session, folder, clean, names).every
    for name, session, after, through in notes.get(CHECKPOINTS, ()):
        file = per_checkpoint.CheckpointFile(name, session, after, through)
        clean = Cleaner(redact, rules)
        names = full_document.names_of(store, session, clean)
        with contextlib.suppress(NotYetClean):
            per_checkpoint.renew(store, folder, file, clean, names)
    redact.require()
    for name, session in notes.get(PAGES, ()):
        if is_purged(store, session):
            remove(folder, [name])
            continue
        form = next(form for form in _PAGES if name.endswith(full_document.ENDINGS[form]))
        data = "".join(full_document.pieces(store, session, form, redact)).encode("utf-8", "backslashreplace")
        today = full_document.names_of(store, session, Cleaner(redact, rules)).own.stem + full_document.ENDINGS[form]
        redact.require()
        atomic.replace(os.path.join(folder, today), data, mode=atomic.SHARED_FILE)
        written.append(os.path.join(folder, today))
        if today != name:
            remove(folder, [name])
    if has_index(project):
        written += map(str, write_index(project, store, redact, rules))
    return written
