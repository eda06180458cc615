"""What is left of a file without some of its messages, byte for byte."""

from __future__ import annotations

from deduplication import formats
from deduplication.alignment.tombstone import is_marker
from deduplication.formats.blanking import blank_lines, blank_text


def test_text_stays_byte_for_byte_around_what_goes():
    """Each message under the mark that it had; calls and commands stay calls and commands."""
    data = "❯ one\n\n● Bash(cat x)\n  ⎿  two\n\n● three\n".encode()
    export = formats.parse(data)
    for gone in export.messages:
        blanked = blank_text(data, [(gone.start, gone.end, gone.kind)])
        again = formats.parse(blanked).messages
        assert [m.kind for m in again] == [m.kind for m in export.messages]
        assert [is_marker(m.content) for m in again] == [m is gone for m in export.messages]
        assert blanked.startswith(data[: gone.start])
        assert blanked.endswith(data[gone.end :])


def test_lines_that_are_no_objects_stay_or_go_with_what_they_say():
    """Arrays and torn lines: kept, unless they hold what goes."""
    data = b"[1]\n{torn SECRET\n{torn\n"
    assert blank_lines(data, {}, lambda _: [], lambda text: "SECRET" in text, set()) == b"[1]\n{torn\n"
