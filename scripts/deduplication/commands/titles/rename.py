"""``deduplicate_export.py rename``: what a conversation is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...errors import EXIT_OK, UsageError
from ...ingest.conversation_choice import choose
from ...reports import sessions as session_report
from ...terminal.display import show
from ...titles.said import rename
from ...titles.title import LONGEST_SET, title_of
from .. import arguments as shared
from ..shell.titles import followed

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST: Final = 1_000


def main(arguments: Sequence[str]) -> int:
    """Set a title, or give the conversation back its own. Raises ``ConversationUnclear``, and the ``StoreError`` family."""
    asked = parser().parse_args(arguments)
    title = " ".join(asked.title).strip()
    if bool(title) == asked.reset:
        raise UsageError(
            "say the new title, or --reset", hint="rename SESSION TITLE sets it, rename SESSION --reset takes it back."
        )
    if title and not title_of(title, lambda text: text, LONGEST_SET):
        raise UsageError("a title needs a letter or a digit")
    dedup, folder = shared.reader(asked)
    with dedup.store.transaction():
        name = choose(dedup.store, asked.session)
        rename(dedup.store, name, title[:_LONGEST])
    told = followed(asked, dedup.store, folder, name, changed=True)
    if asked.json:
        shared.print_json(told)
    else:
        show(session_report.named(told))
    return EXIT_OK


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py rename",
        "Set what a conversation is called: in lists, in the names of its files, in commits and on pages. Without a title of\n"
        "yours it has the client's, else the beginning of its first prompt. The title is kept in the store, not in the client.",
    )
    add = found.add_argument
    add("session", metavar="SESSION", help="a conversation's id, its beginning, or the id of a session")
    add("title", nargs="*", metavar="TITLE", help="its title from now on")
    add("--reset", action="store_true", help="give it back the title that it has by itself")
    shared.add_store(found)
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found
