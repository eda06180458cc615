"""A log of API requests says the whole conversation again in every request: which of it was said before?

A message is known by everything that was said up to it (a chain of digests), so that a log in which several conversations
alternate is told apart, and a "yes" that is said twice in one conversation is two messages.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Any, Final

from .blocks import without_cache_control, without_reminders

_EMPTY: Final = b""
_THINKING: Final = ("thinking", "redacted_thinking")


class History:
    """What the log has said so far. Memory: a digest for each message of each request, far less than the log itself."""

    def __init__(self) -> None:
        self.conversations = 0
        """Requests that began with a message no earlier request began with."""
        self._chains: dict[bytes, int] = {}
        self._requests: list[list[bytes]] = []
        self._waiting: Counter[bytes] = Counter()
        self._responses: set[tuple[str, bytes]] = set()
        self._system: set[bytes] = set()

    def new_in_request(self, messages: list[Any]) -> list[bool]:
        """For each message of a request: is it said for the first time?

        Repeated is what stands behind the same beginning as in an earlier request, an answer whose response was in the
        log, and, where a client edited its history in place (old tool results emptied), what stands unchanged around it.
        """
        digests = [digest(message) for message in messages]
        chain, matched = _EMPTY, 0
        base: list[bytes] = []
        unbroken = True
        new = [False] * len(digests)
        for position, said in enumerate(digests):
            chain = _digest(chain + said)
            if unbroken and chain in self._chains:
                base = self._requests[self._chains[chain]]
                matched = position + 1
            else:
                unbroken = False
                new[position] = True
            self._chains[chain] = len(self._requests)
        if matched == 0 and digests:
            base = self._requests[-1] if self._requests else []
        edited = _edited_in_place(digests, base, matched)
        for position in range(matched, len(digests)):
            if edited and position < len(base) and digests[position] == base[position]:
                new[position] = False
            elif _is_answer(messages[position]) and self._waiting[digests[position]] > 0:
                self._waiting[digests[position]] -= 1
                new[position] = False
        if digests and matched == 0 and not edited:
            self.conversations += 1
        self._requests.append(digests)
        return new

    def is_new_response(self, message: dict[str, Any]) -> bool:
        """Is this answer in the log for the first time? The request that carries it on will find it waiting."""
        said = digest(message)
        identity = message.get("id")
        if isinstance(identity, str):
            if (identity, said) in self._responses:
                return False
            self._responses.add((identity, said))
        self._waiting[said] += 1
        return True

    def is_new_system(self, block: Any) -> bool:
        """Is this (part of the) system prompt in the log for the first time?"""
        said = _digest(_canonical(_block(block)))
        fresh = said not in self._system
        self._system.add(said)
        return fresh


def digest(message: Any) -> bytes:
    """What a message of the API says, however it was sent: text or blocks, with or without cache marks and reminders.

    Thinking is left out where there is more: clients drop it from the history.
    """
    if not isinstance(message, dict):
        return _digest(_canonical(message))
    content = message.get("content")
    blocks = content if isinstance(content, list) else [content]
    said = [_block(block) for block in blocks]
    lasting = [
        block for block in said if block != "" and not (isinstance(block, dict) and block.get("type") in _THINKING)
    ]
    return _digest(_canonical([message.get("role"), lasting or said]))


def _block(block: Any) -> Any:
    if isinstance(block, str):
        return without_reminders(block).rstrip()
    if not isinstance(block, dict):
        return block
    kind = block.get("type")
    if kind == "text" and isinstance(block.get("text"), str):
        return without_reminders(block["text"]).rstrip()
    if kind == "tool_use":
        return {key: block.get(key) for key in ("type", "id", "name", "input")}
    plain = without_cache_control(block)
    if kind == "tool_result":
        inner = plain.get("content")
        plain["content"] = [_block(item) for item in (inner if isinstance(inner, list) else [inner])]
        plain["is_error"] = bool(plain.get("is_error"))
    return plain


def _edited_in_place(digests: list[bytes], base: list[bytes], matched: int) -> bool:
    """True where a request carries on ``base`` with some of its messages changed: the last and most of them stand still."""
    if not base or matched >= len(base) or len(digests) < len(base) or digests[len(base) - 1] != base[-1]:
        return False
    still = sum(one == other for one, other in zip(digests, base))
    return still * 2 > len(base)


def _is_answer(message: Any) -> bool:
    return isinstance(message, dict) and message.get("role") == "assistant"


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()
