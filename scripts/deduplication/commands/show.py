"""``deduplicate_export.py show``: list the conversations, or print one of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ..errors import EXIT_OK, UsageError
from ..ingest.conversation_choice import around, handle, message_of, position
from ..model import counts
from ..reports import quotation
from ..sessions import screen_document as document
from ..terminal.display import show
from ..terminal.truncation import truncate
from . import arguments as shared
from .shell.titles import namings, redaction, with_tags

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ..storage.contract import Store
    from ..storage.conversation import Conversation

TEXT: Final = "text"
MARKDOWN: Final = "markdown"
HTML: Final = "html"
JSON: Final = "json"
_BESIDE: Final = 10
"""Messages before and after the one of ``--around``."""


def main(arguments: Sequence[str]) -> int:
    """List conversations, or show one; raises ``ConversationUnclear`` where it is not clear which."""
    asked = parser().parse_args(arguments)
    _check(asked)
    dedup, folder = shared.reader(asked)
    if asked.output is not None:
        from ..project.paths import find_project
        from ..workflow.new_messages_file import check_file

        asked.output = check_file(asked.output, (folder, find_project(asked.project).archive))
    if asked.session is None:
        parts = _listing(dedup.store, asked)
        _put(asked, *parts, shared.shell_command(asked, "show"))
        return EXIT_OK
    if asked.quoted:
        _quote(asked, dedup.store)
        return EXIT_OK
    with dedup.store.transaction(write=False):
        name, number = message_of(dedup.store, asked.session)
        conversation = dedup.store.conversation(name)
        numbers = _selected(asked, conversation, number)
        if asked.no_tools:
            kinds = conversation.columns.kinds
            numbers = [number for number in numbers if kinds[number] not in document.TOOLS]
        messages = list(dedup.store.bodies(name, numbers)) if asked.format == TEXT else []
        component = dict(enumerate(conversation.reading().component))
        gone = conversation.purged
        named = namings(asked, dedup.store, [name])[name]
        total = sum(counts(conversation.columns.kinds[n]) for n in conversation.reading().order if n not in gone)
    if asked.format != TEXT:
        _document(asked, dedup.store, name, numbers)
        return EXIT_OK
    shown = sum(counts(message["kind"]) for message in messages)
    head = document.title(named, shown, total)
    _put(asked, head, document.text_parts(messages, component), shared.shell_command(asked, "show", name))
    return EXIT_OK


def _quote(asked: argparse.Namespace, store: Store) -> None:
    """The conversation as quotations: a message with what stands around it, or the beginning of each message."""
    with store.transaction(write=False):
        name, number = message_of(store, asked.session)
        conversation = store.conversation(name)
        order = conversation.reading().order
        at = None if number is None else order[position(conversation, order, number)]
        numbers = _selected(asked, conversation, None) if at is None else around(conversation, at, quotation.BESIDE)
        kinds, gone = conversation.columns.kinds, conversation.purged
        kept = [each for each in numbers if each not in gone and counts(kinds[each])]
        total = sum(counts(kinds[each]) for each in order if each not in gone)
        messages = list(store.bodies(name, kept))
        short = handle(name, store.conversations())
        title = namings(asked, store, [name])[name].title
    most = None if asked.characters is None else max(quotation.SHORT, asked.characters - quotation.ROOM_BESIDE)
    parts = quotation.messages(short, messages, at, most)
    show(
        truncate(
            quotation.of(short, title, len(messages), total),
            parts,
            "",
            asked.characters,
            lambda count: f"… and {count} more: show one of their numbers.",
            from_the_end=at is None,
        )
    )


def _document(asked: argparse.Namespace, store: Store, name: str, numbers: Sequence[int]) -> None:
    """The documents that ``session`` writes, of the messages with these numbers: redacted, as they may be passed on."""
    from ..sessions import full_document

    if not numbers:
        raise UsageError("no message was chosen")
    text = full_document.text_of(store, name, asked.format, redaction(asked), chosen=frozenset(numbers), pictures=True)
    text = text.encode("utf-8", "backslashreplace").decode()
    parts = [text.removesuffix("\n")]
    if asked.characters is not None and asked.output is None and asked.format == MARKDOWN:
        parts = text.rstrip("\n").split("\n\n")
    _put(asked, "", parts, shared.shell_command(asked, "show", name))


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py show",
        "Without SESSION list the conversations of the store, the newest first; with it print that conversation from the\n"
        "log, in reading order. The beginning of an id is enough where it is the only one.",
    )
    add = found.add_argument
    add(
        "session",
        nargs="?",
        metavar="SESSION",
        help="a conversation's id, its beginning, or the id of a session; SESSION:N is the same with --around N",
    )
    add(
        "--format",
        choices=(TEXT, MARKDOWN, HTML, JSON),
        default=TEXT,
        metavar="F",
        help="text (the default), for your own eyes; or a document with secrets redacted: markdown, html or json",
    )
    add("--json", dest="format", action="store_const", const=JSON, help="the same as --format json")
    number: dict[str, Any] = {"metavar": "N", "type": shared.whole_number}
    add("--around", help=f"the message with the number N, and {_BESIDE} before and after it", **number)
    add("--from", dest="first", help="begin with the message N", **number)
    add("--to", dest="last", help="end with the message N", **number)
    add("--last", dest="newest", help="only the last N messages", **number)
    add("--no-tools", action="store_true", help="without calls of tools and their results")
    add("--tag", metavar="WORD", action="append", default=[], help="list only conversations that have this word")
    add("--output", metavar="FILE", help="write to FILE instead of the screen")
    add("--characters", help="print N characters at most, cut between messages", **number)
    shared.add_quoted(found)
    shared.add_store(found)
    return found


def _check(asked: argparse.Namespace) -> None:
    if asked.session is None:
        chosen = (asked.around, asked.first, asked.last, asked.newest)
        if any(each is not None for each in chosen) or asked.no_tools or asked.format in (MARKDOWN, HTML):
            raise UsageError("which conversation?", hint="Name one; without one they are listed, as text or as JSON.")
    if asked.around is not None and (asked.first is not None or asked.last is not None or asked.newest is not None):
        raise UsageError("--around goes not with --from, --to and --last")
    if asked.quoted and (asked.format != TEXT or asked.output is not None):
        raise UsageError("--quoted is for text on the screen")
    if asked.output == "":
        raise UsageError("--output needs a name")


def _selected(asked: argparse.Namespace, conversation: Conversation, number: int | None) -> Sequence[int]:
    """The sequence numbers asked for, in reading order; ``number`` is the one behind the conversation's id."""
    order = conversation.reading().order
    start, end = 0, len(order)
    number = asked.around if asked.around is not None else number
    if number is not None:
        at = position(conversation, order, number)
        start, end = max(0, at - _BESIDE), at + _BESIDE + 1
    if asked.first is not None:
        start = position(conversation, order, asked.first)
    if asked.last is not None:
        end = position(conversation, order, asked.last) + 1
    chosen = order[start:end]
    if asked.newest is not None:
        chosen = [number for number in chosen if number not in conversation.purged]
        chosen = chosen[max(0, len(chosen) - asked.newest) :]
    return chosen


def _listing(store: Store, asked: argparse.Namespace) -> tuple[str, list[str]]:
    """The heading and the parts of the list of conversations."""
    found: list[document.Summary] = []
    with store.transaction(write=False):
        captured: dict[str, set[str]] = {}
        for name, cursor in store.cursors():
            captured.setdefault(name, set()).add(cursor.source)
        named = namings(asked, store, store.conversations())
        for name in (each.conversation_id for each in with_tags(named.values(), asked.tag)):
            reading = store.conversation(name).reading()
            order = [number for number in reading.order if number not in store.conversation(name).purged]
            ends = [order[0], order[-1]] if order else []
            times = [message.get("timestamp", "") for message in store.bodies(name, ends)] or ["", ""]
            figures = store.figures(name)
            found.append(
                document.Summary(
                    conversation_id=name,
                    first=times[0],
                    last=times[1],
                    messages=figures.occurrences,
                    exports=figures.exports,
                    sessions=len(captured.get(name, ())),
                    unconnected_runs=len(set(reading.component)),
                    title=named[name].title,
                    tags=named[name].tags,
                )
            )
    found.sort(key=lambda each: each.last, reverse=True)
    if asked.quoted:
        known = store.conversations()
        rows = [
            quotation.conversation(
                handle(each.conversation_id, known), each.first, each.last, each.messages, each.title
            )
            for each in found
        ]
        return "\n".join([document.listing_title(len(found)), quotation.NOTE]), rows
    if asked.format == JSON:
        return "", [json.dumps([_as_dict(each) for each in found])]
    return document.listing_title(len(found)), document.listing(found)


def _as_dict(each: document.Summary) -> dict[str, Any]:
    from ..project.own_output import marked
    from ..start.late_dataclass import asdict

    return marked(asdict(each))


def _put(asked: argparse.Namespace, head: str, parts: Sequence[str], again: str) -> None:
    """To the screen, or into the file asked for."""
    if asked.output is not None:
        from ..workflow.new_messages_file import put_text

        put_text(asked.output, "\n\n".join(filter(None, [head, *parts])) + "\n")
        return
    if asked.format in (JSON, HTML) or (asked.format == MARKDOWN and asked.characters is None):
        print("\n\n".join(parts))
        return
    # Of a list the newest are at the top, of a conversation at the end.
    at_end = asked.session is not None and asked.around is None and asked.first is None
    note = "Search finds what is in them." if asked.quoted else f"The whole of it: {again} --output FILE"
    show(truncate(head, parts, "", asked.characters, lambda n: f"… {n} more left out. {note}", from_the_end=at_end))
