"""Redaction while no lock of the store is held: a text is asked for under the lock, cleaned outside of it, and looked up after.

What is rendered under a lock while a text waits has a placeholder in its place, and must not be written:
:meth:`DeferredRedaction.require` says so. The attempt is made again once the texts are clean; what came into the store meanwhile is
asked for in that one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Final, TypeVar

from ..errors import SessionNotWritten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..storage.contract import Store
    from .redaction import Redact

WAITING: Final = "[REDACTED:waiting]"
"""Stands for a text that is not clean yet: whoever wrote it by mistake would publish nothing."""
_ROUNDS: Final = 50
_Result = TypeVar("_Result")


class NotYetClean(Exception):
    """A text in what was rendered is still to be cleaned; nothing of it may be written."""


class DeferredRedaction:
    """A redaction (to be called with a text) that cleans each text once, and only in :meth:`clean`."""

    def __init__(self, redact: Redact) -> None:
        self._redact = redact
        self._known: dict[str, tuple[str, Sequence[Any]]] = {}
        self._asked: dict[str, None] = {}
        self.at_once = False
        """Clean what nobody asked for before at once: for few and small texts, where no second attempt can be made."""

    def __call__(self, text: str) -> tuple[str, Sequence[Any]]:
        """The text without secrets and what was found; a placeholder where that is not known yet."""
        known = self._known.get(text)
        if known is None and self.at_once:
            known = self._known[text] = self._redact(text)
        if known is None:
            self._asked[text] = None
            return WAITING, ()
        return known

    @property
    def is_waiting(self) -> bool:
        """Whether a text that was asked for is not clean: nothing of this attempt will be written."""
        return bool(self._asked)

    def require(self) -> None:
        """Raises :class:`NotYetClean` where a text that was asked for is not clean."""
        if self._asked:
            raise NotYetClean

    def clean(self) -> None:
        """Clean everything that was asked for. Call it while nobody waits for a lock of ours."""
        for text in self._asked:
            self._known[text] = self._redact(text)
        self._asked.clear()

    def until_clean(self, attempt: Callable[[], _Result]) -> _Result:
        """The result of ``attempt``, which takes the locks and gives them back, made again until every text in it is clean.

        Raises :class:`SessionNotWritten` where what is asked for is another thing each time.
        """
        for _ in range(_ROUNDS):
            try:
                return attempt()
            except NotYetClean:
                self.clean()
        raise SessionNotWritten("the conversation went on growing")


def ask_for_all(store: Store, session: str, redact: DeferredRedaction) -> None:
    """Ask for every text that the files of a session show, in whatever form. Inside a transaction of the store."""
    from .content import blocks_of
    from .conversation import open_reading
    from .redaction import Cleaner

    clean = Cleaner(redact)
    for entry in open_reading(store, session).entries():
        blocks_of(entry.message, clean)  # as Markdown and pages say it
        clean.value(entry.message["content"])  # as JSON does
