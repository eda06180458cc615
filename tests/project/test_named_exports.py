"""Which files a transcript says that its conversation was exported to: both sentences, any sentence, and who may say it."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.project.named_exports import files_of, notices_in
from transcript_lines import answer, call, exported, line, prompt, result

SHOWN = " ▐▛███▜▌   Claude Code v2.1.197\n▝▜█████▛▘  Opus\n  ▘▘ ▝▝    ~/x\n\n❯ When is it high?\n\n● At nine in the evening.\n"
SENTENCES = ("Conversation exported to: {}", "Conversation exported to {}")
NEW = datetime.fromtimestamp(time.time(), timezone.utc).isoformat().replace("+00:00", "Z")


def shown(path, text=SHOWN, age=0.0):
    """A file as the client exports it, so many seconds old."""
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (time.time() - age,) * 2)
    return path


def said(text, folder="/", **more):
    """A line of the client with what a local command printed."""
    content = f"<local-command-stdout>{text}</local-command-stdout>"
    return line("said", "user", {"role": "user", "content": content}, cwd=str(folder), timestamp=NEW, **more)


def named(lines):
    """The files that pieces of a transcript name."""
    return files_of(notices_in(lines))


# --- the client's own sentences -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sentence", SENTENCES)
@pytest.mark.parametrize(
    "path", ["/x/notes.txt", "/a b/c: d.txt", "/größe/n.txt", "/x/no ending", "/x/Conversation to.txt"]
)
def test_the_file_of_each_sentence_is_named_whether_it_is_there_or_not(sentence, path):
    """With the colon and without it, the whole rest of the line is the path."""
    assert named(prompt("x") + exported(path, sentence=sentence) + answer("y")) == [path]


def test_a_relative_name_is_meant_from_the_folder_of_its_line(tmp_path):
    """As older clients say it; without a folder nobody knows which file that is."""
    assert named(said(SENTENCES[0].format("sub/notes.txt"), tmp_path)) == [str(tmp_path / "sub" / "notes.txt")]
    assert named(said(SENTENCES[0].format("../notes.txt"), tmp_path)) == [str(tmp_path.parent / "notes.txt")]
    assert named(said(SENTENCES[0].format("notes.txt"), "")) == []


def test_an_absolute_name_that_the_client_put_below_its_folder_is_found_there(tmp_path):
    """2.0.76 joins both, and says only what was typed; a file that is where it says is that one."""
    below = shown(tmp_path / "x" / "notes.txt")
    assert named(said(SENTENCES[0].format("/x/notes.txt"), tmp_path)) == [str(below)]
    there = shown(tmp_path / "notes.txt")
    shown(tmp_path / str(there).lstrip("/"))
    assert named(said(SENTENCES[0].format(there), tmp_path)) == [str(there)]


@given(text=st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=60))
def test_any_path_comes_back_from_both_sentences(text):
    """Whatever a file is called, blanks at its end aside."""
    path = os.path.normpath(f"/x{text}x")
    for sentence in SENTENCES:
        assert [told.path for told in notices_in(said(sentence.format(path)))] == [path]


def test_every_transcript_of_the_corpus_names_its_exports(corpus):
    """Each version that was recorded: as many different names as lines of the client say, none of them lost."""
    seen = {}
    for path in sorted((corpus / "lab").rglob("*.jsonl")):
        data = path.read_bytes()
        names = {os.path.basename(told.path) for told in notices_in(data) if told.path}
        spoken = set()
        for raw in data.splitlines():
            record = json.loads(raw)
            content = record.get("message", {}).get("content") if record.get("type") == "user" else None
            if isinstance(content, str) and content.startswith("<local-command-stdout>Conversation exported"):
                spoken.add(content.partition("</")[0].rpartition("/")[2].rpartition(" ")[2])
        assert names == spoken, path
        if names:
            seen[record.get("version") or path.parts[-3]] = names
    assert len(seen) >= 8
    assert sum({"pre.txt", "post.txt"} <= names for names in seen.values()) >= 6


# --- whatever the sentence ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sentence",
    [
        "Saved the transcript as {}",
        "✔ {} was written (12 kB).",
        "Wrote '{}'!",
        "Exported.\n  → {}",
        "Done: see “{}”.",
        "{}",
    ],
)
@pytest.mark.parametrize("name", ["notes.txt", "a name with blanks.txt", "no ending"])
def test_a_new_export_at_a_path_that_the_client_names_counts_whatever_the_sentence(tmp_path, sentence, name):
    """Absolute, or from the folder of the line."""
    path = shown(tmp_path / name)
    assert named(said(sentence.format(path))) == [str(path)]
    assert named(said(sentence.format(name), tmp_path)) == [str(path)]


def test_a_line_of_the_system_may_say_it_too(tmp_path):
    """In newer clients a local command's output may be no line of the user."""
    path = shown(tmp_path / "notes.txt")
    for content in (f"Saved as {path}", f"<local-command-stdout>Saved as {path}</local-command-stdout>"):
        assert named(line("x", "system", subtype="local_command", content=content, timestamp=NEW)) == [str(path)]


def test_a_line_of_the_system_that_quotes_names_nothing(tmp_path):
    """A hook's words and the prompt that it stopped are in the transcript: a file that our command was called with is no export."""
    path = shown(tmp_path / "notes.txt")
    stopped = (
        f"UserPromptExpansion operation blocked by hook:\n  Archived: {path}\n\nOriginal prompt: /export-dedup {path}"
    )
    for subtype in ("informational", "stop_hook_summary", None):
        assert named(line("x", "system", subtype=subtype, content=stopped, timestamp=NEW)) == []
        sentence = SENTENCES[1].format(path)
        assert named(line("x", "system", subtype=subtype, content=sentence, timestamp=NEW)) == [str(path)]


@pytest.mark.parametrize("typed", ["notes.txt", "notes"])
def test_the_name_behind_the_command_counts(tmp_path, typed):
    """The client adds the ending itself; where it says nothing at all, what was typed names the file."""
    path = shown(tmp_path / "notes.txt")
    content = f"<command-name>/export</command-name>\n<command-args>{typed}</command-args>"
    lines = line("c", "user", {"role": "user", "content": content}, cwd=str(tmp_path), timestamp=NEW)
    assert named(lines) == [str(path)]
    assert named(lines.replace(b"/export<", b"/memory<")) == []


def test_what_is_older_than_its_line_or_no_export_does_not_count(tmp_path):
    """A file that the client merely mentions."""
    old, other = shown(tmp_path / "old.txt", age=3600), shown(tmp_path / "other.txt", "only a note\n")
    empty = shown(tmp_path / "empty.txt", "")
    for path in (old, other, empty, tmp_path, tmp_path / "gone.txt"):
        assert named(said(f"Saved as {path}")) == []
    assert named(said(f"Saved as {shown(old)}").replace(b'"timestamp":"2', b'"timestamp":"x')) == []
    assert named(said(f"Saved as {old}")) == [str(old)]


def test_a_transcript_is_no_export(tmp_path):
    """The client may name its own files."""
    path = shown(tmp_path / "session.jsonl", (prompt("x") + answer("y")).decode())
    assert named(said(f"Session kept in {path}")) == []


def test_what_others_say_names_nothing(tmp_path):
    """A prompt, an answer, a call, its result and the output of a shell speak of files, also of new exports."""
    path = shown(tmp_path / "notes.txt")
    sentence = SENTENCES[0].format(path)
    shell = line("b", "user", {"role": "user", "content": f"<bash-stdout>{sentence}</bash-stdout>"}, timestamp=NEW)
    quoted = f"It said <local-command-stdout>{sentence}</local-command-stdout>"
    for lines in (prompt(sentence), prompt(quoted), answer(sentence), call("Write", "w", text=sentence), shell):
        assert named(lines) == []
    assert named(result(quoted, "w")) == []


@given(st.lists(st.binary(max_size=80), max_size=5))
def test_no_line_is_too_strange(pieces):
    """Torn and foreign lines are passed over, and those around them are read."""
    noise = b"".join(piece.replace(b"\n", b"") + b'<local-command-stdout>"type":"system"\n' for piece in pieces)
    assert named(noise + exported("/x/y.txt") + noise) == ["/x/y.txt"]
    for value in ("[]", '{"type":"system"}', '{"type":"user","message":["<local-command-stdout>"]}', '"type":"system"'):
        assert notices_in(value.encode()) == []
