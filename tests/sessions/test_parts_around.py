from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import exports
from deduplication.errors import SessionNotWritten, SessionUnknown
from deduplication.project.paths import Project
from deduplication.sessions import (
    agents,
    conversation,
    evidence,
    folder,
    full_document,
    moments,
    names,
    parts,
    per_checkpoint,
    redaction,
)
from deduplication.sessions.facts import kinds_in_words
from deduplication.sessions.markdown import Names
from deduplication.storage import run_records
from deduplication.storage.log.lines import decode_line
from deduplication.storage.log_store import LogStore
from deduplication.terminal.console import printable
from in_memory_store import MemoryStore
from transcript_lines import SESSION, answer, call, compacted, day, identity, line, prompt, result

# --- redaction ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("a\r\nb\rc\n", "a\nb\nc\n"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07x\x1b]8;;u\x1b\\y", "xy"),
        ("\x1b(Bx\x1b7", "x"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202eb", "a\\u202eb"),
        ("tab\there", "tab\there"),
        ("\x1b[" + "1" * 100 + "m", "\\x1b[" + "1" * 100 + "m"),
    ],
)
def test_what_is_shown(text, expected):
    """Terminal sequences are gone, what is left of control characters is visible, line ends are line feeds."""
    assert redaction.printable_text(text) == expected


@given(st.text(max_size=60))
def test_nothing_shown_is_obeyed(text):
    """Whatever the text, a terminal has nothing to obey in it."""
    done = redaction.printable_text(text)
    assert printable(done, newlines=True) == done


def test_redaction_comes_before_everything_else():
    """A secret is looked for in the text as it was written, once, and what was found is counted."""
    seen = []
    clean = redaction.Cleaner(
        lambda text: (seen.append(text), (text.replace("s3", "*"), ["x"] * text.count("s3")))[1], "strict"
    )
    assert clean.text("\x1b[1ms3\x1b[0m s3") == "* *"
    assert clean.value({"s3": ["s3", 1, None, {"a": "s3"}]}) == {"*": ["*", 1, None, {"a": "*"}]}
    assert clean.redacted == 5
    assert clean.rules == "strict"
    assert seen[0] == "\x1b[1ms3\x1b[0m s3"


# --- names and times ----------------------------------------------------------------------------------------------


@given(st.text(min_size=1, max_size=250), st.text(min_size=1, max_size=250))
def test_every_session_has_a_file_name_of_its_own(one, other):
    """A name that any file system takes, the session itself where it can be, and never that of another session."""
    name = names.stem(one)
    assert len(name.encode()) <= 140
    assert name not in ("", ".", "..")
    assert not set(name) & set('/\\:*?"<>|\0 \n')
    assert name[0] not in "-."
    if one != other:
        assert name != names.stem(other)


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        ("rollout-master", "rollout-master"),
        ("Über_1.2", "Über_1.2"),
        ("con", None),
        ("a b", None),
        ("nul.x", None),
        ("x" * 121, None),
    ],
)
def test_names(session, expected):
    """What can be a name is one; what cannot has a few digits of its hash."""
    name = names.stem(session)
    if expected is None:
        assert name != session
        assert name[-9] == "-"
    else:
        assert name == expected


def test_names_of_parts_and_of_files_beside():
    """Parts are numbered from the second on; names beside are numbered as well."""
    assert [names.file_of("a", part) for part in (1, 2, 12)] == ["a.md", "a.part-002.md", "a.part-012.md"]
    assert list(names.bases("a", 3)) == ["a", "a.2", "a.3"]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2026-03-03T09:14:05Z", "2026-03-03T09:14:59Z", "3 March 2026, 09:14 UTC"),
        ("2026-03-03T09:14:05Z", "2026-03-03T17:40:00Z", "3 March 2026, 09:14 to 17:40 UTC"),
        ("2026-03-03T09:14:05Z", "2026-12-31T17:40:00Z", "3 March 2026, 09:14 to 31 December 2026, 17:40 UTC"),
        ("", "2026-12-31T17:40:00Z", ""),
        ("2026-13-03T09:14:05Z", "2026-13-03T09:14:05Z", ""),
        ("yesterday", "today", ""),
    ],
)
def test_times(first, last, expected):
    """A time is told as people read it, in UTC; what is no time is not told."""
    assert moments.between(first, last) == expected
    assert moments.moment(first) == ("" if not moments.day(first) else f"{moments.day(first)}, {moments.hour(first)}")


def test_only_the_source_says_when_something_was_said():
    """The time of capture is no time of the message."""
    assert moments.said_at({"timestamp": "2026", "clock": "source"}) == "2026"
    assert moments.said_at({"timestamp": "2026", "clock": "capture"}) == ""


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ({}, "0 messages"),
        ({"prompt": 1}, "1 message: 1 prompt"),
        ({"prompt": 2, "text": 1_000, "bookkeeping": 5}, "1,002 messages: 2 prompts, 1,000 answers"),
        ({"prompt": 1, "notice": 2}, "3 messages: 1 prompt, 2 notices"),
        ({"prompt": 1, "odd": 2}, "3 messages: 1 prompt, 2 other"),
        ({"odd": 2}, "2 messages: 2 of other kinds"),
    ],
)
def test_counts_in_words(kinds, expected):
    """Every counted message is in the sum, and bookkeeping in none."""
    assert kinds_in_words(kinds) == expected


# --- what the runs told -------------------------------------------------------------------------------------------


def test_evidence_goes_on_where_it_ended(told):
    """Read in two steps it is what it is in one, only the new lines are read, and JSON keeps all of it."""
    told.capture(day(2), compacted("x"))
    with told.store.transaction(write=False):
        first = evidence.gather(told.store, SESSION, evidence.Evidence())
    told.add(exports.Story(1).show(0, 9), "other.txt", "other")
    told.capture(day(1, start=2), compacted("y", "second"))
    with told.store.transaction(write=False):
        kept = evidence.from_json(json.loads(json.dumps(first.as_json())))
        again = evidence.gather(told.store, SESSION, kept)
        assert again == evidence.gather(told.store, SESSION, evidence.Evidence())
    assert (len(first.marks), len(again.marks)) == (1, 2)
    assert again.captures == 2
    assert again.position > first.position


def test_evidence_of_another_log_is_not_believed(told):
    """Where the bytes before the place are others, everything is read anew."""
    told.capture(day(2), compacted("x"))
    with told.store.transaction(write=False):
        right = evidence.gather(told.store, SESSION, evidence.Evidence())
        wrong = evidence.Evidence(position=right.position - 7, seal="0123456789", marks=[["rewind", 1, 0]])
        assert evidence.gather(told.store, SESSION, wrong) == right
        beyond = evidence.Evidence(position=10**9, seal="0123456789")
        assert evidence.gather(told.store, SESSION, beyond) == right


@pytest.mark.parametrize(
    "value", [None, {}, {"position": "x"}, {"marks": [[1]]}, {"marks": 3}, {"odd": 1}, {"sources": [[1]]}, []]
)
def test_evidence_of_another_form_is_none(value):
    """What a file says is believed only where it has the form."""
    assert evidence.from_json(value) == evidence.Evidence()


def test_a_store_without_a_log_tells_nothing(tmp_path):
    """No log, no marks: and no failure."""
    assert evidence.gather(MemoryStore(), "x", evidence.Evidence()) == evidence.Evidence()
    store = LogStore(str(tmp_path / "missing"))
    assert evidence.gather(store, "x", evidence.Evidence()) == evidence.Evidence()


def test_what_was_logged_is_read_on_from_where_it_was_read_last(told, monkeypatch):
    """Also when the lines before were sealed meanwhile; and from the beginning where the log is another one."""
    told.capture(prompt("one") + compacted("so far"))
    with told.store.transaction(write=False):
        first = evidence.gather(told.store, SESSION, evidence.Evidence())
    told.store.log.seal(told.store.log.size())
    told.capture(prompt("one") + compacted("so far") + answer("two") + compacted("more", "again"))
    with told.store.transaction(write=False):
        whole_log = evidence.gather(told.store, SESSION, evidence.Evidence())
        read = []
        monkeypatch.setattr(run_records, "decode_line", lambda line: read.append(line) or decode_line(line))
        assert evidence.gather(told.store, SESSION, first) == whole_log
        assert len(read) == 1
        assert evidence.gather(told.store, SESSION, replace(first, seal="x" * 10)) == whole_log


def test_many_sources_and_gaps_are_limited_the_same_way_however_they_are_read():
    """Only the last ones are named; whether they were read at once or one by one makes no difference."""
    runs = [
        {
            "export": {"name": f"{n % 20}.txt", "format": "f", "new": 1},
            "timestamp": f"t{n}",
            "window": [[n, n]],
            "gaps": [f"g{n % 15}"],
        }
        for n in range(70)
    ]
    at_once = evidence.with_runs(evidence.Evidence(), runs)
    step = evidence.Evidence()
    for run in runs:
        step = evidence.with_runs(step, [run])
    assert step == at_once
    assert len(at_once.sources) == len(at_once.gaps) == 12
    assert at_once.exports == 70


@pytest.mark.parametrize(
    "value", [None, [1], [{}], [{"flow": {}}], [{"flow": {"odd": 1}, "count": 1}], [{"flow": {}, "count": "x"}], "x"]
)
def test_parts_of_another_form_are_none(value):
    """A table of parts is believed only where it has the form."""
    assert parts.from_json(value) == []


# --- agents -------------------------------------------------------------------------------------------------------


def test_sub_agents_and_their_session_name_each_other(told):
    """The session's file links its agents, at the call that started one and in the head; the agent's links back."""
    told.capture(
        prompt("go"),
        call("Task", "a", description="Count", prompt="Count\nfiles"),
        result("Done.\nagentId: abc123 (to resume)", "a"),
    )
    agent = f"{SESSION}-agent-abc123"
    sub = [
        line(name, role, message, isSidechain=True, agentId="abc123")
        for name, role, message in (
            ("s1", "user", {"role": "user", "content": "Count files"}),
            ("s2", "assistant", {"role": "assistant", "content": [{"type": "text", "text": "Three."}]}),
        )
    ]
    assert told.capture(*sub, name="agent-abc123.jsonl") == agent
    told.update(SESSION)
    told.update(agent)
    text = told.markdown(SESSION)
    assert f"| **Sub-agents** | [abc123]({told.stem(agent)}.md) |" in text
    assert f"🤖 [The sub-agent's own conversation]({told.stem(agent)}.md)" in text
    assert f"| **Started by** | [{SESSION}]({told.stem(SESSION)}.md) |" in told.markdown(agent)
    with told.store.transaction(write=False):
        assert agents.family(told.store, SESSION) == agents.Family("", {"abc123": agent})
        assert agents.family(told.store, agent) == agents.Family(SESSION, {})
        page = "".join(
            full_document.pieces(told.store, SESSION, full_document.HTML, redaction.unchanged, beside=[agent])
        )
        alone = "".join(full_document.pieces(told.store, SESSION, full_document.HTML, redaction.unchanged))
    assert f'<a href="{told.stem(agent)}.html">' in page
    assert ".html" not in alone


def test_the_files_of_sub_agents_are_written_with_their_session(told, tmp_path):
    """So that no link of a session file leads nowhere; a file a checkpoint has no links and needs none."""
    told.capture(prompt("go"), answer("done"))
    agent = f"{SESSION}-agent-abc123"
    line_ = line("s1", "user", {"role": "user", "content": "Count files"}, isSidechain=True, agentId="abc123")
    told.capture(line_, name="agent-abc123.jsonl")
    project = Project(tmp_path / "project")
    project.root.mkdir()
    assert list(folder.write_sessions(project, told.store, [SESSION])) == [SESSION, agent]
    assert list(folder.write_sessions(project, told.store, [SESSION], each_checkpoint=True)) == [SESSION]
    assert (project.sessions / f"{told.stem(agent)}.md").exists()


# --- a file a checkpoint ------------------------------------------------------------------------------------------


def write_new(told, session, **options):
    """One file with what is new."""
    with told.store.transaction(write=False):
        kin = Names(agents.family(told.store, session), {}, told.named(session))
        return per_checkpoint.write(told.store, session, str(told.files), redaction.Cleaner(**options), kin)


def test_every_message_is_in_one_of_the_files(told):
    """Each file has what no file before it has, and nothing twice; where nothing is new there is none."""
    paths = []
    for number in range(3):
        told.capture(day(2, start=2 * number))
        done = write_new(told, SESSION)
        paths.append(done.path)
        assert (done.new, done.messages) == (4, 4 * (number + 1))
        assert write_new(told, SESSION).files == ()
    texts = [Path(path).read_text(encoding="utf-8") for path in paths]
    assert len(set(paths)) == 3
    for number in range(6):
        assert [text.count(f"Answer number {number}:") for text in texts] == [int(number // 2 == n) for n in range(3)]
    assert "## 👤 5 · Question number 4" in texts[2]
    assert "4 messages: 2 prompts, 2 answers" in texts[2]


def test_a_checkpoint_file_that_was_edited_counts_all_the_same(told):
    """Notes below it do not make its messages new again; nor does a file of another session, or one that is none."""
    told.capture(day(2))
    path = write_new(told, SESSION).path
    with open(path, "a", encoding="utf-8") as file:
        file.write("my note\n")
    (told.files / f"{told.stem(SESSION)}.2999-01-01T00-00-00Z.md").write_text("no file of ours\n", encoding="utf-8")
    (told.files / f"{told.stem(SESSION)}.2999-01-02T00-00-00Z.md").mkdir()
    assert write_new(told, SESSION).new == 0
    told.capture(day(1, start=2))
    assert write_new(told, SESSION).new == 2


def test_a_checkpoint_file_of_nothing(told):
    """An unknown session is named; a folder that is none is a failure with a name."""
    with pytest.raises(SessionUnknown):
        write_new(told, "nobody")
    told.capture(day(1))
    told.files.rmdir()
    with pytest.raises(SessionNotWritten):
        write_new(told, SESSION)


# --- the folder ---------------------------------------------------------------------------------------------------


def test_the_folder_is_made_and_nothing_beside_the_files_is_in_it(told, tmp_path):
    """Several sessions in one go; the lock lies in the private folder."""
    told.capture(day(1))
    told.add(exports.Story(1).show(0, 9), "other.txt", "other")
    project = Project(tmp_path / "project")
    project.root.mkdir()
    done = folder.write_sessions(project, told.store, [SESSION, "other", SESSION])
    assert sorted(path.name for path in project.sessions.iterdir()) == [
        f"{told.stem(SESSION)}.md",
        f"{told.stem('other')}.md",
    ]
    assert [each.new for each in done.values()] == [2, 9]
    assert (project.state / folder.LOCK).stat().st_mode & 0o777 == 0o600
    again = folder.write_sessions(project, told.store, ["other"], each_checkpoint=True)
    assert again["other"].new == 9


@pytest.mark.parametrize("what_is_there", ["a link outside", "a file", "a file for MEMORY-CONTEXT"])
def test_a_folder_that_is_none(told, tmp_path, what_is_there):
    """A link that leads out of the project is not followed, and a file is said to be one."""
    told.capture(day(1))
    project = Project(tmp_path / "project")
    outside = tmp_path / "outside"
    outside.mkdir()
    project.root.mkdir()
    if what_is_there == "a file for MEMORY-CONTEXT":
        project.memory.write_bytes(b"")
    else:
        project.memory.mkdir()
        if what_is_there == "a link outside":
            project.sessions.symlink_to(outside)
        else:
            project.sessions.write_bytes(b"")
    with pytest.raises(SessionNotWritten):
        folder.write_sessions(project, told.store, [SESSION])
    assert list(outside.iterdir()) == []


# --- reading ------------------------------------------------------------------------------------------------------


def test_marks_of_messages_that_were_replaced(told):
    """A mark before a message that grew later stands before its last form."""

    class Grown:
        def __init__(self):
            self.extends = {3: 1, 4: 3}

    where = conversation._Places([0, 4, 2], Grown().extends)
    assert [where.of(number) for number in range(6)] == [0, 1, 2, 1, 1, None]


def test_lost_messages_are_told(told):
    """Where a log line is damaged, its place is marked in every form."""
    told.capture(day(2))
    real = told.store.bodies

    def bodies(session, numbers):
        for message in real(session, numbers):
            if message["index"] == 1:
                yield {"index": 1, "role": "system", "kind": "lost", "content": "", "content_hash": ""}
            else:
                yield message

    told.store.bodies = bodies
    told.update(SESSION)
    assert "💔 **Lost.**" in told.markdown(SESSION)
    assert "mark lost" in told.html(SESSION)
    assert identity("x") != answer("x")


def test_one_place_decides_how_secrets_are_taken_out(told, tmp_path):
    """What redaction.standard says holds for session files, files a checkpoint and documents in every form."""
    told.capture(prompt("my key is s3cr3t"), answer("s3cr3t, I see"))
    project = Project(tmp_path / "project")
    (project.root / ".coditect").mkdir(parents=True)
    settings = project.root / ".coditect" / "config.json"
    settings.write_text('{"privacy_patterns": {"mine": "s3cr3t"}}', encoding="utf-8")
    redact, rules = redaction.standard(project.root)
    for each_checkpoint in (False, True):
        folder.write_sessions(project, told.store, [SESSION], each_checkpoint=each_checkpoint)
    texts = [path.read_text(encoding="utf-8") for path in project.sessions.iterdir()]
    with told.store.transaction(write=False):
        texts += ["".join(full_document.pieces(told.store, SESSION, form, redact)) for form in full_document.ENDINGS]
    assert len(texts) == 5
    assert all("REDACTED:mine" in text.replace("\\", "") and "s3cr3t" not in text for text in texts)
    settings.write_text('{"privacy_patterns": {"mine": "s3cr3t|see"}}', encoding="utf-8")
    assert redaction.standard(project.root)[1] != rules
