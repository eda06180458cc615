"""``export-dedup run``: what ``/export-dedup`` does. The five steps, the banner, and the report in the status log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..start.child import main_module
from ..terminal import called
from . import arguments as shared
from . import export_dedup, with_status
from .shell import everywhere

if TYPE_CHECKING:
    from collections.abc import Sequence

_CORE: Final = "--no-status"
_OURS: Final = frozenset({_CORE, everywhere.QUIET})
"""What we see to ourselves. The child is told of ``--verbose``, and sees to it before the steps begin."""


def main(arguments: Sequence[str]) -> int:
    """Run the five steps in a child that is watched; with ``--no-status`` in this process, without report and log."""
    asked = parser().parse_args(arguments)
    end = list(arguments).index("--") if "--" in arguments else len(arguments)
    ours = _OURS | {everywhere.VERBOSE} if asked.no_status else _OURS
    words = [*(word for word in arguments[:end] if word not in ours), *arguments[end:]]
    if asked.no_status:
        return export_dedup.main(words)
    called.tell_children()
    return with_status.main(words, (main_module(), "run", _CORE), quiet=asked.quiet)


def parser() -> shared.Parser:
    """The arguments: those of the five steps, and our own."""
    found = export_dedup.parser()
    add = found.add_argument
    add(
        _CORE,
        action="store_true",
        help="the five steps alone: no banner, nothing in the status log, questions are asked",
    )
    return found
