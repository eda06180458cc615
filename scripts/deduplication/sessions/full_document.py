"""A whole conversation in one piece, in each form: for a file of the reader's own, a screen, another program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import SessionUnknown
from ..titles.naming import naming, stem_of
from .agents import family
from .conversation import open_reading
from .deferred_redaction import DeferredRedaction
from .facts import facts_of
from .header import header
from .markdown import Names
from .names import file_of
from .own_files import pages_of, remove
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
    clean = Cleaner(redact)
    own = naming(store, session, Cleaner(redact).redacted_text)
    near = {kin.parent, *kin.agents.values()}.intersection(beside)
    files = {name: stem_of(store, name, clean.redacted_text) + ENDINGS[form] for name in near}
    if form == HTML:
        from .html.page import page

        yield from page(reading, kin, files, clean, own, pictures=pictures)
    elif form == JSON:
        from .document_json import document as json_document

        yield from json_document(reading, kin, clean, own)
    else:
        yield _markdown(reading, Names(kin, files, own), clean)


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


def file_name(store: Store, session: str, form: str, redact: Redact) -> str:
    """What the document of a session is called among others. Outside of a transaction."""
    with store.transaction(write=False):
        return stem_of(store, session, Cleaner(redact).redacted_text) + ENDINGS[form]


def remove_former(folder: str, session: str, form: str, name: str) -> None:
    """Delete what the document of a session was called before its title was another one."""
    remove(folder, [each for each in pages_of(folder, session, ENDINGS[form]) if each != name])


def names_of(store: Store, session: str, clean: Cleaner) -> Names:
    """What the files of a session are called, and those of its sub-agents and of the session that started it, beside them."""
    kin = family(store, session)
    near = filter(None, dict.fromkeys((kin.parent, *kin.agents.values())))
    files = {name: file_of(stem_of(store, name, clean.redacted_text), 1) for name in near}
    return Names(kin, files, naming(store, session, clean.redacted_text))


def _markdown(reading: Reading, names: Names, clean: Cleaner) -> str:
    growing = Growing([], 1 << 62, clean, names)
    growing.add(reading.entries())
    part = growing.parts[0]
    head = header(facts_of(reading, part.first, part.last), (), clean, names)
    return head + growing.added.get(0, b"").decode()
