"""Is it gone? Everything that may still say it is read again, from the disk, as whoever looks for it would."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..archive.restore import ArchivedFiles
from ..errors import DedupError
from ..files import atomic
from ..project.paths import LOG_NAME
from ..start.late_dataclass import dataclass, field
from ..storage.log.title_records import TITLED
from .archived import form_of, of_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..packs.pack_set import Packs
    from ..project.paths import Project
    from ..storage.contract import Store
    from ..storage.log_backed import FolderStore
    from .plan import Plan


@dataclass
class Proof:
    """``remaining`` are the places that still say something, a line each; empty where it is gone."""

    files: int = 0
    size: int = 0
    remaining: list[str] = field(default_factory=list)

    def search(self, where: str, data: bytes, plan: Plan) -> None:
        """Look through the bytes of a file."""
        self.files += 1
        self.size += len(data)
        if plan.probes.found_in(data) - plan.quoted_keys:
            self.remaining.append(where)

    def search_lines(self, where: str, path: str, plan: Plan) -> None:
        """Look through the file at ``path``; one that cannot be read proves nothing."""
        try:
            with atomic.open_regular(path) as file:
                self.search(where, file.read(), plan)
        except OSError as error:
            self.remaining.append(f"{where} cannot be read ({error.strerror or error})")


def prove(
    store: FolderStore, project: Project | None, packs: Packs | None, plan: Plan, sessions: Sequence[str] = ()
) -> Proof:
    """Look through the store, the archive and the session files. Inside a transaction, with the locks still held.

    ``sessions`` are the names of session files that were made anew. What somebody else wrote beside them is theirs (``reach``).
    """
    proof = Proof()
    _log(store, plan, proof)
    for path in _files(store.folder):
        name = os.path.relpath(path, store.folder)
        if not name.startswith(("sealed", LOG_NAME)):
            proof.search_lines(name, path, plan)
    if project is None:
        return proof
    if packs is not None:
        _archive(store, project, packs, plan, proof)
    for path in _files(str(project.sessions)):
        if os.path.basename(path) in sessions:
            proof.search_lines(project.relative(Path(path)), path, plan)
    return proof


def _log(store: FolderStore, plan: Plan, proof: Proof) -> None:
    """Every line: none of what went carries a message, and no message says it."""
    proof.files += 1
    for line, record in store.records():
        proof.size += len(line.data)
        place = (record["conversation_id"], record.get("index", -1))
        if record.get(TITLED) and place[0] in plan.conversations:
            proof.remaining.append(f"a title in the log, byte {line.offset}")
        if "message" not in record:
            continue
        identity = record["content_hash"]
        shared = identity in plan.quoted_keys
        stays = place in plan.tombstones or (identity in plan.identities and not shared)
        if stays or plan.probes.found_in(line.data) - plan.quoted_keys:
            proof.remaining.append(f"the log, byte {line.offset}")
    proof.remaining += [f"the blob {digest}" for digest in plan.blobs if store.has_blob(digest)]


def _archive(store: FolderStore, project: Project, packs: Packs, plan: Plan, proof: Proof) -> None:
    gone = of_store(store, set(plan.conversations))
    shelf = ArchivedFiles(project, packs)
    proof.remaining += [f"the archive cannot be read: {each}" for each in (*packs.problems, *map(str, shelf.lost))]
    for entry in shelf.entries:
        data = b"".join(shelf.parts(entry))
        before = len(proof.remaining)
        proof.search(f"the archived file {entry.name}", data, plan)
        form = form_of(store, data, entry.name, gone, lambda _: False)
        if form is not None and form.messages and len(proof.remaining) == before:
            proof.remaining.append(f"the archived file {entry.name}")


def _files(folder: str) -> Iterator[str]:
    for place, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(place, name)
            if not os.path.islink(path):
                yield path


def verify_all(store: Store, project: Project | None, check: Callable[[Project], list[str]]) -> list[str]:
    """What ``verify`` says of the store and the archive afterwards. Outside of a transaction."""
    problems = store.verify()
    if project is not None:
        try:
            problems += check(project)
        except DedupError as error:
            problems.append(str(error))
    return problems
