"""``deduplicate_export.py alerts``: what needs attention, a test of where it is sent, and taking note of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ...alerts import book, evaluation, sender, status
from ...alerts.place import opened
from ...errors import EXIT_FAILURE, EXIT_OK, DedupError, StoreMissing, UsageError
from ...files import clock
from ...project import config
from ...project.client_transcripts import find_transcripts
from ...project.paths import find_project
from ...reports.monitoring import alerts as report
from ...terminal.display import show
from ...workflow import alert_step
from .. import arguments as shared

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ...alerts.alert import Alert
    from ...alerts.place import Place

LIST: Final = "list"
TEST: Final = "test"
ACKNOWLEDGE: Final = "ack"
SEND: Final = "send"


def main(arguments: Sequence[str]) -> int:
    """List, test, acknowledge or send; 1 where a target did not take a test, or something is left to be sent."""
    asked = parser().parse_args(arguments)
    if asked.ids and asked.action != ACKNOWLEDGE:
        raise UsageError(f"'alerts {asked.action}' takes no id: {asked.ids[0]}")
    place = _place(asked)
    done: list[Alert] = []
    answers: dict[str, str] = {}
    if asked.action == TEST:
        answers = status.test(place)
    elif asked.action == ACKNOWLEDGE:
        done = _acknowledged(place, asked.ids)
    else:
        _look(place, thorough=asked.action == SEND)
    if asked.action == SEND:
        sender.deliver(place.folder, place.settings)
    elif asked.action != TEST:
        sender.start_where_due(place.folder, place.settings, os.fspath(place.project.root))
    _say(asked, place, done, answers)
    left = asked.action == SEND and bool(book.load(place.folder).queue)
    return EXIT_FAILURE if any(answers.values()) or left else EXIT_OK


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py alerts",
        "List what needs attention: capture that fails, a store that shrank, damage, a full disk, gaps, an old backup and\n"
        "more, each with what to do. 'test' sends a test to every target of your own settings; 'ack' takes note of alerts, of\n"
        "which nobody hears again then; 'send' looks and sends what waits, until nothing does, as hooks have it done.",
    )
    add = found.add_argument
    add(
        "action",
        nargs="?",
        default=LIST,
        choices=(LIST, TEST, ACKNOWLEDGE, SEND),
        help="what to do (default: list)",
    )
    add("ids", nargs="*", metavar="ID", help="with ack: the alerts, by their ids or how these begin (default: all)")
    shared.add_store(found)
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found


def _place(asked: argparse.Namespace) -> Place:
    folder = shared.store_to_read(asked).folder
    if asked.storage_dir is not None and not (asked.backend or asked.db_url or shared.is_store(folder)):
        raise StoreMissing(folder)
    project = find_project(asked.project)
    settings = config.load(str(project.root))
    transcripts = find_transcripts(project.root) if asked.storage_dir is None or asked.action == SEND else ()
    return opened(project, folder, settings, backend=asked.backend, url=asked.db_url, transcripts=transcripts)


def _look(place: Place, *, thorough: bool) -> None:
    """Ask every rule. Where nothing can be noted, what was found is shown all the same."""
    try:
        change = evaluation.update(place, thorough=thorough)
        if os.path.realpath(place.folder) == os.path.realpath(place.project.state):
            alert_step.note(place.project, change)
    except DedupError:
        return


def _acknowledged(place: Place, ids: Sequence[str]) -> list[Alert]:
    with book.changing(place.folder) as held:
        done = held.acknowledge(ids, clock.timestamp())
    if ids and not done:
        raise UsageError(f"no alert has the id {ids[0]}", hint="'deduplicate_export.py alerts' lists them.")
    return done


def _say(asked: argparse.Namespace, place: Place, done: Sequence[Alert], answers: dict[str, str]) -> None:
    present, waiting = evaluation.present(place), status.waiting(place.folder)
    recent = evaluation.over(place)
    if asked.json:
        shared.print_json(
            {
                "action": asked.action,
                "alerts": [each.as_dict() for each in present],
                "recent": [each.as_dict() for each in recent],
                "targets": status.targets_of(place),
                "waiting": waiting,
                "acknowledged": [each.as_dict() for each in done],
                "tested": [{"target": name, "error": error} for name, error in answers.items()],
                "storage_dir": place.folder,
            }
        )
    elif asked.action == TEST:
        show(report.tested(answers))
    elif asked.action == ACKNOWLEDGE:
        show(report.acknowledged(done))
    elif asked.action == SEND:
        show(report.sent(waiting))
    else:
        show(report.listing(present, recent, status.targets_of(place), waiting))
