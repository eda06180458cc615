"""``export-dedup demo``: the whole job on three sample exports, in a scratch project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...installation import demo, origin
from ...terminal.display import show
from .. import arguments as shared

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Run it; the first exit code that is not 0."""
    parser().parse_args(arguments)
    return demo.run(origin.found(), show)


def parser() -> shared.Parser:
    """The arguments: none."""
    return shared.Parser(
        "./install.sh --demo",
        "Store three exports of one conversation that grows, in a scratch project, and say where it lies.",
    )
