"""Where in a log bodies, ids and turns stand: asked of an index in files, of a database, or of what is in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Iterator

    from ...alignment.fingerprint import Fingerprint
    from .conversation import ConversationState

    Found = tuple[int, Fingerprint]
    """The byte offset of the line that carries a body, and what is known of the body."""


class Whereabouts(Protocol):
    """Conversations are named by their numbers in the order in which they were begun, messages by their sequence numbers."""

    @property
    def apart(self) -> Container[str]:
        """Which conversations are known, without reading them, to be no part of another one?"""

    def note(
        self, conversation: ConversationState, item: Fingerprint, number: int, offset: int, *, brings: bool
    ) -> None:
        """An occurrence stands at this byte of the log; ``brings``: no line before it has the body."""

    def came_again(self, identity: str, found: Found) -> None:
        """A body that is there came once more."""

    def carriers(self, identities: Iterable[str]) -> Iterator[tuple[str, Found | None]]:
        """Which line carries each of these bodies? Of very many some may be left out, to be asked for one by one."""

    def expect(self, *, bodies: Iterable[str] = (), turns: Iterable[str] = ()) -> None:
        """It is asked for the owners of these next, by content hash and by alignment key: they may be had in one go."""

    def owners(self, identity: str) -> set[int]:
        """In which conversations does this body stand? A hint: with one body another may be taken for it."""

    def stands_in(self, identity: str, conversations: Collection[int]) -> bool:
        """Does this body stand in one of these conversations? The same hint, without all the others."""

    def owners_of_turn(self, key: str) -> set[int]:
        """In which conversations does a turn with this alignment key stand? A hint."""

    def with_body(self, conversation: ConversationState, identity: str) -> Iterator[tuple[int, Fingerprint]]:
        """Which messages of a conversation that adopted none have this body? Others may be among them."""

    def with_turn(self, conversation: ConversationState, key: str) -> Iterator[tuple[int, Fingerprint]]:
        """The same of turns with this alignment key."""

    def ids(self, conversations: Collection[int], uuids: Collection[str]) -> Iterator[tuple[int, int, str]]:
        """Where do these ids stand: in which of these conversations, under which own number? Other ids may be among them."""

    def saved(self) -> None:
        """An index has everything now."""

    def let_go(self) -> None:
        """Keep nothing in memory that an index has."""
