"""store_report: what statistics, verify and rebuild say, word for word, and nothing that a terminal obeys."""

from __future__ import annotations

import pytest

from deduplication.reports import store as store_report

FIGURES = {
    "conversation_id": "rollout-master",
    "watermark": 1234,
    "unique_messages": 1100,
    "total_messages": 1200,
    "exports_processed": 3,
    "messages_processed": 2400,
    "duplicates_filtered": 1300,
    "storage_savings_pct": 62.5,
    "raw_bytes": 1000000,
    "stored_bytes": 375000,
    "unconnected_runs": 1,
}


def test_statistics_show_every_figure_with_its_meaning():
    """Thousands have separators, and bytes say whose they are."""
    assert store_report.statistics(FIGURES).splitlines() == [
        "  📈 Conversation: rollout-master",
        "     Messages: 1,200 (highest sequence number 1,234)",
        "     Unique messages: 1,100",
        "     Exports processed: 3 with 2,400 messages, 1,300 of them duplicates",
        "     Bytes: 1,000,000 exported, 375,000 in the log (62.5% saved)",
    ]


def test_a_conversation_without_exports_has_no_figures():
    """There is no highest number of nothing."""
    empty = {**FIGURES, "exports_processed": 0, "watermark": -1}
    assert store_report.statistics(empty) == "  📈 Conversation: rollout-master\n     Nothing is stored of it yet."


@pytest.mark.parametrize(
    ("percent", "words"), [(0.0, ""), (99.94, " (99.9% saved)"), (0.1, " (0.1% saved)"), (-51.7, ""), (-312.0, "")]
)
def test_savings_are_told_when_there_are_any(percent, words):
    """A log that is larger than what went into it has its two numbers, and nothing is made of them."""
    shown = store_report.statistics({**FIGURES, "storage_savings_pct": percent})
    assert f"375,000 in the log{words}\n" in f"{shown}\n"


def test_unconnected_runs_are_a_warning():
    """More than one run in a conversation means that something may be missing between them."""
    shown = store_report.statistics({**FIGURES, "unconnected_runs": 3}).splitlines()
    assert shown[-1] == "     ⚠ 3 runs that no export connects: messages between may be missing"


def test_a_verified_store_is_one_line():
    """All is well, and how many messages that is about."""
    expected = "✅ Verified: every line, every message and every number is right (1,200 unique messages)."
    assert store_report.verified([], "1,200") == expected


def test_problems_are_counted_and_listed_with_what_to_do():
    """Each problem has its line; the advice is the command that cures it."""
    assert store_report.verified(["a", "b"], "").splitlines() == [
        "❌ 2 problems found:",
        "   - a",
        "   - b",
        "   → 'deduplicate_export.py rebuild' makes the indexes anew and sets single flipped bits right.",
    ]


@pytest.mark.parametrize(
    ("found", "remaining", "lines"),
    [
        ([], [], ["✅ Every index was made anew from the log, and the store verifies."]),
        (["a"], [], ["   - a", "✅ Every index was made anew from the log, and the store verifies."]),
        (
            ["a"],
            ["b"],
            [
                "   - a",
                "❌ The indexes were made anew; 1 problem remains:",
                "   - b",
                "   → Put back the damaged file from a backup, or process the raw exports again.",
            ],
        ),
    ],
    ids=["whole", "cured", "beyond-cure"],
)
def test_rebuild_says_what_it_found_and_what_remains(found, remaining, lines):
    """What was found comes first, then whether the store is whole now."""
    assert store_report.rebuilt(found, remaining).splitlines() == lines


def test_names_from_a_store_cannot_steer_the_terminal():
    """A conversation's name and a problem's text are shown, not obeyed, each on its own line."""
    evil = "x\x1b[2J\u202e\ny"
    texts = (
        store_report.statistics({**FIGURES, "conversation_id": evil}),
        store_report.statistics({**FIGURES, "conversation_id": evil, "exports_processed": 0}),
        store_report.verified([evil], ""),
        store_report.rebuilt([evil], [evil]),
    )
    for text in texts:
        assert "x\\x1b[2J\\u202e\\ny" in text
        assert not set(text) & {"\x1b", "\u202e"}
