"""The watchdog: is what the client wrote in the store? Asked line by line, of what a reader of its own found.

How far a transcript was compared stands in a note in the folder of the hooks' markers (``live/SESSION.watch``). It can be deleted
at any time: the transcript is then compared from its beginning again.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any, Final

from ..accounting.last_run import LIVE
from ..errors import DedupError
from ..files import atomic
from ..start.late_tuple import NamedTuple
from .plain_reader import Said, said_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..storage.contract import Store

SUFFIX: Final = ".watch"
_PART: Final = 8 * 1024 * 1024
_REMEMBERED: Final = 100
"""Lines that the store lacks and that are asked for again; beyond them they are only counted."""


class Watched(NamedTuple):
    """``written`` prompts and answers were compared up to the byte ``offset``; ``missing`` are those that the store lacks.

    ``more`` of them are not remembered one by one. ``waiting`` are those behind what was captured, which should have been.
    ``until``: the byte up to which a hook should have captured it. ``told``: the client was told of it.
    ``failed``: a hook that was to capture it failed, and none did it since.
    """

    offset: int = 0
    written: int = 0
    missing: tuple[Said, ...] = ()
    more: int = 0
    waiting: int = 0
    until: int = 0
    told: bool = False
    failed: bool = False

    @property
    def lacking(self) -> int:
        """Prompts and answers that the store does not have."""
        return len(self.missing) + self.more + self.waiting

    @property
    def all(self) -> int:
        """Prompts and answers that the client wrote."""
        return max(self.written + self.waiting, self.lacking)


def name_of(transcript: str) -> str:
    """The name of a transcript's session, or agent, as it stands in a file's name."""
    stem = os.path.basename(transcript).removesuffix(".jsonl")
    return "".join(character for character in stem if character.isalnum() or character in "-_")[:100] or "session"


def path_of(folder: str, transcript: str) -> str:
    """Where the note on a transcript lies, for the store in ``folder``."""
    return os.path.join(folder, LIVE, name_of(transcript) + SUFFIX)


def compare(store: Store, folder: str, transcript: str, until: int, *, most: int = 0) -> Watched:
    """Compare what a transcript has more than the last time. Reads only, and takes a lock for as long as the store is asked.

    ``until``: the byte up to which it should have been captured by now. Of more than ``most`` bytes (0: any number) only the last
    ones are looked at, and the rest is left for the next time. Raises ``StoreError``; a transcript that cannot be read has nothing.
    """
    before = noted(folder, transcript)
    source = os.path.realpath(transcript)
    with store.transaction(write=False):
        cursor = store.cursor(source)
        known, taken = (cursor[0], cursor[1].offset) if cursor is not None else ("", 0)
        if before.offset > taken:  # the transcript was written anew, or the store is another one
            before = Watched(told=before.told, failed=before.failed)
        missing = _lacking(store, known, before.missing)
        if before.missing and not missing:  # put right: all of it is looked at once more
            before, missing = Watched(told=before.told, failed=before.failed), []
        until = max(until, before.until)
        end = max(taken, until)
        partly = 0 < most < end - before.offset
        written = waiting = 0
        for begin, data in _lines(source, end - most if partly else before.offset, end, inside=partly):
            split = max(0, taken - begin)
            here = list(said_in(data[:split]))
            written += len(here)
            missing += _lacking(store, known, here)
            waiting += sum(1 for _ in said_in(data[split:]))
        missing = list(dict.fromkeys(missing))
    found = before._replace(missing=tuple(missing[:_REMEMBERED]), waiting=waiting, until=until)
    more = before.more + max(0, len(missing) - _REMEMBERED)
    return found if partly else found._replace(offset=taken, written=before.written + written, more=more)


def noted(folder: str, transcript: str) -> Watched:
    """What the note on a transcript says; nothing where there is none, or where it is not ours any more."""
    return _read(path_of(folder, transcript))


def every(folder: str) -> dict[str, Watched]:
    """Every note, by the name of its session or agent."""
    names: list[str] = []
    with contextlib.suppress(OSError):
        names = sorted(name for name in os.listdir(os.path.join(folder, LIVE)) if name.endswith(SUFFIX))
    return {name[: -len(SUFFIX)]: _read(os.path.join(folder, LIVE, name)) for name in names}


def note(folder: str, transcript: str, found: Watched) -> None:
    """Keep what was found. Best effort: nothing relies on it but the next comparison."""
    path = path_of(folder, transcript)
    said = {
        "offset": found.offset,
        "written": found.written,
        "missing": [list(each) for each in found.missing],
        "more": found.more,
        "waiting": found.waiting,
        "until": found.until,
        "told": found.told,
        "failed": found.failed,
    }
    with contextlib.suppress(DedupError, OSError):
        atomic.make_private_directory(os.path.dirname(path))
        atomic.replace(path, json.dumps(said).encode(), durable=False)


def _read(path: str) -> Watched:
    try:
        with atomic.open_regular(path) as file:
            said: dict[str, Any] = json.loads(file.read(1 << 20))
        missing = tuple(Said(str(uuid), str(by), int(blocks)) for uuid, by, blocks in said["missing"])
        numbers = [int(said[name]) for name in ("offset", "written", "more", "waiting", "until")]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return Watched()
    told, failed = (said.get(name) is True for name in ("told", "failed"))
    offset, written, more, waiting, until = numbers
    return Watched(offset, written, missing, more, waiting, until, told, failed)


def _lacking(store: Store, conversation: str, said: Sequence[Said]) -> list[Said]:
    """Those that the conversation has under none of their ids."""
    if not said or not conversation:
        return list(said)
    known = store.known_uuids(conversation, [name for each in said for name in each.ids])
    return [each for each in said if not any(known.get(name) for name in each.ids)]


def _lines(path: str, begin: int, end: int, *, inside: bool = False) -> Iterable[tuple[int, bytes]]:
    """Whole lines of a file from ``begin`` up to ``end``, in parts: where each begins, and its bytes.

    ``inside``: ``begin`` may lie in a line, which is passed over then.
    """
    try:
        with open(path, "rb") as file:
            file.seek(begin)
            begin += len(file.readline()) if inside else 0
            rest = b""
            while begin + len(rest) < end and (part := file.read(min(_PART, end - begin - len(rest)))):
                whole, line_feed, rest = (rest + part).rpartition(b"\n")
                if line_feed:
                    yield begin, whole + line_feed
                    begin += len(whole) + 1
            if rest:
                yield begin, rest  # the last line needs no line feed
    except OSError:
        return
