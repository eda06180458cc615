"""The evidence by which two sequences are one conversation: three distinctive turns in a row, no fewer."""

from __future__ import annotations

import pytest

from deduplication.alignment.columns import columns
from deduplication.alignment.fingerprint import fingerprints
from deduplication.alignment.overlap import RUN, one_holds_the_other, shared_run, shared_turns
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.model import PROMPT, TEXT
from exports import Turn
from memory_store import message
from purge_scenes import Talk, sentence


def rows(*said):
    """Turns of a sequence, prompts and answers in turn."""
    return columns(fingerprints(message((PROMPT, TEXT)[n % 2], text) for n, text in enumerate(said)))


def pasted(number):
    """A long prompt that people paste into session after session."""
    return sentence(f"pasted{number}", 3)


def test_two_pasted_prompts_do_not_make_one_conversation(tmp_path):
    """One after the other, as every session of somebody begins; with the answer between them it is one."""
    dedup = ClaudeConversationDeduplicator(tmp_path)
    for name in ("alder", "birch"):
        talk = Talk(name, tools=False, images=False)
        talk.turns[0], talk.turns[2] = (Turn("user", "prompt", pasted(n)) for n in range(2))
        talk.turns[1] = Turn("assistant", "text", "Done.")
        assert dedup.ingest(talk.text(), name=f"2026-03-01-EXPORT-{name.upper()}.txt").conversation_id == name
    assert [len(dedup.get_full_conversation(name)) for name in ("alder", "birch")] == [16, 16]
    again = Talk("alder", tools=False, images=False)
    again.turns[0], again.turns[2] = (Turn("user", "prompt", pasted(n)) for n in range(2))
    again.turns[1] = Turn("assistant", "text", "Done.")
    assert dedup.ingest(again.text(0, 4), name="2026-03-01-EXPORT-CEDAR.txt").conversation_id == "alder"


def test_a_run_is_three_distinctive_turns():
    """Two are none, however long they are, and neither are two in one place and one in another."""
    known = rows(*(pasted(n) for n in range(8)))
    order = range(8)
    assert shared_run(known, order, rows("x", pasted(1), pasted(2), "y")) == 2 < RUN
    assert shared_run(known, order, rows("x", pasted(1), pasted(2), pasted(3))) == 3 == RUN
    assert shared_run(known, order, rows(pasted(0), pasted(1), "z" * 60, pasted(3))) == 2
    assert not shared_turns(known, order, rows(pasted(0), pasted(1)))
    assert shared_turns(known, order, rows(pasted(0), pasted(1), pasted(2)))
    assert one_holds_the_other(known, order, rows(pasted(0), pasted(1))) is None
    assert one_holds_the_other(known, order, rows(pasted(0), pasted(1), pasted(2))) == range(3)
    few = rows(pasted(0), pasted(1), pasted(2))
    assert one_holds_the_other(few, range(3), rows("x", pasted(9), *(pasted(n) for n in range(4)))) == range(2, 5)


RUNS = {
    "whole": ([0, 1, 2, 3], 4),
    "one that only the known side has": ([0, 1, 3, 4], 4),
    "two of them": ([0, 1, 4], 2),
    "one that only the shown side has": ([0, 1, 8, 2], 3),
    "one in the place of another": ([0, 1, 8, 3], 2),
    "back again": ([2, 1, 0], 1),
    "prompts alone": ([0, 2], 1),
}


@pytest.mark.parametrize(("shown", "length"), RUNS.values(), ids=RUNS.keys())
def test_a_message_of_one_side_alone_may_stand_in_a_run(shown, length):
    """A line of the client that no rule explains: one, where people and the assistant both speak in the run."""
    everything = rows(*(pasted(n) for n in range(9)))
    assert shared_run(everything.take(range(8)), range(8), everything.take(shown)) == length
