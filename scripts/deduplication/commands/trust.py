"""``deduplicate_export.py trust``: which settings of the project count, and the user's yes to them."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from ..errors import EXIT_OK, NotApproved, UsageError
from ..project import approvals, config, settings_file
from ..project.paths import find_project
from ..reports import trust as trust_report
from ..terminal.display import show
from . import arguments as shared

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Show, approve or take back. Raises :class:`NotApproved` where there is no file that can be approved."""
    asked = parser().parse_args(arguments)
    if asked.approve and asked.revoke:
        raise UsageError("--approve and --revoke are the opposite of each other")
    if asked.file is not None and not (asked.revoke and asked.file):
        raise UsageError("--file names a file whose approval --revoke takes back")
    shared.store_folder(
        asked
    )  # settings are the project's, wherever its store is; a name that cannot be is an error all the same
    root = str(find_project(asked.project).root)
    found = config.examine(root)
    told = ""
    if asked.approve:
        file = settings_file.read(found.path)
        if file.values is None or file.data != found.file.data:
            raise NotApproved(f"{found.path}: {file.fault or found.file.fault or 'there is no such file'}")
        approvals.approve(root, found.path, found.file.data, time.time())
        told = trust_report.approved(found.path, found.waiting)
    elif asked.revoke:
        path = os.path.abspath(asked.file) if asked.file else found.path
        told = trust_report.revoked(path, was=approvals.revoke(path))
    if asked.json:
        found = config.examine(root)
        is_approved = approvals.is_approved(root, found.path, found.file.data)
        shared.print_json(trust_report.as_dict(found, approvals.approvals(), is_approved=is_approved))
    elif told:
        show(told)
    else:
        is_approved = approvals.is_approved(root, found.path, found.file.data)
        show(trust_report.listing(found, approvals.approvals(), is_approved=is_approved))
    return EXIT_OK


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py trust",
        "Show which settings of the project count. A project's .coditect/config.json may tighten your own settings; what\n"
        "loosens them counts once you have approved the file, and no longer when it changes.",
    )
    shared.add_storage(found)
    add = found.add_argument
    add("--approve", action="store_true", help="approve the project's file of settings as it is now")
    add("--revoke", action="store_true", help="take the approval of the project's file back, or that of --file")
    add("--file", metavar="F", help="with --revoke: another file that is approved, there or gone")
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found
