"""What the figures of a long audit cost: ``python benchmarks/audit_metrics.py [RUNS]``, in seconds of this process."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from deduplication.files import clock
from deduplication.metrics.audited_runs import audited_runs
from deduplication.metrics.distribution import distribution
from deduplication.metrics.measurement import growth, rate_trend
from deduplication.metrics.trends import DAY, periods
from deduplication.project.paths import AUDIT
from deduplication.storage import audit_entries
from deduplication.storage.log.lines import encode_line


def write(folder: str, runs: int, now: float) -> int:
    """An audit of so many runs, ten minutes apart, exports and parts of transcripts in turn; its bytes."""
    with open(os.path.join(folder, AUDIT), "wb") as file:
        for number in range(runs):
            captures = number % 2 == 0
            file.write(
                encode_line(
                    {
                        "conversation_id": f"conversation-{number % 500}",
                        "operation": "capture" if captures else "process_export",
                        "messages_processed": 50,
                        "new_messages": 0 if captures else 30,
                        **({"captured_messages": 30} if captures else {}),
                        "duplicates_filtered": 20,
                        "storage_savings_pct": 3.0,
                        "processing_time_ms": number % 900,
                        "created_at": clock.spelt(now - (runs - number) * 600),
                        "metadata": {
                            "name": "2026-03-04-EXPORT-TIDE-CLOCK.txt",
                            "sha256": "0" * 64,
                            "bytes": 10_000,
                            "format": "claude-code-text",
                            "parser": 3,
                            "total": 50,
                            "new": 30,
                            "captured": 0,
                            "stored_bytes": 4_000,
                            "gaps": [],
                        },
                    }
                )
            )
        return file.tell()


def main() -> int:
    """Print a row for each step."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    now = time.time()
    with tempfile.TemporaryDirectory() as folder:
        size = write(folder, runs, now)
        print(f"{runs:,} runs, {size:,} bytes")
        began = time.process_time()
        entries = list(audit_entries.read(folder))
        read = time.process_time()
        found = list(audited_runs(entries))
        numbers = time.process_time()
        growth(found, now)
        rate_trend(found, now)
        distribution(run.milliseconds for run in found)
        figures = time.process_time()
        periods(found, DAY, 30, now)
        end = time.process_time()
    steps = {"read": read - began, "as numbers": numbers - read, "figures": figures - numbers, "trend": end - figures}
    for name, seconds in steps.items():
        print(f"{name:<12}{seconds:>8.3f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
