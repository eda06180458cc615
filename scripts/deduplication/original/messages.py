"""A message of the original project as messages of ours: roles, blocks, times; what has no role that is known is kept as it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from .. import formats
from ..errors import ExportError
from ..files import clock
from ..formats.third_party_signs import role_in
from ..model import LAYOUT, SYSTEM, UNKNOWN, Message
from ..start.late_dataclass import replace
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from .proof import content_key, is_proven, undone

if TYPE_CHECKING:
    from .entries import Entry

_WHICH: Final = late_pattern(r"message 1 (?:\(line \d+\) )?")
_ZONE: Final = late_pattern(r"(?:[Zz]|[+-]\d\d:?\d\d)\Z")


class Read(NamedTuple):
    """The messages of an entry; ``odd`` says why it was kept as it is, empty where it was understood."""

    messages: list[Message]
    odd: str = ""


def messages_of(entry: Entry, *, encoded: bool) -> Read:
    """What an entry says. ``encoded``: all texts of its log are JSON of what was said.

    The time at which the original project stored a message stands for the message's own, where it has none: in UTC, which is what
    it wrote. Text that its reader of text exports took from a screen is laid out.
    """
    said = original_message(entry, encoded=encoded)
    if not isinstance(said, dict):
        return Read([_unexplained(_text(said), entry)], "it is no object")
    if role_in(said) is None and not isinstance(said.get("message"), dict):
        key = content_key(said)
        text = _text(said[key]) if key else _text(said)
        return Read([_unexplained(text, entry, said)], f"{_role(said)} is no role that is known")
    try:
        export = formats.messages_of([said])
    except ExportError as error:  # JSON that only Python takes: NaN
        return Read([_unexplained(_text(said), entry, said)], error.detail)
    moment = _moment(entry)
    drawn = said.get("role") is not None and said.get("role") == said.get("type")
    messages = [
        replace(each, timestamp=each.timestamp or moment, fidelity=LAYOUT if drawn else each.fidelity)
        for each in export.messages
    ]
    return Read(messages, "; ".join(_WHICH.sub("it ", warning, count=1) for warning in export.warnings))


def original_message(entry: Entry, *, encoded: bool) -> Any:
    """The message of an entry; where its content is JSON of what was said, with what was said in its place.

    ``encoded`` decides, else the hash that was stored with it.
    """
    said = entry.message
    other = undone(said) if isinstance(said, dict) else None
    if other is None:
        return said
    proven = is_proven(other, entry.identity) and not is_proven(said, entry.identity)
    return other if encoded or proven else said


def _unexplained(text: str, entry: Entry, said: dict[str, Any] | None = None) -> Message:
    """A message that nobody is known to have said."""
    index = (said or {}).get("index")
    number = index if isinstance(index, int) and not isinstance(index, bool) else None
    return Message(SYSTEM, UNKNOWN, text, source_index=number, timestamp=_moment(entry))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _role(said: dict[str, Any]) -> str:
    """What stands in the place of a role."""
    return json.dumps(next((said[key] for key in ("role", "type") if key in said), None))


def _moment(entry: Entry) -> str | None:
    """The time at which it was stored, with its zone; None where it has none that can be read."""
    if clock.microseconds(entry.moment) is None:
        return None
    return entry.moment if _ZONE.search(entry.moment) else f"{entry.moment}Z"
