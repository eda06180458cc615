from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest

import exports
import transcript_lines as lines
from deduplication import ClaudeConversationDeduplicator
from deduplication.commands import deduplicate_export
from deduplication.errors import OutputNotWritable, SessionUnknown, StoreMissing, UsageError
from deduplication.ingest.transcript_capture import capture_file
from deduplication.reports import sessions as session_report
from session_names import session_path


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with two stored sessions; it is the current folder."""
    folder = tmp_path / "project"
    (folder / "MEMORY-CONTEXT").mkdir(parents=True)
    dedup = ClaudeConversationDeduplicator(folder / "MEMORY-CONTEXT" / "dedup_state")
    for number, name in enumerate(("alpha", "beta")):
        dedup.ingest(exports.Story(number, 4).show(0, 8), name=f"{name}.txt", conversation_id=name)
    monkeypatch.chdir(folder)
    return folder


def run(*arguments):
    """Run the subcommand."""
    return deduplicate_export.main(["session", *arguments])


def test_without_a_name_it_lists_sessions(project, capsys):
    """Every session with its messages, the last one first; nothing is written."""
    assert run() == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] + " " + line.split()[-1] for line in lines] == ["8 (beta)", "8 (alpha)"]
    assert not (project / "MEMORY-CONTEXT" / "sessions").exists()


def test_it_writes_session_files(project, capsys):
    """Named sessions or all of them; a second run says that they are up to date."""
    assert run("alpha") == 0
    alpha = session_path("MEMORY-CONTEXT/sessions", "alpha")
    assert f"alpha: 8 messages, 8 new\n     → {alpha}" in capsys.readouterr().out
    assert run("--all") == 0
    assert {*os.listdir("MEMORY-CONTEXT/sessions")} == {alpha.name, session_path(alpha.parent, "beta").name}
    assert "alpha: 8 messages, up to date" in capsys.readouterr().out


def test_an_edited_file_is_told_of(project, capsys):
    """It is named, and so is the file beside it."""
    run("alpha")
    alpha = session_path("MEMORY-CONTEXT/sessions", "alpha")
    with open(alpha, "a", encoding="utf-8") as file:
        file.write("mine\n")
    capsys.readouterr()
    assert run("alpha") == 0
    told = capsys.readouterr().out
    assert f"→ {alpha.with_suffix('.2.md')}" in told
    assert f"⚠ {alpha} was changed by hand" in told


def test_per_checkpoint(project, capsys):
    """A file with what is new, and a line where nothing is."""
    assert run("alpha", "--per-checkpoint") == 0
    assert "8 new" in capsys.readouterr().out
    assert run("alpha", "--per-checkpoint") == 0
    assert "alpha: nothing new (8 messages in earlier files)" in capsys.readouterr().out
    assert len(os.listdir("MEMORY-CONTEXT/sessions")) == 1


def test_images_are_in_a_page_that_was_asked_for_and_in_none_that_gets_committed(project):
    """With --output they are shown; a page beside the session files names them: nothing is redacted in an image."""
    data = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(64)).decode()
    source = {"type": "base64", "media_type": "image/png", "data": data}
    content = [{"type": "text", "text": "look"}, {"type": "image", "source": source}]
    Path("t.jsonl").write_bytes(lines.line("i", "user", {"role": "user", "content": content}))
    capture_file(ClaudeConversationDeduplicator(Path("MEMORY-CONTEXT/dedup_state")), Path("t.jsonl"))
    assert run(lines.SESSION, "--format", "html", "--output", "asked.html") == 0
    assert run(lines.SESSION, "--format", "html") == 0
    page = session_path(Path("MEMORY-CONTEXT/sessions"), lines.SESSION, ".html")
    asked, beside = (path.read_text("utf-8") for path in (Path("asked.html"), page))
    assert f'<img src="data:image/png;base64,{data}"' in asked
    assert "<img" not in beside
    assert "image/png (72 B)" in beside


@pytest.mark.parametrize(
    ("form", "begins"), [("md", "# In step 0 "), ("html", "<!DOCTYPE html>"), ("json", '{\n"format"')]
)
def test_whole_documents(project, capsys, form, begins):
    """To a file, into a folder, beside the session files, or to the screen."""
    assert run("alpha", "--format", form, "--output", "one.out") == 0
    assert Path("one.out").read_text(encoding="utf-8").startswith(begins)
    assert os.stat("one.out").st_mode & 0o777 == 0o600
    assert run("--all", "--format", form, "--output", "folder/") == 0
    alpha = session_path("folder", "alpha", f".{form}")
    assert {*os.listdir("folder")} == {alpha.name, session_path("folder", "beta", f".{form}").name}
    capsys.readouterr()
    assert run("alpha", "--format", form, "--output", "-") == 0
    shown = capsys.readouterr().out
    assert shown == Path("one.out").read_text(encoding="utf-8") == alpha.read_text(encoding="utf-8")
    if form == "json":
        assert json.loads(shown)["session"]["messages"] == 8
    if form != "md":
        assert run("alpha", "--format", form) == 0
        assert os.listdir("MEMORY-CONTEXT/sessions") == [alpha.name]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["nobody"], SessionUnknown),
        (["a/b"], UsageError),
        (["alpha", "--all"], UsageError),
        (["--format", "html"], UsageError),
        (["--per-checkpoint"], UsageError),
        (["alpha", "--per-checkpoint", "--format", "html"], UsageError),
        (["alpha", "--output", ""], UsageError),
        (["--all", "--format", "html", "--output", "x.html"], UsageError),
        (["--all", "--format", "html", "--output", "-"], UsageError),
        (["alpha", "--format", "pdf"], UsageError),
        (["alpha", "--output", "MEMORY-CONTEXT/dedup_state/x.md"], OutputNotWritable),
        (["alpha", "--output", "missing/x.md"], OutputNotWritable),
        (["alpha", "--output", "MEMORY-CONTEXT/dedup_state/x/"], OutputNotWritable),
        (["alpha", "--storage-dir", "elsewhere"], StoreMissing),
    ],
)
def test_what_is_refused(project, arguments, error):
    """Each mistake has its name, and nothing is written."""
    with pytest.raises(error):
        run(*arguments)
    assert sorted(os.listdir()) == ["MEMORY-CONTEXT"]


def test_a_place_that_cannot_be_written(project, monkeypatch):
    """The system's refusal is a failure with a name."""
    monkeypatch.setattr("os.replace", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OutputNotWritable, match="No space left"):
        run("alpha", "--output", "x.md")
    Path("file").touch()
    with pytest.raises(OutputNotWritable):
        run("alpha", "--output", "file/x/")


def test_reports():
    """An empty store says so; parts and single messages are counted in words; nothing is obeyed by a terminal."""
    assert session_report.listed([]) == "  There is no session."
    text = session_report.written("a\x1b", "b\x1b", messages=1, new=1, parts=3, changed=True)
    assert text == "  📖 a\\x1b: 1 message, 3 parts, 1 new\n     → b\\x1b"
