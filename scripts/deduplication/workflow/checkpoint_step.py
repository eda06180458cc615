"""Step 4 of a run: its session files and its checkpoint, made together with those of the runs that come to it at the same time.

One run has the turn and works for all that wait: each one's session files, then one checkpoint with one commit that tells of all
of them. As long as others are still storing their exports it waits a moment for them (:data:`PATIENCE`). What fails there fails
for the run that has the turn; the others get no answer, have the turn one after the other, and meet it themselves.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Optional

from ..accounting.storage_account import savings
from ..accounting.store_totals import totals
from ..checkpoint import make as checkpoint
from ..checkpoint import recovery
from ..checkpoint.run_figures import RunFigures
from ..errors import DedupError, StoreLocked
from ..files import locking
from ..files.turn import Turn
from ..project.config import EACH, OFF
from ..reports import workflow as report
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ..ingest.export_file import Deduplicator
    from ..project.paths import Project

PATIENCE: Final = 5.0
"""Seconds that runs are waited for which are not so far yet."""
IDLE: Final = 1.0
"""Seconds after the last one came in which nobody came, after which nobody is waited for."""
_POLL: Final = 0.02
_VARIABLES: Final = frozenset(
    ("HOME", "PATH", "EMAIL", "USER", "LOGNAME", "TZ", "LC_ALL", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
)


class Wanted(NamedTuple):
    """What a run wants of the step. ``sessions`` are conversations that it stored something of, ``figures`` its ``--json`` object.

    ``session_files`` is one of the values of the setting of that name.
    """

    description: str
    session_files: str
    sessions: Sequence[str]
    figures: Mapping[str, Any]


class Made(NamedTuple):
    """The checkpoint: its commit's full name (None where there is none), and what else to know."""

    commit: Optional[str]
    note: str


class _Files(NamedTuple):
    """Session files that were written; ``shown`` and ``untouched`` as the user should read them."""

    paths: Sequence[Path] = ()
    shown: Sequence[str] = ()
    untouched: Sequence[str] = ()


class _Other(NamedTuple):
    wanted: Wanted
    files: _Files


class CheckpointStep:
    """The step of one run. ``make`` makes the checkpoint (:func:`checkpoint.make.create`), ``out`` shows the user a text."""

    def __init__(
        self, project: Project, dedup: Deduplicator, make: Callable[..., Any], out: Callable[[str], None]
    ) -> None:
        self._project, self._dedup, self._make, self._out = project, dedup, make, out
        self.problems: list[DedupError] = []
        """What went wrong with this run's session files; there is a checkpoint all the same."""

    def run(self, wanted: Wanted, placed: Callable[[], None]) -> Made:
        """Have it made, by this run or another one. Raises what keeps a checkpoint from being made.

        ``placed`` is called when this run can be seen here, and need not be seen among those that are still storing.
        """
        turn = Turn(str(self._project.state / recovery.TURN), recovery.waiting(self._project))
        wish = {**wanted._asdict(), "under": _circumstances()}
        with ExitStack() as held:
            try:
                held.enter_context(turn.taken(wish, placed=placed))
            except StoreLocked:
                raise
            except DedupError:  # whoever writes into the folder next says what is wrong with it
                return self._made(wanted, self._own_files(wanted), {})
            if turn.answer is None:
                checkpoint.settle(self._project)
                if turn.answered() is None:
                    files = self._own_files(wanted)
                    return self._made(wanted, files, self._of_others(wanted, turn))
        answer = turn.answer or {}
        self._tell(wanted, _Files((), _texts(answer.get("shown")), _texts(answer.get("untouched"))))
        commit, note = (next(iter(_texts([answer.get(name)])), "") for name in ("commit", "note"))
        return Made(commit or None, note)

    def _own_files(self, wanted: Wanted) -> _Files:
        files = self._session_files(wanted, self.problems)
        for problem in self.problems:
            self._out(report.checkpoint_failed(str(problem), problem.hint))
        if not self.problems:
            self._tell(wanted, files)
        return files

    def _tell(self, wanted: Wanted, files: _Files) -> None:
        if wanted.session_files != OFF:
            from ..reports import sessions as session_report

            self._out(session_report.in_a_run(files.shown, files.untouched))

    def _of_others(self, wanted: Wanted, turn: Turn) -> dict[str, _Other]:
        """The session files of those that wait, by name, until no more come. One whose files fail has to have its own turn."""
        found: dict[str, Optional[_Other]] = {}
        began = last = time.monotonic()
        while True:
            came = [(name, _wanted(wish, wanted)) for name, wish in turn.wishes(found)]
            for name, other in came:
                failed: list[DedupError] = []
                files = self._session_files(other, failed) if other is not None else _Files()
                found[name] = _Other(other, files) if other is not None and not failed else None
                last = time.monotonic()
            if not came:
                now = time.monotonic()
                if now - began > PATIENCE or now - last > IDLE or not self._are_others_storing():
                    return {name: other for name, other in found.items() if other is not None}
                time.sleep(_POLL)

    def _are_others_storing(self) -> bool:
        return locking.is_held(str(self._project.state / locking.RUNS))

    def _session_files(self, wanted: Wanted, problems: list[DedupError]) -> _Files:
        """The files of the sessions that a run stored something of."""
        if wanted.session_files == OFF:
            return _Files()
        from ..sessions.folder import files_for_a_run

        try:
            each = wanted.session_files == EACH
            return _Files(*files_for_a_run(self._project, self._dedup, wanted.sessions, each_checkpoint=each))
        except DedupError as error:
            problems.append(error)
            return _Files()

    def _made(self, wanted: Wanted, files: _Files, others: Mapping[str, _Other]) -> Made:
        """One checkpoint for all of them."""
        paths = (*files.paths, *(path for other in others.values() for path in other.files.paths))
        figures = _together([wanted.figures, *(other.wanted.figures for other in others.values())])
        storage = savings(self._dedup, os.fspath(self._project.state))
        figures["cumulative"] = totals(self._dedup.store, storage)
        runs = {
            name: {"shown": other.files.shown, "untouched": other.files.untouched} for name, other in others.items()
        }
        more: dict[str, Any] = {"runs": runs} if runs else {}
        made = self._make(self._project, wanted.description, paths=paths, figures=figures, **more)
        return Made(made.commit, made.note)


def _texts(found: Any) -> list[str]:
    """The texts of a list that stands in a file, fit for the screen."""
    return [printable(each) for each in found if isinstance(each, str)] if isinstance(found, list) else []


def _wanted(wish: Mapping[str, Any], own: Wanted) -> Wanted | None:
    """The wish of another run, where it can be granted with ``own``: the same title, settings and surroundings.

    It is a file, in which anything may stand: a conversation that the store does not know has no session file.
    """
    sessions, figures = wish.get("sessions"), wish.get("figures")
    same = (wish.get("description"), wish.get("session_files"), wish.get("under"))
    if same != (own.description, own.session_files, _circumstances()):
        return None
    if not isinstance(figures, dict) or not isinstance(figures.get("exports"), list) or not isinstance(sessions, list):
        return None
    if not all(isinstance(session, str) for session in sessions):
        return None
    try:
        RunFigures.of(figures)
    except (OverflowError, ValueError):  # numbers without end
        return None
    return Wanted(own.description, own.session_files, sessions, figures)


def _together(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The figures of several runs as those of one: sums, and what the store has come to by now. One run's are as they are."""
    figures = [RunFigures.of(run) for run in runs]
    first = dict(runs[0])
    if len(runs) == 1:
        return first
    known = [each for each in figures if each is not None]
    sums = {
        "total_messages": sum(each.total for each in known),
        "new_messages": sum(each.new for each in known),
        "captured": sum(each.captured for each in known),
        "duplicates_filtered": sum(each.duplicates for each in known),
        "global_unique": max(each.unique for each in known),
    }
    return {**first, **sums, "exports": [export for run in runs for export in run["exports"]]}


def _circumstances() -> str:
    """What decides how a checkpoint turns out beside project and options: git's and our variables, and where settings lie."""
    chosen = sorted(
        (name, value)
        for name, value in os.environ.items()
        if name in _VARIABLES or name.startswith(("GIT_", "EXPORT_DEDUP_"))
    )
    return hashlib.sha256(repr(chosen).encode("utf-8", "backslashreplace")).hexdigest()
