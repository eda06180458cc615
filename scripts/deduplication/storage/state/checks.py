"""Has a record of the log the form that it must have? What has not is damaged, whatever its checksum says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..log.lines import Damaged
from ..log.records import PURGED, RECOUNTED

if TYPE_CHECKING:
    from ..log.lines import Record

Span = tuple[int, int]
NOWHERE: Final = (-1, -1)
"""The span of an occurrence that is not known to stand anywhere in its file."""


def check_occurrence(record: Record) -> tuple[str, int]:
    """The content hash and the sequence number of an occurrence. Raises :class:`Damaged`, KeyError, TypeError."""
    identity, number = record.get("content_hash"), record.get("index")
    if not isinstance(identity, str) or type(number) is not int:
        raise Damaged("an occurrence without number or content hash")
    if PURGED not in record and not (
        isinstance(record["timestamp"], str) and isinstance(record["source"]["clock"], str)
    ):
        raise Damaged("an occurrence without time or source")
    return identity, number


def check_run(record: Record, most: int) -> tuple[int, int]:
    """The highest number of a run's window, and the bytes that it knew; raises :class:`Damaged` for what is no run.

    ``most`` is how many messages its conversation can have.
    """
    export, window = record["export"], record["window"]
    if any(type(bound) is not int for each in window for bound in each) or any(not 0 <= a <= b for a, b in window):
        raise Damaged("a window that is none")
    if any(type(at) is not int or not 0 < at < len(window) for at in record.get("breaks", ())):
        raise Damaged("a window that is none")
    whole = ("bytes", "parser", "total", "new")
    texts = (record["timestamp"], export["name"])
    whole += tuple({"captured", RECOUNTED} & export.keys())
    if any(type(export[name]) is not int for name in whole) or not all(isinstance(text, str) for text in texts):
        raise Damaged("a run without its numbers")
    highest = max((last for _, last in window), default=-1)
    if highest >= most:
        raise Damaged("the window names messages that are not in the log")
    follows = record.get("follows", -1)
    # A part of a file may show nothing but messages that stand far before those that it follows: lines that were repeated.
    if type(follows) is not int or follows > max(highest + 1, most) or not isinstance(record.get("session", ""), str):
        raise Damaged("a part of a file that follows nothing")
    known = export.get("known_bytes", 0)
    if type(known) is not int or not 0 <= known <= export["bytes"]:
        raise Damaged("a run that knew more than it saw")
    return highest, known


def span_of(record: Record) -> Span:
    """Where in its file an occurrence stands."""
    span = record["source"].get("span", NOWHERE)
    if len(span) != 2 or type(span[0]) is not int or type(span[1]) is not int:
        raise Damaged("a span that is none")
    return span[0], span[1]
