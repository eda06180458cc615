"""``deduplicate_export.py explain``: why each message of an export is new, or which stored one it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import EXIT_OK, UsageError
from ..files.safe_read import read
from ..ingest.explain import explain
from ..project.export_names import file_name
from ..reports import explain as explain_report
from ..reports import workflow as report
from . import arguments as shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..ingest.explain import Explained, Explanation


def main(arguments: Sequence[str]) -> int:
    """Explain one export; nothing is stored. Raises the ``ExportError`` and ``StoreError`` families and ``UsageError``."""
    asked = parser().parse_args(arguments)
    dedup = shared.deduplicator(asked, existing=True)
    data, _ = read(Path(os.path.realpath(asked.export)))
    name = file_name(os.path.basename(asked.export))
    with dedup.store.transaction(write=False):
        form, found = explain(dedup.store, data, name)
    count = sum(len(each.messages) for each in found)
    if asked.message is not None and not 0 <= asked.message < count:
        raise UsageError(
            f"there is no message {asked.message} in {name}", hint=f"Its messages go from 0 to {count - 1}."
        )
    if asked.json:
        shared.print_json({"export": name, "format": form, "conversations": _as_json(found, asked.message)})
    else:
        report.show(explain_report.explanation(name, form, found, asked.message))
    return EXIT_OK


def _as_json(found: Sequence[Explanation], wanted: int | None) -> list[dict[str, Any]]:
    return [
        {
            "session_id": each.belongs.conversation,
            "same_conversations": list(each.belongs.others),
            "messages": [_message(one) for one in each.messages if wanted in (None, one.position)],
        }
        for each in found
    ]


def _message(one: Explained) -> dict[str, Any]:
    return {
        "position": one.position,
        "role": one.message.role,
        "kind": one.message.kind,
        "is": one.number,
        "by": one.reason or None,
        "after": one.after,
        "before": one.before,
        "takes_the_place": one.takes_place,
    }


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py explain",
        "Say of each message of an export whether it is new or which stored message it is, by what, and between which\n"
        "neighbours. Of an export that was processed already: what was found then. Nothing is stored.",
    )
    found.add_argument("export", metavar="EXPORT", help="the file")
    found.add_argument(
        "--message", metavar="N", type=shared.whole_number, help="only this message of the export, from 0 up"
    )
    shared.add_store(found)
    found.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    return found
