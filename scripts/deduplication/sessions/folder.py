"""``MEMORY-CONTEXT/sessions``: the files of several sessions brought up to the store, one run at a time."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Final

from ..errors import SessionNotWritten, StoreNotWritable
from ..files import atomic, journal, locking
from ..start.late_dataclass import replace
from ..storage.log_backed import folder_of
from . import per_checkpoint, session_file
from .deferred_redaction import DeferredRedaction
from .full_document import names_of
from .place import is_purged, prepared_folder, real_path
from .pointer_page import write_pointer
from .redaction import Cleaner, standard

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from ..project.paths import Project
    from ..storage.contract import Store
    from .redaction import Redact
    from .session_file import Written

LOCK: Final = "sessions.lock"


def write_sessions(
    project: Project,
    store: Store,
    sessions: Iterable[str],
    *,
    each_checkpoint: bool = False,
    redact: Redact | None = None,
    rules: str = "",
) -> dict[str, Written]:
    """Bring the files of ``sessions`` and of their sub-agents up to the store, by session, those asked for first.

    With ``each_checkpoint``, what is new of ``sessions`` alone, to a new file for each.
    Call it outside of a transaction. ``redact`` takes secrets out (None: the standard way), ``rules`` names how: files made
    under other rules are made anew. Raises :class:`SessionUnknown`, :class:`SessionNotWritten` and the ``StoreError`` family.
    """
    if redact is None:
        redact, rules = standard(project.root)
    folder = prepared_folder(project)
    journal.recover(str(project.state))
    done: dict[str, Written] = {}
    with store.transaction(write=False):
        waiting = list(dict.fromkeys(store.canonical(session) for session in sessions))
    for session in waiting:
        clean = DeferredRedaction(redact)
        made, agents = clean.until_clean(
            partial(_one, project, store, session, folder, clean, rules, each_checkpoint=each_checkpoint)
        )
        if made is not None:
            done[session] = made
            if not each_checkpoint:  # the session's file links them
                waiting += [agent for agent in agents if agent not in waiting]
    return done


def _one(
    project: Project, store: Store, session: str, folder: str, redact: Redact, rules: str, *, each_checkpoint: bool
) -> tuple[Written | None, list[str]]:
    """One session's files, and its sub-agents; None where all of it was purged. Raises ``NotYetClean``, too."""
    with held(project):
        finish_purge(project, store)
        with store.transaction(write=False):
            if is_purged(store, session):
                return None, []
            clean = Cleaner(redact, rules)
            names = names_of(store, session, clean)
            write = per_checkpoint.write if each_checkpoint else session_file.update
            made = write(store, session, folder, clean, names)
            return _with_adopted(store, session, folder, made), list(names.family.agents.values())


def _with_adopted(store: Store, session: str, folder: str, done: Written) -> Written:
    """With the files of conversations that turned out to be this one: they say that it goes on here."""
    file = os.path.basename(done.path)
    adopted = store.conversation(session).adopted if file else []
    try:
        pointers = [
            write_pointer(folder, name, session, file) for name in dict.fromkeys(whose for _, _, whose, _ in adopted)
        ]
    except (StoreNotWritable, OSError) as error:
        raise SessionNotWritten(str(error)) from error
    return replace(done, every=(*done.every, *filter(None, pointers)))


def held(project: Project, timeout: float = locking.DEFAULT_TIMEOUT) -> AbstractContextManager[None]:
    """The lock of the session files; of several locks it is the second one taken (archive, sessions, store)."""
    return locking.exclusive(_lock(project), timeout)


def finish_purge(project: Project, store: Store) -> None:
    """Go on where a purge was stopped before the session files were made anew. Under their lock.

    And delete what somebody left who was killed while he wrote one: nobody commits it, but it says what a session said.
    """
    if project.root in real_path(project.sessions).parents:
        atomic.remove_temporaries(str(project.sessions))
    state = str(project.state)
    backed = folder_of(store)
    if backed is None or os.path.realpath(backed.folder) != os.path.realpath(state):
        return
    if not journal.waits(state, journal.SESSIONS):
        return
    from . import renewing

    renewal = renewing.prepared_for(project)

    def attempt() -> None:
        with store.transaction():
            found = journal.pending(state)
            if found is not None and journal.SESSIONS in found["places"]:
                renewing.renew(project, store, found["notes"], renewal)
                journal.apply(state, journal.SESSIONS, str(project.memory))

    renewal.redact.until_clean(attempt)


def _lock(project: Project) -> str:
    """A file in the private folder: one beside the sessions would show up in the user's git."""
    try:
        atomic.make_private_directory(str(project.state))
    except OSError as error:
        raise SessionNotWritten(f"{project.relative(project.state)}: {error.strerror or error}") from error
    return str(project.state / LOCK)
