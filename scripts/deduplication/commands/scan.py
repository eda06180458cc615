"""``deduplicate_export.py scan``: what would be redacted in conversations and files, and why."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import EXIT_OK, UsageError
from ..files.safe_read import read
from ..project import config
from ..project.paths import find_project
from ..redaction import redact as privacy
from ..reports import privacy as privacy_report
from ..reports import workflow as report
from ..start.late_dataclass import asdict, replace
from . import arguments as shared

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..ingest.deduplicator import ClaudeConversationDeduplicator
    from ..redaction.redact import Finding, Policy


def main(arguments: Sequence[str]) -> int:
    """Scan conversations and files; 0 whatever was found. Raises ``UsageError`` for what is neither."""
    asked = parser().parse_args(arguments)
    settings = config.load(os.fspath(find_project(asked.project).root))
    rules = privacy.policy(settings, asked.level)
    everything: list[Finding] = []
    sources: list[dict[str, Any]] = []
    count = 0
    for name, unit, findings in _scanned(asked.sources, shared.deduplicator(asked, existing=not asked.sources), rules):
        count += 1
        everything += findings
        if asked.json:
            sources.append({"source": name, "unit": unit, "findings": [asdict(one) for one in findings]})
        else:
            report.show(privacy_report.scanned(name, findings, unit))
    if asked.json:
        shared.print_json({"level": rules.level, "sources": sources, "findings": len(everything)})
    else:
        report.show(privacy_report.summary(count, everything, rules.level))
    return EXIT_OK


def _scanned(
    sources: Sequence[str], dedup: ClaudeConversationDeduplicator, rules: Policy
) -> Iterator[tuple[str, str, list[Finding]]]:
    known: list[str] | None = None
    for source in sources or dedup.conversations():
        if sources and os.path.lexists(source):
            data, _ = read(Path(os.path.realpath(source)))
            yield source, "line", privacy.redact(data.decode("utf-8", "replace"), rules)[1]
            continue
        known = known if known is not None else dedup.conversations()
        if source not in known:
            raise UsageError(f"neither a file nor a stored conversation: {source}")
        yield source, "message", list(_conversation(dedup, source, rules))


def _conversation(dedup: ClaudeConversationDeduplicator, source: str, rules: Policy) -> Iterator[Finding]:
    """What is found in a conversation; ``line`` is the message's sequence number."""
    for message in dedup.get_full_conversation(source):
        content = message["content"]
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        for finding in privacy.redact(text, rules)[1]:
            yield replace(finding, line=message["index"])


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py scan",
        "Say what would be redacted in what is committed or shared, and why; nothing is changed. Of a secret its first\n"
        "characters and its length are shown, never more.",
    )
    add = found.add_argument
    add(
        "sources",
        nargs="*",
        metavar="SESSION|FILE",
        help="stored conversations, or files (default: every conversation)",
    )
    add(
        "--level",
        metavar="L",
        choices=privacy.LEVELS,
        help="private, team or public (default: the setting privacy_level)",
    )
    shared.add_store(found)
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found
