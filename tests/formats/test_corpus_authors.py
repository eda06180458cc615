"""Real exports: who said what. No prompt and no answer of any of them holds a line of the client."""

from __future__ import annotations

import json
import re

from deduplication import formats
from deduplication.errors import NotAnExport
from deduplication.formats.client_lines import is_event
from deduplication.formats.transcript_types import LINEAGE, OTHERS
from deduplication.model import CONTEXT, NOTICE, PROMPT, TEXT, TOOL_CALL, UNKNOWN

_COLLAPSED = re.compile(r"^[A-Z][^\n.!?]*\((?:ctrl|alt)\+\w to [a-z ]+\)[ ]*$", re.MULTILINE)
_BULLETS = re.compile(
    r"^(?:(?:Agent|Task|Background command|Monitor) \"|Usage limit|Updated plan$|(?:Entered|Exited) plan mode|"
    r"User (?:approved|answered|declined|rejected)|Claude asked:|Teammate @|Answered Claude|Approved Claude)"
)
_TAGS = re.compile(r"^<(?:ide_|system-reminder|task-notification|teammate-message|command-|local-command-)")


def exports(corpus, *endings):
    """The name and the export of each file that is one."""
    found = []
    for path in sorted(corpus.rglob("*")):
        if path.suffix in endings and "tool-results" not in path.parts:
            try:
                found.append((str(path.relative_to(corpus)), formats.parse(path.read_bytes())))
            except NotAnExport:
                continue
    assert len(found) > 40
    return found


def test_no_prompt_and_no_answer_holds_a_line_of_the_client(corpus):
    """Neither a call drawn as one line nor an event, at the beginning, the end or in the middle."""
    seen = 0
    for name, export in exports(corpus, ".txt", ".md"):
        for message in export.messages:
            if message.kind in (PROMPT, TEXT):
                seen += 1
                assert not _COLLAPSED.search(message.content), (name, message.content[-200:])
                assert not _BULLETS.match(message.content), (name, message.content[:100])
    assert seen > 2900


def test_what_the_client_drew_as_one_line_is_a_call(corpus):
    """Each line of that shape that stands at the margin of a real export."""
    calls = [
        message
        for _, export in exports(corpus, ".txt", ".md")
        for message in export.messages
        if message.kind == TOOL_CALL and _COLLAPSED.match(message.content)
    ]
    assert len(calls) > 60


def test_events_of_real_exports_are_notices(corpus):
    """Those with a shape, and those that are only listed."""
    said = {
        message.content
        for _, export in exports(corpus, ".txt", ".md")
        for message in export.messages
        if message.kind == NOTICE
    }
    assert {"User answered Claude's questions:", "Claude asked:", 'Task "Count files" completed in background'} <= said
    assert sum(map(is_event, said)) >= 4


def test_hardly_anything_is_unknown(corpus):
    """Two lines of a copied terminal: its shell's, and a spinner's; each file that has any says so."""
    for name, export in exports(corpus, ".txt", ".md"):
        unknown = sum(message.kind == UNKNOWN for message in export.messages)
        assert bool(unknown) == any("unknown" in warning for warning in export.warnings)
        assert unknown <= (2 if "stage-03" in name else 0), name


def test_no_prompt_of_a_transcript_is_a_machines(corpus):
    """Tags of the client are commands, outputs or context."""
    prompts = context = 0
    for name, export in exports(corpus, ".jsonl"):
        for message in export.messages:
            prompts += message.kind == PROMPT
            context += message.kind == CONTEXT
            if message.kind == PROMPT and isinstance(message.content, str):
                assert not _TAGS.match(message.content), (name, message.content[:100])
    assert prompts > 500
    assert context >= 5


def test_every_type_of_a_real_transcript_is_known(corpus):
    """No warning of an unknown type; none of them says anything of lineage yet."""
    types = set()
    for path in corpus.rglob("*.jsonl"):
        for line in path.read_bytes().splitlines():
            value = json.loads(line)
            types.add(value.get("type") if "stream-json" not in str(path) else None)
    assert types - {None, "user", "assistant", "system", "attachment"} <= OTHERS
    assert types.isdisjoint(LINEAGE)
