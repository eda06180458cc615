"""What archive and log tell of archived files where there is no list of them: it is gone, or the store is of an earlier version.

Packs and their indexes name what was archived for certain. The log names every export that was processed, and not whether it was
archived as well: where the archive has no file of its name, nobody can be sure.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any

from .. import formats
from ..errors import DedupError
from ..files.prefix_proof import PrefixProof
from ..files.safe_read import digest_of, opened
from ..packs.salvage import SalvagedPacks
from ..storage import open_in_folder
from ..storage.log.lines import COMMIT, Damaged, body_of, is_commit
from ..storage.log.salvage import pieces_of
from . import places, purged_files
from .listed import UNSURE, Listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..storage.log.append_log import Log


def known_before(state: str, archive: str, listed: frozenset[str] = frozenset()) -> list[Listed]:
    """Every file that was archived as far as anything tells; nothing is changed. Whoever calls this holds the archive's lock.

    ``listed``: names of which is known what they were. What lies there as a plain file is either that, or damaged.
    """
    found: dict[tuple[str, str], Listed] = {}
    commits = _commits(state)
    exports = {each["export"]["sha256"]: each["export"] for each in commits if "cursor" not in each}
    plain = (each for each in _plain(archive, exports) if each.name not in listed)
    for each in (*_packed(archive, commits), *_lost_files(archive), *plain):
        found.setdefault(each.key, each)
    have = {each.sha256 for each in found.values()} | set(purged_files.load(archive))
    names = listed | {each.name for each in found.values()} | {path.name for path, _ in places.plain_in(archive)}
    for sha256, export in exports.items():
        if sha256 not in have and export["name"] not in names and _is_file(export):
            each = Listed(export["name"], sha256, export["bytes"], 0, state=UNSURE)
            found.setdefault(each.key, each)
    return list(found.values())


def named_by_packs(state: str, archive: str) -> list[Listed]:
    """What packs and indexes tell of."""
    return list(_packed(archive, _commits(state)))


def recorded_name(commits: Iterable[dict[str, Any]], sha256: str, size: int) -> str:
    """What a file was called of which the record is gone: the log tells it of exports, and of captured transcripts; else empty."""
    for record in commits:
        cursor = record.get("cursor")
        if cursor is None and record["export"]["sha256"] == sha256:
            return str(record["export"]["name"])
        if cursor is not None and cursor["offset"] == size:
            proof = PrefixProof.loads(cursor["offset"], cursor["prefix"])
            if proof.chain or proof.rest == sha256:  # up to a megabyte the proof is the SHA-256 itself
                return "/".join(cursor["source"].replace("\\", "/").split("/")[-2:])
    return ""


def _packed(archive: str, commits: list[dict[str, Any]]) -> Iterator[Listed]:
    """What the packs hold, and what an index says of a pack that is gone or damaged; its name is then that of the log."""
    with contextlib.suppress(DedupError), contextlib.closing(SalvagedPacks(places.packs_in(archive))) as packs:
        told = set()
        for number in packs.numbers():
            with contextlib.suppress(DedupError):
                record = packs.record(number)
                told.add(record.sha256)
                yield Listed.of(record)
        for number, known, pack in packs.remembered():
            if known.sha256 not in told and any(known.sha256):
                sha256 = known.sha256.hex()
                name = recorded_name(commits, sha256, known.size) or f"file {number} of {pack}"
                session = os.path.splitext(os.path.basename(name))[0] if "/" in name else ""
                yield Listed(name, sha256, known.size, 0, session)


def _lost_files(archive: str) -> Iterator[Listed]:
    """Files of which nothing is left but their number: of packs that are gone with their indexes, and have others behind them."""
    with contextlib.suppress(DedupError), contextlib.closing(SalvagedPacks(places.packs_in(archive))) as packs:
        told = {number for number, _, _ in packs.remembered()}
        for gap in packs.missing():
            for number in sorted(set(range(gap.first_file, gap.end_file)) - told):
                yield Listed(f"file {number}, of a pack that is gone", "", 0, 0)


def _plain(archive: str, exports: dict[str, dict[str, Any]]) -> Iterator[Listed]:
    """Plain files as they are, and for those that are not what the log says of their name, what they were."""
    by_name = {export["name"]: sha256 for sha256, export in exports.items()}
    purged = purged_files.load(archive)
    for path, status in places.plain_in(archive):
        with contextlib.suppress(DedupError), opened(path) as (file, _):
            sha256, was = digest_of(file), by_name.get(path.name)
            if sha256 in exports or sha256 in purged or was is None or not _is_file(exports[was]):
                yield Listed(path.name, sha256, status.st_size, status.st_mtime_ns)
            else:
                yield Listed(path.name, was, exports[was]["bytes"], status.st_mtime_ns)


def _is_file(export: dict[str, Any]) -> bool:
    """Whether the log's hash is that of a file: of one with several conversations each has a hash of its own."""
    return bool(export["name"]) and not formats.may_hold_several(export["format"]) and not export.get("purged")


def _commits(state: str) -> list[dict[str, Any]]:
    """The runs that the log tells of, as far as it can be read."""
    store, found = open_in_folder(state), []
    with contextlib.suppress(DedupError), store.unrecovered_log() as log:
        try:
            found = list(_undamaged_commits(log))
        except (Damaged, DedupError):
            found = [piece.record for piece in pieces_of(log) if piece.record is not None and is_commit(piece.record)]
    return found


def _undamaged_commits(log: Log) -> Iterator[dict[str, Any]]:
    """The same where every line is whole: only those are looked into that may be commit records. Raises ``Damaged``."""
    log.recover(write=False)
    for line in log.lines():
        body = body_of(line.data)
        if COMMIT in body:
            record = json.loads(body)
            if is_commit(record):
                yield record
