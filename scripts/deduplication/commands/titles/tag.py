"""``deduplicate_export.py tag``: words to find a conversation by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...errors import EXIT_OK, UsageError
from ...ingest.conversation_choice import choose
from ...reports import sessions as session_report
from ...terminal.display import show
from ...titles.said import tag
from ...titles.slug import slug
from .. import arguments as shared
from ..shell.titles import followed

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST: Final = 40


def main(arguments: Sequence[str]) -> int:
    """Add words, or take them away. Raises ``ConversationUnclear``, and the ``StoreError`` family."""
    asked = parser().parse_args(arguments)
    words = [tag_of(word) for word in asked.words]
    dedup, folder = shared.reader(asked)
    with dedup.store.transaction(write=bool(words)):
        name = choose(dedup.store, asked.session)
        if words:
            tag(dedup.store, name, dict.fromkeys(words, not asked.remove))
    told = followed(asked, dedup.store, folder, name, changed=bool(words))
    if asked.json:
        shared.print_json(told)
    else:
        show(session_report.named(told))
    return EXIT_OK


def tag_of(word: str) -> str:
    """A word as it is kept: letters, digits and hyphens, in lower case. Raises :class:`UsageError` where nothing is left."""
    found = slug(word, _LONGEST)
    if not found:
        raise UsageError(f"'{word}' is no word", hint="Letters and digits of any script.")
    return found


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py tag",
        "Add words to a conversation, by which 'search --tag', 'show --tag' and 'session --tag' find it; without a word show\n"
        "those that it has. They are kept in the store, not in the client.",
    )
    add = found.add_argument
    add("session", metavar="SESSION", help="a conversation's id, its beginning, or the id of a session")
    add("words", nargs="*", metavar="WORD", help="words, kept in lower case with hyphens for blanks")
    add("--remove", action="store_true", help="take the words away")
    shared.add_store(found)
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found
