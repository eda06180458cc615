"""The numbers of the storage report add up, whatever they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.alignment.byte_coverage import covered
from deduplication.figures.savings import NOTHING, Savings, Seen, percent
from deduplication.reports import storage as storage_report

SIZES = st.integers(0, 10**12)


@given(SIZES, SIZES, SIZES, SIZES, SIZES)
def test_raw_is_what_is_stored_and_what_every_layer_saved(distinct, identical, known, doubled, stored):
    """Raw bytes seen = bytes stored + the savings of all layers, also where a layer costs more than it saves."""
    found = Savings(Seen(distinct, 0, identical, known, doubled), stored)
    told = found.as_dict()
    assert told["raw_bytes"] == distinct + identical == told["stored_bytes"] + sum(told["saved"].values())
    assert told["savings_pct"] == round(percent(sum(told["saved"].values()), told["raw_bytes"]), 1)


@given(SIZES, SIZES)
def test_savings_are_told_when_there_are_any(raw, stored):
    """The percentage where it is one; else how much is there, and no number with a minus sign either way."""
    words = storage_report.share(raw, stored)
    saved = round(percent(raw - stored, raw), 1)
    assert "-" not in words
    if saved > 0:
        assert words == f"{saved:.1f}% saved"
    else:
        assert words.startswith("small store, " if stored < 1_000_000 else "nothing saved yet, ")
    assert ("bytes seen" in storage_report.in_a_line(raw, stored)) == (raw > stored)


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        (101, "small store, 1 kB"),
        (10_848, "small store, 11 kB"),
        (998_000, "small store, 998 kB"),
        (1_234_567, "nothing saved yet, 1.2 MB"),
    ],
)
def test_a_small_store_is_a_small_store(stored, words):
    """In thousands of bytes, or millions."""
    assert storage_report.share(100, stored) == words
    assert storage_report.in_a_line(100, stored).startswith(f"📦 Storage: {words.partition(',')[0]}, ")


@given(SIZES, SIZES, SIZES, SIZES, SIZES)
def test_no_part_of_a_report_has_a_minus_sign(distinct, identical, known, doubled, stored):
    """What compression does not save is what the store adds; a layer that saved nothing is not named in a run's part."""
    found = Savings(Seen(distinct, 0, identical, known, doubled), stored)
    text = "\n".join(line.removeprefix("   - ") for line in storage_report.in_a_run(found))
    assert "-" not in text
    saves = found.seen.raw > stored
    assert (f"What the store adds: {-found.compression:,}" in text) == (saves and found.compression < 0)
    assert saves or "Saved by" not in text
    assert " 0," not in text.partition("Saved by")[2]


def test_damage_leaves_no_savings():
    """Where bytes are missing on the disk neither a percentage nor a layer is given; the reason is."""
    told = Savings(Seen(100), 10, damage=("a pack is missing",)).as_dict()
    assert (told["savings_pct"], told["saved"], told["damage"]) == (None, None, ["a pack is missing"])
    assert "damage" not in NOTHING.as_dict()


def test_nothing_seen_is_nothing_saved():
    """An empty store divides by nothing."""
    assert NOTHING.as_dict()["savings_pct"] == 0.0


@given(st.lists(st.tuples(st.integers(-1, 60), st.integers(0, 60))))
def test_covered_bytes_are_counted_once(spans):
    """Of spans in any order, overlapping or not, each byte counts once; a span that begins below 0 has no bytes."""
    assert covered(iter(spans)) == len({at for start, end in spans if start >= 0 for at in range(start, end)})


@pytest.mark.parametrize(
    ("days", "words"),
    [
        pytest.param(7.0, "wait as plain files, to be packed after 7 days", id="default"),
        pytest.param(1.0, "wait as plain files, to be packed after 1 day", id="one"),
        pytest.param(0.5, "wait as plain files, to be packed after 0.5 days", id="half"),
        pytest.param(0.0, "wait as plain files, to be packed by the next run", id="at-once"),
        pytest.param(-1.0, "lie as plain files (pack_older_than_days: never)", id="never"),
    ],
)
def test_what_is_not_packed_yet_is_said(days, words):
    """Plain files and when they are packed, as the setting has it."""
    lines = storage_report.in_a_run(Savings(Seen(5000), 5000, plain=4000, pack_after_days=days))
    assert lines[-1] == f"   - 4,000 bytes {words}"
    assert not any("plain files" in line for line in storage_report.in_a_run(Savings(Seen(5000), 5000)))


def test_a_run_s_part_is_golden():
    """Labels are stable: the banner's report reads the two numbers from them."""
    found = Savings(Seen(10083, 0, 4987, 4837, 12), 31929)
    assert storage_report.in_a_run(found) == [
        "📦 Storage report, all runs together:",
        "   - Raw bytes seen: 15,070",
        "   - Bytes stored: 31,929",
        "   - Overall: small store, 32 kB",
    ]
    assert storage_report.in_a_run(Savings(Seen(10083, 0, 4987, 4837, 12), 6000))[1:] == [
        "   - Raw bytes seen: 15,070",
        "   - Bytes stored: 6,000",
        "   - Overall: 60.2% saved",
        "   - Saved by identical files 4,987, known messages 4,837, doubled blobs 12",
        "   - What the store adds: 766",
    ]
    assert storage_report.in_a_line(15070, 3000) == "📦 Storage: 15,070 bytes seen, 3,000 on disk (80.1% saved)"


def test_a_damaged_store_s_part_says_no_savings():
    """The problem stands there, what to do, and no number that would be wrong."""
    lines = storage_report.in_a_run(Savings(Seen(10083), 900, damage=("pack-0001.pack:\x1b gone",)))
    assert lines == [
        "📦 Storage report, all runs together:",
        "   - Bytes on disk: 900",
        "   ❌ pack-0001.pack:\\x1b gone",
        "   → The bytes on the disk are not all that was stored. 'deduplicate_export.py verify' says what that costs.",
    ]
