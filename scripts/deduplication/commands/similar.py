"""``deduplicate_export.py similar``: what says nearly the same in several places."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

from ..errors import EXIT_OK
from ..project.paths import find_project
from ..reports import similar as report
from ..sessions.redaction import standard
from ..similar import meant, near
from ..similar.overlap import overlaps
from ..similar.said import FEWEST, Contents
from ..terminal.display import show
from ..terminal.progress import progress
from . import arguments as shared

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

THRESHOLD: Final = 0.85
_LIMIT: Final = 10
_CHARACTERS: Final = 400
"""Of what was said, in --json."""


def main(arguments: Sequence[str]) -> int:
    """Look, and change nothing. Raises ``PackageMissing``, ``StoreMissing`` and the rest of the ``StoreError`` family."""
    asked = parser().parse_args(arguments)
    dedup, folder = shared.reader(asked)
    contents = Contents(dedup.store)
    redact = standard(find_project(asked.project).root)[0]
    size = dedup.storage_bytes()[0]
    with progress(size, "Comparing") as advance:
        groups = near.groups(near.pairs(contents, asked.threshold, advance))
    known = {frozenset((one, other)) for group in groups for one in group.members for other in group.members}
    semantic = None
    if asked.semantic:
        found = meant.pairs(contents, asked.threshold)
        semantic = near.groups(pair for pair in found if frozenset((pair.one, pair.other)) not in known)
    told = {
        "contents": len(contents.said),
        "fewest_words": FEWEST,
        "threshold": asked.threshold,
        "messages": _told(contents, groups, lambda text: redact(text)[0]),
        "semantic": None if semantic is None else _told(contents, semantic, lambda text: redact(text)[0]),
        "conversations": [each._asdict() for each in overlaps(contents.said, groups, asked.threshold)],
        "storage_dir": folder,
    }
    if asked.json:
        shared.print_json(told)
    else:
        show(report.text(told, asked.limit, shared.shell_command(asked, "show")))
    return EXIT_OK


def _told(contents: Contents, groups: Sequence[near.Group], clean: Callable[[str], str]) -> list[dict[str, Any]]:
    """Groups with what their members say, secrets aside. One that was purged meanwhile is in none."""
    found = []
    for group in groups:
        members = [
            {
                "conversation_id": said.conversation,
                "number": said.number,
                "role": said.role,
                "conversations": len(said.conversations),
                "text": clean(text)[:_CHARACTERS],
            }
            for said, text in ((contents.said[number], contents.text(number)) for number in group.members)
            if text
        ]
        if len(members) > 1:
            found.append({"least": round(group.least, 4), "greatest": round(group.greatest, 4), "members": members})
    return found


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py similar",
        "Show prompts and answers that say nearly the same in several places, and conversations that have many of them in\n"
        "common. Nothing is united or removed: it is for you to read. Needs the extra 'similar'.",
    )
    add = found.add_argument
    add(
        "--threshold",
        metavar="T",
        type=_share,
        default=THRESHOLD,
        help=f"how alike they must be, from 0.5 to 1 (default: {THRESHOLD})",
    )
    add("--semantic", action="store_true", help="also what may mean the same in other words: a guess (extra: semantic)")
    add("--limit", metavar="N", type=_count, default=_LIMIT, help=f"groups that are shown (default: {_LIMIT})")
    shared.add_store(found)
    add("--json", action="store_true", help="print one JSON object with all of them, and nothing else")
    return found


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.5 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0.5 and 1")
    return value


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 10**6):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of groups")
    return int(text)
