"""What the indexes of a state folder say of its logs: messages that were counted once and that no line has any more."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import ExportError, UnsafePath
from ..files.safe_read import read
from ..project.paths import HASHES, WATERMARKS
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GLOBAL_HASHES: Final = "global_hashes.json"
CHECKPOINT_INDEX: Final = "checkpoint_index.json"
INDEXES: Final = (WATERMARKS, HASHES, GLOBAL_HASHES, CHECKPOINT_INDEX)


class Claim(NamedTuple):
    """What an index says of a conversation or a checkpoint (empty: of all messages) that its log does not have.

    ``hashes`` of its messages are on no line. Its watermark was ``watermark`` where that is higher than the number of its last
    message, ``highest``; both are None where there is nothing to say of that.
    """

    file: str
    name: str
    hashes: int = 0
    watermark: int | None = None
    highest: int | None = None


class Held(NamedTuple):
    """What the logs have: the hashes of all messages, and the highest number in each conversation of the conversation log."""

    hashes: frozenset[bytes]
    highest: Mapping[str, int]


def claims(folder: str, held: Held, damage: list[str]) -> list[Claim]:
    """What is claimed and not there; of an index that cannot be read a line is added to ``damage``."""
    read_files = {name: _read(folder, name, damage) for name in INDEXES}
    found = [*_watermarks(read_files[WATERMARKS], held)]
    found += _hashes(HASHES, _object(read_files[HASHES]), held)
    found += _hashes(GLOBAL_HASHES, {"": _pool(read_files[GLOBAL_HASHES])}, held)
    checkpoints = _object(read_files[CHECKPOINT_INDEX])
    listed = {name: _object(each).get("message_hashes") for name, each in checkpoints.items()}
    return [*found, *_hashes(CHECKPOINT_INDEX, listed, held)]


def digits(identity: Any) -> bytes | None:
    """A hash as bytes; None for what is none."""
    try:
        return bytes.fromhex(identity) if isinstance(identity, str) and len(identity) == 64 else None
    except ValueError:
        return None


def _watermarks(found: Any, held: Held) -> Iterator[Claim]:
    for name, watermark in _object(found).items():
        if isinstance(watermark, int) and not isinstance(watermark, bool):
            highest = held.highest.get(name, -1)
            if watermark > highest:
                yield Claim(WATERMARKS, name, watermark=watermark, highest=highest)


def _hashes(file: str, listed: Mapping[str, Any], held: Held) -> Iterator[Claim]:
    for name, identities in listed.items():
        known = {digits(each) for each in identities} if isinstance(identities, list) else set()
        missing = len(known - held.hashes - {None})
        if missing:
            yield Claim(file, name, missing)


def _pool(found: Any) -> list[Any]:
    """The hashes of the file of all of them, in each of the three forms that it had: a list, one in an object, keys."""
    if isinstance(found, dict):
        found = found["hashes"] if isinstance(found.get("hashes"), list) else list(found)
    return found if isinstance(found, list) else []


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _read(folder: str, name: str, damage: list[str]) -> Any:
    path = Path(folder, name)
    if not os.path.lexists(path):
        return None
    try:
        return json.loads(read(path)[0])
    except (ExportError, UnsafePath) as error:
        damage.append(f"{name}: {error}")
    except (ValueError, RecursionError) as error:
        damage.append(f"{name}: it is no JSON ({error})")
    return None
