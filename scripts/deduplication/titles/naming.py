"""What a conversation of a store is called: its title, its words, the day it began, and the name of its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Final

from ..alignment.plain_text import readable
from ..model import PROMPT, counts
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from .said import said_of
from .slug import short, slug
from .title import LONGEST_SET, title_of

if TYPE_CHECKING:
    from ..storage.contract import Store

    Clean = Callable[[str], str]

_AGENT: Final = "-agent-"
"""In the id of a sub-agent's conversation: what stands before it is the session that started it."""
_DAY: Final = late_pattern(r"\d{4}-\d\d-\d\d")
_LOOKED_AT: Final = 5
"""Prompts in which a title is looked for: the first ones may have neither letter nor digit."""


class Naming(NamedTuple):
    """``title`` is empty where nobody said anything that could be one, ``day`` (``2026-03-04``) where nothing is left of it."""

    conversation_id: str
    title: str = ""
    tags: tuple[str, ...] = ()
    day: str = ""
    first_prompt: str = ""

    @property
    def shown(self) -> str:
        """The title, or the id where there is none."""
        return self.title or self.conversation_id

    @property
    def stem(self) -> str:
        """The name of its files without ending: the day, the title, the beginning of the id.

        That of a sub-agent follows from its id alone: where its session tells of it, the link stays right.
        """
        agent = self.conversation_id.rpartition(_AGENT)[2] if _AGENT in self.conversation_id else ""
        words = ("agent", slug(agent)) if agent else (self.day, slug(self.title))
        return "-".join(filter(None, (*words, short(self.conversation_id))))


def stem_of(store: Store, conversation_id: str, clean: Clean) -> str:
    """The name of its files alone: see :attr:`Naming.stem`."""
    known = Naming(conversation_id)
    return (known if _AGENT in conversation_id else naming(store, conversation_id, clean)).stem


def naming(store: Store, conversation_id: str, clean: Clean) -> Naming:
    """What a conversation is called. ``clean`` takes secrets out of a text. Inside a transaction of the store.

    The first prompt is that with the lowest number: what is found of an earlier time later on gives no other name to the files.
    """
    said = said_of(store, conversation_id)
    first, prompts = _first(store, conversation_id)
    day = made = ""
    for number in dict.fromkeys((*first, *prompts)):
        body = next(iter(store.bodies(conversation_id, [number])))
        found = None if day else _DAY.match(str(body.get("timestamp", "")))
        day = day or (found[0] if found else "")
        made = title_of(readable(body["content"]), clean) if number in prompts else ""
        if made:
            break
    title = title_of(said.title, clean, LONGEST_SET) or title_of(said.client, clean) or made
    tags = tuple(filter(None, (title_of(word, clean) for word in said.tags)))
    return Naming(conversation_id, title, tags, day, made)


def _first(store: Store, conversation_id: str) -> tuple[list[int], list[int]]:
    """The first message that is left, and the first prompts, by their numbers."""
    conversation = store.conversation(conversation_id)
    gone = conversation.purged
    first: list[int] = []
    prompts: list[int] = []
    for number, kind in enumerate(conversation.columns.kinds):
        if number in gone or not counts(kind):
            continue
        first = first or [number]
        if kind == PROMPT:
            prompts.append(number)
            if len(prompts) == _LOOKED_AT:
                break
    return first, prompts
