"""Which files the archive took in: a list of names and hashes, so that a file that is gone is known whatever else is gone.

``archived.jsonl`` in the store's folder has a line for each, and so has ``.archived.jsonl`` in the archive's folder: each heals
the other, and neither goes with the folder of the other one. A line is appended when the file is in its place, synced, and before
the original of an export goes; so whatever the list names was in the archive, and what a killed run did not come to name still
lies where it came from. Whoever changes the list holds the archive's lock.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from ..files import atomic, journal
from ..files.locking import exclusive
from ..project.own_place import hide
from ..project.paths import LISTED, LISTED_COPY, LOCK
from ..storage.log.lines import Damaged, decode_line, encode_line
from .legacy_inventory import known_before
from .listed import KEPT, LOST, NONE, Inventory, Listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..project.paths import Project

NAME: Final = LISTED
"""In the store's folder."""
COPY: Final = LISTED_COPY
"""The same list once more, in the archive's folder."""


def load(state: str, archive: str) -> Inventory:
    """The list as both copies have it, whatever is left of them; nothing is changed."""
    places, found = _places(state, archive), Inventory()
    copies = [_read(path, found.faults) for path in places]
    found.began = any(data is not None for data in copies)
    if not found.began:
        return found
    found.agrees = copies[0] == copies[1]
    most = max((data or b"").count(b"\n") for data in copies)
    found.whole = False
    often: dict[tuple[str, str], int] = {}
    for path, data in zip(places, copies):
        if data is None:
            found.faults.append(f"{os.path.basename(path)}, the list of archived files, is gone; its copy is there")
        counted: dict[tuple[str, str], int] = {}
        said: dict[tuple[str, str], Listed] = {}
        for each in _lines(data or b"", os.path.basename(path), found.faults):
            counted[each.key] = counted.get(each.key, 0) + 1
            if each.state != NONE:
                said[each.key] = each
        if data is not None and data.endswith(b"\n") and most == data.count(b"\n") == sum(counted.values()):
            found.whole = True
        for key, each in said.items():
            # Each change of a file's state is one more line: who has more of them knows more.
            if counted[key] > often.get(key, 0):
                found.files[key], often[key] = each, counted[key]
    return found


def none() -> Inventory:
    """The list of an archive that never took anything in."""
    return Inventory()


def known(state: str, archive: str) -> Inventory:
    """The list, and where no copy of it is whole also what archive and log tell of. Nothing is changed."""
    have = load(state, archive)
    if have.whole and have.began:
        return have
    hashes = {each.sha256 for each in have.files.values()}
    for each in known_before(state, archive, frozenset(each.name for each in have.files.values())):
        if have.began and not each.sha256:
            continue  # a list has the names of files without a record
        if each.sha256 not in hashes:
            # An export that the log alone tells of may well be in a line of the list that is lost: rather asked once too often.
            have.files[each.key] = each._replace(state=KEPT) if have.began else each
    return have


def add(project: Project, files: Iterable[Listed], have: Inventory | None = None) -> list[str]:
    """Name files that are in the archive, durably; a list that is damaged is made whole. What was wrong with it, a line each.

    Raises ``StoreNotWritable``. Where there is no list yet, it begins with all that archive and log tell of. ``have``: the list as
    it is, for whoever has held the archive's lock since it was read; it is kept up to date.
    """
    state, archive = os.fspath(project.state), os.fspath(project.archive)
    _recover_log(state)
    have, wanted = have or known(state, archive), list(files)
    if not have.began and {each.key for each in have.files.values() if not each.state} <= {each.key for each in wanted}:
        have.files = {}  # an archive with nothing but what this run put there is a new one: the log's exports never were in one
    new = {each.key: each for each in wanted if not _stands(have, each)}
    if have.began and have.agrees and not have.faults:
        _append(state, archive, new.values())
    else:
        write(state, archive, [*have.files.values(), *new.values()])
    have.files.update(new)
    return have.faults


def heal(project: Project) -> list[str]:
    """Make a damaged list whole, or begin one where there is an archive and none; what was wrong with it, a line each."""
    return add(project, ()) if os.path.isdir(project.archive) else []


def give_up(project: Project, files: Iterable[Listed]) -> None:
    """Note that files are gone and that their owner knows it. Raises ``StoreNotWritable``."""
    add(project, [each._replace(state=LOST) for each in files])


def write(state: str, archive: str, files: Iterable[Listed]) -> None:
    """Have both copies say this. Raises ``StoreNotWritable``, ``StoreLocked``."""
    data = encoded(files)
    place, copy = _places(state, archive)
    with atomic.write_errors(state):
        atomic.make_private_directory(state)
    with exclusive(os.path.join(state, LOCK)):  # whoever holds it removes what others were about to rename
        hide(state)
        atomic.replace(place, data)
    atomic.replace(copy, data)


def encoded(files: Iterable[Listed]) -> bytes:
    """The bytes of the list."""
    return b"".join(encode_line(_record(each)) for each in files)


def told_by(lists: Iterable[Iterable[bytes]]) -> list[Listed]:
    """The files that several lists name, each once: one that is there in any of them is there. ``lists`` are lines each."""
    found: dict[tuple[str, str], Listed] = {}
    for lines in lists:
        said = {each.key: each for each in _lines(b"".join(lines), NAME, []) if each.state != NONE}
        for key, each in said.items():
            if key not in found or found[key].state != KEPT:
                found[key] = each
    return list(found.values())


def _record(each: Listed) -> dict[str, Any]:
    record = {
        "conversation_id": each.session,
        "name": each.name,
        "sha256": each.sha256,
        "bytes": each.size,
        "mtime_ns": each.mtime_ns,
    }
    return {**record, "state": each.state} if each.state else record


def _stands(have: Inventory, each: Listed) -> bool:
    """Whether a file is in the list already, in the state in which it is to be."""
    before = have.files.get(each.key)
    return before is not None and before.state == each.state


def _append(state: str, archive: str, files: Iterable[Listed]) -> None:
    data = encoded(files)
    if not data:
        return
    place, copy = _places(state, archive)
    atomic.append(place, data)
    atomic.append(
        copy, data, durable=False
    )  # the other one is on the disk: what a power cut takes of this is made again


def _places(state: str, archive: str) -> tuple[str, str]:
    return os.path.join(state, NAME), os.path.join(archive, COPY)


def _read(path: str, faults: list[str]) -> bytes | None:
    """The bytes of a copy, none where something else has its name; None where there is nothing."""
    try:
        with atomic.open_regular(path) as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        faults.append(
            f"{os.path.basename(path)}, the list of archived files, cannot be read: {error.strerror or error}"
        )
        return b""


def _lines(data: bytes, name: str, faults: list[str]) -> Iterator[Listed]:
    """The files that a copy names. A line without an end is what a killed run left, and no damage."""
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        try:
            said = decode_line(line + b"\n")
            size, mtime_ns = int(said["bytes"]), int(said["mtime_ns"])
            state = str(said.get("state", KEPT))
            yield Listed(str(said["name"]), str(said["sha256"]), size, mtime_ns, said["conversation_id"], state)
        except (Damaged, KeyError, TypeError, ValueError) as error:
            faults.append(f"{name}, the list of archived files, line {number}: {error}")


def _recover_log(state: str) -> None:
    """A purge that was stopped has another list waiting, which is not to take the place of a longer one later."""
    if journal.waits(state, journal.STORE):
        with exclusive(os.path.join(state, LOCK)):
            journal.apply(state, journal.STORE, state)
