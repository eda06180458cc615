"""What conversations are called, for commands that show them: secrets are taken out as everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...project.paths import find_project
from ...titles.naming import Naming, naming
from ...titles.slug import slug

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from ...sessions.redaction import Redact
    from ...storage.contract import Store


def redaction(asked: argparse.Namespace) -> Redact:
    """What takes secrets out, as the settings of the project say."""
    from ...sessions.redaction import standard

    return standard(find_project(asked.project).root)[0]


def namings(asked: argparse.Namespace, store: Store, conversations: Iterable[str]) -> dict[str, Naming]:
    """What each of these is called. Inside a transaction of the store."""
    clean = _cleaner(asked)
    return {name: naming(store, name, clean) for name in dict.fromkeys(conversations)}


def with_tags(found: Iterable[Naming], tags: Iterable[str]) -> list[Naming]:
    """Those that have every one of these words."""
    wanted = set(map(slug, tags))
    return [each for each in found if wanted <= set(each.tags)]


def followed(asked: argparse.Namespace, store: Store, folder: str, name: str, *, changed: bool) -> dict[str, Any]:
    """What there is to be said of a conversation after a word of its user; where something ``changed``, its files follow."""
    import os

    project = find_project(asked.project)
    written: list[str] = []
    if changed and os.path.realpath(folder) == os.path.realpath(project.state):
        from ...sessions.following import follow_title

        written = [project.relative(path) for path in follow_title(project, store, name)]
    with store.transaction(write=False):
        found = naming(store, name, _cleaner(asked))
    return {"conversation_id": name, "title": found.title or None, "tags": list(found.tags), "files": written}


def _cleaner(asked: argparse.Namespace) -> Callable[[str], str]:
    redact = redaction(asked)
    return lambda text: redact(text)[0]
