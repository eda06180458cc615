"""The beginning of a session file: which conversation, when, how much of what, from where, and what may be missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..project.own_output import COMMENT
from ..start.late_dataclass import dataclass
from .facts import Facts, gaps, kinds_in_words, sources
from .layout import escaped_inline
from .moments import between

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .markdown import Names
    from .redaction import Cleaner


@dataclass(frozen=True)
class Row:
    """One file of a session that has several: its name, messages, time, and how it begins."""

    name: str
    messages: int
    first: str
    last: str
    title: str


def header(facts: Facts, parts: Sequence[Row], clean: Cleaner, names: Names) -> str:
    """The head of a session's first file, up to the rule below it."""
    rows: list[tuple[str, list[str]]] = [
        ("Session", [escaped_inline(facts.session)]),
        ("Tags", [escaped_inline(" · ".join(names.own.tags))] if names.own.tags else []),
        ("When", [between(facts.first, facts.last) or "the source has no times"]),
        ("What", [kinds_in_words(facts.kinds)]),
        ("From", [escaped_inline(line) for line in sources(facts.evidence, clean)]),
        ("May be missing", [escaped_inline(line) for line in gaps(facts, clean)] or ["nothing that is known of"]),
    ]
    if names.family.parent in names.files:
        parent = names.family.parent
        rows.append(("Started by", [f"[{escaped_inline(parent)}]({names.files[parent]})"]))
    agents = [(agent, names.files[each]) for agent, each in names.family.agents.items() if each in names.files]
    if agents:
        rows.append(("Sub-agents", [" · ".join(f"[{escaped_inline(agent)}]({file})" for agent, file in agents)]))
    lines = [f"# {escaped_inline(names.own.shown)}", "", COMMENT, "", "| | |", "|:--|:--|"]
    lines += [f"| **{name}** | {'<br>'.join(_cell(line) for line in told)} |" for name, told in rows if told]
    if len(parts) > 1:
        lines += ["", "| part | messages | when | begins with |", "|:--|--:|:--|:--|"]
        for number, part in enumerate(parts, 1):
            name = f"**{number}**, this file" if number == 1 else f"[**{number}**]({part.name})"
            title = _cell(escaped_inline(part.title)) or "—"
            lines.append(f"| {name} | {part.messages:,} | {between(part.first, part.last) or '—'} | {title} |")
    return "\n".join([*lines, "", "---", "", ""])


def part_header(title: str, number: int, part: Row, names: Mapping[int, str]) -> str:
    """The head of a further file: where the first, the one before and the one after are (``names`` by number)."""
    links = [f"[all parts]({names[1]})", f"[← part {number - 1}]({names[number - 1]})"]
    if number + 1 in names:
        links.append(f"[part {number + 1} →]({names[number + 1]})")
    when = between(part.first, "" if number + 1 not in names else part.last) or between(part.first, part.first)
    lines = [
        f"# {escaped_inline(title)}, part {number}",
        "",
        COMMENT,
        "",
        " · ".join(links),
        *(["", f"From {when}"] if when else []),
    ]
    return "\n".join([*lines, "", "---", "", ""])


def checkpoint_header(title: str, kinds: Mapping[str, int], first: str, last: str) -> str:
    """The head of a file that has what was new at a checkpoint: how much of what, and from when to when."""
    when = between(first, last)
    lines = [f"# {escaped_inline(title)}: what is new", "", f"{kinds_in_words(kinds)}{f' · {when}' if when else ''}"]
    return "\n".join([*lines, "", "---", "", ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
