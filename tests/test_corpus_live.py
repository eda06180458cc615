"""Real transcripts beside the exports of the same sessions: one conversation, every message once, whichever came first."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from deduplication import formats
from deduplication.ingest import transcript_capture
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.model import ASSISTANT, LAYOUT, PROMPT, TEXT, USER
from faults import reader

VERSIONS = (
    *("2.0.27", "2.0.42", "2.0.58", "2.0.76", "2.1.3", "2.1.17", "2.1.31", "2.1.47", "2.1.98", "2.1.119", "2.1.150"),
    *("2.1.197", "2.1.330"),
)
PAIRS = ("2.0.42", "2.1.197", "2.1.330")


@pytest.fixture
def store(tmp_path):
    """An empty store."""
    return ClaudeConversationDeduplicator(tmp_path / "state")


def transcript_of(corpus, version):
    """The session's own transcript, without its sub-agents."""
    found = [
        path for path in (corpus / "lab" / version / "transcript").glob("*.jsonl") if not path.name.startswith("agent-")
    ]
    assert len(found) == 1
    return found[0]


def ingest(store, file, conversation=None):
    """Process one text export."""
    return store.ingest(file.read_bytes(), name=file.name, conversation_id=conversation)


def said(messages):
    """The turns of a conversation: kind and content."""
    return [(m["kind"], m["content"]) for m in messages if m["kind"] in (PROMPT, TEXT)]


@pytest.mark.parametrize("version", VERSIONS)
def test_exports_of_a_captured_session_bring_nothing_new(corpus, store, version):
    """Found by its content alone, an export joins its session, and no prompt, answer or tool call of it is new."""
    captured = transcript_capture.capture_file(store, transcript_of(corpus, version))
    before = said(store.get_full_conversation(captured.conversation_id))
    for name in ("pre.txt", "post.txt"):
        done = ingest(store, corpus / "lab" / version / name)
        assert done.conversation_id == captured.conversation_id
        assert [m for m in done.new_messages if m["role"] in (USER, ASSISTANT)] == []
    assert said(store.get_full_conversation(captured.conversation_id)) == before
    assert store.store.verify() == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("named", [True, False], ids=["named", "found"])
def test_a_transcript_takes_the_place_of_what_its_exports_showed(corpus, store, version, named):
    """Exports first, then the transcript: each message stands once, as it was written, in the transcript's order."""
    first = ingest(store, corpus / "lab" / version / "pre.txt", "session" if named else None)
    if named:
        ingest(store, corpus / "lab" / version / "post.txt", "session")
    file = transcript_of(corpus, version)
    done = store.ingest(file.read_bytes(), name=file.name, conversation_id="session" if named else None)
    assert done.conversation_id == first.conversation_id
    written = [m for m in formats.parse(file.read_bytes()).messages if m.kind in (PROMPT, TEXT)]
    whole = store.get_full_conversation(first.conversation_id)
    assert said(whole) == [(m.kind, m.content) for m in written]
    calls = [m["content"] for m in whole if m["kind"] == "tool_call"]
    assert all(isinstance(content, list) for content in calls), "a call as the screen drew it is left over"
    again = ingest(store, corpus / "lab" / version / "pre.txt")
    assert (again.conversation_id, again.new) == (first.conversation_id, 0)
    assert store.store.verify() == []


@pytest.mark.parametrize("version", PAIRS)
@pytest.mark.parametrize("first", ["txt", "jsonl"])
def test_each_turn_of_a_hard_session_is_recognised_across_formats(corpus, store, version, first):
    """172 prompts and 172 answers full of Markdown: each one is matched with itself and with no other."""
    folder = corpus / "lab" / "pair"
    files = sorted(folder.glob(f"{version}.*"), key=lambda path: path.suffix != f".{first}")
    for file in files:
        ingest(store, file, "pair")
    with store.store.transaction(write=False):
        conversation = store.store.conversation("pair")
        order, extends = conversation.reading().order, conversation.extends
    turns = [m for m in store.get_full_conversation("pair") if m["kind"] in (PROMPT, TEXT)]
    assert Counter(m["kind"] for m in turns) == {PROMPT: 172, TEXT: 172}
    written = formats.parse((folder / f"{version}.jsonl").read_bytes()).messages
    assert [m["content"] for m in turns] == [m.content for m in written if m.kind in (PROMPT, TEXT)]
    if first == "txt":  # each took the place of the drawing that stood at its own position
        shown = formats.parse((folder / f"{version}.txt").read_bytes()).messages
        places = [place for place, m in enumerate(shown) if m.kind in (PROMPT, TEXT)]
        assert len(places) >= 0.99 * 344
        assert [extends[number] for number in order if number in extends] == places


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)], ids=str)
def test_forks_and_branches_are_whole_and_share_their_bodies(corpus, tmp_path, order):
    """Each conversation is rebuilt whole, and no body is stored twice, in whatever order forks come."""
    store = ClaudeConversationDeduplicator(tmp_path / "state")
    files = sorted((corpus / "lab" / "2.1.197-operations" / "transcripts").rglob("*.jsonl"))
    parts = [files[n::3] for n in order]
    for file in itertools.chain(*parts):
        captured = transcript_capture.capture_file(store, file)
        written = [m.content for m in formats.parse(file.read_bytes()).messages]
        kept = [m["content"] for m in store.get_full_conversation(captured.conversation_id)]
        assert len(kept) == len(written)
        for one, other in zip(kept, written):  # a large output is stored with what its own file says
            assert one[: len(other)] == other if str(other).startswith("<persisted-output>") else one == other
    lines = reader.whole(tmp_path / "state").decode().splitlines()
    carried = Counter(line.split('"content_hash":"')[1][:64] for line in lines if '"message":{' in line)
    assert max(carried.values()) == 1
    assert store.store.verify() == []


def test_every_real_transcript_is_captured_whole(corpus, store):
    """Every message of every transcript of the corpus is read back, in the order of its lines."""
    files = [*sorted((corpus / "real-transcripts").rglob("*.jsonl")), *sorted((corpus / "lab").rglob("agent-*.jsonl"))]
    assert files
    for file in files:
        captured = transcript_capture.capture_file(store, file)
        if captured is None:
            continue
        kept = {m.get("uuid") for m in store.get_full_conversation(captured.conversation_id)}
        assert {m.uuid for m in formats.parse(file.read_bytes()).messages} <= kept
    assert store.store.verify() == []


def test_text_is_never_taken_for_exact(corpus, store):
    """What only the export has (a hook's notice, an output the transcript lacks) is kept as it was drawn."""
    file = transcript_of(corpus, "2.1.197")
    captured = transcript_capture.capture_file(store, file)
    before = {m["content_hash"] for m in store.get_full_conversation(captured.conversation_id)}
    ingest(store, corpus / "lab" / "2.1.197" / "post.txt")
    added = [m for m in store.get_full_conversation(captured.conversation_id) if m["content_hash"] not in before]
    assert added
    assert {m["fidelity"] for m in added} == {LAYOUT}
    assert {m["kind"] for m in added} <= {"bookkeeping", "notice", "command_output"}
