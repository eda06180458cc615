"""A file that shows several windows of a conversation: each is aligned by itself, and every message is kept once."""

from __future__ import annotations

import pytest

from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from exports import Story, kept

STORY = Story(21, exchanges=18)
END = len(STORY.turns)
HALF, BACK = STORY.starts[10], STORY.starts[8]
FIRST, SECOND = STORY.show(0, HALF), STORY.show(BACK, END, compacted=True)


@pytest.fixture(params=["json", "default"])
def dedup(request, tmp_path):
    """A deduplicator over each kind of index."""
    return ClaudeConversationDeduplicator(tmp_path / "state", backend=request.param)


FILES = {
    "two exports one after the other": FIRST + SECOND,
    "the same export twice, then the next": FIRST + STORY.show(0, HALF, closing=1) + SECOND,
    "an earlier window behind a later one": SECOND + STORY.show(0, HALF),
}


@pytest.mark.parametrize("data", FILES.values(), ids=FILES.keys())
def test_a_file_with_several_windows_is_the_conversation_that_they_show(dedup, data):
    """As if each had been a file of its own: every message once and in order, and the log recounts."""
    dedup.ingest(data, name="all.txt")
    assert kept(dedup.get_full_conversation("all")) == STORY.truth()
    assert dedup.store.verify() == []
    dedup.store.rebuild()
    assert kept(dedup.get_full_conversation("all")) == STORY.truth()
    again = dedup.ingest(data, name="all.txt")
    assert (again.new, again.duplicates) == (0, again.total)
    assert kept(dedup.get_full_conversation("all")) == STORY.truth()


@pytest.mark.parametrize("data", FILES.values(), ids=FILES.keys())
def test_it_says_the_same_as_the_windows_one_by_one(dedup, data):
    """Nothing is new in a file of windows that are known, and nothing in the windows of a file that is known."""
    dedup.ingest(FIRST, name="all.txt")
    dedup.ingest(SECOND, name="all.txt")
    before = dedup.get_full_conversation("all")
    assert dedup.ingest(data, name="all.txt").new == 0
    assert dedup.get_full_conversation("all") == before


def test_what_a_file_shows_twice_is_counted_as_known(dedup):
    """total = new + duplicates: the second time it is a duplicate."""
    done = dedup.ingest(FIRST + SECOND, name="all.txt")
    assert done.total == HALF + END - BACK
    assert done.new == len(set(STORY.truth()))
    assert done.duplicates == done.total - done.new


def test_a_window_that_goes_on_follows_the_one_above_it(dedup):
    """A banner in the middle of a file is no gap: the terminal was opened again, and the talk went on."""
    dedup.ingest(FIRST + STORY.show(HALF, END), name="all.txt")
    assert kept(dedup.get_full_conversation("all")) == STORY.truth()
    assert dedup.get_statistics("all")["unconnected_runs"] == 1


def test_a_joint_that_is_shown_later_makes_one_message_of_two(dedup):
    """Two runs with a gap hold the same calls at its edges; the file that shows the joint shows them once."""
    dedup.ingest(STORY.show(0, HALF), name="one.txt", conversation_id="day")
    at = next(n for n in range(HALF, 0, -1) if STORY.turns[n - 1].kind == "tool_result")
    dedup.ingest(STORY.show(0, at), name="two.txt", conversation_id="other")
    dedup.ingest(STORY.show(at - 2, END), name="three.txt", conversation_id="other")
    dedup.ingest(STORY.show(0, END), name="four.txt", conversation_id="other")
    assert kept(dedup.get_full_conversation("other")) == STORY.truth()
    assert dedup.store.verify() == []


DRAWINGS = {
    "cut or whole": (
        "● Bash(count boats)\n  ⎿  one boat\n     two boats\n     … +1 lines (ctrl+o to expand)\n\n",
        "● Bash(count boats)\n  ⎿  one boat\n     two boats\n     three boats\n\n",
    ),
    "seen from another folder": (
        "● Read(boats.md)\n  ⎿  Read 12 lines\n\n",
        "● Read(notes/boats.md)\n  ⎿  Read 12 lines\n\n",
    ),
    "still running or done": ("● Bash(count boats)\n  ⎿  Running…\n\n", "● Bash(count boats)\n  ⎿  one\n\n"),
}


@pytest.mark.parametrize(("worse", "better"), DRAWINGS.values(), ids=DRAWINGS.keys())
def test_of_two_drawings_the_same_one_is_read_in_either_order(dedup, worse, better):
    """And it is one message: the second drawing is not announced, and the count of bodies is the same."""
    around = [STORY.show(0, HALF).decode(), STORY.show(HALF, END).decode().split("\n\n\n", 1)[1]]
    read, unique = [], []
    for name, order in (("one", (worse, better)), ("two", (better, worse))):
        store = ClaudeConversationDeduplicator(f"{dedup.store.folder}-{name}")
        done = [store.ingest(drawn.join(around).encode(), name="a.txt") for drawn in order]
        assert done[1].new == 0
        read.append(kept(store.get_full_conversation("a")))
        unique.append(store.global_unique_count())
        assert store.store.verify() == []
    assert read[0] == read[1]
    assert unique[0] == unique[1]
    assert better.split("⎿")[1].split("\n")[0].strip().replace(" ", "") in "".join(text for _, _, text in read[0])
    assert len(read[0]) == END + 2
