"""``deduplicate_export.py search``: find messages by their words."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from ..errors import EXIT_OK, StoreMissing, UsageError
from ..model import BOOKKEEPING, KINDS, ROLES
from ..reports import search as search_report
from ..search.hits import Wanted
from ..search.in_tagged import find
from ..start.late_dataclass import replace
from ..storage import lies_in_folder, open_store
from ..storage.log_backed import folder_of
from ..terminal import console
from ..terminal.display import show
from ..words.terms import terms
from . import arguments as shared
from .shell.titles import namings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from ..search.hits import Found, Hit
    from ..search.patterns import Pattern
    from ..storage.contract import Store
    from ..words.terms import Term

LIMIT: Final = 20
NEAR: Final = 3
"""Messages that are shown where none has what was asked for."""
MOST_NEAR: Final = 4
"""Words of a query up to which they are looked for."""
_FINDABLE: Final = [kind for kind in KINDS if kind != BOOKKEEPING]


def main(arguments: Sequence[str]) -> int:
    """Show the messages that have every word; 0 also where there is none."""
    asked = parser().parse_args(arguments)
    wanted = terms(asked.text)
    if not wanted and asked.regex is None:
        raise UsageError("nothing to look for", hint="Pass a word or a phrase; signs alone are not looked for.")
    if asked.all_stores and asked.session is not None:
        raise UsageError("--session and --all-stores exclude each other")
    result = _Search(asked).result(wanted)
    if asked.json:
        shared.print_json(search_report.as_dict(result))
    else:
        show(
            search_report.quoted(result, asked.characters)
            if asked.quoted
            else search_report.text(result, colour=console.wants_colour(sys.stdout), most=asked.characters)
        )
    return EXIT_OK


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py search",
        "Find the messages that have every word, in all conversations of the store, the newest first. Case, layout,\n"
        "line breaks and signs do not matter. A word finds words that begin with it, parts of names (tideClock, tide_clock)\n"
        "too; an argument with a blank in it, or in quotes of its own ('\"clock\"'), is found as it is, a phrase in its order,\n"
        "and with a star at its end its last word may go on. A message is shown once, however often it was said, with the\n"
        "number of its places.",
    )
    add = found.add_argument
    add("text", nargs="*", metavar="TEXT", help="beginnings of words, and phrases")
    add(
        "--regex",
        metavar="P",
        help="only messages with a line that matches this regular expression; no TEXT is needed then",
    )
    add("--session", metavar="ID", help="one conversation only: its id, the beginning of it, or a session's id")
    add("--tag", metavar="WORD", action="append", default=[], help="only conversations that have this word (see tag)")
    add("--role", choices=ROLES, metavar="R", help="one role only: user, assistant or system")
    add("--kind", choices=_FINDABLE, metavar="K", help="one kind of message only, such as prompt, text or tool_result")
    add("--since", metavar="D", type=shared.since, help="from this day on, or from this time on (on your own clock)")
    add("--until", metavar="D", type=shared.until, help="up to the end of this day, or before this time")
    add(
        "--limit",
        metavar="N",
        type=shared.whole_number,
        default=LIMIT,
        help=f"show N messages at most (default: {LIMIT})",
    )
    add(
        "--context", metavar="N", type=shared.whole_number, default=0, help="show N messages before and after each, too"
    )
    add("--all-stores", action="store_true", help="look into your own store of other projects as well")
    add("--characters", metavar="N", type=shared.whole_number, help="print N characters at most, cut between messages")
    shared.add_quoted(found)
    shared.add_store(found)
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found


class _Search:
    """One call of the command."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self._asked = asked
        self._own = shared.store_to_read(asked).folder
        self._stores: dict[str, Store] = {}
        self._titles: dict[tuple[str, str], str] = {}
        self._pattern: Pattern | None = None
        if asked.regex is not None:
            from ..search.patterns import Pattern

            self._pattern = Pattern(asked.regex)

    def result(self, wanted: list[Term]) -> search_report.Result:
        """Search every store asked for; raises ``StoreMissing`` where there is none."""
        filters = self._filters()
        found = self._found(wanted, filters)
        if found.total:
            return found
        for fewer in _nearer(wanted):
            near = self._found(fewer, filters, limit=NEAR)
            if near.total:
                return replace(found, near=near)
        return found

    def _filters(self) -> Wanted:
        asked, pattern = self._asked, self._pattern
        matches = pattern.is_in if pattern is not None else None
        return Wanted((), asked.role, asked.kind, self._conversation(), asked.since, asked.until, matches)

    def _found(self, wanted: list[Term], filters: Wanted, limit: int | None = None) -> search_report.Result:
        limit = self._asked.limit if limit is None else min(limit, self._asked.limit)
        filters = replace(filters, terms=tuple(wanted))
        found = [(folder, self._find(folder, filters, limit)) for folder in self._folders()]
        hits = sorted(
            ((hit, folder) for folder, scanned in found for hit in scanned.hits),
            key=lambda each: (each[0].newest.timestamp, each[0].newest.number),
            reverse=True,
        )
        shown = [each.shown for each in wanted]
        return search_report.Result(
            query=" ".join([*shown, *([f"--regex {self._pattern.text}"] if self._pattern is not None else [])]),
            hits=[self._shown(hit, folder, wanted) for hit, folder in hits[:limit]],
            total=len(hits),
            damaged=sum(scanned.damaged for _, scanned in found),
            capped=any(scanned.capped for _, scanned in found),
            unfiltered=sum(scanned.unfiltered for _, scanned in found),
            command=shared.shell_command(self._asked, "show"),
        )

    def _folders(self) -> list[str]:
        """Those of the stores to be searched; that of a store which lies in a database stands for it."""
        in_folder = self._is_folder(self._own) or folder_of(self._store(self._own)) is not None
        own = [self._own] * (shared.is_store(self._own) if in_folder else True)
        others = shared.every_store(self._asked) if self._asked.all_stores else []
        found = own + [folder for folder in others if folder != self._own]
        if not found:
            raise StoreMissing(self._own)
        return found

    def _find(self, folder: str, wanted: Wanted, limit: int) -> Found:
        if self._is_folder(folder) and not self._asked.tag:
            return find(None, folder, wanted, limit)
        store = self._store(folder)
        if self._pattern is not None and folder_of(store) is None:
            raise UsageError(
                "--regex is for a store in a folder", hint="Look for words; a database has an index of them."
            )
        return find(store, folder, wanted, limit, self._asked.tag)

    def _conversation(self) -> str | None:
        if self._asked.session is None:
            return None
        from ..ingest.conversation_choice import choose

        store = self._store(self._own)
        with store.transaction(write=False):
            return choose(store, self._asked.session)

    def _shown(self, hit: Hit, folder: str, wanted: list[Term]) -> search_report.RenderedHit:
        place = hit.newest
        context: list[dict[str, Any]] = []
        if self._asked.context:
            from ..ingest.conversation_choice import around

            store = self._store(folder)
            with store.transaction(write=False):
                numbers = around(store.conversation(place.conversation), place.number, self._asked.context)
                kept = [number for number in numbers if number not in store.conversation(place.conversation).purged]
                context = list(store.bodies(place.conversation, kept))
        elsewhere = "" if folder == self._own else folder
        text = hit.text
        excerpts = text.excerpts(wanted)
        if self._pattern is not None:
            excerpts += text.excerpt_at(self._pattern.spans(text.text))
        title = self._title(folder, place.conversation)
        handle = self._handle(folder, place.conversation) if self._asked.quoted else place.conversation
        return search_report.RenderedHit(hit, place, excerpts, folder, elsewhere, title, handle, context)

    def _title(self, folder: str, conversation: str) -> str:
        if (folder, conversation) not in self._titles:
            store = self._store(folder)
            with store.transaction(write=False):
                self._titles[folder, conversation] = namings(self._asked, store, [conversation])[conversation].title
        return self._titles[folder, conversation]

    def _handle(self, folder: str, conversation: str) -> str:
        from ..ingest.conversation_choice import handle

        store = self._store(folder)
        with store.transaction(write=False):
            return handle(conversation, store.conversations())

    def _store(self, folder: str) -> Store:
        if folder not in self._stores:
            backend, address = self._named(folder)
            self._stores[folder] = open_store(backend, folder, address)
        return self._stores[folder]

    def _is_folder(self, folder: str) -> bool:
        """Whether no database knows of a store, told without opening it."""
        backend, address = self._named(folder)
        return lies_in_folder(backend, folder, address)

    def _named(self, folder: str) -> tuple[str | None, str | None]:
        return (self._asked.backend, self._asked.db_url) if folder == self._own else (None, None)


def _nearer(wanted: list[Term]) -> Iterator[list[Term]]:
    """What is looked for where nothing has all of it: the words of phrases in any order, then all words but one."""
    words = terms([word for term in wanted for word in term.words])
    if not 1 < len(words) <= MOST_NEAR:
        return
    if len(words) != len(wanted) or words != wanted:
        yield words
    for left_out in sorted(words, key=lambda term: len(term.row)):
        yield [term for term in words if term is not left_out]
