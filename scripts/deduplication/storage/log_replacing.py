"""A log that goes on otherwise from some byte on: staged beside the old one, decided in one step, whatever happens meanwhile."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ..files import atomic, beneath, journal
from .log import log_pack
from .log.append_log import Log
from .log.lines import COMMIT
from .log.opening import opening_line

if TYPE_CHECKING:
    from collections.abc import Iterable

_CHUNK: Final = 8 * 1024 * 1024
"""Bytes of lines that are sealed together."""


def replace_from(log: Log, folder: str, start: int, lines: Iterable[bytes], indexes: list[str]) -> None:
    """Have ``lines``, of whole runs, in the place of all that stands from byte ``start`` of the log on, the end of a run.

    ``indexes`` are files of the store that go with what was there. Whoever calls it holds the store's lock, and opens it anew.
    Raises ``StoreNotWritable``; then nothing was changed.
    """
    stage = os.path.join(folder, journal.STAGE)
    beneath.remove_tree(stage, ignore_errors=True)
    with atomic.write_errors(stage):
        atomic.make_private_directory(stage)
    changes = journal.Changes(remove=[*indexes])
    name = os.path.basename(log.path)
    if start >= log.sealed.end:
        rest = b"".join([log.span(log.sealed.end, start), *lines])
        atomic.replace(os.path.join(stage, name), opening_line(log.sealed.end) + rest)
        files = [name]
    else:
        files = _whole(Log(os.path.join(stage, name)), log, start, lines)
        changes.remove += [each for each in log.sealed.every_file() if each not in files]
    changes.replace = [[os.path.join(journal.STAGE, each), each] for each in files]
    journal.begin(folder, {journal.STORE: changes}, {})
    journal.apply(folder, journal.STORE, folder)


def _whole(new: Log, old: Log, start: int, lines: Iterable[bytes]) -> list[str]:
    """A log of its own; its files, relative to its folder."""
    waiting: list[bytes] = []
    size = 0
    for part in (old.lines(0, start), lines):
        for each in part:
            data = each if isinstance(each, bytes) else each.data
            waiting.append(data)
            size += len(data)
            if size >= _CHUNK and COMMIT in data:
                new.sealed.add(log_pack.parts(b"".join(waiting), log_pack.BLOCK))
                waiting, size = [], 0
    new.replace_open(b"".join(waiting))
    folder = os.path.dirname(new.path)
    return [*(os.path.relpath(each.path, folder) for each in new.sealed.segments), os.path.basename(new.path)]
