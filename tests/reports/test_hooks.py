"""What hooks say."""

from __future__ import annotations

from deduplication.figures.run_result import ExportResult, RunResult
from deduplication.reports import hooks


def test_notice_names_exports_and_failures() -> None:
    """One line that begins with what counts; two names at most, shortened; what failed is said first, with its reason."""
    long = "2026-11-03-the-tides-of-the-harbour-and-what-moves-them.txt"
    good = [ExportResult(f"{n}{long}", total=4, new=1, duplicates=3) for n in range(3)]
    bad = ExportResult("b.txt", error="it is\nempty")
    assert hooks.notice(RunResult((good[0],), 1234)) == (
        f"/compact is safe now · 1 new · {('0' + long)[:30]}…{long[-9:]} · 4 messages, all stored · 1,234 in storage"
    )
    part = RunResult((ExportResult("a.txt", total=4, new=2, captured=1, duplicates=2),), 9)
    assert hooks.notice(part).startswith("/compact is safe now · 2 new (1 captured earlier) · a.txt · ")
    whole = RunResult((ExportResult("a.txt", total=4, new=2, captured=2, duplicates=2),), 9)
    assert hooks.notice(whole).startswith("/compact is safe now · 2 new · a.txt · ")
    several = hooks.notice(RunResult((*good, bad), 9))
    assert several.startswith("⚠ 1 export failed, /export-dedup says why · 3 new · ")
    assert " and 2 more · " in several
    assert "is safe" not in several
    assert hooks.notice(RunResult((bad,), 9)) == "❌ not processed: b.txt: it is\\nempty"
