"""What a checkpoint's document says of git: branch, work tree, submodules, last commits, changes that wait. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..start.late_dataclass import dataclass
from ..terminal.console import printable
from .markdown_escape import code, escaped, fence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..git.repository import Change, Commit, Submodule

LISTED_CHANGES: Final = 30
_CONFLICTS: Final = frozenset({"DD", "AU", "UD", "UA", "DU", "AA", "UU"})


@dataclass(frozen=True)
class GitState:
    """What the document says of the repository; ``missing`` is why there is nothing to say."""

    missing: str = ""
    branch: str | None = None
    operation: str | None = None
    commits: Sequence[Commit] = ()
    changes: Sequence[Change] | None = None
    """None where they could not be read."""
    submodules: Sequence[Submodule] = ()
    within: str = ""
    """The project's folder inside the repository, ``""`` where it is the repository's top."""
    unread: str = ""
    """Why something is missing above."""


def git_section(state: GitState) -> list[str]:
    """The lines of the section."""
    if state.missing:
        return [f"{escaped(printable(state.missing))[:1].upper()}{escaped(printable(state.missing))[1:]}."]
    if state.branch is not None:
        where = f"- Branch: {code(state.branch)}"
    elif state.commits:
        where = f"- Detached at {code(state.commits[0].abbreviated)}"
    else:
        where = "- Detached"
    lines = [where]
    if state.operation:
        lines.append(f"- In progress: {state.operation}")
    if state.within:
        lines.append(f"- Folder: {code(state.within)} of the repository; changes elsewhere in it are not counted")
    lines.append(f"- Work tree: {_summary(state.changes)}")
    if state.unread:
        lines.append(f"- Not everything could be read: {escaped(printable(state.unread))}")
    if state.submodules:
        lines += ["", "### Submodules", "", *(_submodule(one) for one in state.submodules)]
    lines += ["", "### Last commits", ""]
    lines += [f"- {code(one.abbreviated)} {one.date} {code(one.subject)}" for one in state.commits] or [
        "No commits yet."
    ]
    if state.changes:
        listed = "\n".join(f"{change.letters} {printable(change.path)}" for change in state.changes[:LISTED_CHANGES])
        quotes = fence(listed, 3)
        lines += ["", "### Changes not committed", "", f"{quotes}text", listed, quotes]
        if len(state.changes) > LISTED_CHANGES:
            lines += ["", f"and {len(state.changes) - LISTED_CHANGES:,} more."]
    return lines


def _submodule(one: Submodule) -> str:
    if not one.checked_out:
        return f"- {code(one.path)}: not initialised"
    if one.recorded == one.checked_out:
        return f"- {code(one.path)} at {code(one.recorded)}"
    return f"- {code(one.path)} at {code(one.checked_out)}; recorded is {code(one.recorded) if one.recorded else 'nothing'}"


def _summary(changes: Sequence[Change] | None) -> str:
    if changes is None:
        return "not known"
    letters = [change.letters for change in changes]
    plain = [pair for pair in letters if pair != "??" and pair not in _CONFLICTS]
    counted = (
        (sum(pair[0] != " " for pair in plain), "staged"),
        (sum(pair[1] != " " for pair in plain), "unstaged"),
        (letters.count("??"), "untracked"),
        (sum(pair in _CONFLICTS for pair in letters), "in conflict"),
    )
    return ", ".join(f"{number:,} {word}" for number, word in counted if number) or "clean"
