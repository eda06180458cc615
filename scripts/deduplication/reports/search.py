"""What the user reads of a search: pure functions from hits to text, and to the object of ``--json``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final, Optional

from ..alignment.plain_text import SEARCHED, readable
from ..figures.counted import counted
from ..files.clock import local
from ..start.late_dataclass import dataclass, field
from ..start.late_pattern import late_pattern
from ..terminal.called import as_called, slash_command
from ..terminal.console import printable
from ..terminal.truncation import truncate
from . import quotation
from .quotation import named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..search.hits import Hit, Place
    from ..words.excerpts import Excerpt

MARKS: Final = ("«", "»")
COLOURS: Final = ("\x1b[1;33m", "\x1b[0m")
"""What stands around the words that were found, without and with colour."""
SAID: Final = 8 * 1024 * 1024
"""Bytes of the log without filters from which on it is said: half a second of reading."""
_ID: Final = late_pattern(r"[0-9a-f]{8}-[0-9a-f]{4}-")
"""How a name begins that says nothing to a person."""
_BESIDE: Final = 100
"""Characters shown of a message beside a hit."""


@dataclass(frozen=True)
class RenderedHit:
    """A hit as it is shown. ``store`` is the folder of its store, ``elsewhere`` the same where it has to be named."""

    hit: Hit
    place: Place
    excerpts: list[Excerpt]
    store: str
    elsewhere: str = ""
    title: str = ""
    """What its conversation is called."""
    handle: str = ""
    """What is enough of its conversation's id to show it."""
    context: list[dict[str, Any]] = field(default_factory=list)
    """The messages around it, itself among them, in reading order; empty where none were asked for."""

    @property
    def command(self) -> str:
        """The subcommand that shows the place."""
        beside = f" --storage-dir {shlex.quote(self.elsewhere)}" if self.elsewhere else ""
        return f"show {shlex.quote(self.place.conversation)} --around {self.place.number}{beside}"


@dataclass(frozen=True)
class Result:
    """A search and what of it is shown."""

    query: str
    hits: Sequence[RenderedHit]
    total: int
    damaged: int = 0
    capped: bool = False
    """Whether there may be more than ``total``: they were counted up to there."""
    unfiltered: int = 0
    """Bytes of the log that were read from end to end, because they have no filters."""
    near: Optional[Result] = None
    """Where there is no hit: messages that have most of the words, and are none."""
    command: str = "deduplicate_export.py show"
    """How ``show`` is called for this store."""


def quoted(result: Result, most: int | None = None) -> str:
    """The result for an assistant, as quotations; ``most`` characters at most, cut between hits."""
    query = quotation.visible(result.query)
    shown = result.hits if result.total or result.near is None else result.near.hits
    count = f"{result.total:,}{'+' if result.capped else ''}" if result.total else "no"
    head = f"{SEARCHED} {count} message{'' if result.total == 1 and not result.capped else 's'} with {query}"
    if result.total > len(result.hits) or result.capped:
        head += f", the newest {len(result.hits)} of them"
    if not result.total and result.near is not None:
        head += f". These are near, with {quotation.visible(result.near.query)}:"
    return truncate(
        "\n".join(filter(None, [head, _damaged(result), quotation.NOTE if shown else ""])),
        _quotations(shown),
        "",
        most,
        lambda count: f"… and {count} more: look for more words.",
    )


def _quotations(found: Sequence[RenderedHit]) -> list[str]:
    """Each hit with its place; the title of a conversation at the first of its hits, since it costs as much as a line."""
    parts, told = [], set()
    for each in found:
        title = "" if each.handle in told else each.title
        told.add(each.handle)
        head = quotation.place(each.handle, each.place.number, each.place.timestamp, each.hit.message, title)
        parts.append("\n".join([head, *(quotation.lines(_marked(one, colour=False)) for one in each.excerpts)]))
    return parts


def _damaged(result: Result) -> str:
    if not result.damaged:
        return ""
    lines = counted(result.damaged, "damaged line of the log was", "damaged lines of the log were")
    return f"⚠ {lines} passed over: see verify"


def text(result: Result, *, colour: bool = False, most: int | None = None) -> str:
    """The result for a person; ``most`` characters at most, cut between hits."""
    query = printable(result.query)
    damaged = _damaged(result)
    unfiltered = _unfiltered(result)
    if not result.total:
        return "\n".join(
            filter(None, [f"{SEARCHED} no message with {query}", damaged, unfiltered, *_near(result, colour=colour)])
        )
    more = "+" if result.capped else ""
    messages = "1 message" if result.total == 1 and not more else f"{result.total:,}{more} messages"
    head = f"{SEARCHED} {messages} with {query}"
    if len(result.hits) < result.total or more:
        head += f", the newest {len(result.hits)} of them"
        head += " (they were not counted further)" if more else f" (--limit {result.total} shows all)"
    tail = f"A place is shown by: {printable(result.command)} … (in Claude Code: /export-dedup-show …)"
    tail = "" if slash_command() else tail  # each place has the whole of it
    return truncate(
        "\n".join(filter(None, [head, damaged, unfiltered])),
        [_block(shown, colour=colour) for shown in result.hits],
        tail,
        most,
        lambda count: f"… and {count} more. Look for more words, or run the search in a shell.",
    )


def _unfiltered(result: Result) -> str:
    if result.unfiltered < SAID:
        return ""
    size = f"{result.unfiltered / 1_000_000:,.0f} MB"
    return f"{size} of the log have no filters yet and were read from end to end: runs make them, or 'pack' all at once"


def _near(result: Result, *, colour: bool) -> list[str]:
    if result.near is None:
        return []
    head = f"These are near, with {printable(result.near.query)}:"
    return [head, *(_block(shown, colour=colour) for shown in result.near.hits)]


def as_dict(result: Result) -> dict[str, Any]:
    """The object of ``--json``."""
    near = result.near
    return {
        "query": result.query,
        "total": result.total,
        "capped": result.capped,
        "damaged_lines": result.damaged,
        "unfiltered_bytes": result.unfiltered,
        "hits": [_hit_as_dict(shown) for shown in result.hits],
        **({"near": {"query": near.query, "hits": [_hit_as_dict(shown) for shown in near.hits]}} if near else {}),
    }


def _hit_as_dict(shown: RenderedHit) -> dict[str, Any]:
    hit, place = shown.hit, shown.place
    return {
        "conversation_id": place.conversation,
        "title": shown.title or None,
        "index": place.number,
        "timestamp": place.timestamp,
        "role": hit.message["role"],
        "kind": hit.message["kind"],
        "content": hit.message["content"],
        "content_hash": hit.content_hash,
        "places": [
            {"conversation_id": each.conversation, "index": each.number, "timestamp": each.timestamp}
            for each in hit.places
        ],
        "excerpts": ["".join(piece for piece, _ in excerpt) for excerpt in shown.excerpts],
        "storage_dir": shown.store,
        "show": shown.command,
        **({"context": shown.context} if shown.context else {}),
    }


def _block(shown: RenderedHit, *, colour: bool) -> str:
    place, message = shown.place, shown.hit.message
    count = len(shown.hit.places)
    name = place.conversation
    short = name[: name.index("-")] if shown.title and _ID.match(name) else name
    where = [*([printable(shown.title)] if shown.title else []), printable(short)]
    where += [str(place.number), printable(local(place.timestamp)), named(message)]
    if count > 1:
        where.append(f"{count:,}{'+' if shown.hit.more else ''} places")
    lines = [" · ".join(where)]
    before = [each for each in shown.context if each["index"] != place.number]
    at = next((n for n, each in enumerate(shown.context) if each["index"] == place.number), len(before))
    lines += [_beside(each) for each in shown.context[:at]]
    lines += [f"   {'> ' if shown.context else ''}{_marked(excerpt, colour=colour)}" for excerpt in shown.excerpts]
    lines += [_beside(each) for each in shown.context[at + 1 :]]
    command = as_called(f"deduplicate_export.py {shown.command}") if slash_command() else shown.command
    lines.append(f"   → {printable(command)}")
    return "\n".join(lines)


def _marked(excerpt: Excerpt, *, colour: bool) -> str:
    opening, closing = COLOURS if colour else MARKS
    return "".join(f"{opening}{printable(piece)}{closing}" if found else printable(piece) for piece, found in excerpt)


def _beside(message: dict[str, Any]) -> str:
    line = " ".join(readable(message["content"])[: 10 * _BESIDE].split())
    cut = line[:_BESIDE] + ("…" if len(line) > _BESIDE else "")
    return f"     {message['index']} {named(message)}: {printable(cut)}"
