"""The panel of alerts: those that last now, and what was told or resolved lately. Looking raises none, and tells nobody."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..alerts.evaluation import over, present
from ..alerts.place import Place
from ..errors import DedupError
from ..project import config
from ..project.paths import ALERTS, Project

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
            return (int(time.time() / _AGAIN), os.stat(os.path.join(self._subject.state, ALERTS)).st_mtime_ns)
        return int(time.time() / _AGAIN)

    def alerts(self) -> dict[str, Any]:
        """The most urgent ones first, then what is over, the newest first."""
        subject = self._subject
        project = subject.project or Project(Path(subject.state))
        settings = config.load(os.fspath(project.root))
        try:
            with subject.stores.lent() as store:
                with store.transaction(write=False):
                    store.unique_count()
                return _shown(Place(project, subject.state, settings, store))
        except DedupError as error:  # which is an alert itself
            return _shown(Place(project, subject.state, settings, fault=error))


def _shown(place: Place) -> dict[str, Any]:
    return {
        "present": [each.as_dict() for each in present(place)],
        "over": [each.as_dict() for each in over(place)[:MOST]],
        "asked": place.settings["alerts"],
    }
