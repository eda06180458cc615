"""A whole conversation in one piece, in each form: for a file of the reader's own, a screen, another program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import SessionUnknown
from .agents import family
from .conversation import open_reading
from .facts import facts_of
from .header import header
from .markdown import Names
from .names import stem
from .parts import Growing
from .redaction import Cleaner, standard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..storage.base import Store
    from .conversation import Reading
    from .redaction import Redact

MARKDOWN: Final = "markdown"
HTML: Final = "html"
JSON: Final = "json"
ENDINGS: Final = {MARKDOWN: ".md", HTML: ".html", JSON: ".json"}


def document(store: Store, session: str, form: str, redact: Redact | None = None) -> Iterator[str]:
    """The conversation ``session`` as ``form`` (a key of :data:`ENDINGS`), piece by piece.

    ``redact`` takes secrets out (None: the standard way).
    Call it inside a transaction of the store, and take the pieces inside of it. Raises :class:`SessionUnknown`.
    """
    reading = open_reading(store, session)
    if not len(reading):
        raise SessionUnknown(session)
    kin = family(store, session)
    clean = Cleaner(standard()[0] if redact is None else redact)
    if form == HTML:
        from .html import page

        yield from page(reading, kin, links(store, HTML), clean)
    elif form == JSON:
        from .document_json import document as json_document

        yield from json_document(reading, kin, clean)
    else:
        yield _markdown(reading, Names(kin, links(store, MARKDOWN)), clean)


def links(store: Store, form: str) -> dict[str, str]:
    """The file in which each conversation would be, beside this one."""
    return {name: stem(name) + ENDINGS[form] for name in store.conversations()}


def _markdown(reading: Reading, names: Names, clean: Cleaner) -> str:
    growing = Growing([], 1 << 62, clean, names)
    growing.add(reading.entries())
    part = growing.parts[0]
    head = header(facts_of(reading, part.first, part.last), (), clean, names)
    return head + growing.added[0].decode()
