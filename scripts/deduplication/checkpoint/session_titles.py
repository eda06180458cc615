"""What the sessions of a checkpoint are called, and which of their files were renamed since the last one."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from ..files.title_marks import unlinked
from ..sessions.redaction import standard
from ..start.late_tuple import NamedTuple
from ..titles.naming import naming
from ..titles.slug import short
from .markdown_escape import escaped, shortened
from .run_figures import RunFigures

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..project.paths import Project
    from ..storage.contract import Store
    from ..titles.naming import Naming

_LEAST: Final = 8
"""Characters of a title that are shown, however little room there is."""


class Named(NamedTuple):
    """What the run's sessions are called, in their order; they ``lead`` where nobody gave the checkpoint a title."""

    names: Mapping[str, Naming] = MappingProxyType({})
    lead: bool = False


NOBODY: Final = Named()


def named_in(project: Project, store: Store, figures: Mapping[str, Any] | None) -> Named:
    """The same of the run that these figures tell of."""
    sessions = sessions_in(figures)
    return named(project, store, sessions) if sessions and project.state.is_dir() else NOBODY


def sessions_in(figures: Mapping[str, Any] | None) -> list[str]:
    """The conversations that a run's exports went into."""
    run = RunFigures.of(figures or None)
    return run.sessions() if run is not None else []


def named(project: Project, store: Store, sessions: Iterable[str], *, lead: bool = False) -> Named:
    """What each session is called. Outside of a transaction. Raises ``PrivacySettingInvalid``."""
    redact, _ = standard(project.root)
    with store.transaction(write=False):
        known = set(store.conversations())
        chosen = [name for name in dict.fromkeys(sessions) if name in known]
        return Named({name: naming(store, name, lambda text: redact(text)[0]) for name in chosen}, lead)


def subject(description: str, names: Sequence[str], most: int = 0) -> str:
    """``12 new messages of tide-clock and 2 more``, of the titles ``names``; in ``most`` characters, where it has to be shorter."""
    if not names:
        return description
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    room = max(most - len(description) - len(" of ") - len(more), _LEAST) if most else len(names[0])
    return f"{description} of {shortened(names[0], room)}{more}"


def linked(session: str, named: Mapping[str, Naming], target: str) -> str:
    """A session by its title, as a link to ``target`` where there is one; in a form in which a purge finds it."""
    title = escaped(named[session].shown if session in named else session)
    return f"[{title}]({target})" if target else unlinked(title, short(session))
