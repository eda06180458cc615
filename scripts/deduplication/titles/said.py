"""What a user said of a conversation, put into the log; and what the log has of it: titles, and words to find it by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..files import clock
from ..model import CLIENT_TITLES
from ..start.late_tuple import NamedTuple
from ..storage.log.lines import encode_line
from ..storage.log.title_records import CLIENT, TAGS, TITLE, titled_record
from ..storage.log_backed import require_log
from ..storage.state.titled import FIGURE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..storage.contract import Store


class Said(NamedTuple):
    """``title`` is the user's own, empty where none was set; ``client`` the client's that holds; ``tags`` in their order."""

    title: str = ""
    client: str = ""
    tags: tuple[str, ...] = ()


def said_of(store: Store, conversation_id: str) -> Said:
    """What the log has of a conversation. Inside a transaction."""
    found: dict[str, Any] = store.conversation(conversation_id).figures.get(FIGURE) or {}
    client = found.get(CLIENT, {})
    tags = tuple(sorted(word for word, (_, has) in found.get(TAGS, {}).items() if has))
    named = (client[kind][1] for kind in CLIENT_TITLES if kind in client)
    return Said(found.get(TITLE, ("", ""))[1], next(named, ""), tags)


def rename(store: Store, conversation_id: str, title: str) -> None:
    """Set its title; an empty one gives it back the one that it has by itself. Inside a transaction for writing."""
    _say_later(store, conversation_id, {TITLE: title})


def tag(store: Store, conversation_id: str, words: Mapping[str, bool]) -> None:
    """Add words to it, or take them away. Inside a transaction for writing."""
    _say_later(store, conversation_id, {TAGS: dict(words)})


def say(store: Store, conversation_id: str, said: Mapping[str, Any], moment: str = "") -> None:
    """Put it into the log as it is, at this moment (default: now). Inside a transaction for writing.

    Raises ``StoreKeepsNoLog``, and the ``StoreError`` family.
    """
    backed = require_log(store, "titles")
    record = titled_record(conversation_id, moment or clock.timestamp(), said, backed.head)
    for _ in backed.load([encode_line(record)]):
        pass


def _say_later(store: Store, conversation_id: str, said: Mapping[str, Any]) -> None:
    """After all that was said before, also where clocks differ: what is said last holds."""
    before = store.conversation(conversation_id).figures.get(FIGURE) or {}
    moments = [each[0] for name in (CLIENT, TAGS) for each in before.get(name, {}).values()]
    last = max([*moments, *before.get(TITLE, ())[:1]], default="")
    now = clock.timestamp()
    say(store, conversation_id, said, now if now > last else _after(last))


def _after(moment: str) -> str:
    known = clock.microseconds(moment)
    return moment + "0" if known is None else clock.spelt((known + 1000) / 1_000_000)
