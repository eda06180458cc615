"""``deduplicate_export.py migrate --from original``: a state folder of the original project, and its raw exports."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...errors import EXIT_OK
from ...metrics import operations
from ...migration import original, original_raw, places
from ...migration.move import require
from ...original.state import read_state
from ...reports import migration as report
from ...storage.audit_entries import MIGRATE
from ...terminal.display import show
from ...terminal.progress import progress
from .. import arguments as shared

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def take(asked: argparse.Namespace, folder: str, use: str) -> int:
    """Take the folder that ``asked`` names, then its raw exports; prove it, and say what came back."""
    began, noted = time.perf_counter(), time.monotonic()
    state = read_state(asked.source.where)
    raw = original_raw.raw_files(asked.source.where, asked.raw)
    target = places.opened(asked.target, folder, asked.db_url)
    places.require_target(target, None)
    found = original.take(state, target, lambda _each: None)
    with progress(sum(path.stat().st_size for path in raw), "Raw exports") as advance:
        recovered = original_raw.recover(target, raw, strict=not asked.raw, told=advance)
    require(target, [*(f"{each}: it is missing" for each in found.missing), *target.verify()])
    done = report.Taken(
        source=asked.source.where,
        target=target.where(),
        entries=found.done.entries,
        messages=found.done.messages,
        new=found.done.new,
        conversations=len({each.conversation_id for each in found.done.conversations}),
        seconds=time.perf_counter() - began,
        damage=tuple(found.done.damage),
        claims=tuple(report.claimed(*each) for each in found.done.claims),
        raw=recovered,
    )
    operations.note(target, MIGRATE, noted, messages=done.messages, source=asked.source.kind, target=asked.target.kind)
    if asked.json:
        shared.print_json(report.taken_as_data(done))
    else:
        show(report.taken(done, use))
    return EXIT_OK


def in_one_word(arguments: Sequence[str]) -> list[str]:
    """``--from original DIR`` as ``--from original:DIR``, which is how a place is named elsewhere."""
    words = list(arguments)
    for at, word in enumerate(words[:-2]):
        if word == "--from" and words[at + 1] == places.ORIGINAL and not words[at + 2].startswith("-"):
            words[at + 1 : at + 3] = [f"{places.ORIGINAL}:{words[at + 2]}"]
            break
    return words


def add_raw(found: argparse.ArgumentParser) -> None:
    """The option that names raw exports."""
    found.add_argument(
        "--raw",
        metavar="PATH",
        action="append",
        default=[],
        help="with --from original: its raw exports, files or folders, which bring what it had dropped (default: exports-archive "
        "and exports beside its folder); may be given several times",
    )
