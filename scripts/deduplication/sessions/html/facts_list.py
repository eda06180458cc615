"""What a page says of its conversation at the top: when, how much, from where, what may be missing."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ..facts import Facts, gaps, kinds_in_words, sources
from ..moments import between
from ..redaction import printable_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..agents import Family
    from ..redaction import Cleaner


def facts_list(facts: Facts, family: Family, files: Mapping[str, str], clean: Cleaner) -> str:
    """The list. ``files`` has the page of other conversations, where there is one."""
    rows = [
        ("When", [escape(between(facts.first, facts.last) or "the source has no times")]),
        ("What", [escape(kinds_in_words(facts.kinds))]),
        ("From", [escape(line) for line in sources(facts.evidence, clean)]),
        ("May be missing", [escape(line) for line in gaps(facts, clean)] or ["nothing that is known of"]),
    ]
    if family.parent in files:
        rows.append(("Started by", [_link(family.parent, files[family.parent])]))
    agents = [_link(agent, files[each]) for agent, each in family.agents.items() if each in files]
    if agents:
        rows.append(("Sub-agents", [" · ".join(agents)]))
    told = "".join(
        f"<dt>{name}</dt><dd>{''.join(f'<div>{line}</div>' for line in lines)}</dd>" for name, lines in rows if lines
    )
    return f"<dl class=facts>{told}</dl>\n"


def _link(name: str, file: str) -> str:
    from urllib.parse import quote

    return f'<a href="{escape(quote(file))}">{escape(printable_text(name))}</a>'
