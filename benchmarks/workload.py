"""Make text exports of a wished size: a seeded conversation in the layout of client 2.1.197 (80 columns)."""

from __future__ import annotations

import random
import re
import sys
import textwrap
from pathlib import Path
from typing import Final

BANNER: Final = (
    " ▐▛███▜▌   Claude Code v2.1.197\n▝▜█████▛▘  Example 1.0 · API Usage Billing\n  ▘▘ ▝▝    ~/example\n\n\n"
)
_WORDS: Final = re.findall(
    r"\w+",
    "ledger parcel harbour invoice lantern orchard meadow compass anchor bridge canvas timber pebble river signal "
    "window garden kettle market ribbon saddle temple valley wagon basket candle feather hammer island jacket",
)
_SHORT: Final = ("yes", "continue", "git status", "go on", "ok", "next")

WORDS: Final = (
    "harbour",
    "tide",
    "table",
    "crane",
    "ledger",
    "lantern",
    "copper",
    "signal",
    "window",
    "column",
    "index",
    "branch",
    "merge",
    "order",
)
"""Of what made-up conversations talk."""


def prose(source: random.Random, size: int) -> str:
    """Words of some ``size`` characters."""
    words: list[str] = []
    length = 0
    while length < size:
        words.append(source.choice(_WORDS) + (str(source.randrange(1000)) if source.random() < 0.2 else ""))
        length += len(words[-1]) + 1
    return " ".join(words)


def _wrapped(marker: str, text: str, *, padded: bool = False) -> str:
    lines = textwrap.wrap(text, 78) or [""]
    lines = [f"{marker} {lines[0]}", *(f"  {line}" for line in lines[1:])]
    return "\n".join(line.ljust(80) if padded else line for line in lines) + "\n\n"


def _message(source: random.Random, number: int, size: int) -> str:
    place = number % 5
    if place == 0:
        text = source.choice(_SHORT) if source.random() < 0.3 else prose(source, size // 3)
        return _wrapped("❯", text, padded=True)
    if place in (1, 4):
        closing = (
            f"✻ {source.choice(('Baked', 'Brewed', 'Cooked'))} for {source.randrange(90)}s\n\n" if place == 4 else ""
        )
        return _wrapped("●", prose(source, size)) + closing
    if place == 2:
        return f"● Bash(grep -n {source.choice(_WORDS)} src/{source.choice(_WORDS)}{source.randrange(400)}.py)\n"
    rows = [f"     {n}: {prose(source, 60)}"[:76] for n in range(1, max(2, size // 40))]
    return "  ⎿  0: first\n" + "\n".join(rows) + "\n     … +57 lines (ctrl+o to expand)\n\n"


def export(messages: int, size: int, *, seed: int = 1) -> bytes:
    """A text export of ``messages`` messages and about ``size`` bytes, the same for the same ``seed``."""
    source = random.Random(seed)
    each = max(20, round(size / messages / 0.97))
    parts = [BANNER, *(_message(source, number, each) for number in range(messages))]
    return "".join(parts).rstrip("\n").encode()


def growth(messages: int, more: int, each: int = 1000, *, seed: int = 1) -> tuple[bytes, bytes]:
    """An export of ``messages`` messages, and one made after a compaction that shows only the next ``more``."""
    source = random.Random(seed)
    parts = [_message(source, number, each) for number in range(messages + more)]
    first, second = "".join(parts[:messages]), "".join(parts[messages:])
    return (BANNER + first).rstrip("\n").encode(), (BANNER + second).rstrip("\n").encode()


def main() -> None:
    """Write exports: ``workload.py export MESSAGES BYTES SEED FILE AGAIN`` or ``growth MESSAGES MORE FILE SECOND``.

    ``AGAIN`` is the same conversation exported again, every closing line drawn anew. A process of its own, so that the
    memory it takes is not counted for the command that is measured.
    """
    kind, one, other, *rest = sys.argv[1:]
    if kind == "export":
        seed, file, again = rest
        data = export(int(one), int(other), seed=int(seed))
        Path(file).write_bytes(data)
        Path(again).write_bytes(data.replace("✻ Baked".encode(), "✻ Churned".encode()))
    else:
        for file, data in zip(rest, growth(int(one), int(other), seed=3)):
            Path(file).write_bytes(data)


if __name__ == "__main__":
    main()
