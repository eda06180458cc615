"""Conversations by their numbers: what questions about messages tell of them on the way is not asked for again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .clean_text import named

if TYPE_CHECKING:
    from .session import Session

_NAME: Final = "SELECT conversation_id FROM conversations WHERE owner = %s AND number = %s"


class ConversationNames:
    """``begun``: how many conversations were ever begun of which the database has the rows."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.begun = 0
        self._names: dict[int, str] = {}
        self.apart: set[str] = set()
        """Names of those that are no part of another one, as far as rows told it."""

    def note(self, number: int, stored_name: str, *, apart: bool) -> None:
        """A row was read; ``apart``: this conversation is no part of another one."""
        name = self._names[number] = named(stored_name)
        if apart:
            self.apart.add(name)

    def noted(self, number: int, name: str) -> None:
        """One that was begun just now, or read otherwise."""
        self._names[number] = name

    def name(self, number: int) -> str:
        """Empty where none has this number."""
        if number not in self._names:
            found = self._session.rows(_NAME, [self._session.owner, number])
            self._names[number] = named(found[0][0]) if found else ""
        return self._names[number]

    def is_stored(self, number: int) -> bool:
        """Whether the database may have rows of it."""
        return 0 <= number < self.begun

    def clear(self) -> None:
        """What is known may be another tomorrow."""
        self._names.clear()
        self.apart.clear()
