"""The small files beside a log that people and other programs read: ``watermarks.json``, and of a store of plain files
``content_hashes.json``.

Nothing is read from them but what is to be written again. They follow from the log, as the index does.
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from typing import TYPE_CHECKING

from ..files import atomic, beneath
from ..project.paths import FORMER_INDEX, HASHES, INDEX, WATERMARKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .state.log_state import State


def is_plain(folder: str) -> bool:
    """Whether the store in this folder has all its files plain: the hashes are there, and not those of version 0.1's index."""
    return os.path.lexists(os.path.join(folder, HASHES)) and not _has_former(folder)


def is_former(folder: str) -> bool:
    """Whether the store has the index of version 0.1 alone: the first run that writes makes another one of the log."""
    return _has_former(folder) and not os.path.lexists(os.path.join(folder, INDEX))


def _has_former(folder: str) -> bool:
    return any(os.path.lexists(os.path.join(folder, name)) for name in FORMER_INDEX)


def write(folder: str, state: State, noted: Mapping[str, int], *, plain: bool) -> dict[str, int]:
    """Bring them up to what changed in ``state``; ``noted`` are their CRC-32 as they were, the result as they are.

    Raises ``StoreNotWritable``.
    """
    known = _known(folder, noted.get(WATERMARKS))
    if known:  # else the order in which they were begun is not known
        known.update((name, len(state.conversation(name)) - 1) for name in state.conversations.changed)
    files = {WATERMARKS: _dump(known) if len(known) == state.begun else _watermarks(state)}
    if plain:
        files[HASHES] = _hashes(state)
    for name, data in files.items():
        atomic.replace(os.path.join(folder, name), data, durable=False)
    return {name: zlib.crc32(data) for name, data in files.items()}


def are(folder: str, noted: Mapping[str, int], *, plain: bool) -> bool:
    """Whether those that are to be there are as they were noted."""
    return noted.keys() == {WATERMARKS, *((HASHES,) if plain else ())} and all(
        zlib.crc32(_read(folder, name)) == crc32 for name, crc32 in noted.items()
    )


def noted(state: State, *, plain: bool) -> dict[str, int]:
    """The CRC-32 of each, as they are to be."""
    return {name: zlib.crc32(data) for name, data in _expected(state, plain=plain).items()}


def remove_former(folder: str, *, plain: bool) -> None:
    """Delete what version 0.1 had as its index, and the hashes where the store is not one of plain files."""
    for name in (*FORMER_INDEX, *(() if plain else (HASHES,))):
        path = os.path.join(folder, name)
        if os.path.lexists(path):
            with contextlib.suppress(OSError):
                beneath.unlink(path)


def problems(folder: str, state: State, *, plain: bool) -> list[str]:
    """A line for each file that does not say what ``state`` says, which was counted from the log."""
    found = []
    for name, content in _expected(state, plain=plain).items():
        if not state.size and not os.path.lexists(os.path.join(folder, name)):
            continue
        try:
            with atomic.open_regular(os.path.join(folder, name)) as file:
                if file.read() != content:
                    found.append(f"{name}: does not say what the log says (an index; 'rebuild' makes it again)")
        except FileNotFoundError:
            found.append(f"{name}: missing (an index; 'rebuild' makes it again)")
        except OSError as error:
            found.append(f"{name}: {error.strerror or error}")
    return found


def _expected(state: State, *, plain: bool) -> dict[str, bytes]:
    return {WATERMARKS: _watermarks(state), **({HASHES: _hashes(state)} if plain else {})}


def _read(folder: str, name: str) -> bytes:
    try:
        with atomic.open_regular(os.path.join(folder, name)) as file:
            return file.read()
    except OSError:
        return b""


def _known(folder: str, crc32: int | None) -> dict[str, int]:
    """The watermarks that are there; none where they are not what was noted."""
    data = _read(folder, WATERMARKS)
    known: dict[str, int] = json.loads(data) if data and zlib.crc32(data) == crc32 else {}
    return known


def _watermarks(state: State) -> bytes:
    return _dump({name: len(each) - 1 for name, each in state.conversations.items()})


def _hashes(state: State) -> bytes:
    return _dump({name: each.columns.hashes for name, each in state.conversations.items()})


def _dump(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"
