"""Which conversation an export belongs to, and which conversations it shows to be one."""

from __future__ import annotations

import itertools

import pytest

from deduplication.ingest import transcript_capture
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from exports import Story, kept
from transcript_lines import day

OTHER = Story(31, exchanges=3)


@pytest.fixture(params=["json", "default"])
def dedup(request, tmp_path):
    """A deduplicator over each kind of index."""
    return ClaudeConversationDeduplicator(tmp_path / "state", backend=request.param)


def turns(*said):
    """Prompts and answers, in turn, as an export shows them."""
    return "".join(f"{'❯●'[n % 2]} {each}\n\n" for n, each in enumerate(said)).encode()


def calls(*names):
    """Calls with their results."""
    return "".join(f"● Bash({each} --all)\n  ⎿  {each} of the harbour is done\n\n" for each in names).encode()


WORK = ("count ropes", "paint hulls", "mend nets")
SHORT = turns("please", "I do.") + calls(*WORK)
"""A short file in the middle of work: nothing in it is a long turn."""


@pytest.mark.parametrize("order", list(itertools.permutations(("early", "late"))))
def test_an_exact_beginning_is_the_same_conversation_in_either_order(dedup, order):
    """By its calls and results, in a row from the first message on."""
    files = {"early": SHORT, "late": SHORT + turns("and now?", "Now the masts of the boats.")}
    for name in order:
        dedup.ingest(files[name], name=f"{name}.txt")
    (name,) = dedup.conversations()
    assert len(dedup.get_full_conversation(name)) == 10
    assert dedup.store.verify() == []


def test_what_stands_in_several_conversations_shows_none(dedup):
    """Two that begin alike and go on otherwise are two; a file of the beginning alone belongs to neither."""
    dedup.ingest(SHORT + turns("to the north", "The north it is."), name="north.txt")
    dedup.ingest(SHORT + turns("to the south", "The south it is."), name="south.txt")
    assert len(dedup.conversations()) == 2
    assert dedup.ingest(SHORT, name="beginning.txt").conversation_id == "beginning"


def test_two_sessions_of_the_client_are_never_one(dedup, tmp_path):
    """A fork has the beginning of the other session: an export of that unites neither of them."""
    for name, count in (("one", 5), ("two", 5)):
        data = day(count)
        if name == "two":
            data = data.replace(b'"sessionId":"', b'"sessionId":"9').replace(b'"uuid":"', b'"uuid":"9')
            data = data.replace(b'"parentUuid":"', b'"parentUuid":"9')
        file = tmp_path / f"{name}.jsonl"
        file.write_bytes(data)
        transcript_capture.capture_file(dedup, file)
    assert len(dedup.conversations()) == 2
    text = b"".join(
        turns(
            f"Question number {n} about the harbour and its cranes, asked in the morning",
            f"Answer number {n}: the cranes of the harbour are counted from the north",
        )
        for n in range(5)
    )
    assert dedup.ingest(text, name="shown.txt").conversation_id in dedup.conversations()
    assert len(dedup.conversations()) == 2


def test_of_what_two_conversations_have_the_better_drawing_is_read(dedup):
    """Where a bridge unites them: whole before cut, whichever of them is older."""
    story = Story(41, exchanges=16)
    whole = story.show(0, len(story.turns))
    answer = next(turn.text for turn in story.turns if turn.kind == "tool_result" and "…" not in turn.text)
    last = answer.split("\n")[-1]
    cut = whole.replace(f"     {last}\n".encode(), "     … +1 lines (ctrl+o to expand)\n".encode(), 1)
    assert cut != whole
    at = story.starts[next(n for n, s in enumerate(story.starts) if last in str(story.turns[s : s + 9]))]
    for first, second in ((whole, cut), (cut, whole)):
        store = ClaudeConversationDeduplicator(f"{dedup.store.folder}-{first == whole}")
        store.ingest(first, name="one.txt", conversation_id="one")
        store.ingest(second, name="two.txt", conversation_id="two")
        assert len(store.conversations()) == 2
        more = Story(41, exchanges=17)
        store.ingest(more.show(at, len(more.turns)), name="three.txt")
        (name,) = store.conversations()
        assert kept(store.get_full_conversation(name)) == more.truth()
        assert store.store.verify() == []


def test_one_drawing_has_one_alignment_key(dedup):
    """An address in one line and wrapped inside of it are one content with two keys: the index has the one that the log holds."""
    address = "https://harbour.example/" + "/".join(f"pier{n}" for n in range(12))
    said = f"The list of all the boats lies at {address} for everybody to read."
    dedup.ingest(turns("where is the list?", said), name="wide.txt")
    dedup.ingest(
        turns("and the other one?", said.replace("pier7", "pi\n  er7"), "thanks", "Gladly."), name="narrow.txt"
    )
    assert len(dedup.conversations()) == 2
    assert dedup.global_unique_count() == 5
    assert dedup.store.verify() == []
