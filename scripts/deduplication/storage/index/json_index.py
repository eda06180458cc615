"""The index of a small store: the original design's two JSON files and one with the rest, read and written whole.

They are replaced without waiting for the disk; each has, or is named with, a checksum, and where one does not match all are
made again from the log. The same state always gives the same bytes.
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from array import array
from typing import TYPE_CHECKING, Any, Final

from ...alignment.columns import Columns
from ...alignment.overlap import TURNS
from ...figures.savings import Seen
from ...files import atomic, beneath
from ...project.paths import AUDIT, JSON_INDEX
from ...start.late_dataclass import asdict
from ..contract import StoreFigures
from ..log.lines import decode_line, encode_line
from ..state.conversation import ConversationState
from ..state.log_state import State
from ..state.table import Table
from .contract import AuditMark
from .conversation_head import head_of, take_head
from .kind_codes import CODES, KINDS_BY_CODE
from .table_entries import of_cursor, of_prefixes, to_cursor, to_exports, to_prefixes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WATERMARKS, HASHES, INDEX = JSON_INDEX
_VERSION: Final = 7
_KEY: Final = 16


class JsonIndex:
    """The three files in ``folder`` (see :class:`~.contract.Index` for what each method promises)."""

    files: Sequence[str] = JSON_INDEX

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.writable = False

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def identity(self) -> tuple[object, ...]:
        """Of the file that names the others."""
        try:
            index = os.lstat(self._path(INDEX))
        except FileNotFoundError:
            return ()
        return (index.st_ino, index.st_size, index.st_mtime_ns)

    def load(self) -> tuple[State, AuditMark] | None:
        """The state as the files have it; None where they are missing, damaged or of another version."""
        try:
            with atomic.open_regular(self._path(INDEX)) as file:
                index = decode_line(file.read())
            if index["version"] != _VERSION:
                return None
            files: dict[str, bytes] = {}
            for name in (HASHES, WATERMARKS):
                with atomic.open_regular(self._path(name)) as file:
                    files[name] = file.read()
                if [len(files[name]), zlib.crc32(files[name])] != index["files"][name]:
                    return None
            size, crc32 = index["files"][AUDIT]
            return _state(index["state"], json.loads(files[HASHES])), AuditMark(size, crc32)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
            return None

    def save(self, state: State, audit: AuditMark) -> None:
        """Write all three anew."""
        for name, data in self._content(state, audit).items():
            atomic.replace(self._path(name), data, durable=False)
        state.saved()

    def candidates(self, state: State, keys: set[str]) -> Mapping[str, int]:
        """Found by looking at every conversation."""
        return {
            name: sum(found.columns.kinds[n] in TURNS for n, key in enumerate(found.columns.keys) if key in keys)
            for name, found in state.conversations.items()
            if not keys.isdisjoint(found.columns.keys)
        }

    def holding(self, state: State, hashes: set[str]) -> Mapping[str, int]:
        """Found by looking at every conversation."""
        shared = {name: len(hashes.intersection(found.columns.hashes)) for name, found in state.conversations.items()}
        return {name: count for name, count in shared.items() if count}

    def known_uuids(self, state: State, conversation_id: str, uuids: Sequence[str]) -> dict[str, list[int]]:
        """Found by looking at every message of the conversation."""
        wanted = set(uuids)
        found: dict[str, list[int]] = {}
        for number, uuid in enumerate(state.conversation(conversation_id).columns.uuids):
            if uuid in wanted:
                found.setdefault(uuid, []).append(number)
        return found

    def compare(self, state: State, audit: AuditMark) -> list[str]:
        """Byte for byte."""
        problems = []
        for name, expected in self._content(state, audit).items():
            try:
                with atomic.open_regular(self._path(name)) as file:
                    same = file.read() == expected
            except FileNotFoundError:
                if state.size:
                    problems.append(f"{name}: missing (an index; 'rebuild' makes it again)")
            except OSError as error:
                problems.append(f"{name}: {error.strerror or error}")
            else:
                if not same:
                    problems.append(f"{name}: does not say what the log says (an index; 'rebuild' makes it again)")
        return problems

    def condense(self) -> None:
        """There is nothing to take out."""

    def remove(self) -> None:
        """Delete the three files."""
        for name in self.files:
            with contextlib.suppress(OSError):
                beneath.unlink(self._path(name))

    def _content(self, state: State, audit: AuditMark) -> dict[str, bytes]:
        conversations = state.conversations.items()
        watermarks = _dump({name: len(each) - 1 for name, each in conversations})
        hashes = _dump({name: each.columns.hashes for name, each in conversations})
        files = {
            WATERMARKS: [len(watermarks), zlib.crc32(watermarks)],
            HASHES: [len(hashes), zlib.crc32(hashes)],
            AUDIT: list(audit),
        }
        index = {"conversation_id": "", "version": _VERSION, "files": files, "state": _dictionary(state)}
        return {WATERMARKS: watermarks, HASHES: hashes, INDEX: encode_line(index)}


def _dump(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"


def _dictionary(state: State) -> dict[str, Any]:
    """Everything that the original design's two files do not hold."""
    return {
        "size": state.size,
        "seen_bytes": asdict(state.seen_bytes),
        "figures": state.figures._asdict(),
        "unique": state.unique,
        "waiting": state.announced.waiting,
        "redrawn": state.announced.redrawn,
        "noted": dict(state.announced.noted.items()),
        "occurrences": state.occurrences,
        **({"banned": state.banned} if state.banned else {}),
        "exports": dict(state.exports.items()),
        "prefixes": {head: of_prefixes(each) for head, each in state.prefixes.items()},
        "sessions": dict(state.sessions.items()),
        "blobs": dict(state.blobs.items()),
        "pictures": dict(state.pictures.items()),
        "cursors": {source: of_cursor(each) for source, each in state.cursors.items()},
        "conversations": {
            name: {
                "keys": "".join(key or " " * _KEY for key in each.columns.keys),
                "kinds": "".join(CODES[kind] for kind in each.columns.kinds),
                "weights": each.columns.weights,
                "uuids": {str(n): uuid for n, uuid in enumerate(each.columns.uuids) if uuid},
                "lines": each.lines.tolist(),
                **head_of(each),
            }
            for name, each in state.conversations.items()
        },
    }


def _state(data: dict[str, Any], hashes: dict[str, list[str]]) -> State:
    """The state that :func:`_dictionary` and the file of hashes tell of. Raises KeyError, TypeError, ValueError, ..."""
    cursors = {source: to_cursor(entry) for source, entry in data["cursors"].items()}
    exports = {sha256: to_exports(entries) for sha256, entries in data["exports"].items()}
    conversations: dict[str, ConversationState] = {}
    for name, entry in data["conversations"].items():
        keys = entry["keys"]
        count = len(entry["kinds"])
        uuids = [""] * count
        for number, uuid in entry["uuids"].items():
            uuids[int(number)] = uuid
        columns = Columns(
            hashes[name],
            [keys[n : n + _KEY].strip() for n in range(0, len(keys), _KEY)],
            [KINDS_BY_CODE[code] for code in entry["kinds"]],
            entry["weights"],
            uuids,
        )
        if not len(columns.hashes) == len(columns.keys) == len(entry["weights"]) == len(entry["lines"]) == count:
            raise ValueError(f"the columns of {name} differ in length")
        conversations[name] = ConversationState()
        conversations[name].fill(columns, array("q", entry["lines"]))
        take_head(conversations[name], entry)
    state = State(
        Table(conversations),
        Table(exports),
        Table(data["sessions"]),
        Table(cursors),
        blobs=Table(data["blobs"]),
        pictures=Table(data["pictures"]),
        noted=Table(data["noted"]),
        prefixes=Table({head: to_prefixes(each) for head, each in data["prefixes"].items()}),
    )
    state.begins_at(data["size"])
    state.seen_bytes, state.figures = Seen(**data["seen_bytes"]), StoreFigures(**data["figures"])
    state.occurrences = data["occurrences"]
    counted = state.announced
    counted.unique, counted.waiting, counted.redrawn = data["unique"], data["waiting"], data["redrawn"]
    state.banned = data.get("banned", [])
    return state
