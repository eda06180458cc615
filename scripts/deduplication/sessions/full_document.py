"""A whole conversation in one piece, in each form: for a file of the reader's own, a screen, another program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import SessionUnknown
from .agents import family
from .conversation import open_reading
from .deferred_redaction import DeferredRedaction
from .facts import facts_of
from .header import header
from .markdown import Names
from .names import file_of, stem
from .parts import Growing
from .redaction import Cleaner

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from ..storage.contract import Store
    from .conversation import Reading
    from .redaction import Redact

MARKDOWN: Final = "markdown"
HTML: Final = "html"
JSON: Final = "json"
ENDINGS: Final = {MARKDOWN: ".md", HTML: ".html", JSON: ".json"}


def pieces(
    store: Store,
    session: str,
    form: str,
    redact: Redact,
    beside: Iterable[str] = (),
    chosen: Collection[int] | None = None,
    *,
    pictures: bool = False,
) -> Iterator[str]:
    """The conversation ``session`` as ``form`` (a key of :data:`ENDINGS`), piece by piece.

    ``redact`` takes secrets out (:func:`redaction.standard`). ``beside`` are sessions that are written into the same folder: only
    to them it links. ``chosen`` are the sequence numbers of the messages that it has, at least one; None: all of them.
    ``pictures``: a page shows the images that it has, in which nothing is redacted; else it names them.
    Call it inside a transaction of the store, and take the pieces inside of it. Raises :class:`SessionUnknown`.
    """
    reading = open_reading(store, session)
    if not len(reading):
        raise SessionUnknown(session)
    if chosen is not None:
        reading = reading.part(chosen)
    kin = family(store, session)
    files = {name: stem(name) + ENDINGS[form] for name in beside}
    clean = Cleaner(redact)
    if form == HTML:
        from .html.page import page

        yield from page(reading, kin, files, clean, pictures=pictures)
    elif form == JSON:
        from .document_json import document as json_document

        yield from json_document(reading, kin, clean)
    else:
        yield _markdown(reading, Names(kin, files), clean)


def text_of(
    store: Store,
    session: str,
    form: str,
    redact: Redact,
    beside: Iterable[str] = (),
    chosen: Collection[int] | None = None,
    *,
    pictures: bool = False,
) -> str:
    """:func:`pieces` as one text. The store's lock is held while it is read, not while secrets are looked for."""
    prepared = DeferredRedaction(redact)

    def attempt() -> str:
        with store.transaction(write=False):
            text = "".join(pieces(store, session, form, prepared, beside, chosen, pictures=pictures))
        prepared.require()
        return text

    return prepared.until_clean(attempt)


def names_of(store: Store, session: str) -> Names:
    """What the files of a session call others: its sub-agents, and the file of each conversation, which lies beside them."""
    return Names(family(store, session), {name: file_of(stem(name), 1) for name in store.conversations()})


def _markdown(reading: Reading, names: Names, clean: Cleaner) -> str:
    growing = Growing([], 1 << 62, clean, names)
    growing.add(reading.entries())
    part = growing.parts[0]
    head = header(facts_of(reading, part.first, part.last), (), clean, names)
    return head + growing.added[0].decode()
