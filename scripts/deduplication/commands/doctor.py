"""``deduplicate_export.py doctor``: is everything in order, and what is to be done where it is not?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..diagnosis import Subject, examine
from ..errors import EXIT_FAILURE, EXIT_OK
from ..project import config
from ..project.client_transcripts import find_transcripts
from ..project.paths import find_project
from ..reports import doctor as doctor_report
from ..terminal.display import show
from . import arguments as shared

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Look at everything; 1 where something needs to be done. Nothing is created or changed."""
    asked = parser().parse_args(arguments)
    place = shared.store_to_read(asked)
    project = find_project(asked.project)
    subject = Subject(
        project,
        place.folder,
        place.why,
        config.load(str(project.root)),
        find_transcripts(project.root),
        asked.backend,
        asked.db_url,
    )
    findings = list(examine(subject))
    if asked.json:
        shared.print_json(doctor_report.as_dict(findings))
    else:
        show(doctor_report.text(findings, every=asked.all))
    return EXIT_FAILURE if doctor_report.problems_in(findings) else EXIT_OK


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py doctor",
        "Look at the interpreter, the store, the hooks, the sessions and exports that wait, and git; say what is to be\n"
        "done where something is not in order. Nothing is created or changed.",
    )
    shared.add_store(found)
    found.add_argument("--all", action="store_true", help="list what is in order, too (--json always does)")
    found.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    return found
