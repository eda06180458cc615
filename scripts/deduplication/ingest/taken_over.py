"""Runs of another store done once more in this one, from what its log says of them: so two stores become their union.

What both have is recognised as it is in exports: by ids, and by content in its order. A run that is here already is passed over,
so that whoever was stopped simply begins again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..files import clock
from ..model import LOST, PURGED, Export, Mark, Message
from ..start.late_dataclass import dataclass, replace
from ..storage.log.lines import is_commit
from ..storage.log.records import PURGE, cursor_of, is_occurrence
from .appended_lines import append
from .one_export import Asked, process
from .result import Input

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from ..storage.contract import Cursor, Store
    from ..storage.log.lines import Record
    from ..storage.log_backed import LogBackedStore

    Name = tuple[str, ...]


def name_of(run: Record) -> Name:
    """What tells a run from every other one, wherever it is logged."""
    export = run["export"]
    return run["timestamp"], export["sha256"], export["name"], str((run.get("cursor") or {}).get("offset", ""))


def names_of_runs(store: LogBackedStore, start: int = 0) -> set[Name]:
    """Of all runs from byte ``start`` of the log on. Inside a transaction."""
    return {name_of(record) for _, record in store.records(start) if is_commit(record)}


@dataclass(frozen=True)
class ToDo:
    """A run as it can be done once more: what it showed, and as what. ``conversation`` is the one that it was part of."""

    conversation: str
    moment: str
    export: Export
    input: Input


def runs_of(source: LogBackedStore, start: int = 0, known: Container[Name] = ()) -> Iterator[ToDo]:
    """Each run of ``source`` from byte ``start`` of its log on, but those that are ``known``. Inside a transaction.

    What was purged in it is left out.
    """
    brought: dict[tuple[str, int], Record] = {}
    for _, record in source.records(start):
        if is_occurrence(record):
            brought[record["conversation_id"], record["index"]] = record
        elif is_commit(record):  # that two conversations are one is seen again
            if PURGE not in record and name_of(record) not in known:
                yield _to_do(source, record, brought)
            brought.clear()


def _to_do(source: LogBackedStore, run: Record, brought: Mapping[tuple[str, int], Record]) -> ToDo:
    name, said = run["conversation_id"], run["export"]
    shown = [number for first, last in run["window"] for number in range(first, last + 1)]
    messages, places = _messages(source, name, shown, brought)
    marks = _marks(run, places, len(messages))
    export = Export(said["format"], messages, marks=marks, conversation_id=run.get("session") or None)
    cursor = cursor_of(run.get("cursor"))
    announces = said.get("announces", True)
    return ToDo(name, run["timestamp"], export, Input(said["name"], said["sha256"], said["bytes"], cursor, announces))


def take_over(target: Store, runs: Iterable[ToDo]) -> int:
    """Do these runs in ``target``, each at the time at which it was done; how many that were. Inside a transaction."""
    taken = 0
    into: dict[str, str] = {}
    for run in runs:
        with clock.stands_at(run.moment):
            into[run.conversation] = _do(target, run, into)
        taken += 1
    return taken


def _do(target: Store, run: ToDo, into: Mapping[str, str]) -> str:
    """One run; returns the conversation that it became part of."""
    place = _place(target, run.export, run.conversation, into)
    if run.input.cursor is not None:
        return _go_on(target, run.export, run.input, run.input.cursor, place)
    return process(target, run.input, run.export, Asked(place, keep=False)).conversation_id


def _go_on(target: Store, export: Export, source: Input, cursor: Cursor, place: str | None) -> str:
    """A part of a growing file, behind what the target has of it; nothing where it has more."""
    before = target.cursor(cursor.source)
    if before is not None and before[1].offset >= cursor.offset:
        return before[0]
    last = before[1].last if before is not None else -1
    source = replace(source, cursor=replace(cursor, last=last))
    if before is not None and target.tip(before[0]) == before[2]:
        return append(target, export, source, before[0]).conversation_id
    return process(
        target, source, export, Asked(before[0] if before is not None else place, keep=False)
    ).conversation_id


def _place(target: Store, export: Export, name: str, into: Mapping[str, str]) -> str | None:
    """The conversation that is known without a look at the content; None: the content says it."""
    if name in into:
        return target.canonical(into[name])
    if len(target.conversation(name)):
        return target.canonical(name)
    if export.conversation_id and target.session(export.conversation_id):
        return None
    from .export_view import view_of

    return None if target.candidates(view_of(export).rows) else name


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
