"""What the user reads of damage."""

from __future__ import annotations

import pytest

from deduplication.repair.damage import Finding
from deduplication.repair.outcome import Repaired
from deduplication.repair.rebuild_from_archive import MissingMessages, Rebuilt
from deduplication.reports import repair as repair_report

SPANS = tuple((10 * n, 10 * n) for n in range(9))
CASES = {
    "messages": (
        Finding(
            "messages", "log, line 3", "x", repaired=True, conversation="c", numbers=((3, 5),), messages=3, file="f"
        ),
        "3 messages of 'c', sequence numbers 3-5; repair takes them from f",
    ),
    "one message, lost": (
        Finding("messages", "w", "x", repaired=False, conversation="c", numbers=((3, 3),), messages=1, export="e"),
        "1 message of 'c', sequence number 3, from export e; lost: nothing else has them",
    ),
    "many ranges": (
        Finding("messages", "w", "x", repaired=False, conversation="c", numbers=SPANS, messages=9),
        "9 messages of 'c', sequence numbers 0, 10, 20, 30, 40, 50, 60, 70 and 1 more ranges; lost: nothing else has them",
    ),
    "nothing known": (
        Finding("messages", "w", "torn", repaired=False),
        "w: torn; it cannot be told whose it was",
    ),
    "nothing missing": (
        Finding("messages", "w", "torn", repaired=True),
        "w: torn; nothing is missing that anything tells of",
    ),
    "unfinished": (
        Finding("unfinished", "w", "cut", repaired=False),
        "w: cut; it was never counted, run its export again",
    ),
    "run": (
        Finding("run", "w", "x", repaired=True, conversation="c", export="e", file="f"),
        "the record of a run of e in 'c'; repair makes it again from f",
    ),
    "run, lost": (
        Finding("run", "w", "x", repaired=False, conversation="c"),
        "the record of a run in 'c': lost; its messages are kept",
    ),
    "blob": (
        Finding("blob", "w", "x", repaired=True, conversation="c", numbers=((4, 4),), bytes=2100, file="f"),
        "an image or document of 2,100 bytes in message 4 of 'c'; repair takes it from f",
    ),
    "blob, lost": (
        Finding("blob", "w", "x", repaired=False, conversation="c", numbers=((4, 4),), bytes=2100),
        "an image or document of 2,100 bytes in message 4 of 'c'; lost: nothing has it",
    ),
    "file": (
        Finding("file", "w", "x", repaired=True, name="n", bytes=5, date="2026-03-04", file="f"),
        "archived file n (2026-03-04, 5 bytes); repair takes it from f",
    ),
    "file, lost": (
        Finding("file", "w", "x", repaired=False, name="n\x1b[2J", bytes=5, conversation="c", messages=7),
        "archived file n\\x1b[2J (conversation 'c', 5 bytes) cannot be restored; 7 of its messages are in the log",
    ),
    "bit": (Finding("bit", "w", "one bit was flipped", repaired=True), "w: one bit was flipped; repair sets it right"),
    "pack": (Finding("pack", "w", "x", repaired=True), "w: x; what is left of its files can be packed anew"),
    "pack, by the list": (
        Finding("pack", "w", "x", repaired=True, proven=True),
        "w: x; every file of it is had otherwise",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_damage_in_the_users_terms(name):
    """What it costs, and who has it; nothing that a terminal obeys."""
    finding, said = CASES[name]
    assert repair_report.cost(finding) == said


def test_what_was_lost_and_what_is_still_wrong_is_told():
    """Losses by name; what else remains is named where nothing was lost."""
    lost = CASES["one message, lost"][0]
    said = repair_report.repaired(Repaired([lost], ["a/b"], ["a note"], ["still"]))
    assert "Lost for good: 1" in said
    assert "stays named by 'verify'" in said
    assert "a note" in said
    said = repair_report.repaired(Repaired([CASES["bit"][0]], [], [], ["still"]))
    assert "set right" in said
    assert "Something is still wrong:\n   - still" in said


def test_costs_leave_out_what_costs_nothing():
    """A flipped bit tells itself and a pack all of whose files are there is no loss."""
    small = [CASES["bit"][0], CASES["pack"][0]]
    assert repair_report.costs(small, named=True) == ""
    assert len(repair_report.costs(small, named=False).splitlines()) == 3  # else nothing would say why it is not well


def test_a_new_store_is_told_with_what_it_lacks():
    """Files that failed, messages that nobody has, and whether that can be told at all."""
    done = Rebuilt(
        "/new", files=2, unique=5, conversations=1, moved="/old", failures=[("x", "damaged")], old_known=True
    )
    done.missing.append(MissingMessages("c", "e.txt", 4))
    said = repair_report.rebuilt(done)
    assert "❌ 4 messages of 'c', captured from e.txt, that no archived file has" in said
    assert "⚠ x could not be processed: damaged" in said
    assert "The old store is in /old" in said
    assert "cannot be told" in repair_report.rebuilt(Rebuilt("/new"))
