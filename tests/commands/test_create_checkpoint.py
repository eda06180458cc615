"""``create-checkpoint.py`` from one end to the other: data flow 3 of the original design, and what it must leave alone."""

from __future__ import annotations

import io
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

import archive_reader
import settings_scenes
from deduplication import ClaudeConversationDeduplicator
from deduplication.accounting import last_run
from deduplication.commands import create_checkpoint
from deduplication.errors import PrivacySettingInvalid, StoreTracked, UsageError
from deduplication.titles.slug import short
from in_process import call
from planted import of_format, planted, wrapped
from scratch_repository import Scratch
from session_names import session_path

BANNER = """ ▐▛███▜▌   Claude Code v2.1.197
▝▜█████▛▘  Opus 4.8 with high effort · Claude Max
  ▘▘ ▝▝    ~/code/tides

"""
EXPORT = (
    BANNER + "❯ Which tide is next?\n\n⏺ The next one is the evening tide, at six o'clock, and it is a high one.\n\n"
    "❯ Thank you\n\n⏺ Gladly.\n"
)
README = "# Tides\n\nA clock.\n\n## Licence\n\nMIT\n"


@pytest.fixture
def scratch(tmp_path):
    """A repository with a README, a task list and a waiting export."""
    made = Scratch(tmp_path / "project")
    made.commit("README.md", README)
    made.commit("a.txt")
    made.write("MEMORY-CONTEXT/exports/2026-03-04-EXPORT-TIDES.txt", EXPORT)
    made.commit(".gitignore", "/MEMORY-CONTEXT/exports/\n/MEMORY-CONTEXT/exports-archive/\n")
    return made


def run(scratch, *arguments, fails=False, **environment):
    """The command in the project, without anybody who types; its output."""
    code, said, errors = call(*arguments, main=create_checkpoint.main, cwd=scratch.root, environment=environment)
    assert bool(code) is fails, said + errors
    return said


def answer(scratch, *arguments, **environment):
    """The command's object."""
    return json.loads(run(scratch, *arguments, "--json", **environment))


def snapshot(scratch):
    """Everything in and around the work tree that is not ours: bytes and modes of files, git's own files, refs, index."""
    files = {}
    for folder, folders, names in os.walk(scratch.top):
        folders[:] = [name for name in folders if name not in {"MEMORY-CONTEXT", "objects", "logs"}]
        for name in names:
            path = os.path.join(folder, name)
            if name not in {"index", "COMMIT_EDITMSG"} and f"{os.sep}heads{os.sep}main" not in path:
                files[os.path.relpath(path, scratch.top)] = (os.lstat(path).st_mode, Path(path).read_bytes())
    refs = scratch.git("for-each-ref", "--format=%(refname) %(objectname)").split("\n")
    return {
        "files": files,
        "refs": [ref for ref in refs if not ref.startswith("refs/heads/main ")],
        "index": scratch.staged(),
        "staged": scratch.git("diff", "--cached", "--binary", "--submodule=short", "--", ":!README.md"),
        "unstaged": scratch.git("diff", "--binary", "--submodule=short", "--", ":!README.md"),
    }


def full_house(scratch):
    """A dirty index, untracked files, a submodule with changes, another branch, a tag, a stash, a failing hook."""
    inner = Scratch(scratch.top.parent / "inner")
    inner.commit("x")
    scratch.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.top), "libs/inner")
    scratch.git("commit", "-qm", "submodule")
    scratch.write("a.txt", "to be stashed\n")
    scratch.git("stash", "-q")
    scratch.git("branch", "other")
    scratch.git("tag", "v1")
    scratch.write("a.txt", "staged\n")
    scratch.git("add", "a.txt")
    scratch.write("a.txt", "staged, then changed\n")
    scratch.write("README.md", README.replace("A clock.", "A clock, staged."))
    scratch.git("add", "README.md")
    scratch.write("README.md", README.replace("A clock.", "A clock, staged, then changed."))
    scratch.write("untracked näme.txt")
    scratch.write("libs/inner/x", "changed\n")
    scratch.write("libs/inner/y", "new\n")
    scratch.write("TASKLIST.md", "- [x] Read the tide table\n- [ ] Build the clock\n")
    scratch.hook("pre-commit", "echo 'the tests fail' >&2; exit 1")


def without_line(data):
    """A README without the section that was put at its end."""
    return data.partition(b"\n## Recent Checkpoints\n")[0]


def test_data_flow_3(scratch):
    """One command: deduplicated, archived, a document, the README's line, one commit; all of the user's byte for byte."""
    full_house(scratch)
    before, head = snapshot(scratch), scratch.git("rev-parse", "HEAD")
    made = answer(scratch, "Sprint Complete")
    after = snapshot(scratch)
    document = Path(made["document"])
    shown = document.relative_to(scratch.root.resolve()).as_posix()
    # Git
    assert scratch.git("rev-parse", "HEAD^") == head
    assert made["commit"] == scratch.git("rev-parse", "HEAD")
    tides = session_path(scratch.project.sessions, "tides")
    assert scratch.committed("HEAD") == [shown, f"MEMORY-CONTEXT/sessions/{tides.name}", "README.md"]
    assert made["note"] == ""
    # The README: our line in each of its versions, the user's words in none but their own
    (mode, work), (_, old) = after["files"].pop("README.md"), before["files"].pop("README.md")
    assert without_line(work) == old
    assert (mode & 0o777) == 0o644
    git = {name: scratch.git("show", f"{name}README.md") for name in ("HEAD:", ":")}
    assert without_line(git["HEAD:"].encode() + b"\n") == README.encode()
    assert without_line(git[":"].encode() + b"\n") == README.replace("A clock.", "A clock, staged.").encode()
    line = work.decode().splitlines()[-1]
    assert line.endswith(f" UTC: Sprint Complete]({shown})")
    assert line in git["HEAD:"]
    index = {
        name: [one for one in taken["index"] if "README.md" not in one] for name, taken in (("b", before), ("a", after))
    }
    assert index["a"] == index["b"]
    assert {**after, "index": 0} == {**before, "index": 0}
    # The document
    text = document.read_text(encoding="utf-8")
    tides = session_path(scratch.project.sessions, "tides")
    for part in (
        "- [x] Read the tide table (`TASKLIST.md`)",
        "- New unique messages: 4",
        f"(../sessions/{tides.name})",
        "### Submodules",
        "`libs/inner` at `",
    ):
        assert part in text
    assert "Build the clock" not in text
    assert "MEMORY-CONTEXT" not in text.partition("### Changes not committed")[2].partition("## Completed tasks")[0]
    assert "evening tide" in scratch.git("show", f"HEAD:MEMORY-CONTEXT/sessions/{tides.name}")
    assert "- Different messages in the store: 4" in text
    assert archive_reader.read(scratch.root / "MEMORY-CONTEXT" / "exports-archive" / "packs") == {
        "2026-03-04-EXPORT-TIDES.txt": EXPORT.encode()
    }
    assert "archived as `MEMORY-CONTEXT/exports-archive/2026-03-04-EXPORT-TIDES.txt`" in text
    # Found again
    assert scratch.git("log", "--format=%H", "--grep=^Export-Dedup-Session: tides$") == made["commit"]
    trailers = scratch.git("log", "-1", "--format=%(trailers:only,unfold)").strip().split("\n")
    assert trailers == [
        f"Export-Dedup-Checkpoint: {shown}",
        "Export-Dedup-Session: tides",
        "Export-Dedup-New: 4",
        "Export-Dedup-Total: 4",
    ]


@pytest.mark.parametrize("hook", ["echo 'the tests fail' >&2; exit 1"], ids=["fails"])
def test_data_flow_3_where_the_hook_is_wanted(scratch, hook):
    """With ``commit_hooks`` the hook's no is heard: no commit, and everything of the user's, the README too, is as before."""
    full_house(scratch)
    scratch.hook("pre-commit", hook)
    before, head = snapshot(scratch), scratch.git("rev-parse", "HEAD")
    made = answer(scratch, "Sprint Complete", EXPORT_DEDUP_COMMIT_HOOKS="1")
    assert made["commit"] is None
    assert made["note"] == "not committed: the pre-commit hook did not agree: the tests fail"
    assert made["readme"] is None
    assert scratch.git("rev-parse", "HEAD") == head
    assert snapshot(scratch) == before
    assert Path(made["document"]).is_file()
    assert made["new_messages"] == 4


def test_data_flow_3_in_the_middle_of_a_merge(scratch):
    """No commit, no line in a README that may be in conflict; the document says so."""
    scratch.git("checkout", "-qb", "side")
    scratch.commit("a.txt", "side\n")
    scratch.git("checkout", "-q", "main")
    scratch.commit("a.txt", "main\n")
    scratch.git("merge", "side", fails=True)
    before = snapshot(scratch)
    made = answer(scratch, "x")
    assert (made["commit"], made["readme"], made["note"]) == (None, None, "not committed: a merge is in progress")
    assert answer(scratch, "x", "--no-commit")["readme"] is None
    assert snapshot(scratch) == before
    assert "- In progress: merge" in Path(made["document"]).read_text(encoding="utf-8")


def test_none_of_500_secrets_is_committed_and_all_are_in_the_archive(scratch):
    """Secrets in the export, the title, tasks, a branch, a commit, names of files: none in any committed byte, all archived."""
    secrets = planted(500, 7)
    text = BANNER + "".join(f"❯ Number {n}\n\n⏺ {wrapped(text, 78)}\n\n" for n, (_, _, text) in enumerate(secrets))
    export = scratch.write("MEMORY-CONTEXT/exports/2026-03-05-EXPORT-KEYS.txt", text)
    os.utime(export, (time.time() + 60, time.time() + 60))
    kinds = ("npm", "stripe live", "gitlab", "anthropic", "github classic", "npm", "npm")
    keys = [of_format(name, random.Random(n)) for n, name in enumerate(kinds)]
    scratch.git("checkout", "-qb", f"fix-{keys[0]}")
    scratch.commit("b.txt", subject=f"use {keys[1]}")
    scratch.write("TODO.md", f"- [x] replace {keys[2]}\n- [x] {'a long one ' * 17}{keys[5]}\n")
    scratch.write(f"notes {keys[4]}.txt")
    scratch.git("add", "--", str(scratch.write(f"{keys[6]}/b.txt")))
    made = answer(scratch, f"Done with {keys[3]}")
    assert made["commit"]
    shared = ""
    for path in scratch.committed(made["commit"]):
        committed = scratch.git("show", f"{made['commit']}:{path}")
        shared += committed
        for secret in [*keys, *(secret for _, secret, _ in secrets)]:
            assert secret[:20] not in committed
            assert secret not in path
    message = scratch.git("log", "-1", "--format=%B")
    assert not any(key[at : at + 10] in message + shared for key in keys for at in range(len(key) - 9))
    assert "REDACTED:anthropic-key" in message
    packs = scratch.root / "MEMORY-CONTEXT" / "exports-archive" / "packs"
    assert list(archive_reader.read(packs).values()) == [text.encode()]
    stored = json.dumps(ClaudeConversationDeduplicator(scratch.project.state).get_full_conversation("keys"))
    assert all(f"Number {n}" in stored for n in range(len(secrets)))


def test_only_the_newest_export_is_taken(scratch):
    """The others wait for export-dedup.py, and that is said."""
    older = scratch.write("2026-03-01-EXPORT-OLD.txt", EXPORT.replace("tide", "moon"))
    os.utime(older, (1_700_000_000, 1_700_000_000))
    output = run(scratch, "x")
    assert "2026-03-04-EXPORT-TIDES.txt" in output
    assert "· 1 older export was left; export-dedup.py processes every one" in output
    assert "✓ Listed in: README.md" in output
    assert "In the store: 4 different messages of 1 conversation" in output
    assert older.is_file()


def test_a_named_export_from_anywhere(scratch, tmp_path):
    """``--export`` takes any file; outside the project the original stays."""
    (tmp_path / "letters.txt").write_text(EXPORT.replace("tide", "letter"), encoding="utf-8")
    made = answer(scratch, "x", "--export", str(tmp_path / "letters.txt"))
    assert [one["path"] for one in made["exports"]] == [str(tmp_path / "letters.txt")]
    assert made["new_messages"] == 4
    assert (tmp_path / "letters.txt").is_file()
    assert (scratch.root / "MEMORY-CONTEXT/exports/2026-03-04-EXPORT-TIDES.txt").is_file()


def test_an_export_that_fails_costs_the_exit_code_and_not_the_checkpoint(scratch):
    """The checkpoint is made, says that the export was not processed, and the command ends with 1."""
    (scratch.root / "notes.txt").write_text("no conversation\n", encoding="utf-8")
    made = json.loads(run(scratch, "x", "--json", "--export", "notes.txt", fails=True))
    assert made["commit"]
    assert "- `notes.txt`: not processed" in Path(made["document"]).read_text(encoding="utf-8")
    assert "❌" in run(scratch, "x", "--export", "nothing.txt", fails=True)


def test_without_an_export_the_user_is_told_what_to_type(scratch):
    """The place is made, the name given, no file put there that could be taken for an export; the checkpoint is made."""
    (scratch.root / "MEMORY-CONTEXT/exports/2026-03-04-EXPORT-TIDES.txt").unlink()
    (scratch.root / "MEMORY-CONTEXT/exports").rmdir()
    output = run(scratch, "Sprint Complete")
    command = next(line.strip() for line in output.splitlines() if "/export " in line)
    assert command.startswith("/export MEMORY-CONTEXT/exports/")
    assert command.endswith("Z-Sprint-Complete.txt")
    assert list((scratch.root / "MEMORY-CONTEXT/exports").iterdir()) == []
    assert "✓ Checkpoint created" in output
    made = answer(scratch, "Sprint Complete")
    assert made["type"].startswith("/export MEMORY-CONTEXT/exports/")
    assert "exports" not in made
    message = scratch.git("log", "-1", "--format=%B")
    assert "Export-Dedup-New" not in message
    assert message.split("\n")[2].startswith("Export-Dedup-Checkpoint: MEMORY-CONTEXT/checkpoints/")


class _Terminal(io.StringIO):
    """A terminal in front of which somebody sits."""

    def isatty(self):
        return True


@pytest.mark.parametrize("typed", ["exports", "nothing", "closed"])
def test_a_person_may_export_now(scratch, monkeypatch, capsys, typed):
    """At a terminal the command waits; what was exported meanwhile is taken, and without it goes on."""
    waiting = scratch.root / "MEMORY-CONTEXT/exports/2026-03-04-EXPORT-TIDES.txt"
    waiting.unlink()

    def pressed(_question):
        if typed == "closed":
            raise EOFError
        if typed == "exports":
            waiting.write_text(EXPORT, encoding="utf-8")
        return ""

    monkeypatch.setattr("builtins.input", pressed)
    monkeypatch.setattr(sys, "stdin", _Terminal())
    monkeypatch.setattr(sys, "stdout", _Terminal())
    assert create_checkpoint.main(["x", "--project", str(scratch.root)]) == 0
    output = sys.stdout.getvalue()
    assert "/export MEMORY-CONTEXT/exports/" in output
    assert ("New unique: 4" in output) is (typed == "exports")
    assert waiting.exists() is False


def test_an_export_that_a_hook_processed_is_in_the_document(scratch, capsys):
    """Within a day after a hook took the export its figures are those of the checkpoint, and nothing is asked for."""
    from deduplication.workflow import five_steps

    dedup = ClaudeConversationDeduplicator(scratch.project.state)
    outcome = five_steps.run(scratch.project, five_steps.Options(checkpoint=False), dedup, lambda _text: None)
    last_run.save(scratch.project, outcome.result, last_run.BY_HOOK)
    assert create_checkpoint.main(["x", "--project", str(scratch.root)]) == 0
    output = capsys.readouterr().out
    assert "✓ 2026-03-04-EXPORT-TIDES.txt: processed by a hook at " in output
    assert "/export " not in output
    assert "Export-Dedup-New: 4" in scratch.git("log", "-1", "--format=%B")


def test_a_session_file_that_somebody_changed_is_theirs(scratch):
    """It is neither written to nor committed: the session goes on beside it, and the document links to that file."""
    theirs = scratch.write("MEMORY-CONTEXT/sessions/tides.md", "# my notes, password = 'k3Lx-99-harbour'\n")
    output = run(scratch, "x")
    assert "MEMORY-CONTEXT/sessions/tides.md was changed by hand" in output
    assert theirs.read_text(encoding="utf-8").startswith("# my notes")
    files = scratch.committed("HEAD")
    ours = next(name for name in files if "-which-tide-is-next-" in name)
    assert "MEMORY-CONTEXT/sessions/tides.md" not in files
    (document,) = (scratch.root / "MEMORY-CONTEXT/checkpoints").iterdir()
    text = document.read_text(encoding="utf-8")
    assert f"(../sessions/{Path(ours).name})" in text
    assert "\n?? MEMORY-CONTEXT/sessions/tides.md\n" in text


@pytest.mark.parametrize(("setting", "files"), [("off", 0), ("checkpoint", 1), ("session", 1)])
def test_session_files_as_the_setting_says(scratch, setting, files):
    """One that grows, one a checkpoint with what is new, or none; the document links to it, git has nothing left to say."""
    scratch.write(".coditect/config.json", json.dumps({"session_files": setting}))
    made = answer(scratch, "x")
    written = [path for path in scratch.committed("HEAD") if path.startswith("MEMORY-CONTEXT/sessions/")]
    assert len(written) == files
    text = Path(made["document"]).read_text(encoding="utf-8")
    assert (f"(`{short('tides')}`)" in text) is (files == 0)
    assert all(f"(../sessions/{Path(path).name})" in text for path in written)
    assert [line for line in scratch.status() if "MEMORY-CONTEXT" in line] == []


def test_a_session_file_that_cannot_be_written_costs_the_exit_code_and_not_the_checkpoint(scratch, tmp_path):
    """A folder that leads elsewhere is an error with its name; document and commit are made."""
    (tmp_path / "elsewhere").mkdir()
    (scratch.root / "MEMORY-CONTEXT/sessions").symlink_to(tmp_path / "elsewhere")
    assert json.loads(run(scratch, "x", "--json", fails=True))["commit"]
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_without_a_commit_the_readme_has_its_line_all_the_same(scratch):
    """--no-commit writes both files and leaves git alone; the next run commits its own only."""
    head = scratch.git("rev-parse", "HEAD")
    made = answer(scratch, "x", "--no-commit")
    assert (made["commit"], made["readme"]) == (None, "README.md")
    assert scratch.git("rev-parse", "HEAD") == head
    assert " M README.md" in scratch.status()
    assert (scratch.root / "README.md").read_text(encoding="utf-8").startswith(README)


def test_no_line_where_a_setting_says_so(scratch):
    """``readme_checkpoints``: false leaves the README alone."""
    scratch.write(".coditect/config.json", '{"readme_checkpoints": false}')
    made = answer(scratch, "x")
    assert made["readme"] is None
    assert (scratch.root / "README.md").read_text(encoding="utf-8") == README
    assert "README.md" not in scratch.committed("HEAD")


@pytest.mark.parametrize("name", ["readme.md", "Readme.MD"])
def test_a_readme_in_another_spelling(scratch, name):
    """The name's case is the project's own; a link or a folder of that name is not touched."""
    scratch.git("mv", "README.md", name)
    scratch.git("commit", "-qm", "name")
    assert answer(scratch, "x")["readme"] == name


def test_a_readme_that_is_none_is_left_alone(scratch):
    """A link may lead anywhere."""
    scratch.git("rm", "-q", "README.md")
    (scratch.root / "README.md").symlink_to("a.txt")
    assert answer(scratch, "x")["readme"] is None
    assert (scratch.root / "a.txt").read_text(encoding="utf-8") == "text\n"


@pytest.mark.parametrize(
    ("setting", "asked_for", "listed"),
    [
        (None, True, True),
        (None, False, False),
        ('"command"', True, True),
        ('"command"', False, False),
        ("true", False, True),
        ("false", True, False),
        ('"yes"', False, False),
    ],
)
def test_a_run_s_checkpoint_is_listed_only_where_the_user_turned_it_on(scratch, setting, asked_for, listed):
    """One that a person asked for is listed unless that is turned off; a value that cannot be is the default."""
    from deduplication.checkpoint import make as checkpoint

    if setting:
        settings_scenes.approved(scratch.root, f'{{"readme_checkpoints": {setting}}}')
    scratch.write("README.md", "# Tides\n")
    made = checkpoint.create(scratch.project, "x", asked_for=asked_for)
    assert (made.readme is not None) == listed
    assert ("checkpoints/" in (scratch.root / "README.md").read_text()) == listed


@pytest.mark.parametrize(("text", "value"), [("1", True), ("off", False), ("command", "command")])
def test_the_environment_sets_it_as_well(monkeypatch, tmp_path, text, value):
    """A word for yes, one for no, or the default by its name."""
    from deduplication.project import config

    monkeypatch.setenv("EXPORT_DEDUP_README_CHECKPOINTS", text)
    assert config.load(str(tmp_path))["readme_checkpoints"] == value


def test_a_readme_that_cannot_be_written_is_said(scratch, monkeypatch):
    """The commit has the line, the file does not: the note says so."""
    from deduplication.checkpoint import make as checkpoint
    from deduplication.errors import StoreNotWritable
    from deduplication.files import atomic

    real = atomic.replace

    def full(path, data, **options):
        if path.endswith("README.md"):
            raise StoreNotWritable("README.md: No space left on device")
        return real(path, data, **options)

    monkeypatch.setattr(atomic, "replace", full)
    made = checkpoint.create(scratch.project, "x")
    assert made.commit
    assert made.readme is None
    assert made.note.startswith("README.md could not be written: ")


def test_checkpoints_at_once_all_stand_in_the_readme(scratch):
    """Four processes with one README: each has its line, in the file and in the history, and none undoes another's."""
    script = Path(__file__).resolve().parents[2] / "scripts" / "create-checkpoint.py"
    command = [sys.executable, str(script), "same", "--json"]
    running = [subprocess.Popen(command, cwd=scratch.root, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    made = [json.loads(process.communicate(timeout=120)[0]) for process in running]
    assert [one["note"] for one in made] == [""] * 4
    for text in ((scratch.root / "README.md").read_text(encoding="utf-8"), scratch.git("show", "HEAD:README.md")):
        assert all(Path(one["document"]).name in text for one in made)
    assert [line for line in scratch.status() if "MEMORY-CONTEXT" in line or "README" in line] == []


def test_a_bad_privacy_setting_stops_everything_that_would_be_shared(scratch):
    """No document, no commit; the messages are stored all the same."""
    scratch.write(".coditect/config.json", '{"privacy_patterns": {"a": "("}}')
    head = scratch.git("rev-parse", "HEAD")
    with pytest.raises(PrivacySettingInvalid):
        create_checkpoint.main(["x", "--project", str(scratch.root)])
    assert not (scratch.root / "MEMORY-CONTEXT/checkpoints").exists()
    assert scratch.git("rev-parse", "HEAD") == head
    assert ClaudeConversationDeduplicator(scratch.project.state).global_unique_count() == 4


def test_a_tracked_store_stops_the_checkpoint(scratch):
    """A store in git is an error with its cure before anything is done."""
    ClaudeConversationDeduplicator(scratch.project.state).process_export(
        "x", {"messages": [{"role": "user", "content": "x"}]}
    )
    scratch.git("add", "-f", "MEMORY-CONTEXT/dedup_state")
    with pytest.raises(StoreTracked):
        create_checkpoint.main(["x", "--project", str(scratch.root)])


def test_modes_that_were_corrected_are_said(scratch, capsys):
    """On standard error, so that --json stays one object."""
    ClaudeConversationDeduplicator(scratch.project.state).process_export(
        "x", {"messages": [{"role": "user", "content": "x"}]}
    )
    scratch.project.state.chmod(0o755)
    create_checkpoint.main(["x", "--project", str(scratch.root), "--json"])
    printed = capsys.readouterr()
    assert "others could read" in printed.err
    assert json.loads(printed.out)["commit"]


# --- without a title --------------------------------------------------------------------------------------------------


def test_without_a_title_it_says_what_it_would_do(scratch):
    """Where nobody can be asked: 2, the export that waits, what would be written; nothing is done. With a title it is."""
    before = snapshot(scratch)
    code, said, errors = call(main=create_checkpoint.main, cwd=scratch.root)
    assert (code, said) == (2, "")
    assert "a checkpoint needs a title" in errors
    assert "It would store and archive MEMORY-CONTEXT/exports/2026-03-04-EXPORT-TIDES.txt, write a document" in errors
    assert "and commit both" in errors
    code, said, errors = call(
        "--no-commit", "--json", "--export", "x.txt", main=create_checkpoint.main, cwd=scratch.root
    )
    assert (code, said, "store and archive x.txt" in errors, "commit both" in errors) == (2, "", True, False)
    assert snapshot(scratch) == before
    assert not (scratch.root / "MEMORY-CONTEXT" / "checkpoints").exists()
    assert not (scratch.root / "MEMORY-CONTEXT" / "dedup_state").exists()


class AtTerminal(io.StringIO):
    """Somebody types there."""

    def isatty(self):
        """As a terminal says it."""
        return True


@pytest.mark.parametrize(
    ("typed", "title"),
    [("Sprint Complete\n", "Sprint Complete"), ("   \n", None), ("", None)],
    ids=["title", "blank", "end"],
)
def test_at_a_terminal_the_title_is_asked_for(scratch, monkeypatch, typed, title):
    """What is typed is the title; an empty line is none, and neither is the end of the input."""
    monkeypatch.chdir(scratch.root)
    monkeypatch.setattr(sys, "stdin", AtTerminal(typed))
    monkeypatch.setattr(sys, "stdout", AtTerminal())
    if title is None:
        with pytest.raises(UsageError, match="needs a title"):
            create_checkpoint.main([])
        return
    assert create_checkpoint.main([]) == 0
    assert sys.stdout.getvalue().startswith("Title of the checkpoint: ")
    (document,) = (scratch.root / "MEMORY-CONTEXT" / "checkpoints").glob("*.md")
    assert title in document.read_text(encoding="utf-8")
