"""Where messages must be missing."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.alignment.gaps import Numbered, describe, jumps, missing, missing_indexes
from deduplication.commands import deduplicate_export
from deduplication.model import BANNER, COMPACTION, TRUNCATION
from deduplication.project.paths import AUDIT


@pytest.mark.parametrize(
    ("present", "missing"),
    [
        ([], []),
        ([7], []),
        ([0, 1, 2], []),
        ([0, 1, 4], [(2, 3)]),
        ([13, 8, 4, 9], [(5, 7), (10, 12)]),
        ([3, 3, 5], [(4, 4)]),
        ([-2, 0], [(-1, -1)]),
        ([0, 10**18], [(1, 10**18 - 1)]),
    ],
    ids=["none", "one", "all", "two-missing", "unordered", "twice", "negative", "huge"],
)
def test_missing_indexes(present, missing):
    """Runs between the smallest and the largest, both ends included; no list of a million numbers is made for one."""
    assert missing_indexes(present) == missing


@given(st.sets(st.integers(-50, 50), min_size=1))
def test_present_and_missing_are_the_whole_range(present):
    """Nothing is both, nothing is neither."""
    missing = {n for first, last in missing_indexes(present) for n in range(first, last + 1)}
    assert not missing & present
    assert missing | present == set(range(min(present), max(present) + 1))


BEGINS = "the export begins after a compaction; what was said before it is not in the store"
SHARES_NOTHING = "the export begins after a compaction and shares nothing with what is stored"
LEFT_OUT = "the export itself says that earlier messages were left out"


@pytest.mark.parametrize(
    ("marks", "matches", "indexes", "known", "lines"),
    [
        ([], [None], [None], 0, []),
        ([(COMPACTION, 0)], [None], [None], 0, [BEGINS]),
        ([(COMPACTION, 0)], [None], [None], 5, [SHARES_NOTHING]),
        ([(COMPACTION, 0)], [4, None], [None, None], 5, []),
        ([(COMPACTION, 1)], [None, None], [None, None], 0, []),
        ([(BANNER, 0)], [None], [None], 0, []),
        ([(TRUNCATION, 0)], [None], [None], 0, [LEFT_OUT]),
        ([], [None] * 3, [0, 1, 3], 0, ["message 2 is missing"]),
        ([], [None] * 3, [0, None, 9], 0, ["messages 1 to 8 are missing"]),
        ([(COMPACTION, 0), (TRUNCATION, 1)], [None] * 2, [1, 3], 0, [BEGINS, LEFT_OUT, "message 2 is missing"]),
    ],
    ids=[
        "none",
        "begins-after",
        "shares-nothing",
        "joined",
        "inside",
        "banner",
        "left-out",
        "one",
        "several",
        "all",
    ],
)
def test_describe(marks, matches, indexes, known, lines):
    """A line for each gap that the export itself, its numbering or the alignment shows, and none where all is there."""
    assert describe(marks, matches, indexes, known=known) == lines


# --- between two exports ----------------------------------------------------------------------------------------------


def stored(*indexes):
    """What a conversation has, in reading order: the sequence numbers count from 100, so that nothing agrees by chance."""
    return [Numbered(100 + number, index) for number, index in enumerate(indexes)]


@pytest.mark.parametrize(
    ("known", "matches", "shown", "gaps"),
    [
        (stored(0, 1, 2), [None, None], [5, 6], [(3, 4)]),
        (stored(5, 6), [None] * 3, [0, 1, 2], [(3, 4)]),
        (stored(0, 1, 2, 5, 6), [None, None], [3, 4], []),
        (stored(0, 1, 2, 5, 6), [None], [3], [(4, 4)]),
        (stored(0, 1, 2, 5, 6), [None, None], [7, 8], []),
        (stored(0, 1, 2, 5, 6), [103, 104, None], [5, 6, 7], [(3, 4)]),
        (stored(0, 1), [None, None], [1, 4], [(2, 3)]),
        (stored(7, 8), [100, None], [0, 3], [(1, 2)]),
        (stored(0, 1, 2, None, None), [None], [5], []),
        (stored(None, None, 5), [None], [2], []),
        (stored(None, 0, 1), [None], [4], [(2, 3)]),
        (stored(None, None, None), [101, None], [4, 6], []),
        (stored(None, None, None), [102, None], [4, 6], [(5, 5)]),
        (stored(0, 1, 2), [None], [None], []),
    ],
    ids=[
        "after",
        "before",
        "filled",
        "filled-in-part",
        "told-before",
        "shown-again",
        "within",
        "another-count",
        "told-without-numbers-behind",
        "told-without-numbers-before",
        "others-elsewhere",
        "beside-a-known-one",
        "at-the-end",
        "no-numbers",
    ],
)
def test_missing_between_exports(known, matches, shown, gaps):
    """A run is missing where its end is shown now and nobody has it; a file that counts for itself tells of itself only."""
    assert missing(known, matches, shown) == gaps


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30), min_size=1))
def test_only_what_nobody_has_is_missing(before, shown):
    """Of two exports that share a count: what is told is in neither, ends at the one at hand, and nothing else ends there."""
    told = missing(stored(*sorted(before)), [None] * len(shown), sorted(shown))
    gone = {n for first, last in told for n in range(first, last + 1)}
    have = before | shown
    assert not gone & have
    assert all({first - 1, last + 1} & shown and {first - 1, last + 1} <= have for first, last in told)
    beside = {n + step for n in shown for step in (-1, 1)} - have
    assert gone >= {n for n in beside if min(have) < n < max(have)}


def numbered(name, *indexes):
    """An export of a script that numbers the messages of a conversation, and its file's name."""
    messages = [
        {
            "index": n,
            "role": "assistant" if n % 2 else "user",
            "content": f"entry {n} tells of lamp {n} on quay {n * 7}",
        }
        for n in indexes
    ]
    return name, json.dumps({"exported_at": "2026-03-01", "title": "t", "messages": messages}).encode()


@pytest.mark.parametrize("backend", ["json", "default"])
def test_a_gap_between_exports_reaches_run_json_and_audit(tmp_path, capsys, backend):
    """Told in the output, in ``--json`` and in the audit line of the export that shows it; once it is filled by nobody."""
    told = []
    for form in ([], ["--json"]):
        folder = tmp_path / f"with{len(form)}"
        folder.mkdir()
        for number, indexes in enumerate([(0, 1, 2), (5, 6), (3, 4), (7,), (9, 7)], 1):
            name, data = numbered(f"2026-03-0{number}-EXPORT-LAMPS.json", *indexes)
            (folder / name).write_bytes(data)
            arguments = [str(folder / name), "--project", str(folder), "--backend", backend, *form]
            assert deduplicate_export.main(arguments) == 0
            out = capsys.readouterr().out
            told.append(json.loads(out)["exports"][0]["gaps"] if form else re.findall(r"⚠ Gap: (.+)", out))
        audit = (folder / "MEMORY-CONTEXT" / "dedup_state" / AUDIT).read_text(encoding="utf-8")
        told.append([json.loads(line)["metadata"]["gaps"] for line in audit.splitlines()])
    once = [[], ["messages 3 to 4 are missing"], [], [], ["message 8 is missing"]]
    assert told == [*once, once, *once, once]


# --- in a conversation as it is read ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("indexes", "found"),
    [
        ([], []),
        ([0, 1, 2], []),
        ([0, 2], [(1, 1)]),
        ([0, 1, 5, 6, 9], [(2, 4), (7, 8)]),
        ([0, None, 5], []),
        ([0, 1, 5, 0, 1, 2, 3, 4], []),
        ([0, 5, 0, 1], [(2, 4)]),
        ([3, 3, 3, 4], []),
        ([5, 0, 9], [(1, 4), (6, 8)]),
    ],
    ids=["none", "all", "one", "two", "unnumbered", "elsewhere", "partly", "equal", "new-count"],
)
def test_jumps(indexes, found):
    """Runs of numbers that no message has, where those of two neighbours jump over them."""
    assert jumps(indexes) == found
