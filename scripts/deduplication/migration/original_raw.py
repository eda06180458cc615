"""The raw exports of the original project: processed after its state was taken, they bring what it had dropped."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import ExportError, UnsafePath, UsageError
from ..files.safe_read import read
from ..ingest.deduplicator import ClaudeConversationDeduplicator
from ..project.export_names import file_name
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..storage.log_backed import LogBackedStore

_BESIDE: Final = ("exports-archive", "exports")
"""Where the original project put them: beside its state, in MEMORY-CONTEXT."""
_ENDINGS: Final = (".txt", ".json", ".jsonl", ".md")


class Recovered(NamedTuple):
    """What raw exports brought: ``files`` of them showed ``messages``, and ``places`` in conversations were filled that the state
    had dropped; what was said twice has two of them.

    ``skipped`` are lines for the user, one for each file that could not be read.
    """

    files: int
    messages: int
    places: int
    skipped: tuple[str, ...]


def raw_files(state: str, named: Sequence[str]) -> list[Path]:
    """Those of the files and folders that were named, else of the folders that lie where the original project put them.

    The oldest first. Raises :class:`UsageError` for a path that is not there.
    """
    for path in named:
        if not os.path.lexists(path):
            raise UsageError(f"there are no raw exports at {path}: it is not there")
    places = named or [os.path.join(os.path.dirname(os.path.abspath(state)), name) for name in _BESIDE]
    found = {os.path.realpath(path): path for place in places for path in _inside(place)}
    return sorted(found.values(), key=lambda path: (path.stat().st_mtime_ns, os.fspath(path)))


def _inside(place: str) -> Iterator[Path]:
    if os.path.isfile(place):
        yield Path(place)
    for here, folders, names in os.walk(place):
        folders.sort()
        for name in sorted(names):
            path = Path(here, name)
            if name.lower().endswith(_ENDINGS) and path.is_file():
                yield path


def recover(target: LogBackedStore, paths: Sequence[Path], *, strict: bool, told: Callable[[int], None]) -> Recovered:
    """Process each of them; what it shows and the store has stays as it is. ``told`` hears the bytes of each once it is durable.

    Done again it adds nothing. A file that is no export, which with ``strict`` must be beyond doubt, costs itself alone. Raises
    ``StoreError``.
    """
    dedup = ClaudeConversationDeduplicator.over(target)
    before = _places(target)
    messages = files = 0
    skipped = []
    for path in paths:
        name, size = file_name(path.name), 0
        try:
            size = path.stat().st_size
            done = dedup.ingest_file(path, name=name, strict=strict, keep=False)
            if done is None:
                done = dedup.ingest(read(path)[0], name=name, strict=strict, keep=False)
        except (ExportError, UnsafePath, OSError) as error:
            skipped.append(f"{path}: {error}")
        else:
            files, messages = files + 1, messages + done.total
        told(size)
    return Recovered(files, messages, _places(target) - before, tuple(skipped))


def _places(store: LogBackedStore) -> int:
    """Messages that the conversations have, each as often as it was said."""
    with store.transaction(write=False):
        found = map(store.figures, store.conversations())
        return sum(each.occurrences - each.bookkeeping for each in found)
