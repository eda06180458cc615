"""A file that holds several conversations: each is one of the store, and the file has the sums."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stream_lines as stream
import transcript_lines as lines
from archive_scenes import archived
from conversations import ROOT, chat, conversation, exported, identity, said, zipped
from deduplication.archive import discovery
from deduplication.commands import deduplicate_export, entry, export_dedup
from deduplication.errors import ExportChanged, ExportError, ExportUnreadable, StoreNotWritable
from deduplication.ingest import one_export, store_export
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.transcript_capture import capture_file
from deduplication.project.paths import Project

TWO = [chat("harbour", 2), chat("bridge", 1)]


@pytest.fixture
def store(tmp_path):
    """An empty store."""
    return ClaudeConversationDeduplicator(tmp_path / "state")


@pytest.fixture
def file(tmp_path):
    """Where the browser put the export."""
    return tmp_path / "data-2026-01-01.zip"


def put(path, conversations):
    """Write the export of these conversations, as a ZIP where ``path`` says so."""
    data = exported(conversations)
    path.write_bytes(zipped({"conversations.json": data, "users.json": b"[]"}) if path.suffix == ".zip" else data)
    return path


def texts(store, name):
    """What a reader of the conversation called ``name`` gets."""
    return [message["content"] for message in store.get_full_conversation(identity(name))]


def stored(store):
    """Every conversation as it is read."""
    return {name: store.get_full_conversation(name) for name in store.conversations()}


# --- claude.ai -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["data-2026-01-01.zip", "conversations.json"])
def test_each_conversation_of_a_data_export_is_stored(store, tmp_path, name):
    """Under its own id, whole and in order; the result is the file's, with the sums of all."""
    done = store.ingest_file(put(tmp_path / name, TWO), name=name)
    assert texts(store, "harbour") == [f"harbour says number {n} about the tides of the day" for n in range(4)]
    assert texts(store, "bridge") == [f"bridge says number {n} about the tides of the day" for n in range(2)]
    assert (done.total, done.new, done.duplicates, done.known_before) == (6, 6, 0, False)
    assert done.conversations == (identity("harbour"), identity("bridge"))
    assert done.conversation_id == name.rsplit(".", 1)[0]
    assert done.raw_bytes == (tmp_path / name).stat().st_size
    assert [message["content"] for message in done.new_messages] == texts(store, "harbour") + texts(store, "bridge")
    assert store.store.verify() == []


def test_bytes_and_files_are_one_reader(store, file, tmp_path):
    """``process_export`` takes the path, the bytes or the document, and the second and third bring nothing new."""
    put(file, TWO)
    assert len(store.process_export(None, file)) == 6
    assert store.process_export(None, file.read_bytes()) == []
    assert store.process_export(None, exported(TWO)) == []
    assert store.process_export(identity("bridge"), TWO[1]) == []
    assert sorted(store.conversations()) == sorted([identity("harbour"), identity("bridge")])


def test_a_file_of_another_format_is_left_to_the_others(store, tmp_path):
    """Only what is too large to be read whole is read here."""
    path = tmp_path / "session.jsonl"
    path.write_bytes(lines.prompt("hello"))
    assert store.ingest_file(path, name=path.name) is None


def test_a_later_export_brings_what_came_since(store, file, monkeypatch):
    """A conversation whose bytes did not change is not even parsed into the store again."""
    store.ingest_file(put(file, TWO), name="first.zip")
    more = chat("harbour", 3)
    aligned = []
    ingest = store_export.store_export
    monkeypatch.setattr(
        store_export,
        "store_export",
        lambda *args, **more: aligned.append(args[1].conversation_id) or ingest(*args, **more),
    )
    done = store.ingest_file(put(file, [TWO[1], more, chat("pier", 1)]), name="second.zip")
    assert (done.total, done.new) == (10, 4)
    assert aligned == [identity("harbour"), identity("pier")]
    assert texts(store, "harbour") == [message["text"] for message in more["chat_messages"]]
    done = store.ingest_file(file, name="third.zip")
    assert (done.new, done.known_before) == (0, True)


def test_an_edited_message_is_a_further_version(store, file):
    """The same id with other content is kept beside the first; the last form is what is read."""
    store.ingest_file(
        put(file, [conversation("c", [said("q", "human", "How hihg?"), said("a", "assistant", "4 m")])]), name="a"
    )
    done = store.ingest_file(
        put(file, [conversation("c", [said("q", "human", "How high is it?"), said("a", "assistant", "4 m")])]), name="b"
    )
    assert done.new == 1
    with store.store.transaction(write=False):
        assert store.store.tip(identity("c")) == 3
    assert texts(store, "c") == ["How high is it?", "4 m"]


def test_branches_are_kept_whole(store, file):
    """A retried answer stays beside the one it replaced, whichever export showed it first."""
    first = [
        said("q", "human", "How high is the tide at noon?", parent=ROOT),
        said("a", "assistant", "It is four metres high, as yesterday.", parent="q"),
    ]
    second = [*first, said("b", "assistant", "Five metres, measured at the pier.", parent="q")]
    store.ingest_file(put(file, [conversation("c", first)]), name="a")
    assert store.ingest_file(put(file, [conversation("c", second)]), name="b").new == 1
    assert texts(store, "c") == [message["text"] for message in second]


def test_exports_in_any_order_give_the_same_conversations(tmp_path):
    """Old after new, new after old: the same messages in the same reading order."""
    exports = [put(tmp_path / f"{n}.json", [chat("harbour", n), chat("bridge", 4 - n)]) for n in (1, 2, 3)]
    read = []
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        store = ClaudeConversationDeduplicator(tmp_path / "".join(map(str, order)))
        for position in order:
            store.ingest_file(exports[position], name=exports[position].name)
        read.append([texts(store, "harbour"), texts(store, "bridge")])
    assert read == [read[0]] * 3
    assert len(read[0][0]) == len(read[0][1]) == 6


def test_a_session_id_names_one_conversation(store, tmp_path):
    """Of a file with one it is taken; of a file with several it is refused before anything is stored."""
    with pytest.raises(ExportError, match="several conversations"):
        store.ingest_file(put(tmp_path / "two.json", TWO), name="two.json", conversation_id="mine")
    assert store.conversations() == []
    done = store.ingest_file(put(tmp_path / "one.json", TWO[:1]), name="one.json", conversation_id="mine")
    assert (done.conversation_id, store.conversations()) == ("mine", ["mine"])
    # What was named once keeps its name: the id in the file leads to it.
    store.ingest_file(put(tmp_path / "later.json", [chat("harbour", 3)]), name="later.json")
    assert store.conversations() == ["mine"]


def test_a_cut_file_stores_nothing(store, file):
    """It is looked over before its first conversation is stored."""
    data = exported(TWO)
    file.write_bytes(data[:-1])
    with pytest.raises(ExportUnreadable, match="ends too early"):
        store.ingest_file(file, name="cut.json")
    assert store.conversations() == []


def test_a_broken_conversation_is_told_and_costs_only_itself(store, tmp_path):
    """The others are stored, and so they are when the file comes again."""
    path = tmp_path / "conversations.json"
    path.write_bytes(exported([*TWO, conversation("none", [])]).replace(b'"harbour"', b"'harbour'", 1))
    done = store.ingest_file(path, name=path.name)
    assert (done.total, done.conversations, len(done.warnings)) == (2, (identity("bridge"),), 1)
    assert done.conversation_id == identity("bridge")
    assert store.ingest_file(path, name=path.name).warnings == done.warnings


def test_many_warnings_are_summed(store, tmp_path):
    """A report stays readable: the first ones, and how many more there are."""
    path = tmp_path / "conversations.json"
    path.write_bytes(exported([*TWO, *([{}] * 30)]))
    warnings = store.ingest_file(path, name=path.name).warnings
    assert len(warnings) == 21
    assert warnings[-1] == "10 more warnings"


def test_a_dry_run_stores_nothing(store, file):
    """It counts each conversation against what is stored."""
    store.ingest_file(put(file, TWO[:1]), name="a")
    before = stored(store)
    done = store.ingest_file(put(file, TWO), name="b", dry_run=True)
    assert (done.total, done.new) == (6, 2)
    assert stored(store) == before


def test_the_new_messages_can_be_left_out(store, file):
    """Of a file that is larger than the memory, nobody wants them in it."""
    assert store.ingest_file(put(file, TWO), name="a", keep=False).new_messages == []
    assert len(texts(store, "harbour")) == 4


def test_a_file_that_changes_meanwhile_is_not_taken_for_done(store, tmp_path, monkeypatch):
    """What was read of it is stored and in order; the file is left to the next run."""
    path = put(tmp_path / "conversations.json", TWO)
    add = one_export._Sums.add

    def meanwhile(*args):
        path.write_bytes(path.read_bytes() + b" ")
        add(*args)

    monkeypatch.setattr(one_export._Sums, "add", meanwhile)
    with pytest.raises(ExportChanged):
        store.ingest_file(path, name=path.name)
    assert store.store.verify() == []


@pytest.mark.parametrize("held", [0.0, 3600.0], ids=["each-by-itself", "all-at-once"])
def test_the_store_is_whole_however_long_it_is_held(store, file, monkeypatch, held):
    """However often it is let go of in between, the indexes say what the log says."""
    monkeypatch.setattr(one_export, "_HELD", held)
    store.ingest_file(put(file, [chat(str(n), 2) for n in range(5)]), name="a")
    assert store.store.verify() == []
    fresh = ClaudeConversationDeduplicator(store.store.folder)
    assert len(fresh.conversations()) == 5


def test_a_run_that_fails_in_the_middle_keeps_what_was_stored(store, file, monkeypatch):
    """Indexes too: nothing has to be made again by the next run."""
    ingest = store_export.store_export
    monkeypatch.setattr(
        store_export,
        "store_export",
        lambda *args, **more: (
            (_ for _ in ()).throw(StoreNotWritable("full"))
            if args[1].conversation_id == identity("bridge")
            else ingest(*args, **more)
        ),
    )
    with pytest.raises(StoreNotWritable):
        store.ingest_file(put(file, TWO), name="a")
    monkeypatch.undo()
    assert store.store.verify() == []
    assert len(texts(store, "harbour")) == 4
    assert store.ingest_file(file, name="a").new == 2


# --- streams ---------------------------------------------------------------------------------------------------

TURNS = [
    lines.prompt("How high is the tide at the pier today?"),
    lines.answer("Let me look it up in the tables."),
    lines.call("Bash", "1", command="tide --at pier"),
    lines.result("4 m at noon, 2 m at six", "1"),
    lines.answer("Four metres at noon, two metres at six."),
    lines.prompt("yes"),
    lines.answer("Good."),
]
WITHOUT_PROMPTS = [n for n, line in enumerate(TURNS) if json.loads(line)["message"].get("content") != "yes" and n]


def streamed(numbers):
    """The stream of these turns."""
    return stream.begin() + b"".join(stream.of(TURNS[n]) for n in numbers) + stream.end("Good.")


@given(st.lists(st.sampled_from(["stream", "bare", "transcript", "half"]), min_size=1, max_size=5))
@settings(max_examples=25)
def test_a_stream_and_its_transcript_are_one_conversation(tmp_path_factory, order):
    """In any order, with prompts or without: every message once, in the order of the session."""
    folder = tmp_path_factory.mktemp("case")
    store = ClaudeConversationDeduplicator(folder / "state")
    file = folder / f"{lines.SESSION}.jsonl"
    for step in [*order, "transcript"]:
        if step == "transcript":
            file.write_bytes(b"".join(TURNS))
            capture_file(store, file)
        else:
            numbers = {"stream": range(7), "bare": WITHOUT_PROMPTS, "half": range(4)}[step]
            store.ingest(streamed(numbers), name="run.jsonl")
    assert store.conversations() == [lines.SESSION]
    found = store.get_full_conversation(lines.SESSION)
    assert [message["uuid"] for message in found] == [json.loads(line)["uuid"] for line in TURNS]


SIDE_TEXTS = [
    "Count the cranes of the harbour, from the north to the south",
    "There are three cranes in the harbour, and a fourth one is being built",
    "Now count the bridges over the river, those for trains as well",
    "There are two bridges over the river, one of them for trains only",
]
SIDE = [(lines.prompt, lines.answer)[n % 2](text) for n, text in enumerate(SIDE_TEXTS)]
RETURN = lines.line(
    "return",
    "user",
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_a", "content": "three"}]},
    toolUseResult={"agentId": "a1b2"},
)


@pytest.mark.parametrize("first", ["stream", "transcript"])
@pytest.mark.parametrize("returned", [True, False], ids=["returned", "cut-off"])
def test_a_sub_agent_in_a_stream_is_its_own_transcript(store, tmp_path, first, returned):
    """Whichever came first, also where the stream was cut off before it said which sub-agent it was."""
    data = stream.begin() + stream.of(TURNS[0]) + b"".join(stream.of(line, call="toolu_a") for line in SIDE)
    data += stream.of(RETURN) if returned else b""
    file = tmp_path / "agent-a1b2.jsonl"
    file.write_bytes(
        b"".join(json.dumps({**json.loads(x), "isSidechain": True, "agentId": "a1b2"}).encode() + b"\n" for x in SIDE)
    )
    for step in (first, "stream" if first == "transcript" else "transcript", "stream"):
        if step == "transcript":
            capture_file(store, file)
        else:
            done = store.ingest(data, name="run.jsonl")
    assert (done.total, done.new, done.conversation_id) == (6 if returned else 5, 0, lines.SESSION)
    assert len(store.conversations()) == 2
    (agent,) = set(store.conversations()) - {lines.SESSION}
    assert [m["content"] for m in store.get_full_conversation(agent)] == SIDE_TEXTS


def test_a_session_id_for_a_stream_names_its_session(store):
    """Its sub-agents are none of what a person named."""
    data = (
        stream.begin()
        + stream.of(TURNS[0])
        + b"".join(stream.of(line, call="toolu_a") for line in SIDE)
        + stream.of(RETURN)
    )
    done = store.ingest(data, name="run.jsonl", conversation_id="mine")
    assert done.conversations == ("mine", f"{lines.SESSION}-agent-a1b2")
    assert done.conversation_id == "mine"


def test_a_real_stream_and_its_transcript(corpus, store):
    """Captured after the stream was processed, the transcript of the same session brings only what the stream left out."""
    data = (corpus / "lab" / "stream-json" / "stream-json_2.1.197.jsonl").read_bytes()
    done = store.ingest(data, name="run.jsonl")
    captured = capture_file(
        store, corpus / "lab" / "2.1.197-operations" / "transcripts" / f"{done.conversation_id}.jsonl"
    )
    assert (done.new, captured.total, captured.new) == (6, 7, 1)
    assert store.conversations() == [done.conversation_id]
    assert store.ingest(data, name="again.jsonl").new == 0


# --- commands --------------------------------------------------------------------------------------------------


def run(capsys, monkeypatch, main, *arguments, code=0):
    """A command to its end in this process; returns what it printed."""
    monkeypatch.setattr(sys, "argv", ["command", *map(str, arguments)])
    assert entry.run(main) == code
    return capsys.readouterr().out


def test_the_shell_command(tmp_path, capsys, monkeypatch, file):
    """``--json`` has one object for the file, with the number of its conversations; ``--stats`` has each of them."""
    project = tmp_path / "project"
    project.mkdir()
    where = ("--project", project)
    found = json.loads(run(capsys, monkeypatch, deduplicate_export.main, put(file, TWO), "--json", "--stats", *where))
    assert [(e["format"], e["session_id"], e["total_messages"], e["conversations"]) for e in found["exports"]] == [
        ("claude-ai-export", "data-2026-01-01", 6, 2)
    ]
    assert (found["new_messages"], found["global_unique"]) == (6, 6)
    assert [each["unique_messages"] for each in found["statistics"]] == [4, 2]
    shown = run(capsys, monkeypatch, deduplicate_export.main, file, *where)
    assert "data-2026-01-01.zip (2 conversations)" in shown
    assert "Duplicates filtered: 6" in shown


def test_the_new_messages_of_all_conversations_can_be_written_out(tmp_path, capsys, monkeypatch, file):
    """Where somebody asks for them they are kept, whatever memory that takes."""
    out = tmp_path / "new.json"
    run(capsys, monkeypatch, deduplicate_export.main, put(file, TWO), "--output", out, "--project", tmp_path)
    assert len(json.loads(out.read_text(encoding="utf-8"))["messages"]) == 6


def test_the_five_steps_take_a_zip(tmp_path, capsys, monkeypatch):
    """Found in the drop folder by its content, stored, and archived byte for byte."""
    project = tmp_path / "project"
    exports = project / "MEMORY-CONTEXT" / "exports"
    exports.mkdir(parents=True)
    path = put(exports / "data-2026-01-01.zip", TWO)
    data = path.read_bytes()
    put(exports / "notes.zip", []).write_bytes(zipped({"notes.txt": b"milk"}))
    found = json.loads(
        run(capsys, monkeypatch, export_dedup.main, "--json", "--yes", "--no-checkpoint", "--project", project)
    )
    (only,) = found["exports"]
    assert (only["new_messages"], only["archived_to"]) == (6, "MEMORY-CONTEXT/exports-archive/data-2026-01-01.zip")
    assert archived(Project(project)) == {"data-2026-01-01.zip": data}
    assert sorted(child.name for child in exports.iterdir()) == ["notes.zip"]


def test_a_zip_that_is_no_export_is_named(tmp_path, capsys, monkeypatch):
    """The reason says what is missing in it, whether somebody passed it or it lay about."""
    path = tmp_path / "photos.zip"
    path.write_bytes(zipped({"a.jpg": b"\xff" * 400_000}))
    shown = run(capsys, monkeypatch, deduplicate_export.main, path, "--project", tmp_path, code=1)
    assert "a ZIP archive, but no data export of claude.ai" in shown
    folder = tmp_path / "folder"
    folder.mkdir()
    path.rename(folder / "photos.zip")
    shown = run(capsys, monkeypatch, deduplicate_export.main, folder, "--project", tmp_path)
    assert "Not an export: photos.zip (a ZIP archive, but no data export of claude.ai" in shown


def test_a_hook_leaves_a_data_export_alone(tmp_path):
    """It takes longer than a hook has; a command that searches finds it."""
    project = Project(Path(tmp_path))
    put(tmp_path / "data-2026-01-01.zip", TWO)
    put(tmp_path / "conversations.json", TWO)
    assert discovery.exports_in(project, [tmp_path]) == []
    assert len(discovery.find_exports(project).exports) == 2
