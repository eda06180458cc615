#!/usr/bin/env python3
"""Draw ``page-light.webp``, ``page-dark.webp`` and ``page-phone.webp``: the page of a made-up session in a real Chromium."""

from __future__ import annotations

import base64
import json
import math
import struct
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "scripts"), str(HERE.parent / "tests" / "support")]

import browser  # noqa: E402 - found beside the package
from deduplication import ClaudeConversationDeduplicator  # noqa: E402
from deduplication.ingest.transcript_capture import capture_file  # noqa: E402
from deduplication.sessions import full_document  # noqa: E402
from deduplication.sessions.redaction import unchanged  # noqa: E402

SESSION = "3f9a1c52-7d40-4b8e-9a61-5c2e8f04d7b3"
PLAN = """The tables give one row for each high or low water, in UTC. I would keep them **sorted by time** and find the next
one with a binary search:

| step | what | cost |
|:--|:--|--:|
| read | one pass over the year's file | 1,411 rows |
| find | `bisect` on the times | about 11 comparisons |
| show | convert to harbour time | once |

The only trap is the turn of the year: on 31 December the next high water stands in the *following* file.

```python
def next_event(rows: list[Event], now: datetime) -> Event | None:
    position = bisect_right(rows, now, key=lambda row: row.time)
    return rows[position] if position < len(rows) else None
```

Shall I start with the reader and its tests?"""
THOUGHT = "A row with an empty height must not be skipped in silence: it would shift every answer after it.\nSo: an error with its line."
OLD = 'def parse(line):\n    time, height = line.split(",")\n    return Event(time, float(height))\n'
NEW = (
    "def parse(line, number):\n"
    '    time, _, height = line.partition(",")\n'
    "    if not height.strip():\n"
    '        raise TableError(f"line {number}: no height")\n'
    "    return Event(time, float(height))\n"
)
TESTS = "tests/test_table.py ....                                         [ 57%]\ntests/test_next.py ...                        [100%]\n\n7 passed in 0.05s"
SUMMARY = "The tide clock reads a yearly table, finds the next event and loads the following year at its end.\nOpen: the printed output."


def _curve(width: int = 640, height: int = 120) -> str:
    """The tide of two days as a PNG in base64."""
    tops = [
        int(height / 2 - math.sin(x / width * 8 * math.pi) * height * (0.3 + 0.08 * math.sin(x / 90)))
        for x in range(width)
    ]
    colours = (b"\xf3\xf7\xfa", b"\x2f\x6f\x8f", b"\xb9\xd7\xe4")
    rows = (
        b"\0" + b"".join(colours[0 if y < top - 1 else 1 if y <= top + 1 else 2] for top in tops) for y in range(height)
    )
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"".join(rows))),
        (b"IEND", b""),
    )
    packed = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + packed).decode()


def _lines() -> list[dict[str, Any]]:
    """The session, as the client would write it."""
    assistant, user = "assistant", "user"

    def tool(number: int, name: str, **given: Any) -> tuple[str, Any]:
        return assistant, [{"type": "tool_use", "id": f"t{number}", "name": name, "input": given}]

    def result(number: int, text: str) -> tuple[str, Any]:
        return user, [{"type": "tool_result", "tool_use_id": f"t{number}", "content": text}]

    turns: list[tuple[str, Any]] = [
        (
            user,
            [
                {
                    "type": "text",
                    "text": "Plan a command line tide clock. It reads the yearly table of one harbour from a CSV file and prints the next "
                    "high and low water. No network, no packages. These are two days of it:",
                },
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": _curve()}},
            ],
        ),
        (assistant, [{"type": "text", "text": PLAN}]),
        (user, "yes, and say so when a row is broken"),
        (assistant, [{"type": "thinking", "thinking": THOUGHT}]),
        (assistant, [{"type": "text", "text": "I write the reader first, then a test with a table of four rows."}]),
        tool(1, "Edit", file_path="tide_clock/table.py", old_string=OLD, new_string=NEW),
        result(1, "The file tide_clock/table.py has been updated."),
        tool(2, "Bash", command="python3 -m pytest -q", description="Run the tests"),
        result(2, TESTS),
        (
            assistant,
            [{"type": "text", "text": "Seven tests pass. A row without a height is now an error that names its line."}],
        ),
        (user, "What happens on the last day of the year?"),
        tool(3, "Grep", pattern="def next_event", path="tide_clock"),
        result(3, "tide_clock/table.py:41:def next_event(rows, now):"),
        (
            assistant,
            [
                {
                    "type": "text",
                    "text": "The search runs past the end. Three ways out:\n\n1. Return nothing and say *table ends*.\n"
                    "2. Load next year's table where it lies in the same folder.\n3. Wrap around, which would be wrong by design.\n\n"
                    "I suggest the second one, with the first as its fallback.",
                }
            ],
        ),
        ("compaction", SUMMARY),
        (user, "Add the printed output, in the time zone of the harbour"),
        tool(4, "Bash", command="python3 -m tide_clock tables/2026.csv", description="Look at the clock"),
        result(4, "high water  14:52  3.1 m  in 2h 07\nlow water   21:10  0.4 m  in 8h 25"),
        (assistant, [{"type": "text", "text": "Both events are printed, with the time that is left."}]),
    ]
    found: list[dict[str, Any]] = []
    for number, (role, content) in enumerate(turns):
        line: dict[str, Any] = {
            "parentUuid": None,
            "uuid": f"00000000-0000-4000-8000-{number:012}",
            "sessionId": SESSION,
            "timestamp": f"2026-03-02T{9 + number // 8:02}:{(14 + 3 * number) % 60:02}:00.000Z",
        }
        if role == "compaction":
            boundary = {**line, "type": "system", "subtype": "compact_boundary", "uuid": f"{line['uuid'][:-1]}b"}
            found += [
                boundary,
                {**line, "type": "user", "isCompactSummary": True, "message": {"role": "user", "content": content}},
            ]
        else:
            found.append({**line, "type": role, "message": {"role": role, "content": content}})
    return found


def main() -> int:
    """Draw all three."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        transcript = folder / f"{SESSION}.jsonl"
        transcript.write_text("".join(json.dumps(line) + "\n" for line in _lines()), encoding="utf-8")
        dedup = ClaudeConversationDeduplicator(folder / "state")
        capture_file(dedup, transcript)
        page = folder / "page.html"
        with dedup.store.transaction(write=False):
            page.write_text(
                "".join(full_document.pieces(dedup.store, SESSION, full_document.HTML, unchanged, pictures=True)),
                encoding="utf-8",
            )
        with browser.Browser() as chromium:
            chromium.open(page)
            chromium.dark(dark=False)
            chromium.screenshot(HERE / "page-light.webp", 1280, 1020, "webp")
            chromium.dark(dark=True)
            chromium.evaluate(
                "document.querySelector('.tool_call details').open = true; document.querySelector('.thinking details').open = true"
            )
            chromium.evaluate("document.getElementById('m3').scrollIntoView()")
            chromium.screenshot(HERE / "page-dark.webp", 1280, 1020, "webp")
            chromium.dark(dark=False)
            chromium.screenshot(
                HERE / "page-phone.webp", 390, 780, "webp"
            )  # laid out for it, so that the way there is known
            chromium.evaluate("document.getElementById('m2').scrollIntoView()")
            chromium.screenshot(HERE / "page-phone.webp", 390, 780, "webp")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
