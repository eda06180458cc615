"""The panels as they are now. One thread at a time looks whether something changed, for all who ask; nobody waits for it.

A panel is gathered anew where what it rests on has another version, and at most as often as it says. So what many readers cost is
what one costs, and captures meet one short transaction in two seconds, and none where nobody looks.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from typing import TYPE_CHECKING, Any, Callable, Final, Optional

from ..errors import DedupError
from ..start.late_dataclass import dataclass
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

LOOKED_EVERY: Final = 2.0
"""Seconds between two looks at the store."""
FIRST: Final = 0.2
"""Seconds that whoever comes first waits at most for the first figures; after that the page asks for them itself."""

UNKNOWN: Final = object
"""The version of things of which nobody can tell whether they changed."""


@dataclass(frozen=True)
class Source:
    """What one panel shows: ``gather`` gives plain values for its template, and may raise what is wrong as :class:`DedupError`.

    ``version`` tells which state of things that rests on: while it says the same, nothing is gathered anew. What was gathered is
    shown for ``every`` seconds at least, whatever changes. :data:`UNKNOWN` is never the same: it is gathered whenever that is over.
    """

    name: str
    title: str
    gather: Callable[[], dict[str, Any]]
    version: Callable[[], Hashable]
    every: float = 0.0


class Panel(NamedTuple):
    """One panel, drawn. ``changed`` is the number of the board at which it became what it is."""

    name: str
    title: str
    html: str
    data: Mapping[str, Any]
    changed: int


class Shown(NamedTuple):
    """All panels at one moment; ``number`` goes up where one of them changes."""

    number: int
    panels: tuple[Panel, ...]
    moment: float
    tag: str
    """The same for the same panels of the same process, for ``ETag``."""

    def since(self, number: int) -> list[Panel]:
        """Those that changed after the board had this number."""
        return [panel for panel in self.panels if panel.changed > number]


@dataclass
class _Kept:
    version: Any = None
    due: float = 0.0
    data: Optional[dict[str, Any]] = None


class Board:
    """Panels of these ``sources``, drawn by ``draw`` (a panel's name, its title, what it shows)."""

    def __init__(
        self,
        sources: Sequence[Source],
        draw: Callable[[str, str, Mapping[str, Any]], str],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sources, self._draw, self._now = sources, draw, now
        self._kept = {source.name: _Kept() for source in sources}
        self._run = hashlib.sha256(f"{time.time_ns()}".encode()).hexdigest()[:12]
        self._looking = threading.Lock()
        self._first = threading.Event()
        self._looked = float("-inf")
        self._shown = self._with(
            [Panel(each.name, each.title, draw(each.name, each.title, {}), {}, 1) for each in sources]
        )

    def shown(self) -> Shown:
        """The panels; a look is taken in a thread of its own, if the last one was a while ago."""
        if self._now() - self._looked >= LOOKED_EVERY:
            threading.Thread(target=self.look, name="dashboard", daemon=True).start()
        if not self._first.is_set():
            self._first.wait(FIRST)
        return self._shown

    def look(self) -> Shown:
        """Gather what changed; nothing where somebody is at it."""
        if self._looking.acquire(blocking=False):
            try:
                if self._now() - self._looked >= LOOKED_EVERY:
                    self._look()
            finally:
                self._looking.release()
        return self._shown

    def _look(self) -> None:
        self._looked = self._now()
        panels = []
        for source, before in zip(self._sources, self._shown.panels):
            data = self._gathered(source)
            if data is None or data == before.data:
                panels.append(before)
            else:
                html = self._draw(source.name, source.title, data)
                panels.append(Panel(source.name, source.title, html, data, self._shown.number + 1))
        if any(one is not other for one, other in zip(panels, self._shown.panels)):
            self._shown = self._with(panels)
        self._looked = self._now()
        self._first.set()

    def _gathered(self, source: Source) -> Optional[dict[str, Any]]:
        """What a source shows now; None where it is what it was."""
        kept = self._kept[source.name]
        if kept.data is not None and self._now() < kept.due:
            return None
        try:
            version = source.version()
            if kept.data is not None and version == kept.version:
                return None
            data = source.gather()
        except DedupError as error:
            version, data = object(), {"error": str(error), "hint": error.hint}
        except Exception as error:  # noqa: BLE001 - one panel that fails must not take the others with it; it says so itself
            version, data = (
                object(),
                {"error": f"This panel could not be made ({type(error).__name__}: {error})", "hint": ""},
            )
        self._kept[source.name] = _Kept(version, self._now() + source.every, data)
        return data

    def _with(self, panels: Sequence[Panel]) -> Shown:
        number = max(panel.changed for panel in panels) if panels else 0
        return Shown(number, tuple(panels), time.time(), f"{self._run}-{number}")

    def json(self, since: int) -> bytes:
        """The panels that changed after ``since``, as the page takes them."""
        shown = self._shown
        panels = {panel.name: panel.html for panel in shown.since(since)}
        return json.dumps({"number": shown.number, "panels": panels}).encode()
