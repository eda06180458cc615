"""The numbers of a run: sums, the JSON object, and what can be read back from the core's output."""

from __future__ import annotations

import json

import pytest

from deduplication.figures.run_result import ExportResult, Figures, RunResult, extract, extract_json, percent
from deduplication.figures.savings import Savings, Seen

FIRST = ExportResult("a.txt", "claude-code-text", "alpha", 206, 143, 63, ("index 3 to 5",), 5000, "archive/a.txt")
SECOND = ExportResult("b.txt", "claude-code-text", "beta", 10, 0, 10)
BROKEN = ExportResult("c.txt", error="This file is not a conversation export")


def test_rate_is_the_share_of_duplicates_in_percent() -> None:
    """63 duplicates of 206 messages are 30.6 percent."""
    assert round(FIRST.dedup_rate, 1) == 30.6


def test_rate_of_nothing_is_zero() -> None:
    """An export without messages, and a run without exports, have a rate of 0 and no division fails."""
    assert BROKEN.dedup_rate == 0.0
    assert RunResult().dedup_rate == 0.0
    assert percent(1, 0) == 0.0


def test_sums_run_over_all_exports() -> None:
    """Total, new and duplicates are the sums, and total = new + duplicates holds for them too."""
    run = RunResult((FIRST, SECOND, BROKEN))
    assert (run.total, run.new, run.duplicates) == (216, 143, 73)
    assert run.total == run.new + run.duplicates


def test_failed_and_archived_exports_are_told_apart() -> None:
    """An export with an error has failed, one with a place in the archive was archived."""
    run = RunResult((FIRST, SECOND, BROKEN))
    assert run.failed == (BROKEN,)
    assert run.archived == (FIRST,)


def test_json_object_has_the_contract_s_keys() -> None:
    """``--json`` prints exactly the object of the command line contract."""
    run = RunResult((FIRST,), global_unique=7931, storage=Savings(Seen(800, 0, 200, 300, 50), 250), duration_s=1.23456)
    assert json.loads(json.dumps(run.as_dict())) == {
        "exports": [
            {
                "path": "a.txt",
                "format": "claude-code-text",
                "session_id": "alpha",
                "total_messages": 206,
                "new_messages": 143,
                "duplicates_filtered": 63,
                "dedup_rate": 30.6,
                "gaps": ["index 3 to 5"],
                "archived_to": "archive/a.txt",
            }
        ],
        "total_messages": 206,
        "new_messages": 143,
        "duplicates_filtered": 63,
        "global_unique": 7931,
        "storage": {
            "raw_bytes": 1000,
            "stored_bytes": 250,
            "savings_pct": 75.0,
            "saved": {"identical_files": 200, "known_messages": 300, "doubled_blobs": 50, "compression": 200},
            "plain_bytes": 0,
        },
        "duration_s": 1.235,
    }


def test_savings_are_negative_where_the_store_is_larger() -> None:
    """A store larger than what went in is reported as it is, not as a saving of zero."""
    assert RunResult(storage=Savings(Seen(100), 150)).as_dict()["storage"]["savings_pct"] == -50.0


def test_error_and_warnings_stand_in_json_only_where_there_are_any() -> None:
    """A failed export carries its error, one with warnings carries these."""
    assert BROKEN.as_dict()["error"] == "This file is not a conversation export"
    assert "error" not in FIRST.as_dict()
    assert "warnings" not in FIRST.as_dict()
    assert ExportResult("d.txt", warnings=("odd",)).as_dict()["warnings"] == ["odd"]


_WHOLE = "  Total messages: 206\n  New unique: 143\n  Duplicates filtered: 63\n  Dedup rate: 30.6%\n  Global unique count: 7931\n"


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        pytest.param(_WHOLE, Figures(143, 63, 206, 7931), id="one-export"),
        pytest.param(
            "  Total messages: 9\n  New unique: 9\n  Duplicates filtered: 0\n" + _WHOLE,
            Figures(143, 63, 206, 7931),
            id="the-sums-come-last",
        ),
        pytest.param(_WHOLE.replace("\n", "\r\n"), Figures(143, 63, 206, 7931), id="windows-line-ends"),
        pytest.param(
            "New unique messages: 1,143\nTotal messages: 1,206\nDuplicate messages filtered: 63\nTotal unique messages: 7,931",
            Figures(1143, 63, 1206, 7931),
            id="other-wordings-and-separators",
        ),
        pytest.param(
            _WHOLE + "   - New unique messages: 143\n   - Total unique messages: 7,931\n",
            Figures(143, 63, 206, 7931),
            id="with-the-closing-summary",
        ),
        pytest.param(
            _WHOLE + "  ✓ Archived: New unique: 99\n  → [6.3m] Total messages: 5\n",
            Figures(143, 63, 206, 7931),
            id="a-file-name-is-no-figure",
        ),
        pytest.param(
            "  9 new (all captured earlier)\n" + _WHOLE + "  143 new (102 captured earlier)\n",
            Figures(143, 63, 206, 7931, captured=102),
            id="what-hooks-captured",
        ),
        pytest.param(_WHOLE.rpartition("  Global")[0], None, id="cut-off-before-the-sums"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_figures_are_read_from_the_stable_lines(output: str, expected: object) -> None:
    """The sums are found by their labels, and a run without all of them has no figures."""
    assert extract(output) == expected


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        pytest.param(json.dumps(RunResult((FIRST,), 7931).as_dict()), Figures(143, 63, 206, 7931), id="the-object"),
        pytest.param(
            json.dumps({**RunResult((FIRST,), 7931).as_dict(), "captured": 2}),
            Figures(143, 63, 206, 7931, captured=2),
            id="what-hooks-captured",
        ),
        pytest.param("", None, id="nothing"),
        pytest.param("[1]", None, id="no-object"),
        pytest.param("{}", None, id="no-keys"),
        pytest.param('{"new_messages": null}', None, id="no-number"),
        pytest.param("[" * 100_000, None, id="deep-nesting"),
    ],
)
def test_figures_are_read_from_the_json_object(output: str, expected: object) -> None:
    """The same four numbers come out of ``--json``, and anything else gives none instead of a failure."""
    assert extract_json(output) == expected
