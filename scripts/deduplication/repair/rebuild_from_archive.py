"""A new store from the archived files alone: what ``rebuild --from-exports`` does when the log is gone."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from typing import TYPE_CHECKING, Optional

from ..archive import restore as restoring
from ..backup import known
from ..errors import DedupError, OutputNotWritable, StoreError, StoreHasLog
from ..files import atomic, beneath, folder_swap, locking
from ..ingest.deduplicator import ClaudeConversationDeduplicator
from ..model import counts
from ..project.export_names import file_name
from ..project.paths import LOCK
from ..start.late_dataclass import dataclass, field
from ..start.late_tuple import NamedTuple
from ..storage.log.lines import is_commit
from ..storage.log.records import is_occurrence
from ..storage.log.salvage import salvage
from .raw_sources import Sources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..project.paths import Project

FOLDER = "dedup_state-from-exports"


class MissingMessages(NamedTuple):
    """Messages that the old store had and the new one has not: of which conversation, brought by which file, how many."""

    conversation_id: str
    export: str
    messages: int


@dataclass
class Rebuilt:
    """What came of it. ``moved``: where the old store is, empty where it stayed in its place."""

    folder: str
    files: int = 0
    unique: int = 0
    conversations: int = 0
    moved: str = ""
    failures: list[tuple[str, str]] = field(default_factory=list)
    missing: list[MissingMessages] = field(default_factory=list)
    old_known: bool = False


@dataclass
class _Old:
    """What is left of the old store: content hash of each message with its conversation and the file that brought it.

    ``counted``: how many messages its index has of each conversation, where no line of the log is left.
    """

    messages: list[tuple[str, str, str]] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)
    conversations: dict[str, str] = field(default_factory=dict)
    has_log: bool = False


def rebuild_from_archive(
    project: Project, backend: Optional[str], *, into: Optional[str] = None, in_place: bool = False
) -> Rebuilt:
    """Process every archived file of ``project``, in the order of time, into a new store.

    It is made in ``into``, an empty or missing folder (default: beside the old store). ``in_place``: then it takes the place of
    the old store, which is moved aside; raises :class:`StoreHasLog` where that one has a log. Raises
    :class:`OutputNotWritable` where the folder holds something, and a ``StoreError`` where the disk refuses.
    """
    state = os.fspath(project.state)
    old = _read_old(state, backend)
    if in_place and old.has_log:
        raise StoreHasLog(state)
    done = Rebuilt(_empty(into if into is not None else os.path.join(project.memory, FOLDER), numbered=into is None))
    dedup = ClaudeConversationDeduplicator(done.folder, backend)
    with dedup.store.transaction(), restoring.opened(project) as shelf:
        sources = Sources(shelf)
        done.failures += [("a file of the archive", str(error)) for error in shelf.lost]
        for entry in sources.entries:
            data = sources.bytes_of(entry)
            if data is None:
                done.failures.append((entry.name, "its bytes are damaged"))
                continue
            named = old.conversations.get(sources.sha256(entry)) or sources.conversation(entry)
            try:
                dedup.ingest(data, name=file_name(entry.name), conversation_id=_fitting(sources, entry, named))
            except StoreError:
                raise
            except DedupError as error:
                done.failures.append((entry.name, str(error)))
            else:
                done.files += 1
    with dedup.store.transaction(write=False):
        done.unique = dedup.store.unique_count()
        done.conversations = len(dedup.store.conversations())
        done.old_known = bool(old.messages or old.counted)
        missing = Counter(
            (name, export) for identity, name, export in old.messages if not dedup.store.has_body(identity)
        )
        for name, count in old.counted.items():
            missing[name, ""] = count - sum(map(counts, dedup.store.conversation(name).columns.kinds))
        missing = +missing
        done.missing = [MissingMessages(name, export, count) for (name, export), count in sorted(missing.items())]
    if in_place:
        done.moved = _swap(state, done.folder)
        done.folder = state
    return done


def _fitting(sources: Sources, entry: restoring.Entry, named: Optional[str]) -> Optional[str]:
    """A file that holds several conversations has ids of its own for them."""
    return None if next(iter(sources.members_of(entry)), None) is not None else named


def _read_old(state: str, backend: Optional[str]) -> _Old:
    """What can still be read of the old store, its log or its index."""
    old = _Old()
    backed = ClaudeConversationDeduplicator(state, backend).store.log_backed()
    store = backed.in_folder() if backed is not None else None
    if store is None or not os.path.isdir(state):
        return old
    with store.unrecovered_log() as log:
        remembered = store.remembered()
        pieces = [piece.record for piece in salvage(log).pieces if piece.record is not None]
    old.has_log = bool(pieces)
    old.conversations.update(remembered.exports)
    names: dict[str, str] = {}
    for record in pieces:
        if is_commit(record):
            names[record["export"]["sha256"][:16]] = record["export"]["name"]
            old.conversations[record["export"]["sha256"]] = record["conversation_id"]
    for record in pieces:
        if is_occurrence(record):
            export = names.get(str(record.get("source", {}).get("export")), "")
            old.messages.append((record["content_hash"], record["conversation_id"], export))
    if not old.messages:
        old.counted.update({name: sum(map(counts, kinds)) for name, kinds in remembered.kinds.items()})
    return old


def _empty(folder: str, *, numbered: bool) -> str:
    """An empty folder, made where missing; ``numbered``: another name where it holds something."""
    number = 1
    chosen = folder
    while os.path.lexists(chosen) and (not os.path.isdir(chosen) or os.listdir(chosen)):
        if not numbered:
            raise OutputNotWritable(f"{chosen} holds something already")
        number += 1
        chosen = f"{folder}-{number}"
    with atomic.write_errors(chosen):
        atomic.make_private_directory(chosen)
    return chosen


def _swap(state: str, new: str) -> str:
    """Move the old store aside, and the new one into its place; where the old one is."""
    with _locked(state), atomic.write_errors(state):
        if not os.path.lexists(state):
            beneath.rename(new, state)
            atomic.sync_directory(os.path.dirname(state))
            return ""
        known.carry(state, new)
        moved = f"{state}.old-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
        while os.path.lexists(moved):
            moved += "-2"
        folder_swap.exchange(state, new, moved)
    return moved


@contextlib.contextmanager
def _locked(state: str) -> Iterator[None]:
    """The old store's lock: on Windows a folder with an open file cannot be renamed, so there it is given back first."""
    if not os.path.isdir(state):
        yield
        return
    with contextlib.ExitStack() as stack:
        stack.enter_context(locking.exclusive(os.path.join(state, LOCK)))
        if os.name == "nt":
            stack.close()
        yield
