"""``deduplicate_export.py report``: the panels of the dashboard as one file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ...errors import EXIT_OK, OutputNotWritable, StoreNotWritable
from ...files import atomic, beneath
from ...reports.monitoring import watching as report
from ...terminal.display import show
from .. import arguments as shared
from .dashboard import subject_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Write the file. Raises ``PackageMissing``, ``StoreMissing``, ``OutputNotWritable``."""
    asked = parser().parse_args(arguments)
    subject = subject_of(asked)
    from ...dashboard.document import document
    from ...workflow import new_messages_file

    places = (subject.state, *([subject.project.archive] if subject.project is not None else []))
    path = new_messages_file.check_file(asked.html, places)
    data = document(subject).encode("utf-8", "backslashreplace")
    try:
        beneath.make_folders(os.path.dirname(os.path.abspath(path)))
        atomic.replace(path, data, mode=atomic.PRIVATE_FILE)
    except (StoreNotWritable, OSError) as error:
        raise OutputNotWritable(f"{asked.html}: {getattr(error, 'detail', error)}") from error
    if asked.json:
        shared.print_json({"path": path, "bytes": len(data)})
    else:
        show(report.written(path, len(data)))
    return EXIT_OK


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py report",
        "Write what the dashboard shows into one page of HTML, which needs no network and nothing beside it. It is for you\n"
        "alone: titles of conversations are in it. Needs the extra 'dashboard'.",
    )
    add = found.add_argument
    add("--html", metavar="FILE", required=True, help="the file, which is replaced as a whole")
    shared.add_store(found)
    add("--json", action="store_true", help="print one JSON object with what was written, and nothing else")
    return found
