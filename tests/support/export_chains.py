"""Chains of exports of growing conversations, with all that happens to them, and a store that says which of them it read whole."""

from __future__ import annotations

import random
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from deduplication.errors import DedupError
from deduplication.ingest import grown_export
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from truth_day import Day, Happens
from truth_lines import Transcript
from truth_screen import ERAS
from truth_session import Session

if TYPE_CHECKING:
    from pathlib import Path

Chain = "list[tuple[str, bytes]]"
_TIMES = ("timestamp", "processing_time_ms", "previous")
_GROWN = grown_export.store_grown


class Ran:
    """What became of a chain: each result, each line of the log, and of which exports only the rest was read."""

    def __init__(
        self, folder: Path, chain: Chain, *, rest: bool, backend: str = "json", conversation: str | None = None
    ):
        self.dedup = ClaudeConversationDeduplicator(folder, backend=backend)
        self.results: list[object] = []
        self.rest: list[str] = []
        """Names of the exports of which only the rest was read."""
        try:
            for name, data in chain:
                grown_export.store_grown = self._grown if rest else lambda *_: None
                self.results.append(self._result(name, data, conversation))
        finally:
            grown_export.store_grown = _GROWN
        with self.dedup.store.transaction(write=False):
            self.log = [_without_times(record) for _, record in self.dedup.store.log_backed().records()]

    def _grown(self, store, source, beginning, asked):
        done = _GROWN(store, source, beginning, asked)
        if done is not None:
            self.rest.append(source.name)
        return done

    def _result(self, name, data, conversation):
        try:
            done = self.dedup.ingest(data, name=name, conversation_id=conversation)
        except DedupError as error:
            return str(error)
        return replace(done, new_messages=[{**message, "timestamp": ""} for message in done.new_messages])


def _without_times(record):
    """A line of the log without its times, what was hashed with them, and the turns that tell a prefix: any three will do."""
    kept = {name: value for name, value in record.items() if name not in _TIMES}
    if "prefix" in kept:
        kept["prefix"] = {name: value for name, value in kept["prefix"].items() if name != "witness"}
    return kept


def both(folder: Path, chain: Chain, **how: str | None) -> Ran:
    """Process a chain as the product does, and reading every export whole: it must come to the same. The first of the two."""
    ours, whole = Ran(folder / "rest", chain, rest=True, **how), Ran(folder / "whole", chain, rest=False, **how)
    assert ours.log == whole.log
    assert [_dictionary(each) for each in ours.results] == [_dictionary(each) for each in whole.results]
    assert ours.dedup.store.verify() == whole.dedup.store.verify() == []
    return ours


def _dictionary(result):
    return (
        result
        if isinstance(result, str)
        else asdict(result)
        if hasattr(result, "__dataclass_fields__")
        else vars(result)
    )


def text_chain(seed: int) -> Chain:
    """Text exports of a day in which anything may happen, of two sessions in a third of the days; some files damaged or edited."""
    chance = random.Random(f"chain/{seed}")
    era = ERAS[chance.choice([*ERAS])]
    happens = Happens(
        compacted=chance.choice([0, 0, 0.3]),
        again=chance.choice([0, 0.3]),
        copied=chance.choice([0, 0.1]),
        taken_back=chance.choice([0, 0, 0.3]),
        unfinished=chance.choice([0, 0, 0.4]),
        widths=chance.choice([(80,), (80,), (80, 120)]),
    )
    chain = day_chain(seed, Session(f"{seed}", turns=chance.choice([14, 25])), era, happens)
    if chance.random() < 0.3:
        other = Session(f"{seed}" if chance.random() < 0.5 else f"other {seed}")
        chain = mixed(chance, chain, day_chain(seed + 7, other, era, happens, name="other"))
    return [(name, _happened(chance, data)) for name, data in chain]


def day_chain(seed, session, era, happens=Happens(), *, name="day", exports=8) -> Chain:  # noqa: B008 - never changed
    """The exports of one session's day."""
    return [(file.name, file.data) for file in Day(seed, session, era, happens, exports=exports, name=name).files]


def mixed(chance: random.Random, one: Chain, other: Chain) -> Chain:
    """Two chains, each in its order."""
    left = [list(one), list(other)]
    done = []
    while any(left):
        done.append(chance.choice([each for each in left if each]).pop(0))
    return done


def _happened(chance: random.Random, data: bytes) -> bytes:
    """What may have become of a text: cut, edited in the middle, shown twice, other line ends, bytes that are no text."""
    at = chance.random()
    if at < 0.06:
        return data[: chance.randrange(len(data) // 2, len(data))]
    if at < 0.12:
        middle = chance.randrange(len(data))
        return data[:middle] + chance.choice([b"x", b"\n", b"\n\n> what\n\n", b" "]) + data[middle:]
    if at < 0.15:
        return data + b"\n\n" + data
    if at < 0.18:
        return data.replace(b"\n", b"\r\n")
    return data + b"\n  \xff\n" if at < 0.21 else data


def line_chain(seed: int) -> Chain:
    """A session's file as it grows, compactions and rewinds in it; some files cut, with lines twice, in another order, unknown."""
    chance = random.Random(f"lines/{seed}")
    lines = lines_of(seed, compacted=chance.choice([(), (5,), (3, 7)]), rewound=chance.choice([(), (), (4,), (6,)]))
    ends = [*sorted(chance.sample(range(3, len(lines)), min(6, len(lines) - 4))), len(lines)]
    return [(f"e{number}.jsonl", _lines_happened(chance, lines[:end])) for number, end in enumerate(ends)]


def lines_of(seed: int, *, turns: int = 12, compacted=(), rewound=()) -> list[bytes]:
    """The lines of a session's file."""
    transcript = Transcript("s", Session(f"{seed}", turns=turns), compacted=compacted, rewound=rewound)
    return transcript.data.splitlines(keepends=True)


def _lines_happened(chance: random.Random, lines: list[bytes]) -> bytes:
    lines, at = list(lines), chance.random()
    one = chance.randrange(1, len(lines))
    if at < 0.08:
        return b"".join(lines)[: -chance.randrange(2, 40)]
    if at < 0.14:
        lines.insert(chance.randrange(len(lines)), lines[one])
    elif at < 0.18:
        lines[one - 1], lines[one] = lines[one], lines[one - 1]
    elif at < 0.22:
        lines.append(b'{"type":"what","uuid":1}\n')
    elif at < 0.25:
        lines.append(lines[one])
    return b"".join(lines)
