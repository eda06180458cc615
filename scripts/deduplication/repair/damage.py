"""What is damaged, what that costs, and whether something else still has it: the findings that verify and repair tell."""

from __future__ import annotations

from typing import Final

from ..alignment.reading_order import ranges
from ..start.late_dataclass import dataclass

MESSAGES: Final = "messages"
"""Lines of the log: the messages that they held."""
RUN: Final = "run"
"""The commit record of a run."""
CHAIN: Final = "chain"
"""A run that does not follow on the log before it, of which every line has its checksum."""
BIT: Final = "bit"
"""Damage to the log that tells itself what was there: a single flipped bit, or what the parity of a sealed file makes good."""
BLOB: Final = "blob"
FILE: Final = "file"
"""An archived file that cannot be restored."""
PACK: Final = "pack"
"""Damage in a pack that costs no file."""
NOTE: Final = "note"
"""A file without the note that says that messages of it were purged."""
UNFINISHED: Final = "unfinished"
"""What an interrupted run had appended: never counted, and put aside by the next run."""


@dataclass(frozen=True)
class Finding:
    """One damage. ``repaired``: something has what it cost, ``file`` says what; repair takes it from there.

    ``where`` names the place, ``fault`` what is wrong there. ``numbers`` are the sequence numbers of ``conversation`` in
    ranges, both ends included; ``messages`` how many those are. ``export`` is the file that brought them. For a file:
    its ``sha256``, size in ``bytes``, ``date``, and how many of its ``messages`` the log has. For a pack: ``proven`` says that by
    the list of what was archived every file of it is had otherwise.
    """

    kind: str
    where: str
    fault: str
    repaired: bool
    conversation: str = ""
    numbers: tuple[tuple[int, int], ...] = ()
    messages: int = 0
    export: str = ""
    file: str = ""
    name: str = ""
    sha256: str = ""
    bytes: int = 0
    date: str = ""
    proven: bool = False


def of_messages(
    where: str, fault: str, conversation: str, numbers: list[int], *, export: str, file: str, repaired: bool
) -> Finding:
    """The finding of lines that are damaged: these messages of a conversation."""
    spans = tuple((first, last) for first, last in ranges(sorted(numbers)))
    return Finding(
        MESSAGES,
        where,
        fault,
        repaired,
        conversation=conversation,
        numbers=spans,
        messages=len(numbers),
        export=export,
        file=file,
    )


def lost_for_good(findings: list[Finding]) -> list[Finding]:
    """Those that cost something for good."""
    return [finding for finding in findings if not finding.repaired and finding.kind != UNFINISHED]
