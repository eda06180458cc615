"""What the index says of each session. It is kept in the private folder, for as long as a session stays as it was."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Callable

from ...errors import StoreNotWritable
from ...files import atomic
from ...project.paths import SESSION_ROWS
from ...start.late_tuple import NamedTuple
from ...titles.naming import naming
from ..own_files import file_among
from ..place import is_purged

if TYPE_CHECKING:
    from ...project.paths import Project
    from ...storage.contract import Store


class Row(NamedTuple):
    """One session; ``updated`` is when something was last stored of it, ``day`` the one on which it began."""

    session: str
    updated: str
    title: str
    day: str
    messages: int
    prompt: str
    tags: list[str]

    @property
    def shown(self) -> str:
        """The title, or the id where there is none."""
        return self.title or self.session


def rows_of(
    project: Project, store: Store, clean: Callable[[str], str], rules: str, require: Callable[[], None]
) -> list[Row]:
    """Every session that something is left of, the one that was told of last first. Inside a transaction of the store.

    ``rules`` names what ``clean`` does; ``require`` raises ``NotYetClean`` where it has not done it yet.
    """
    path = os.path.join(str(project.state), SESSION_ROWS)
    before = _read(path, rules)
    found: list[Row] = []
    for name in store.conversations():
        figures = store.figures(name)
        known = before.get(name)
        if known is None or known.updated != figures.updated_at:
            if is_purged(store, name):
                continue
            told = naming(store, name, clean)
            known = Row(
                name,
                figures.updated_at,
                told.title,
                told.day,
                figures.occurrences,
                told.first_prompt,
                list(told.tags),
            )
        found.append(known)
    require()
    if {row.session: row for row in found} != before:
        _write(path, rules, found)
    return sorted(found, key=lambda row: (row.updated, row.session), reverse=True)


def files_of(project: Project, rows: list[Row]) -> dict[str, str]:
    """The file of each session that has one, by session."""
    folder = str(project.sessions)
    names = os.listdir(folder) if os.path.isdir(folder) else []
    by_digits: dict[str, list[str]] = {}
    for name in names:
        by_digits.setdefault(name.partition(".")[0][-8:], []).append(name)
    from ...titles.slug import short

    found = {row.session: file_among(row.session, by_digits.get(short(row.session), ())) for row in rows}
    return {session: file for session, file in found.items() if file}


def _read(path: str, rules: str) -> dict[str, Row]:
    try:
        with atomic.open_regular(path) as file:
            said: Any = json.loads(file.read())
        return {row[0]: Row(*row) for row in said["rows"]} if said["rules"] == rules else {}
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return {}


def _write(path: str, rules: str, rows: list[Row]) -> None:
    """Best effort: without it the rows are found out again."""
    import contextlib

    data = json.dumps({"rules": rules, "rows": rows}, separators=(",", ":")).encode()
    with contextlib.suppress(StoreNotWritable, OSError):
        atomic.replace(path, data, durable=False)
