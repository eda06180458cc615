"""A conversation in pages of some messages: drawn as the page of a session is, with style and script at addresses of ours.

Nothing is drawn that nobody looks at, so that a page of a conversation of any size costs the same but for its order.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final, Optional

from ..errors import SessionUnknown
from ..ingest.conversation_choice import position
from ..sessions.agents import family
from ..sessions.conversation import open_reading
from ..sessions.deferred_redaction import DeferredRedaction
from ..sessions.html.frame import Frame
from ..sessions.html.page import page
from ..sessions.redaction import Cleaner
from ..titles.naming import naming
from .subject import key_of

if TYPE_CHECKING:
    from ..storage.contract import Store
    from .subject import Subject

PAGE: Final = 200
"""Messages of a page."""


def document(
    subject: Subject, conversation: str, first: int = 0, number: Optional[int] = None, root: str = ".."
) -> str:
    """The page that begins at position ``first``, or that has the message ``number``; ``root``: the way to the dashboard.

    Raises :class:`SessionUnknown`, ``UsageError`` for a message that is not there, and the ``StoreError`` family.
    """
    prepared = DeferredRedaction(subject.redact)

    def attempt() -> str:
        with subject.stores.lent() as store, store.transaction(write=False):
            text = _page(store, conversation, first, number, prepared, root)
        prepared.require()
        return text

    return prepared.until_clean(attempt)


def _page(store: Store, asked: str, first: int, number: Optional[int], redact: DeferredRedaction, root: str) -> str:
    name = store.session(asked) or store.canonical(asked)
    reading = open_reading(store, name)
    if not len(reading):
        raise SessionUnknown(asked)
    if number is not None:
        first = position(store.conversation(name), reading.order, number)
    first = max(0, min(first, len(reading) - 1)) // PAGE * PAGE
    shown = reading.part(set(reading.order[first : first + PAGE])) if len(reading) > PAGE else reading
    kin = family(store, name)
    clean = Cleaner(redact)
    own = naming(store, name, Cleaner(redact).redacted_text)
    files = {each: key_of(each) for each in (kin.parent, *kin.agents.values()) if each}
    way = _way(key_of(name), first, len(reading), root)
    frame = Frame(f"{root}/static/session.css", f"{root}/static/session.js", way, way)
    return "".join(page(shown, kin, files, clean, own, frame=frame))


def _way(key: str, first: int, count: int, root: str) -> str:
    """Links to the pages around this one, and back to the dashboard."""
    parts = [f'<a href="{escape(root)}/">Dashboard</a>']
    if count > PAGE:
        last = (count - 1) // PAGE * PAGE
        for name, at in (("First", 0), ("Previous", first - PAGE), ("Next", first + PAGE), ("Last", last)):
            if 0 <= at <= last and at != first:
                parts.append(f'<a href="{escape(key)}?from={at}">{name}</a>')
        parts.append(f"messages {first + 1:,} to {min(first + PAGE, count):,} of {count:,}")
    return f"<p class=notice>{' · '.join(parts)}</p>\n"
