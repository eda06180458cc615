"""A run that begins while another one is at work in its project: it puts down what it wants, and is told what came of it.

So early that it has imported nothing yet of what reads, stores, archives and commits: where 32 runs begin at once, one of them
does the work of all (:mod:`.five_steps`, :mod:`.other_runs`), and the others cost little more than the start of Python. What
it wants is never the truth: its exports lie where they lay until they are archived. Whoever waits has the turn itself once
the one at work has ended, or was killed, without an answer; and who waits too long does without a turn what it would have
done alone.
"""

from __future__ import annotations

import os
import stat
import sys
import time
import zlib
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Optional

from ..errors import DedupError
from ..files import atomic, locking
from ..files.safe_read import Identity
from ..files.turn import Turn
from ..project.own_place import hide, require_inside
from ..reports.workflow import checkpoint_created
from ..start.late_dataclass import asdict
from ..terminal.console import printable
from . import outcome as outcomes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ..project.paths import Project
    from .options import Options
    from .outcome import Outcome

CHECKPOINT_PENDING: Final = "checkpoint.pending"
PATIENCE: Final = locking.DEFAULT_TIMEOUT
"""Seconds that one who waits goes on waiting while nothing shows that the run at work goes on."""
_VARIABLES: Final = frozenset(
    ("HOME", "PATH", "EMAIL", "USER", "LOGNAME", "TZ", "LC_ALL", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
)
_OWN: Final = frozenset(("paths", "session_id"))
"""What runs that are done together may each have of their own."""


class Share(NamedTuple):
    """What a run knows that does its work itself: the ``turn`` in which it may work for others, None where it has none.

    ``common`` is what their wishes must have in common with its own; ``seen`` the state of each file that was named, by its
    absolute path, from before it waited; ``begun`` what another one did of this run that was killed before it could answer
    (:meth:`.steps.Steps.as_json`).
    """

    turn: Optional[Turn] = None
    common: str = ""
    seen: Mapping[str, Identity] = {}
    begun: Optional[Mapping[str, Any]] = None


class Wish(NamedTuple):
    """What a run wants that waits. ``paths`` are absolute, ``began`` is a time of this machine's clock in seconds."""

    paths: tuple[str, ...]
    session_id: Optional[str]
    began: float


def run(
    project: Project,
    options: Options,
    out: Callable[[str], None],
    work: Callable[[Share], Outcome],
    *,
    store: tuple[Optional[str], ...] = (),
) -> Outcome:
    """Have ``options`` carried out, by the run that is at work in ``project`` or by ``work``, which does it in this process.

    ``out`` shows the user a text; ``store`` says what store it is, where that is not the project's own one.
    """
    seen = _states(options.paths)
    if not _may_share(project, seen):
        return work(Share())
    common = _common(options, store)
    turn = Turn(os.fspath(project.state))
    with ExitStack() as held:
        try:
            _enter(project, turn, held, {**_own(options), "common": common})
        except DedupError:  # it takes too long, or whoever writes into the folder next says what is wrong with it
            return work(Share(seen=seen))
        if turn.answer is None:
            _settle(project, turn)
        answer = _read(turn.answer)
        if answer is None:
            return work(Share(turn, common, seen, turn.begun()) if turn.answer is None else Share(seen=seen))
    return _told(answer, out)


@contextmanager
def turn_of(project: Project, patience: float) -> Iterator[None]:
    """For a run that shares nothing: within the block no other one is at work, and who comes meanwhile sees what it left.

    Where there is no turn, or none within ``patience`` seconds, the block goes without.
    """
    with ExitStack() as held:
        if _may_share(project, {}):
            with suppress(DedupError):
                held.enter_context(Turn(os.fspath(project.state)).taken({}, patience))
        yield


def wanted(wish: Mapping[str, Any], common: str) -> Wish | None:
    """What a wish wants, where it can be granted by a run of the same ``common``. It is a file, and may say anything."""
    paths, session, began = wish.get("paths"), wish.get("session_id"), wish.get("began")
    if wish.get("common") != common or not isinstance(paths, list) or not isinstance(began, (int, float)):
        return None
    if not all(isinstance(path, str) and os.path.isabs(path) and "\0" not in path for path in paths):
        return None
    if not (session is None or isinstance(session, str)):
        return None
    return Wish(tuple(paths), session, float(began))


def answer(texts: list[str], outcome: Outcome, *, after: list[str] | None = None) -> dict[str, Any]:
    """What a run is told that waits: the texts that it would have shown, and how it ended.

    ``after``: those behind the words for a checkpoint, which whoever makes it adds to the answer.
    """
    checkpoint = {"after": after} if after is not None else {}
    return {"texts": texts, **checkpoint, "outcome": outcomes.told(outcome)}


def _enter(project: Project, turn: Turn, held: ExitStack, wish: dict[str, Any]) -> None:
    """Have the turn, or its answer. Until this run can be seen waiting, it is seen to be on its way."""
    state = os.fspath(project.state)
    require_inside(state)
    with atomic.write_errors(state):
        atomic.make_private_directory(state)
    hide(state)
    leave = held.enter_context(locking.present(os.path.join(state, locking.RUNS)))
    held.enter_context(turn.taken(wish, PATIENCE, leave))


def _may_share(project: Project, seen: Mapping[str, Identity]) -> bool:
    """Whether there is a folder to wait in, private and this user's, or it may be made: for an export that was named."""
    if not locking.SHARED:
        return False
    try:
        found = os.lstat(project.state)
    except OSError:
        return bool(seen)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o077


def _states(paths: tuple[str, ...]) -> dict[str, Identity]:
    found = {}
    for path in map(os.path.abspath, paths):
        try:
            status = os.lstat(path)
        except (OSError, ValueError):
            continue
        if stat.S_ISREG(status.st_mode):
            found[path] = Identity.of(status)
    return found


def _own(options: Options) -> dict[str, Any]:
    paths = [os.path.abspath(path) for path in options.paths]
    return {"paths": paths, "session_id": options.session_id, "began": time.time()}


def _common(options: Options, store: tuple[Optional[str], ...]) -> str:
    """What decides how a run turns out beside its project and its exports: its other options, what of the program there is, and the
    environment: git's and our variables, and where settings lie. Its checksum: nobody reads from it what is in a variable.
    """
    variables = sorted(
        (name, value)
        for name, value in os.environ.items()
        if name in _VARIABLES or name.startswith(("GIT_", "EXPORT_DEDUP_"))
    )
    asked = sorted((name, value) for name, value in asdict(options).items() if name not in _OWN)
    program = (os.path.dirname(__file__), sys.prefix, sys.version_info[:3])
    found = repr((variables, asked, store, program)).encode("utf-8", "backslashreplace")
    return f"{zlib.crc32(found):08x}{zlib.adler32(found):08x}{len(found):x}"


def _settle(project: Project, turn: Turn) -> None:
    """Whoever had the turn may have been killed within a checkpoint that is this run's as well: then it is told so now."""
    if not os.path.lexists(project.state / CHECKPOINT_PENDING):
        return
    from ..checkpoint import make as checkpoint

    with suppress(DedupError):  # the next checkpoint meets it again
        checkpoint.settle(project)
    turn.answered()


class _Answer(NamedTuple):
    texts: list[str]
    outcome: Outcome


def _read(said: Optional[dict[str, Any]]) -> _Answer | None:
    """What :func:`answer` and the checkpoint say; None for anything else."""
    if said is None:
        return None
    outcome, texts = outcomes.read(said.get("outcome")), _texts(said.get("texts"))
    if outcome is None or texts is None:
        return None
    if "after" not in said:
        return _Answer(texts, outcome)
    after, commit, note = _texts(said["after"]), said.get("commit"), said.get("note")
    if after is None or not isinstance(commit, (str, type(None))) or not isinstance(note, str):
        return None
    return _Answer([*texts, checkpoint_created(commit, note), *after], outcome)


def _texts(found: Any) -> list[str] | None:
    return found if isinstance(found, list) and all(isinstance(each, str) for each in found) else None


def _told(found: _Answer, out: Callable[[str], None]) -> Outcome:
    for text in found.texts:
        out(printable(text, newlines=True))
    return found.outcome
