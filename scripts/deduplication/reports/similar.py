"""What the user reads of contents and conversations that are alike. Pure functions to text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..figures.counted import counted
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SHOWN: Final = 4
"""Members of a group that are shown."""
_WIDTH: Final = 90


def text(told: Mapping[str, Any], most: int, command: str) -> str:
    """Groups of contents, then those that may mean the same, then conversations; ``command`` shows a place."""
    looked = counted(told["contents"], "different content", "different contents")
    lines = [f"🔎 {looked} of at least {told['fewest_words']} words looked at; nothing is changed by this"]
    lines += _groups(told["messages"], most, "nearly the same words", "No two say nearly the same.")
    if told["semantic"] is not None:
        lines += _groups(
            told["semantic"], most, "perhaps the same in other words (a guess)", "No two seem to mean the same."
        )
    lines += ["", f"Conversations with much in common: {len(told['conversations']):,}"]
    for each in told["conversations"][:most]:
        share = f"{100 * each['share']:.0f} % of the smaller one"
        lines.append(f"   {printable(each['one'])} and {printable(each['other'])}: {each['shared']:,}, {share}")
    lines += _more(len(told["conversations"]), most)
    if told["messages"] or told["semantic"]:
        lines += ["", f"A place is shown by: {printable(command)} CONVERSATION --around NUMBER"]
    return "\n".join(lines)


def _groups(groups: Sequence[Mapping[str, Any]], most: int, what: str, none: str) -> list[str]:
    if not groups:
        return ["", none]
    lines = ["", f"{counted(len(groups), 'group')} of contents with {what}:"]
    for group in groups[:most]:
        near = f"{100 * group['least']:.0f}" + (
            f" to {100 * group['greatest']:.0f}" if len(group["members"]) > 2 else ""
        )
        lines.append(f"   {counted(len(group['members']), 'content')}, {near} % alike")
        lines += map(_member, group["members"][:_SHOWN])
        if len(group["members"]) > _SHOWN:
            lines.append(f"      and {len(group['members']) - _SHOWN:,} more")
    return [*lines, *_more(len(groups), most)]


def _member(each: Mapping[str, Any]) -> str:
    where = f"{printable(each['conversation_id'])} #{each['number']} {each['role']}"
    return f"      {where}: {_short(each['text'])}"


def _more(found: int, most: int) -> list[str]:
    return [f"   and {found - most:,} more: --limit {found}, or --json, which has all"] if found > most else []


def _short(said: str) -> str:
    line = printable(" ".join(said.split()))
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…"
