"""new_messages: the new messages as JSON and Markdown, and where such a file must never be written."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from deduplication.errors import OutputNotWritable
from deduplication.ingest.deduplicator import Ingest
from deduplication.project.paths import Project
from deduplication.workflow import new_messages_file

posix = pytest.mark.skipif(os.name == "nt", reason="modes, links and devices are POSIX's")
root = pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")


def message(index, role, kind, content):
    """One new message as the deduplicator gives it."""
    return {"index": index, "role": role, "kind": kind, "content": content, "content_hash": "0" * 64}


def done(*messages, name="a.txt", conversation="tides"):
    """What became of an export with these new messages and one duplicate."""
    return Ingest(
        conversation,
        "claude-code-text",
        name,
        "ab" * 32,
        100,
        len(messages) + 1,
        len(messages),
        1,
        (),
        (),
        [*messages],
        False,
    )


def test_json_names_its_source_and_has_the_messages_in_order():
    """One object; text in it stays readable."""
    given = done(message(0, "user", "prompt", "größer 🔐"), message(1, "assistant", "text", "ja"))
    written = new_messages_file.as_json(given)
    assert json.loads(written) == {
        "generator": "export-dedup",
        "session_id": "tides",
        "export": "a.txt",
        "sha256": "ab" * 32,
        "total_messages": 3,
        "new_messages": 2,
        "duplicates_filtered": 1,
        "new_to_conversation": 2,
        "messages": given.new_messages,
    }
    assert "größer 🔐".encode() in written
    assert written.endswith(b"}\n")


def test_json_keeps_what_is_no_unicode():
    """Halves of characters survive as escapes: the file is valid and reads back the same."""
    given = done(message(0, "user", "prompt", "a\ud83db"))
    assert json.loads(new_messages_file.as_json(given).decode("utf-8"))["messages"] == given.new_messages


def test_markdown_reads_from_top_to_bottom():
    """A title, where it is from, then a heading for each message with who speaks and its number."""
    text = new_messages_file.as_markdown(
        done(
            message(0, "user", "prompt", "Which way?\nThat way?"),
            message(1, "assistant", "text", "Down.\n\n- here"),
            message(2, "assistant", "thinking", "Hm."),
        )
    )
    assert text.splitlines() == [
        "# tides: 3 new messages",
        "",
        "<!-- generator: export-dedup -->",
        "",
        "From `a.txt`; 1 of 4 were in the conversation before.",
        "",
        "## 👤 User · 0",
        "",
        "Which way?",
        "That way?",
        "",
        "## 🤖 Assistant · 1",
        "",
        "Down.",
        "",
        "- here",
        "",
        "## assistant: thinking · 2",
        "",
        "Hm.",
    ]


@pytest.mark.parametrize(
    ("role", "kind", "content", "heading", "body"),
    [
        ("assistant", "tool_call", "Bash(ls)", "🔧 Tool call", "```\nBash(ls)\n```"),
        ("system", "tool_result", "a\n```\nb", "📤 Tool result", "````\na\n```\nb\n````"),
        ("system", "command_output", "x", "system: command output", "```\nx\n```"),
        ("user", "local_command", "/cost", "user: local command", "```\n/cost\n```"),
        ("system", "notice", "n", "system: notice", "```\nn\n```"),
        ("user", "prompt", [{"type": "image"}], "👤 User", '```\n[\n  {\n    "type": "image"\n  }\n]\n```'),
    ],
    ids=["call", "result-with-fence", "output", "command", "notice", "blocks"],
)
def test_what_is_no_prose_is_fenced(role, kind, content, heading, body):
    """Tools' words and blocks stand in a fence that is longer than any inside."""
    text = new_messages_file.as_markdown(done(message(7, role, kind, content)))
    assert f"\n## {heading} · 7\n\n{body}\n" in text


def test_markdown_holds_nothing_that_a_terminal_obeys():
    """Escapes in names and messages are written as text; backticks in a name do not end its quotation."""
    evil = "\x1b[31m\u202e`x`"
    text = new_messages_file.as_markdown(done(message(0, "user", "prompt", evil), name=evil, conversation=evil))
    assert not set(text) & {"\x1b", "\u202e"}
    assert text.count("\\x1b[31m\\u202e") == 3
    assert "From `\\x1b[31m\\u202e'x'`;" in text


@pytest.mark.parametrize(
    ("name", "markdown"),
    [("new.md", True), ("NEW.MD", True), ("new.markdown", True), ("new.json", False), ("new", False), ("md", False)],
)
def test_the_ending_chooses_the_form(name, markdown):
    """Markdown where the name says so, else JSON."""
    new_messages_file.write(name, done(message(0, "user", "prompt", "x")))
    text = Path(name).read_text(encoding="utf-8")
    assert text.startswith("# tides" if markdown else "{")


@posix
def test_a_file_is_private_and_replaced_as_a_whole():
    """What was said is for its owner; an older file under that name is gone, and no temporary file stays."""
    Path("new.json").write_text("old " * 10_000, encoding="utf-8")
    os.chmod("new.json", 0o644)
    new_messages_file.write("new.json", done())
    assert json.loads(Path("new.json").read_text(encoding="utf-8"))["messages"] == []
    assert stat.S_IMODE(os.stat("new.json").st_mode) == 0o600
    assert os.listdir() == ["new.json"]


@posix
def test_a_link_to_a_file_is_written_through():
    """The link stays a link, and the file behind it has the new content."""
    Path("real.json").touch()
    Path("link.json").symlink_to("real.json")
    new_messages_file.write(new_messages_file.check_file("link.json", []), done())
    assert Path("link.json").is_symlink()
    assert json.loads(Path("real.json").read_text(encoding="utf-8"))["session_id"] == "tides"


@posix
def test_a_link_that_comes_after_the_look_is_not_written_through(tmp_path):
    """In a project, what was a folder when it was named may not lead out of it later."""
    Project(tmp_path.resolve() / "project")
    folder, outside = tmp_path.resolve() / "project" / "out", tmp_path / "outside"
    folder.mkdir(parents=True)
    outside.mkdir()
    file, inside = (
        new_messages_file.check_file(f"{folder}/a.json", []),
        new_messages_file.check_folder(f"{folder}/more", []),
    )
    folder.rmdir()
    folder.symlink_to(outside)
    with pytest.raises(OutputNotWritable, match="leads out of"):
        new_messages_file.write(file, done())
    with pytest.raises(OutputNotWritable, match="leads out of"):
        new_messages_file.write_into(inside, "a", done(message(0, "user", "prompt", "x")))
    assert list(outside.iterdir()) == []


def test_a_folder_gets_a_new_file_for_each_export():
    """The folder is made; a name that is taken gets a number and nothing is written over."""
    paths = [new_messages_file.write_into("out/deep", "a", done(message(n, "user", "prompt", "x"))) for n in range(3)]
    assert [os.path.basename(path) for path in paths] == ["a.md", "a-2.md", "a-3.md"]
    assert "User · 0" in Path("out/deep/a.md").read_text(encoding="utf-8")
    assert "User · 2" in Path("out/deep/a-3.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("x" * 251, "x" * 200),
        ("ü" * 125, "ü" * 100),
        ("a" + "ü" * 120, "a" + "ü" * 99),
        ("\x1b[31m\n", "\\x1b[31m\\n"),
        ("-rf", "-rf"),
    ],
    ids=["long", "long-utf8", "cut-inside-a-character", "escape", "dash"],
)
@posix
def test_a_stem_becomes_a_name_that_fits(stem, name):
    """The name is cut where the file system could not take it, and says nothing to a terminal."""
    assert os.path.basename(new_messages_file.write_into("out", stem, done())) == f"{name}.md"


@posix
def test_a_name_that_is_no_text_is_written_as_escapes():
    """A file name with bytes that are no UTF-8 gives one that is."""
    assert os.path.basename(new_messages_file.write_into("out", os.fsdecode(b"caf\xe9"), done())) == "caf\\udce9.md"


def test_what_the_disk_refuses_is_a_named_failure():
    """Neither the store nor Python is blamed."""
    Path("file").touch()
    with pytest.raises(OutputNotWritable, match=r"The output cannot be written: .*gone.*: No such file"):
        new_messages_file.write("gone/new.json", done())
    with pytest.raises(OutputNotWritable, match="The output cannot be written: file/out: Not a directory"):
        new_messages_file.write_into("file/out", "a", done())
    with pytest.raises(OutputNotWritable, match="The output cannot be written: file: File exists"):
        new_messages_file.write_into("file", "a", done())


# --- what is refused before anything is stored --------------------------------------------------------------------


@pytest.fixture
def scene(tmp_path):
    """A store, an archive, an export and a folder."""
    for name in ("store", "archive", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "a.txt").touch()
    (tmp_path / "store" / "log.jsonl").touch()
    return tmp_path


KEEP = ("store", "archive", "a.txt")


@pytest.mark.parametrize("name", ["new.json", "out/new.md", "./out/../new.json", "store-2", "a.txt.json"])
def test_a_place_that_is_free_is_taken(scene, name):
    """A new file, or an old one that nobody needs, in a folder that exists."""
    new_messages_file.check_file(name, KEEP)
    Path(name).touch()
    new_messages_file.check_file(name, KEEP)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("out", "out is a folder"),
        ("out/", "out/ is a folder"),
        (".", ". is a folder"),
        ("nowhere/new.json", "nowhere/new.json: there is no such folder: .*nowhere"),
        ("a.txt/new.json", "lies where the export"),
        ("other/new.json", "other/new.json: it is no folder: .*other"),
        ("a.txt", "a.txt lies where the export, the store or the archive is"),
        ("out/../a.txt", "lies where the export"),
        ("store/new.json", "lies where the export"),
        ("store/log.jsonl", "lies where the export"),
        ("archive/deep/new.json", "lies where the export"),
    ],
    ids=[
        "folder",
        "slash",
        "here",
        "missing-folder",
        "below-the-export",
        "below-a-file",
        "the-export",
        "the-export-by-detour",
        "in-the-store",
        "the-log",
        "in-the-archive",
    ],
)
def test_a_place_that_cannot_be_or_must_not_be_is_refused(scene, name, reason):
    """The reason is named, and what lies there is as it was."""
    Path("other").touch()
    before = sorted(scene.rglob("*"))
    with pytest.raises(OutputNotWritable, match=reason) as caught:
        new_messages_file.check_file(name, KEEP)
    assert caught.value.hint
    assert sorted(scene.rglob("*")) == before


@posix
def test_links_and_other_names_of_the_export_are_seen_through(scene):
    """A link to the export, and a link into the store, are the export and the store."""
    Path("link.txt").symlink_to("a.txt")
    Path("way").symlink_to("store")
    os.link("a.txt", "hard.txt")
    for name in ("link.txt", "way/new.json", "hard.txt"):
        with pytest.raises(OutputNotWritable, match="lies where the export"):
            new_messages_file.check_file(name, KEEP)


@posix
def test_a_pipe_a_device_and_our_own_output_are_no_files(scene):
    """Replacing them would lose them, and with standard output everything that is said there."""
    os.mkfifo("pipe")
    saved = os.dup(1)
    with open("shown.txt", "wb") as file:
        os.dup2(file.fileno(), 1)
        try:
            for name in ("pipe", os.devnull, "shown.txt", "/dev/stdout"):
                with pytest.raises(OutputNotWritable, match="is no file of its own"):
                    new_messages_file.check_file(name, KEEP)
        finally:
            os.dup2(saved, 1)
            os.close(saved)


@pytest.mark.parametrize("name", ["out", "new", "new/deep/er", "."])
def test_a_folder_that_is_there_or_can_be_made_is_taken(scene, name):
    """Nothing is made by asking."""
    new_messages_file.check_folder(name, ("store", "archive"))
    assert sorted(path.name for path in scene.iterdir()) == ["a.txt", "archive", "out", "store"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a.txt", "a.txt: it is no folder"),
        ("a.txt/deep/er", "it is no folder: .*a.txt"),
        ("store", "lies where the export"),
        ("store/new", "lies where the export"),
    ],
)
def test_a_folder_that_cannot_be_or_must_not_be_is_refused(scene, name, reason):
    """A file in the way, and the store itself, are named."""
    with pytest.raises(OutputNotWritable, match=reason):
        new_messages_file.check_folder(name, ("store", "archive"))


@pytest.mark.parametrize("check", [new_messages_file.check_file, new_messages_file.check_folder])
def test_a_folder_without_permission_is_refused(scene, check, monkeypatch):
    """Who may not write there is told so before anything is stored."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OutputNotWritable, match=r"no permission to write into .*out"):
        check("out/new", ())


@root
@posix
def test_a_real_read_only_folder_is_refused(scene):
    """The same with the system's own word."""
    os.chmod("out", 0o500)
    with pytest.raises(OutputNotWritable, match="no permission"):
        new_messages_file.check_file("out/new.json", ())


@pytest.mark.parametrize(("kind", "heading"), [("context", "🧩 Context"), ("unknown", "❔ Unknown")])
def test_what_is_nobodys_words_is_named_and_fenced(kind, heading):
    """Neither looks like something that was said."""
    written = new_messages_file.as_markdown(done(message(4, "system", kind, "# not a heading")))
    assert f"## {heading} · 4\n\n```\n# not a heading\n```" in written
