"""Fits a text into a number of characters, cut between its parts: what a hook says is cut hard by the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def truncate(
    head: str,
    parts: Sequence[str],
    tail: str,
    most: int | None,
    left_out: Callable[[int], str],
    *,
    from_the_end: bool = False,
) -> str:
    """Head, parts and tail as paragraphs, at most ``most`` characters where that is possible at all.

    Parts that find no room are left out at the end (or at the beginning, ``from_the_end``), and ``left_out`` says in their
    place how many. Where not even one has room, it is cut itself.
    """
    whole = "\n\n".join(filter(None, [head, *parts, tail]))
    if most is None or len(whole) <= most or not parts:
        return whole
    room = most - len("\n\n".join(filter(None, [head, left_out(len(parts)), tail]))) - 2
    kept: list[str] = []
    for part in reversed(parts) if from_the_end else parts:
        if len(part) + 2 > room:
            break
        kept.append(part)
        room -= len(part) + 2
    if not kept:
        first = parts[-1] if from_the_end else parts[0]
        kept.append(first[: max(0, room - 4)].rstrip() + " […]")
    if from_the_end:
        kept.reverse()
    missing = len(parts) - len(kept)
    note = left_out(missing) if missing else ""
    return "\n\n".join(filter(None, [head, note, *kept, tail] if from_the_end else [head, *kept, note, tail]))
