"""``deduplicate_export.py search``: find messages by their words."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from ..errors import EXIT_OK, StoreMissing, UsageError
from ..ingest.conversation_choice import around, choose
from ..model import BOOKKEEPING, KINDS, ROLES
from ..reports import search as search_report
from ..search.hits import Wanted
from ..search.in_tagged import find
from ..storage import open_store
from ..storage.log_backed import folder_of
from ..terminal import console
from ..terminal.display import show
from ..words.terms import terms
from . import arguments as shared
from .shell.titles import namings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ..search.hits import Found, Hit
    from ..storage.contract import Store
    from ..words.terms import Term

LIMIT: Final = 20
_FINDABLE: Final = [kind for kind in KINDS if kind != BOOKKEEPING]


def main(arguments: Sequence[str]) -> int:
    """Show the messages that have every word; 0 also where there is none."""
    asked = parser().parse_args(arguments)
    wanted = terms(asked.text)
    if not wanted:
        raise UsageError("nothing to look for", hint="Pass a word or a phrase; signs alone are not looked for.")
    if asked.all_stores and asked.session is not None:
        raise UsageError("--session and --all-stores exclude each other")
    result = _Search(asked, wanted).result()
    if asked.json:
        shared.print_json(search_report.as_dict(result))
    else:
        show(search_report.text(result, colour=console.wants_colour(sys.stdout), most=asked.characters))
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
    add("text", nargs="+", metavar="TEXT", help="beginnings of words, and phrases")
    add("--session", metavar="ID", help="one conversation only: its id, the beginning of it, or a session's id")
    add("--tag", metavar="WORD", action="append", default=[], help="only conversations that have this word (see tag)")
    add("--role", choices=ROLES, metavar="R", help="one role only: user, assistant or system")
    add("--kind", choices=_FINDABLE, metavar="K", help="one kind of message only, such as prompt, text or tool_result")
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
    shared.add_store(found)
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found


class _Search:
    """One call of the command."""

    def __init__(self, asked: argparse.Namespace, wanted: list[Term]) -> None:
        self._asked, self._wanted = asked, tuple(wanted)
        self._own = shared.store_to_read(asked).folder
        self._stores: dict[str, Store] = {}
        self._titles: dict[tuple[str, str], str] = {}

    def result(self) -> search_report.Result:
        """Search every store asked for; raises ``StoreMissing`` where there is none."""
        asked = self._asked
        filters = Wanted(self._wanted, asked.role, asked.kind, self._conversation())
        found = [(folder, self._find(folder, filters)) for folder in self._folders()]
        hits = sorted(
            ((hit, folder) for folder, scanned in found for hit in scanned.hits),
            key=lambda each: (each[0].newest.timestamp, each[0].newest.number),
            reverse=True,
        )
        return search_report.Result(
            query=" ".join(each.shown for each in self._wanted),
            hits=[self._shown(hit, folder) for hit, folder in hits[: asked.limit]],
            total=len(hits),
            damaged=sum(scanned.damaged for _, scanned in found),
            capped=any(scanned.capped for _, scanned in found),
            command=shared.shell_command(asked, "show"),
        )

    def _folders(self) -> list[str]:
        """Those of the stores to be searched; that of a store which lies in a database stands for it."""
        in_folder = folder_of(self._store(self._own)) is not None
        own = [self._own] * (shared.is_store(self._own) if in_folder else True)
        others = shared.every_store(self._asked) if self._asked.all_stores else []
        found = own + [folder for folder in others if folder != self._own]
        if not found:
            raise StoreMissing(self._own)
        return found

    def _find(self, folder: str, wanted: Wanted) -> Found:
        store = self._store(folder)
        return find(store, folder, wanted, self._asked.limit, self._asked.tag)

    def _conversation(self) -> str | None:
        if self._asked.session is None:
            return None
        store = self._store(self._own)
        with store.transaction(write=False):
            return choose(store, self._asked.session)

    def _shown(self, hit: Hit, folder: str) -> search_report.RenderedHit:
        place = hit.newest
        context: list[dict[str, Any]] = []
        if self._asked.context:
            store = self._store(folder)
            with store.transaction(write=False):
                numbers = around(store.conversation(place.conversation), place.number, self._asked.context)
                kept = [number for number in numbers if number not in store.conversation(place.conversation).purged]
                context = list(store.bodies(place.conversation, kept))
        elsewhere = "" if folder == self._own else folder
        title = self._title(folder, place.conversation)
        return search_report.RenderedHit(hit, place, hit.text.excerpts(self._wanted), folder, elsewhere, title, context)

    def _title(self, folder: str, conversation: str) -> str:
        if (folder, conversation) not in self._titles:
            store = self._store(folder)
            with store.transaction(write=False):
                self._titles[folder, conversation] = namings(self._asked, store, [conversation])[conversation].title
        return self._titles[folder, conversation]

    def _store(self, folder: str) -> Store:
        if folder not in self._stores:
            named = (self._asked.backend, self._asked.db_url) if folder == self._own else (None, None)
            self._stores[folder] = open_store(named[0], folder, named[1])
        return self._stores[folder]
