"""Those who wait while a run is at work: what each wants is found and stored for itself, in the order in which they came.

What one run takes along has bounds (:data:`MOST_RUNS`, :data:`MOST_BYTES`, :data:`MOST_SECONDS`), and who waits longest comes
first: so nobody waits behind a stream of newcomers. What is beyond the bounds, what wants something else than the run at work,
and what fails by a defect or by the store is not answered: it has its own turn, and meets it itself.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any, Final, final

from ..errors import DedupError, StoreNotWritable
from ..files import locking, turn
from ..start.late_dataclass import replace
from . import shared_run
from .steps import Steps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ..accounting.last_run import Earlier
    from ..ingest.export_file import Deduplicator
    from ..project.paths import Project
    from .options import Options
    from .shared_run import Share, Wish

MOST_RUNS: Final = 64
"""Runs that one takes along."""
MOST_BYTES: Final = 64 * 1024 * 1024
"""Of their exports, all of them together."""
MOST_SECONDS: Final = 30.0
"""After which no more are taken along."""
MOST_SECONDS_LOCKED: Final = 1.0
"""After which the store is let go of in between."""
IDLE: Final = 1.0
"""Seconds after the last one came after which nobody is waited for who is on his way."""
_POLL: Final = 0.02


class _Other:
    """A run that waits as ``name``: its steps, and the texts that it will show."""

    def __init__(self, name: str, make: Callable[[Callable[[str], None]], Steps]) -> None:
        self.name, self.texts = name, list[str]()
        self.steps = make(self.texts.append)
        self.is_told = False

    def told_of_checkpoint(self) -> dict[str, Any]:
        """What it is to be told beside the commit, should there be a checkpoint."""
        self.is_told = self.steps.checkpointed = True
        mark = len(self.texts)
        outcome = self.steps.finish()
        after = self.texts[mark:]
        del self.texts[mark:]
        return shared_run.answer(self.texts, outcome, after=after)

    def told(self) -> dict[str, Any]:
        """What it is to be told where it has no checkpoint."""
        outcome = self.steps.finish()
        return shared_run.answer(self.texts, outcome)


@final
class OtherRuns:
    """The runs that are done together with one that has ``options``; none where ``share`` has no turn."""

    def __init__(
        self,
        project: Project,
        options: Options,
        dedup: Deduplicator,
        share: Share,
        earlier: Callable[[int], Earlier | None] | None,
    ) -> None:
        self._project, self._options, self._dedup, self._share, self._earlier = project, options, dedup, share, earlier
        self._state = os.fspath(project.state)
        self._looked_at: set[str] = set()
        self._taken: list[_Other] = []
        self._bytes = 0
        self._shown, self._is_shown = contextlib.ExitStack(), False

    def __enter__(self) -> OtherRuns:
        """From the first one that is taken on those who wait see that this process is there, until the block ends."""
        return self

    def __exit__(self, *_: object) -> None:
        self._shown.close()

    @property
    def steps(self) -> list[Steps]:
        """The steps of each."""
        return [each.steps for each in self._taken]

    def take(self, besides: Sequence[Path]) -> None:
        """Find and store what each wants, until nobody comes any more; a search leaves ``besides`` alone, and what others named."""
        if self._share.turn is None:
            return
        began = last = time.monotonic()
        while time.monotonic() - began < MOST_SECONDS and len(self._taken) < MOST_RUNS:
            if self._take_those_who_wait(besides):
                last = time.monotonic()
            elif time.monotonic() - last > IDLE or not self._is_somebody_coming():
                return
            else:
                time.sleep(_POLL)

    def _take_those_who_wait(self, besides: Sequence[Path]) -> bool:
        """Those who wait now, in one transaction as long as that is short; False where nobody does."""
        first = self._next()
        if first is None or self._share.turn is None:
            return False
        if not self._is_shown:
            self._is_shown = True
            self._shown.enter_context(self._share.turn.shown())
        with contextlib.suppress(DedupError), self._dedup.store.transaction():
            began = time.monotonic()
            each: tuple[str, Wish] | None = first
            while each is not None:
                self._take(*each, besides)
                is_enough = time.monotonic() - began > MOST_SECONDS_LOCKED or len(self._taken) >= MOST_RUNS
                each = self._next() if not is_enough else None
        return True

    def _next(self) -> tuple[str, Wish] | None:
        """Who waits longest of those that can be taken along."""
        turn_held = self._share.turn
        for name, wish in turn_held.wishes(self._looked_at) if turn_held is not None else ():
            self._looked_at.add(name)
            wanted = shared_run.wanted(wish, self._share.common)
            if wanted is not None:
                return name, wanted
        return None

    def _is_somebody_coming(self) -> bool:
        return locking.is_held(os.path.join(self._state, locking.RUNS))

    def _take(self, name: str, wish: Wish, besides: Sequence[Path]) -> None:
        """Find and store what one wants. One that fails by the store, or by a defect, is not taken: it will meet it itself."""
        options = replace(self._options, paths=wish.paths, session_id=wish.session_id)
        began = time.monotonic() - min(max(time.time() - wish.began, 0.0), 2 * locking.DEFAULT_TIMEOUT)
        other = _Other(name, lambda out: Steps(self._project, options, self._dedup, out, began))
        before = {*besides, *(entry.candidate.path for steps in self.steps for entry in steps.entries)}
        try:
            begun = self._share.turn.begun(name) if self._share.turn is not None else None
            is_begun = begun is not None and other.steps.go_on_from(begun)
            if not is_begun and other.steps.find(self._earlier if not wish.paths else None, without=before):
                size = sum(entry.candidate.identity.size for entry in other.steps.entries)
                if self._bytes + size > MOST_BYTES:
                    return
                self._bytes += size
                other.steps.deduplicate()
        except DedupError:
            return
        except Exception:  # noqa: BLE001 - whoever waits for it has the turn next, and names it
            return
        if other.steps.unexpected is None:
            self._taken.append(other)
            with contextlib.suppress(StoreNotWritable):
                turn.note(self._state, name, {**other.steps.as_json(), "texts": other.texts})

    def of_checkpoint(self, wanted: Sequence[Steps]) -> dict[str, dict[str, Any]]:
        """What those of them whose steps are among ``wanted`` are to be told beside the commit, by name."""
        return {each.name: each.told_of_checkpoint() for each in self._taken if each.steps in wanted}

    def without_checkpoint(self) -> None:
        """There is none after all."""
        for each in self._taken:
            each.is_told = False

    def answer(self) -> None:
        """Tell those that nobody told of a checkpoint. Who cannot be told has the turn, and goes on from what was noted."""
        for each in self._taken:
            with contextlib.suppress(StoreNotWritable):
                if not each.is_told:
                    turn.give(self._state, each.name, each.told())
