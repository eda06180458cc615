#!/usr/bin/env python3
"""Does a conversation come out whole that was exported in windows? ``benchmarks/windows.py [--set real-2025] [--cuts N]``.

Each real export with more than 60 messages is cut where a message begins. First what stands before the cut is processed, then,
under the same file name, what the client would show after a compaction there: its banner, its divider, the last N messages before
the cut once more, and all that came after. Right is the pair where what is read back is what the whole file alone gives. A growing
export is the same file cut at any character, also inside a message, in up to five parts that each hold the ones before.
Ends with 1 where a target is missed: 95 % right for N = 2, 99 % from N = 6 on, nothing lost; 99 % of the growing series.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from orders import corpus  # noqa: E402

from deduplication import formats  # noqa: E402
from deduplication.errors import ExportError  # noqa: E402
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deduplication.model import Export

SETS: Final = ("real-2025", "real-2026")
TAILS: Final = (2, 6, 10, 20, 0)
"""So many messages before the cut are shown again; 0 stands for all from the last prompt on."""
TARGETS: Final = {2: 95.0, 6: 99.0, 10: 99.0, 20: 99.0, 0: 99.0}
GROWING: Final = 99.0
SHORTEST: Final = 60
DIVIDERS: Final = {
    "real-2025": "═" * 18 + " Conversation compacted · ctrl+o for history " + "═" * 17 + "\n\n",
    "real-2026": "\n✻ Conversation compacted (ctrl+o for history)\n\n\n",
}
"""How the client drew it; a file that shows one of its own gets that one again."""
_FRAME: Final = ("banner", "compaction", "preamble", "truncation", "interface")
_SPOKEN: Final = ("prompt", "text")
_BOUND: Final = ("tool_result", "command_output", "bookkeeping")
"""What is never parted from what stands before it: neither a cut nor a tail begins there."""


class Real(NamedTuple):
    """A real export, as it is read alone."""

    name: str
    data: bytes
    export: Export
    divider: bytes
    banner: bytes
    whole: tuple[str, ...]
    kinds: dict[str, str]
    """Kind of each message, by content hash."""


class Outcome(NamedTuple):
    """One cut, processed; numbers of messages, over all conversations.

    ``lost``: what they say is stored nowhere. ``fewer``: it is stored, but not as often as the whole shows it. ``short``: calls and
    results of which only what the end of a part had left of them is kept.
    """

    right: bool
    lost: int
    fewer: int
    twice: int
    short: int
    detail: str


def stored(parts: list[bytes], name: str, backend: str) -> list[tuple[str, ...]]:
    """Process the parts one after another under one name; the content hashes of each conversation in reading order."""
    return [
        tuple(message["content_hash"] for message in conversation) for conversation in read_back(parts, name, backend)
    ]


def read_back(parts: list[bytes], name: str, backend: str) -> list[list[dict[str, Any]]]:
    """The same, whole messages."""
    with tempfile.TemporaryDirectory() as folder:
        store = ClaudeConversationDeduplicator(storage_dir=Path(folder) / "state", backend=backend)
        for part in parts:
            path = Path(folder) / name
            path.write_bytes(part)
            store.process_export(None, path)
        return [store.get_full_conversation(conversation) for conversation in store.conversations()]


def read(path: Path, kind: str, backend: str) -> Real | None:
    """A real export with enough messages; None for every other file."""
    data = path.read_bytes()
    try:
        export = formats.parse(data)
    except ExportError:
        return None
    if len(export.messages) <= SHORTEST:
        return None
    own = [data[span.start : span.end] for span in export.spans if span.label == "compaction"]
    banners = [span.end for span in export.spans if span.label == "banner" and span.end <= export.messages[0].start]
    (messages,) = read_back([data], path.name, backend)
    whole = tuple(message["content_hash"] for message in messages)
    kinds = {message["content_hash"]: message["kind"] for message in messages}
    divider = own[0] if own else DIVIDERS[kind].encode()
    return Real(path.name, data, export, divider, data[: banners[0]] if banners else b"", whole, kinds)


def window(real: Real, cut: int, tail: int) -> bytes:
    """The export after a compaction before message ``cut`` that shows the messages from ``tail`` on once more."""
    messages, data = real.export.messages, real.data
    begin, end = messages[tail].start, messages[cut].start
    shown = [
        data[span.start : span.end]
        for span in real.export.spans
        if begin <= span.start and span.end <= end and span.label not in _FRAME
    ]
    return real.banner + real.divider + b"".join(shown) + data[end:]


def tail_of(real: Real, cut: int, count: int) -> int:
    """Where the last ``count`` messages before the cut begin; a result is never without its call."""
    messages = real.export.messages
    prompts = [number for number in range(cut) if messages[number].kind == "prompt"]
    begin = max(cut - count, 0) if count else max(prompts, default=0)
    while begin and messages[begin].kind in _BOUND:
        begin -= 1
    return begin


def contents(data: bytes) -> list[tuple[str, str]]:
    """Kind and content of each message in a part."""
    try:
        return [(message.kind, str(message.content)) for message in formats.parse(data).messages]
    except ExportError:
        return []


def is_fair(real: Real, first: bytes, second: bytes, cut: int, tail: int) -> bool:
    """Do both parts, each by itself, show the very messages that the whole shows there?"""
    said = [(message.kind, str(message.content)) for message in real.export.messages]
    return contents(first) == said[:cut] and contents(second) == said[tail:]


def judge(real: Real, found: list[tuple[str, ...]], aside: Sequence[str] = ()) -> Outcome:
    """Compare what is read back with the whole; of ``aside``, the last messages of parts, each may stand there besides."""
    everything = Counter(one for conversation in found for one in conversation)
    wanted = Counter(real.whole)
    less, more = wanted - everything, everything - wanted
    extra = Counter(aside) & more
    gone = Counter(one for one in less if one not in everything)
    # A result of which only the beginning is kept: as many as there are last messages of parts in its place.
    short = Counter([one for one in gone if real.kinds[one] not in _SPOKEN][: sum(extra.values())])
    right = len(found) == 1 and without(found[0], extra) == without(real.whole, short)
    detail = f"{len(found)} conversations, {[len(one) for one in found]} for {len(real.whole)} messages"
    lost, short_ones = sum((gone - short).values()), sum(short.values())
    return Outcome(right, lost, sum((less - gone).values()), sum((more - extra).values()), short_ones, detail)


def without(messages: Sequence[str], left_out: Counter[str]) -> list[str]:
    """The messages in their order, less so many of each."""
    rest = Counter(left_out)
    rest.subtract(messages)
    kept = []
    for one in reversed(messages):
        # What is left out are the first ones: the later ones are what was added to.
        if rest[one] < 0:
            kept.append(one)
            rest[one] += 1
    return kept[::-1]


class Table:
    """Rows of outcomes, printed as they are complete."""

    def __init__(self, lines: int) -> None:
        self._lines = lines
        self.missed = 0
        print("| series | right | of | % | target | lost | fewer | twice | kept short | not cut alike | seconds |")
        print("|---|---|---|---|---|---|---|---|---|---|---|")

    def row(self, what: str, target: float, outcomes: list[tuple[str, Outcome]], unlike: int, seconds: float) -> None:
        """One series."""
        right, lost, fewer, twice, short = (sum(column) for column in list(zip(*(o for _, o in outcomes)))[:5])
        share = 100 * right / len(outcomes)
        missed = share < target or lost > 0
        self.missed += missed
        print(
            f"| {what} | {right} | {len(outcomes)} | {share:.1f} | {target:.0f}{' **missed**' if missed else ''} "
            f"| {lost} | {fewer} | {twice} | {short} | {unlike} | {seconds:.0f} |"
        )
        wrong = [(name, outcome) for name, outcome in outcomes if not outcome.right or outcome.lost]
        for name, outcome in wrong[: self._lines]:
            print(f"    {name}: {outcome.detail}, {outcome.lost} lost, {outcome.fewer} fewer, {outcome.twice} twice")
        if len(wrong) > self._lines:
            print(f"    and {len(wrong) - self._lines} more")
        sys.stdout.flush()


def cuts_of(real: Real, count: int, seed: int, *, anywhere: bool) -> list[int]:
    """Before which messages a file is cut."""
    chance = random.Random(f"{seed}/{real.name}")
    messages = real.export.messages
    possible = [n for n in range(20, len(messages) - 1) if anywhere or messages[n].kind not in _BOUND]
    return sorted(chance.sample(possible, min(count, len(possible))))


def windows(table: Table, reals: list[Real], arguments: argparse.Namespace) -> None:
    """A row for each length of the tail."""
    for count in TAILS:
        started, unlike = time.perf_counter(), 0
        outcomes = []
        for real in reals:
            for cut in cuts_of(real, arguments.cuts, arguments.seed, anywhere=arguments.anywhere):
                tail = tail_of(real, cut, count)
                first, second = real.data[: real.export.messages[cut].start], window(real, cut, tail)
                if not is_fair(real, first, second, cut, tail):
                    unlike += 1
                    continue
                parts = [second, first] if arguments.later_first else [first, second]
                found = judge(real, stored(parts, real.name, arguments.backend))
                outcomes.append((f"{real.name[:50]} cut {cut}, tail from {tail}", found))
        what = f"window, N = {count}" if count else "window, from the last prompt on"
        table.row(what, TARGETS[count], outcomes, unlike, time.perf_counter() - started)


def growing(table: Table, reals: list[Real], arguments: argparse.Namespace) -> None:
    """One row: files cut at any character."""
    started = time.perf_counter()
    outcomes = []
    for real in reals:
        chance = random.Random(f"{arguments.seed}/growing/{real.name}")
        first = real.export.messages[0].end
        for _ in range(arguments.cuts):
            ends = sorted(chance.sample(range(first, len(real.data)), chance.randrange(1, 5)))
            # Half a character is no text that a client wrote.
            parts = [real.data[:end].decode(errors="ignore").encode() for end in ends]
            # The last message of a part may have been half of one: what was stored of it then is no loss and no repeat.
            aside = [stored([part], real.name, arguments.backend)[0][-1] for part in parts]
            found = judge(real, stored([*parts, real.data], real.name, arguments.backend), aside)
            outcomes.append((f"{real.name[:50]} cut at bytes {ends}", found))
    table.row("growing, cut anywhere", GROWING, outcomes, 0, time.perf_counter() - started)


def main() -> int:
    """Print the table; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=SETS, default=SETS[0], help="which folder of the corpus")
    parser.add_argument("--cuts", type=int, default=4, metavar="N", help="how often each file is cut")
    parser.add_argument("--seed", type=int, default=1, help="other cuts")
    parser.add_argument("--anywhere", action="store_true", help="cut between a call and its result too")
    parser.add_argument("--later-first", action="store_true", help="process the window before what it follows")
    parser.add_argument("--backend", choices=("json", "default"), default="default")
    parser.add_argument("--series", choices=("windows", "growing"), help="one kind of series only")
    parser.add_argument("--lines", type=int, default=5, metavar="N", help="wrong ones shown for a series")
    arguments = parser.parse_args()
    paths = sorted((corpus() / arguments.set).iterdir())
    reals = [real for path in paths if (real := read(path, arguments.set, arguments.backend))]
    print(f"{len(reals)} exports with more than {SHORTEST} messages, {arguments.cuts} cuts each\n")
    table = Table(arguments.lines)
    if arguments.series != "growing":
        windows(table, reals, arguments)
    if arguments.series != "windows":
        growing(table, reals, arguments)
    print(f"\n{table.missed} targets missed" if table.missed else "\nevery target met")
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
