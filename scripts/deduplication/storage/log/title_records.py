"""What the log says of what a conversation is called: titles that the client gave it, and what its user said of it.

The client's stand in the commit record of the run that showed them; what a user says is a run of its own that shows nothing. So
a title goes wherever the log goes: into packs, backups, databases, to other machines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .lines import PREVIOUS, Damaged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .lines import Record

TITLED: Final = "titled"
"""The member of a commit record that has all of it."""
TITLE: Final = "title"
"""The format of a run that shows nothing, and what its audit line calls the operation; in it, the title that a user set."""
CLIENT: Final = "client"
"""In it: the client's titles, by their kind."""
TAGS: Final = "tags"
"""In it: words, each with whether it is one of the conversation's from now on."""


def titled_record(conversation_id: str, moment: str, said: Mapping[str, Any], head: str) -> Record:
    """The line in which a user says something of a conversation; ``head`` is that of the log before it."""
    export = {"name": "", "sha256": "", "bytes": 0, "format": TITLE, "parser": 0, "total": 0, "new": 0}
    return {
        "conversation_id": conversation_id,
        "timestamp": moment,
        "export": export,
        "window": [],
        "processing_time_ms": 0,
        TITLED: dict(said),
        PREVIOUS: head,
    }


def is_titling(record: Mapping[str, Any]) -> bool:
    """True for the record of a run that only says what a conversation is called."""
    return TITLED in record and bool(record["export"].get("format") == TITLE)


def check_titled(record: Record) -> None:
    """Raises :class:`Damaged` where what a record says of titles has another form."""
    said = record.get(TITLED, {})
    sound = isinstance(said, dict) and isinstance(said.get(TITLE, ""), str)
    client, tags = (said.get(CLIENT, {}), said.get(TAGS, {})) if sound else (None, None)
    if not isinstance(client, dict) or not all(isinstance(text, str) for text in client.values()):
        raise Damaged("titles of another form")
    if not isinstance(tags, dict) or not all(type(has) is bool for has in tags.values()):
        raise Damaged("words of another form")


def without_titles(record: Record) -> Record:
    """A commit record that says nothing of titles any more; one that says nothing else keeps its place."""
    if is_titling(record):
        return {**record, TITLED: {}}
    return {name: value for name, value in record.items() if name != TITLED}
