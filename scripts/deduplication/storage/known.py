"""What a store's answers rest on: a state, a log and its blobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .log.append_log import Log
    from .state.blobs import Blobs
    from .state.log_state import State


class Known(Protocol):
    """What is asked. The state may be another one tomorrow."""

    @property
    def state(self) -> State:
        """What does the log come to?"""

    @property
    def log(self) -> Log:
        """Where are the lines?"""

    @property
    def blobs(self) -> Blobs:
        """Where are images and documents?"""
