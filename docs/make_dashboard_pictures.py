#!/usr/bin/env python3
"""Draw ``dashboard-light.webp``, ``dashboard-dark.webp`` and ``dashboard-phone.webp``: a made-up store in a real Chromium."""

from __future__ import annotations

import json
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "scripts"), str(HERE.parent / "tests" / "support"), str(HERE.parent / "benchmarks")]

from workload import prose  # noqa: E402

import browser  # noqa: E402 - found beside the package
import transcript_lines as lines  # noqa: E402
from deduplication import ClaudeConversationDeduplicator  # noqa: E402
from deduplication.dashboard.serving import served  # noqa: E402
from deduplication.dashboard.subject import subject_of  # noqa: E402
from deduplication.files import clock  # noqa: E402
from deduplication.ingest.transcript_capture import capture_file  # noqa: E402

DAYS = 70
TITLES = (
    "Plan a tide clock",
    "Read the yearly tables",
    "A test for each harbour",
    "Draw the tide of two days",
    "What about leap years?",
)
TITLES += ("Make the reader faster", "Time zones of harbours", "Package it for Debian")


def build(root: Path) -> None:
    """Ten weeks of a project: exports that grow, transcripts that are captured, days off."""
    drawn = random.Random(11)  # noqa: S311 - made-up data
    (root / ".coditect").mkdir(parents=True)
    state = root / "MEMORY-CONTEXT" / "dedup_state"
    dedup = ClaudeConversationDeduplicator(state)
    now, said = time.time(), {title: [{"role": "user", "content": title}] for title in TITLES}
    for day in range(DAYS):
        moment = now - (DAYS - 1 - day) * 86400
        if time.localtime(moment).tm_wday > 4 and drawn.random() < 0.8:
            continue
        with clock.stands_at(clock.spelt(moment)):
            for title in drawn.sample(TITLES[: 1 + day // 8], min(1 + day // 8, drawn.randrange(1, 4))):
                for _ in range(drawn.randrange(4, 30)):
                    said[title].append(
                        {"role": ("assistant", "user")[len(said[title]) % 2], "content": prose(drawn, 220)}
                    )
                messages = [
                    {"index": at + 7 * (title == TITLES[4] and at > 20), **each} for at, each in enumerate(said[title])
                ]
                name = title.lower().strip("?").replace(" ", "-")
                data = json.dumps({"conversation_id": name, "messages": messages}).encode()
                dedup.ingest(data, name=f"{clock.compact(moment)[:8]}-EXPORT-{name}.json", conversation_id=name)
            for turn in range(drawn.randrange(6)):
                transcript = root.parent / f"{lines.SESSION}.jsonl"
                with transcript.open("ab") as file:
                    file.write(lines.prompt(f"Look at table {day}, row {turn}", f"p{day}-{turn}"))
                    file.write(lines.answer(prose(drawn, 300), f"a{day}-{turn}"))
                capture_file(dedup, transcript)
    dedup.store.condense()


def main() -> int:
    """Draw all three."""
    with tempfile.TemporaryDirectory() as name, browser.Browser() as chromium:
        root = Path(name) / "tide-clock"
        build(root)
        there = served(subject_of(str(root / "MEMORY-CONTEXT" / "dedup_state"), None, None))
        threading.Thread(target=there.run, daemon=True).start()
        chromium.dark(dark=False)
        chromium.go(there.url).sized(1280, 1000)
        chromium.until(
            "!document.body.textContent.includes('Being counted') && document.querySelector('.chart canvas')"
        )
        chromium.evaluate("document.querySelector('footer').textContent = ''")  # where the folder lay
        chromium.screenshot(HERE / "dashboard-light.webp", 1280, 1460, "webp")
        chromium.dark(dark=True)
        chromium.evaluate("document.getElementById('growth').scrollIntoView()")
        chromium.screenshot(HERE / "dashboard-dark.webp", 1280, 1000, "webp")
        chromium.dark(dark=False)
        chromium.sized(390, 780)
        chromium.evaluate("scrollTo(0, 0)")
        chromium.screenshot(HERE / "dashboard-phone.webp", 390, 1100, "webp")
        there.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
