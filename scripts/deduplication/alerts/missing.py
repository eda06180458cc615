"""The rule for gaps: what is missing of the conversations, in the store and by the client's own files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..accounting.storage_account import project_of
from ..gaps import client_side, gap, look
from . import alert
from .alert import Raised

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .audit_tail import AuditTail
    from .book import Book
    from .place import Place

_TOLD_GAPS: Final = ("index_jump", "missing_parent", "compaction", "unseen_export", "unstored_session", "at_risk")
"""Kinds of gaps. Lines that the client hides are in nearly every text export, and nobody can do anything about the others."""


def gaps(place: Place, _book: Book, _audit: AuditTail) -> Iterator[Raised]:
    """Messages that must have been there, by kind: what is sure or likely, and that somebody can still do something about."""
    assert place.store is not None
    client = None
    if place.transcripts:
        client = client_side.client_side(place.root or place.project.root, project_of(place.folder))
    # What was cut from results takes long to look for, and nobody is told of it.
    found = look.look(place.store, client=client, folder=place.folder, read_log=False)
    for kind in _TOLD_GAPS:
        of_kind = [each for each in found.of(kind) if each.sure != gap.POSSIBLE]
        if of_kind:
            more = f", and {len(of_kind) - 1:,} more" if len(of_kind) > 1 else ""
            fill = of_kind[0].fill or "'deduplicate_export.py gaps' lists them."
            yield Raised(alert.GAPS, kind, f"{of_kind[0].text}{more}", fill)
