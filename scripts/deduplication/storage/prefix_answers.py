"""What a store answers for an export that begins as an earlier one did (see :class:`~.prefix.Prefixes`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .state.prefixes import prefixes_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..alignment.fingerprint import Fingerprint
    from .known import Known
    from .prefix import SeenPrefix


class PrefixAnswers:
    """What is asked of ``known`` row by row, so that those of a whole conversation are not read."""

    def __init__(self, known: Known) -> None:
        self._known = known

    def prefixes(self, head: str) -> Sequence[SeenPrefix]:
        """How exports began that were processed."""
        return prefixes_in(self._known.state, head)

    def expect_bodies(self, content_hashes: Iterable[str]) -> None:
        """These are asked for next."""
        self._known.state.bodies.find_all(content_hashes)

    def print_of(self, content_hash: str) -> Fingerprint | None:
        """What is known of a body."""
        return self._known.state.bodies.fingerprint(content_hash)

    def row(self, conversation_id: str, number: int) -> Fingerprint:
        """The row of an occurrence."""
        return self._known.state.conversation(conversation_id).row(number)[0]

    def holds(self, conversation_id: str, content_hash: str) -> bool:
        """True where a message of this conversation has the body."""
        from . import finding  # a file that is known needs none of it

        return finding.holds(self._known.state, conversation_id, content_hash)

    def turns_with(self, conversation_id: str, key: str) -> int:
        """How many turns of a conversation have the key."""
        from . import finding

        return finding.turns_with(self._known.state, conversation_id, key)
