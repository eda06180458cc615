"""Runs of another store done once more in this one, from what its log says of them: so two stores become their union.

What both have is recognised as it is in exports: by ids, and by content in its order. A run that is here already is passed over,
so that whoever was stopped simply begins again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Optional

from ..files import clock
from ..model import LOST, PURGED, Export, Mark, Message
from ..project.export_names import session_id_from_name
from ..start.late_dataclass import dataclass, replace
from ..start.late_tuple import NamedTuple
from ..storage.log.lines import is_commit
from ..storage.log.records import PURGE, cursor_of, is_occurrence
from ..storage.log.title_records import CLIENT, TITLED, is_titling
from ..titles.said import say
from .appended_lines import adds_nothing, append
from .conversation_match import conversation_of
from .export_view import view_of
from .one_export import Asked, process
from .result import Input
from .run_names import Runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..storage.contract import Cursor, Store
    from ..storage.log.lines import Record
    from ..storage.log_backed import LogBackedStore

_MANY: Final = 20_000
"""Messages shown by runs that are gathered together: they are held in memory."""
_MUCH: Final = 4 * 1024 * 1024
"""Bytes of the log that are read for them: others may wait for the store meanwhile."""


@dataclass(frozen=True)
class ToDo:
    """A run as it can be done once more: what it showed, and as what. ``conversation`` is the one that it was part of.

    ``named``: its id comes from neither a file nor a session, so that somebody chose it.
    """

    conversation: str
    named: bool
    moment: str
    export: Export
    input: Input
    titled: Optional[Mapping[str, Any]] = None
    """Set where all that it does is to say what the conversation is called."""


class Part(NamedTuple):
    """Some runs of a log, up to byte ``end`` of it. ``into``: what conversations of theirs are in the log where some are known."""

    runs: list[ToDo]
    end: int
    into: dict[str, str]


def runs_of(source: LogBackedStore, known: Runs | None = None) -> Iterator[ToDo]:
    """Each run of ``source`` but those that are ``known``. Inside a transaction."""
    start = 0
    while start < source.log_size():
        part = part_of(source, start, known or Runs())
        yield from part.runs
        start = part.end


def part_of(source: LogBackedStore, start: int, known: Runs, *, placed: bool = False) -> Part:
    """Runs of ``source`` from byte ``start`` of its log on that are not ``known``, some at a time. Inside a transaction.

    What was purged in it is left out. ``placed`` as in :meth:`Runs.conversation_of`.
    """
    part = Part([], start, {})
    shown = 0
    brought: dict[tuple[str, int], Record] = {}
    for line, record in source.records(start):
        if is_occurrence(record):
            brought[record["conversation_id"], record["index"]] = record
        elif is_commit(record):  # that two conversations are one is seen again
            part = part._replace(end=line.end)
            there = known.conversation_of(record, placed=placed)
            if there is not None:
                part.into[record["conversation_id"]] = there
            elif PURGE not in record:
                part.runs.append(_to_do(source, record, brought))
                shown += len(part.runs[-1].export.messages)
            brought.clear()
            if shown >= _MANY or line.end - start >= _MUCH:
                break
    return part


def _to_do(source: LogBackedStore, run: Record, brought: Mapping[tuple[str, int], Record]) -> ToDo:
    name, said = run["conversation_id"], run["export"]
    shown = [number for first, last in run["window"] for number in range(first, last + 1)]
    messages, places = _messages(source, name, shown, brought)
    marks = _marks(run, places, len(messages))
    titles = tuple(run.get(TITLED, {}).get(CLIENT, {}).items())
    export = Export(said["format"], messages, marks=marks, conversation_id=run.get("session") or None, titles=titles)
    cursor = cursor_of(run.get("cursor"))
    announces = said.get("announces", True)
    file = Input(said["name"], said["sha256"], said["bytes"], cursor, announces)
    titled = run[TITLED] if is_titling(run) else None
    return ToDo(name, _is_named(source, name), run["timestamp"], export, file, titled)


def _is_named(source: LogBackedStore, name: str) -> bool:
    first = next(source.runs_of({name}), None)
    return first is None or name not in (session_id_from_name(first["export"]["name"]), first.get("session"))


def take_over(target: Store, runs: Iterable[ToDo], into: dict[str, str] | None = None) -> int:
    """Do these runs in ``target``, each at the time at which it was done; how many that were. Inside a transaction.

    ``into``: what conversations of theirs are known to be there; further ones are added.
    """
    taken = 0
    into = {} if into is None else into
    for run in runs:
        there = _read_already(target, run)
        if there is None:
            with clock.stands_at(run.moment):
                there = _do(target, run, into)
            taken += 1
        into[run.conversation] = there
    return taken


def _read_already(target: Store, run: ToDo) -> str | None:
    """The conversation where all of a part of a growing file is, if the target has read that so far; None for every other run."""
    cursor = run.input.cursor
    before = target.cursor(cursor.source) if cursor is not None else None
    if cursor is None or before is None or before[1].offset < cursor.offset:
        return None
    return before[0] if _shows_nothing_new(target, before[0], run.export) else None


def _do(target: Store, run: ToDo, into: Mapping[str, str]) -> str:
    """One run; returns the conversation that it became part of."""
    if run.titled is not None:
        there = target.canonical(into.get(run.conversation, run.conversation))
        if there in target.conversations():
            say(target, there, run.titled)
        return there
    place = _place(target, run.export, run.conversation, into)
    if run.input.cursor is not None:
        return _go_on(target, run.export, run.input, run.input.cursor, place)
    if place is not None and not run.named and _is_one_with_others(target, run.export, place):
        place = None
    return process(target, run.input, run.export, Asked(place, keep=False)).conversation_id


def _go_on(target: Store, export: Export, source: Input, cursor: Cursor, place: str | None) -> str:
    """A part of a growing file, behind what the target has of it."""
    before = target.cursor(cursor.source)
    if before is not None and before[1].offset >= cursor.offset:
        cursor = before[1]  # two machines went on with the file; how far the other one has read stays known
    last = before[1].last if before is not None else -1
    source = replace(source, cursor=replace(cursor, last=last))
    if before is not None and target.tip(before[0]) == before[2]:
        return append(target, export, source, before[0]).conversation_id
    return process(
        target, source, export, Asked(before[0] if before is not None else place, keep=False)
    ).conversation_id


def _shows_nothing_new(target: Store, conversation_id: str, export: Export) -> bool:
    shown = view_of(export)
    known = target.known_uuids(conversation_id, [message.uuid for message in shown.messages if message.uuid])
    return all(
        message.uuid in known and adds_nothing(target, conversation_id, known[message.uuid], message, item.content_hash)
        for message, item in zip(shown.messages, shown.prints)
    )


def _place(target: Store, export: Export, name: str, into: Mapping[str, str]) -> str | None:
    """The conversation that is known without a look at the content; None: the content says it."""
    if name in into:
        return target.canonical(into[name])
    if len(target.conversation(name)):
        return target.canonical(name)
    if export.conversation_id and target.session(export.conversation_id):
        return None
    return None if target.candidates(view_of(export).rows) else name


def _is_one_with_others(target: Store, export: Export, place: str) -> bool:
    """Whether an export shows that its conversation is one with another that came from somewhere else."""
    found = conversation_of(target, export, view_of(export), place)
    return bool(found.others) and place in (found.conversation, *found.others)


def _messages(
    source: LogBackedStore, name: str, shown: list[int], brought: Mapping[tuple[str, int], Record]
) -> tuple[list[Message], dict[int, int]]:
    """What a run showed, as a parser would have given it, and the position of each number."""
    messages: list[Message] = []
    places: dict[int, int] = {}
    canonical = source.canonical(name)
    if canonical != name:  # all that it holds is found in the other one, under numbers of its own
        at = next((each.at for each in source.conversation(canonical).adopted if each.conversation_id == name), 0)
        found = source.bodies(canonical, [at + number for number in shown])
    else:
        found = source.bodies(name, shown)
    for number, body in zip(shown, found):
        places.setdefault(number, len(messages))
        if body["kind"] in (LOST, PURGED):
            continue
        start, end = brought.get((name, number), {}).get("source", {}).get("span", (-1, -1))
        messages.append(
            Message(
                body["role"],
                body["kind"],
                body["content"],
                start,
                end,
                body.get("source_index"),
                body["timestamp"] if body["clock"] == "source" else None,
                body.get("uuid"),
                body["fidelity"],
            )
        )
    return messages, places


def _marks(run: Record, places: Mapping[int, int], count: int) -> tuple[Mark, ...]:
    return tuple(Mark(kind, places.get(number, count)) for kind, number in run.get("marks", ()))
