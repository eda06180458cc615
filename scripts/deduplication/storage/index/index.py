"""The index of a store: what a run asks is looked up, whatever else there is; what it does not keep is read from the log.

It follows from the log: written after it, never synced, and made again where it is missing or not what was written.
"""

from __future__ import annotations

import os
import stat
import weakref
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from ...errors import StoreDamaged
from ...files import beneath
from ...project.paths import INDEX
from ..state.log_state import State
from .audit_mark import AuditMark
from .index_file import MAGIC, VERSION, IndexFile
from .index_writer import changed_entries
from .log_rows import LogRows
from .root import about_of, take_about
from .sorted_runs import IndexDamaged, Run, SortedRuns, run_of
from .stored_state import StoredState, stretches_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import TypeVar

    from ...alignment.fingerprint import Fingerprint
    from ..log.append_log import Log
    from ..state.blobs import Blobs
    from .carried import Carried

    Answer = TypeVar("Answer")

_PLACE: Final = 4
"""Bytes of a stretch's number behind the five of a hash."""
_WIDTH: Final = 5 + _PLACE
_PROOF: Final = 64
"""Bytes of the log before where the index ends: a commit record's checksum and what it is of."""
_SPARE: Final = 4096
"""Bytes that no root needs, beside a quarter of all, from which on a file is written anew."""


class Index:
    """The index in ``folder``, of ``log``. Whoever calls it holds the store's lock.

    ``anew`` fills an empty index with what the first bytes of the log say, so many, and says how far the audit file goes then.
    """

    def __init__(self, folder: str, log: Log, blobs: Blobs, anew: Callable[[Index, int], AuditMark]) -> None:
        self.path = os.path.join(folder, INDEX)
        self.writable = False
        """May it mend itself on the disk? Somebody who only reads changes nothing."""
        self.accounted = 0
        """Bytes of a log that the file on the disk accounted for when it was loaded last, be it of this log or not."""
        self.proof = b""
        """The last ones of these bytes."""
        self._log, self._blobs, self._anew = log, blobs, anew
        self._file = IndexFile(self.path)
        self._holds: Callable[[], State | None] = _nothing
        """The state whose changes since the last save are all that the index lacks."""
        self._about: dict[str, Any] = {}
        self._open([], [], anew=True)

    # -- opening -----------------------------------------------------------------------------------------------

    def identity(self) -> tuple[object, ...]:
        """Which index is there, in which state? Empty where there is none; equal means: nothing was changed."""
        try:
            status = os.lstat(self.path)
        except OSError:
            return ()
        return (status.st_ino, status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else ()

    def load(self) -> tuple[State, AuditMark] | None:
        """A state that asks it, and up to where it accounts for the audit file; None where it is missing or not of this log."""
        self.accounted = 0
        if not self.identity():
            return None
        try:
            root = self._file.load()
            size = root["about"]["size"]
            if root["version"] != VERSION:
                return None
            self.accounted, self.proof = size, bytes.fromhex(root["proof"])
            if not self._is_of_log(size, root["proof"]):
                return None
            self._open(root["entries"], root["places"])
            self._about = root["about"]
            return self._state(), AuditMark(*self._about["audit"])
        except (IndexDamaged, KeyError, TypeError, ValueError, AttributeError):
            return None

    def begin(self) -> State:
        """Forget what is there; an empty state, which asks an empty index in memory."""
        self._file.close()
        self._open([], [], anew=True)
        self._about = {}
        return self._state()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _open(self, entries: list[Run], places: list[Run], *, anew: bool = False) -> None:
        self._is_anew = anew
        self._carried: Carried | None = None
        """The bodies, where all that it was told was told since it was begun."""
        self._entries = SortedRuns(self._file.read, entries, anew=anew)
        self._places = SortedRuns(self._file.read, places, width=_WIDTH, anew=anew)

    def _state(self) -> State:
        rows = LogRows(self._log, self._blobs)
        about = self._about
        state = State(
            StoredState(
                lambda key: self._ask(lambda: self._entries.get(key)),
                lambda prefix: self._ask(lambda: self._entries.beginning(prefix)),
                self._places_of,
                self._prove,
                rows,
                about.get("chunks", 0),
            )
        )
        rows.state = weakref.proxy(state)
        self._holds = weakref.ref(state)
        if about:
            take_about(state, about)
        return state

    def _places_of(self, prefix: bytes) -> list[int]:
        if not self._places.runs:
            return []
        found = self._ask(lambda: self._places.beginning(prefix))
        return [int.from_bytes(key[-_PLACE:], "big") for key, _ in found]

    def _prove(self, rows: LogRows, identity: str, chunks: Sequence[int]) -> tuple[int, Fingerprint] | None:
        if self._is_anew:
            return self._carried.get(identity) if self._carried is not None else None
        return rows.prove(identity, chunks)

    def _is_of_log(self, size: int, proof: str) -> bool:
        """Does the log have these bytes before ``size``?

        One that is shorter is somebody else's to name; and for what ends where all of the log is sealed no block is unpacked.
        """
        log = self._log
        return size > log.size() or size == log.sealed.end == log.size() or self._proof(size) == proof

    def _proof(self, size: int) -> str:
        """The bytes of the log before ``size``; nothing where they cannot be read, which is no reason to read all the others."""
        try:
            return self._log.span(max(size - _PROOF, 0), size).hex()
        except StoreDamaged:
            return ""

    @property
    def noted(self) -> Mapping[str, int]:
        """The CRC-32 of each file beside it, by name."""
        found: Mapping[str, int] = self._about.get("noted", {})
        return found

    # -- mending -----------------------------------------------------------------------------------------------

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        """An answer from bytes that are what was written; where they are not, from an index made again from the log."""
        try:
            return question()
        except IndexDamaged:
            self._mend(self._about["size"])
            return question()

    def _mend(self, size: int) -> None:
        """Have what the first ``size`` bytes of the log say in the place of what is there."""
        other = Index(os.path.dirname(self.path), self._log, self._blobs, self._anew)
        self._anew(other, size)
        holds = self._holds
        self._file.close()
        self._file = other._file
        self._open(other._entries.runs, other._places.runs)
        self._about, self._holds = other._about, holds
        if self.writable:
            self._file.keep()

    # -- saving ------------------------------------------------------------------------------------------------

    def save(
        self, state: State, audit: AuditMark, noted: Mapping[str, int] | None = None, *, keep: bool = True
    ) -> None:
        """Take over what is new in ``state``; ``noted``: see :attr:`noted`; ``keep``: on the disk. Raises ``StoreNotWritable``."""
        if state is not self._holds():
            self._mend(state.size)
        else:
            try:
                self._add(state, audit, noted or {})
            except IndexDamaged:
                self._mend(state.size)
        if keep:
            self._file.keep()
        state.saved()

    def _add(self, state: State, audit: AuditMark, noted: Mapping[str, int]) -> None:
        entries = changed_entries(state, self._entries.get)
        stretches = stretches_of(state)
        places = {prefix + chunk.to_bytes(_PLACE, "big"): b"" for prefix, chunk in stretches.places.fresh()}
        more = {"chunks": len(stretches.chunks), "audit": list(audit), "noted": dict(noted)}
        about = {**about_of(state), **more}
        parts, start = b"", self._file.size
        stays: list[tuple[SortedRuns, int, Run, dict[bytes, bytes]]] = []
        for runs, changes, width in ((self._entries, entries, 0), (self._places, places, _WIDTH)):
            stay, joined = runs.joined(changes)
            data, run = run_of(joined, start + len(parts), width)
            parts += data
            stays.append((runs, stay, run, changes))
        kept = [[*runs.runs[:stay], *([run] if run.length else [])] for runs, stay, run, _ in stays]
        needed = sum(run.size for runs in kept for run in runs)
        if not any(stay for _, stay, _, _ in stays) or start + len(parts) - needed > needed // 4 + _SPARE:
            parts, kept = self._moved(kept, {run: parts[run.start - start :][: run.size] for _, _, run, _ in stays})
            self._file.replace(parts, self._root(about, *kept))
        else:
            self._file.add(parts, self._root(about, *kept))
        self._about = about
        if self._is_anew:
            from .carried import Carried  # a run on a store that is there does without

            self._carried = self._carried or Carried()
            self._carried.add(state.bodies.fresh())
        for (runs, stay, run, changes), runs_now in zip(stays, kept):
            runs.added(stay, run, changes)
            if runs.runs != runs_now:
                runs.moved(runs_now)

    def _moved(self, kept: list[list[Run]], fresh: dict[Run, bytes]) -> tuple[bytes, list[list[Run]]]:
        """The runs one behind the other, and where they stand then."""
        parts = bytearray()
        found: list[list[Run]] = []
        for runs in kept:
            found.append([])
            for run in runs:
                found[-1].append(run._replace(start=len(MAGIC) + len(parts)))
                parts += fresh.get(run) or self._file.read(run.start, run.size)
        return bytes(parts), found

    def _root(self, about: dict[str, Any], entries: list[Run], places: list[Run]) -> dict[str, Any]:
        return {
            "version": VERSION,
            "proof": self._proof(about["size"]),
            "about": about,
            "entries": entries,
            "places": places,
        }

    def condense(self) -> None:
        """One run each, and nothing else. Raises ``StoreNotWritable``."""
        if not self._about:
            return
        try:
            entries, one = run_of(self._entries.everything(), len(MAGIC), 0)
            places, other = run_of(self._places.everything(), len(MAGIC) + len(entries), _WIDTH)
        except IndexDamaged:
            self._mend(self._about["size"])
            return
        kept = [[run] if run.length else [] for run in (one, other)]
        self._file.replace(entries + places, self._root(self._about, *kept))
        self._open(*kept)

    # -- checking ----------------------------------------------------------------------------------------------

    def problems(self, expected: Index, audit: AuditMark, noted: Mapping[str, int]) -> list[str]:
        """A line where it does not say what ``expected`` says, which was made anew from the log, and these two."""
        if not os.path.lexists(self.path):
            return [f"{INDEX}: missing (an index; 'rebuild' makes it again)"] if expected._about.get("size") else []
        try:
            same = self.load() is not None and self._about == {
                **expected._about,
                "audit": list(audit),
                "noted": dict(noted),
            }
            same = same and all(one == other for one, other in zip_longest(self._all(), expected._all()))
        except IndexDamaged as error:
            return [f"{INDEX}: {error} (an index; 'rebuild' makes it again)"]
        finally:
            self.close()
        return [] if same else [f"{INDEX}: does not say what the log says (an index; 'rebuild' makes it again)"]

    def _all(self) -> Iterator[tuple[bytes, bytes]]:
        yield from self._entries.everything()
        yield from self._places.everything()

    def remove(self) -> None:
        """Delete the file."""
        self._file.close()
        if os.path.lexists(self.path):
            beneath.unlink(self.path)


def _nothing() -> None:
    """Where a reference to a state would be."""
