"""What archive and log tell of archived files where there is no list of them: it is gone, or the store is of an earlier version.

Packs and their indexes name what was archived for certain. The log names every export that was processed, and not whether it was
archived as well: where the archive has no file of its name, nobody can be sure.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from .. import formats
from ..errors import DedupError
from ..reading import digest_of, opened
from ..storage.lines import Damaged, decode_line, is_commit
from ..storage.log_store import LogStore
from . import packing, purged_files
from .inventory import UNSURE, Listed
from .rescued import Rescued

if TYPE_CHECKING:
    from collections.abc import Iterator


def known_before(state: str, archive: str) -> list[Listed]:
    """Every file that was archived as far as anything tells; nothing is changed. Whoever calls this holds the archive's lock."""
    found: dict[tuple[str, str], Listed] = {}
    exports = {each["sha256"]: each for each in _exports(state)}
    for each in (*_packed(archive, exports), *_plain(archive, exports)):
        found.setdefault(each.key, each)
    have = {each.sha256 for each in found.values()}
    names = {each.name for each in found.values()} | {path.name for path, _ in packing.plain_in(archive)}
    purged = set(purged_files.load(archive))
    for sha256, export in exports.items():
        if sha256 not in have | purged and export["name"] not in names and _is_file(export):
            each = Listed(export["name"], sha256, export["bytes"], 0, state=UNSURE)
            found.setdefault(each.key, each)
    return list(found.values())


def _packed(archive: str, exports: dict[str, dict[str, Any]]) -> Iterator[Listed]:
    """What the packs hold, and what an index says of a pack that is gone or damaged; its name is then that of the log."""
    with contextlib.suppress(DedupError), contextlib.closing(Rescued(packing.packs_in(archive))) as packs:
        told = set()
        for number in packs.numbers():
            with contextlib.suppress(DedupError):
                record = packs.record(number)
                told.add(record.sha256)
                yield Listed.of(record)
        for number, known, pack in packs.remembered():
            if known.sha256 not in told and any(known.sha256):
                sha256 = known.sha256.hex()
                name = exports.get(sha256, {}).get("name") or f"file {number} of {pack}"
                yield Listed(name, sha256, known.size, 0)
        known_numbers = {number for number, _, _ in packs.remembered()}
        for gap in packs.missing():
            for number in set(range(gap.first_file, gap.end_file)) - known_numbers:
                yield Listed(f"file {number}, of a pack that is gone", "", 0, 0)


def _plain(archive: str, exports: dict[str, dict[str, Any]]) -> Iterator[Listed]:
    """Plain files as they are, and for those that are not what the log says of their name, what they were."""
    by_name = {export["name"]: sha256 for sha256, export in exports.items()}
    purged = purged_files.load(archive)
    for path, status in packing.plain_in(archive):
        with contextlib.suppress(DedupError), opened(path) as (file, _):
            sha256, was = digest_of(file), by_name.get(path.name)
            if sha256 in exports or sha256 in purged or was is None or not _is_file(exports[was]):
                yield Listed(path.name, sha256, status.st_size, status.st_mtime_ns)
            else:
                yield Listed(path.name, was, exports[was]["bytes"], status.st_mtime_ns)


def _is_file(export: dict[str, Any]) -> bool:
    """Whether the log's hash is that of a file: of one with several conversations each has a hash of its own."""
    return bool(export["name"]) and export["format"] not in formats.SEVERAL and not export.get("purged")


def _exports(state: str) -> Iterator[dict[str, Any]]:
    """The exports that the log tells of, as far as it can be read; no part of a transcript."""
    store = LogStore(state)
    with contextlib.suppress(DedupError), store.held() as log:
        log.settle(write=False)
        for line in log.lines():
            if b'"window":' not in line.data:
                continue
            with contextlib.suppress(Damaged):
                record = decode_line(line.data)
                if is_commit(record) and "cursor" not in record:
                    yield record["export"]
