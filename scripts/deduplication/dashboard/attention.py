"""The panel of alerts: those that last now, and what was told or resolved lately. Looking raises none, and tells nobody."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..alerts import opened
from ..alerts.book import NAME
from ..alerts.evaluation import recent
from ..project import config
from ..project.paths import Project
from ..start.late_dataclass import replace

if TYPE_CHECKING:
    from collections.abc import Hashable

    from .figures import Figures

MOST: Final = 30
"""Alerts that are shown."""
_AGAIN: Final = 20
"""Seconds after which rules are asked again, whatever changed: some of them ask the machine, or the client's files."""


class Attention:
    """The alerts of the store that ``figures`` are of."""

    def __init__(self, figures: Figures) -> None:
        self._subject = figures.subject

    def version(self) -> Hashable:
        """The file of alerts, and the time."""
        with contextlib.suppress(OSError):
            return (int(time.time() / _AGAIN), os.stat(os.path.join(self._subject.state, NAME)).st_mtime_ns)
        return int(time.time() / _AGAIN)

    def alerts(self) -> dict[str, Any]:
        """The most urgent ones first, then what is over, the newest first."""
        subject = self._subject
        project = subject.project or Project(Path(subject.state))
        settings = config.load(os.fspath(project.root))
        backend, address = subject.stores.named
        with subject.stores.lent() as store:
            place = opened(project, subject.state, settings, backend=backend, url=address)
            place = place if place.fault is not None else replace(place, store=store)
            found = [each.as_dict() for each in recent(place)]
        present = [each for each in found if each["state"] in ("active", "acknowledged")]
        return {
            "present": present,
            "over": [each for each in found if each not in present][:MOST],
            "asked": settings["alerts"],
        }
