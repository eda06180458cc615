"""deduplicate_export.py: exports from the shell, statistics, files of new messages, verify and rebuild.

Most cases call ``main`` in this process, as ``entry.run`` does; what only a process can show runs as one.
"""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import exports
from deduplication import formats
from deduplication.commands import arguments as shared
from deduplication.commands import deduplicate_export, entry
from deduplication.errors import OutputNotWritable, StoreLocked, StoreMissing
from deduplication.files import locking
from deduplication.ingest import deduplicator
from deduplication.storage.log_store import LogStore
from deduplication.workflow import new_messages_file

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "deduplicate_export.py"
STORY = exports.Story(11, 12)
FILES = STORY.exports(4)
TOTALS = [file.end - file.first for file in FILES]
LABELS = ("Total messages", "New unique", "Duplicates filtered", "Dedup rate", "Global unique count")


class Bench:
    """A project with three cumulative exports of one conversation in a folder beside it, and the command."""

    def __init__(self, folder, capsys, monkeypatch):
        self.capsys, self.monkeypatch = capsys, monkeypatch
        self.project = folder / "a project"
        self.state = self.project / "MEMORY-CONTEXT" / "dedup_state"
        self.project.mkdir()
        self.folder = folder / "the exports"
        self.folder.mkdir()
        for file in FILES:
            (self.folder / file.name).write_bytes(file.data)
        self.paths = [str(self.folder / file.name) for file in FILES]
        self.out = self.err = ""

    def run(self, *arguments, code=0):
        """The command to its end in this process; returns what it printed on standard output."""
        self.monkeypatch.setattr(
            sys, "argv", ["deduplicate_export.py", *map(str, arguments), "--project", str(self.project)]
        )
        assert entry.run(deduplicate_export.main) == code, self.capsys.readouterr()
        self.out, self.err = self.capsys.readouterr()
        return self.out

    def json(self, *arguments, code=0):
        """The one object that ``--json`` prints."""
        text = self.run(*arguments, "--json", code=code)
        assert text.count("\n") == 1
        return json.loads(text)

    def figures(self, *arguments):
        """The values of the stable lines, in order."""
        return re.findall(rf"^ *(?:{'|'.join(LABELS)}): (.+)$", self.run(*arguments), re.MULTILINE)


@pytest.fixture
def bench(tmp_path, capsys, monkeypatch):
    """A fresh project."""
    return Bench(tmp_path, capsys, monkeypatch)


def snapshot(folder):
    """Every file below ``folder`` with its bytes."""
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


# --- processing ---------------------------------------------------------------------------------------------------


def test_one_export_is_a_block_of_stable_lines(bench):
    """Name, conversation, the four figures, and what the store holds now; nothing on standard error."""
    total = TOTALS[0]
    shown = bench.run(bench.paths[0])
    unique = len(set(STORY.truth(FILES[0].first, FILES[0].end)))
    assert shown.splitlines() == [
        f"  📄 {FILES[0].name} (session story-11)",
        f"  Total messages: {total}",
        f"  New unique: {unique}",
        f"  Duplicates filtered: {total - unique}",
        f"  Dedup rate: {100 * (total - unique) / total:.1f}%",
        f"  Global unique count: {unique}",
    ]
    assert bench.err == ""


def test_the_same_export_again_has_nothing_new(bench):
    """0 new, everything a duplicate, exit code 0."""
    bench.run(bench.paths[0])
    assert bench.figures(bench.paths[0])[1:4] == ["0", str(TOTALS[0]), "100.0%"]


def test_a_folder_is_processed_oldest_first_with_the_sums_at_the_end(bench):
    """Each export has its block, in the order of their dates whatever their order on disk; then come the sums."""
    shown = bench.run(bench.folder, "--batch")
    unique = len(set(STORY.truth()))
    assert re.findall(r"📄 (\S+)", shown) == [file.name for file in FILES]
    assert shown.splitlines()[-6:] == [
        f"  All {len(FILES)} exports:",
        f"  Total messages: {sum(TOTALS)}",
        f"  New unique: {unique}",
        f"  Duplicates filtered: {sum(TOTALS) - unique}",
        f"  Dedup rate: {100 * (sum(TOTALS) - unique) / sum(TOTALS):.1f}%",
        f"  Global unique count: {unique}",
    ]


def test_batch_is_implied_by_a_folder_or_several_files(bench, tmp_path):
    """The option changes no number and no line."""
    with_it = bench.run(*bench.paths, "--batch", "--storage-dir", tmp_path / "one")
    assert bench.run(*reversed(bench.paths), "--storage-dir", tmp_path / "two") == with_it
    assert bench.run(bench.folder, "--storage-dir", tmp_path / "three") == with_it


def test_the_files_stay_where_they_are(bench):
    """Nothing is archived, committed or logged: the store is all that is made."""
    before = snapshot(bench.folder)
    bench.run(bench.folder)
    assert snapshot(bench.folder) == before
    assert [path.name for path in (bench.project / "MEMORY-CONTEXT").iterdir()] == ["dedup_state"]


def test_a_session_id_is_obeyed(bench):
    """The conversation has the name that was asked for."""
    assert bench.json(bench.paths[0], "--session-id", "rollout-master")["exports"][0]["session_id"] == "rollout-master"


def test_a_broken_file_costs_only_itself(bench, tmp_path):
    """The others are processed, the sums are shown, the code is 1, and each failure has its advice."""
    (tmp_path / "broken.json").write_text('{"messages": [', encoding="utf-8")
    shown = bench.run(tmp_path / "broken.json", tmp_path / "missing.txt", *bench.paths, code=1)
    lines = shown.splitlines()
    assert "  📄 broken.json" in lines
    assert "  📄 missing.txt" in lines
    assert shown.count("❌ ERROR:") == 2
    assert shown.count("     → ") == 2
    assert "  All 5 exports:" in lines
    assert f"  Total messages: {sum(TOTALS)}" in lines


def test_where_everything_failed_there_are_no_sums(bench, tmp_path):
    """The last line is what to do, not a row of zeros."""
    shown = bench.run(tmp_path / "missing.txt", code=1)
    assert "Total messages" not in shown
    assert shown.splitlines()[-1] == "     → Check the path; quote it where it holds blanks."


def test_a_defect_that_one_file_brings_to_light_ends_with_3_and_the_others_are_stored(bench, monkeypatch):
    """A parser that breaks on one file: the rest is processed, then the run says that it is a defect of ours."""
    real = formats.parse

    def parse(data, **more):
        if data == FILES[1].data:
            raise ZeroDivisionError("a defect")
        return real(data, **more)

    monkeypatch.setattr(formats, "parse", parse)
    monkeypatch.setattr(formats, "cumulative", lambda _: None)  # each file is read whole
    found = bench.json(bench.folder, code=3)
    assert [bool(export.get("error")) for export in found["exports"]] == [False, True, False]
    assert found["new_messages"] == len(set(STORY.truth()))
    assert "Unexpected failure: ZeroDivisionError: a defect" in bench.err
    assert "Traceback" not in bench.err


def test_an_empty_folder_is_said_and_counts_nothing(bench, tmp_path):
    """Nothing to do is no failure; the stable lines are there."""
    (tmp_path / "empty").mkdir()
    shown = bench.run(tmp_path / "empty", "--batch")
    assert shown.splitlines()[0] == "  · Not an export: empty (no exports in this folder)"
    assert shown.splitlines()[-1] == "  Global unique count: 0"
    assert bench.json(tmp_path / "empty", "--batch")["exports"] == []


def test_a_file_that_is_none_in_a_folder_is_passed_over(bench):
    """It is named, and is no failure; under --json nothing is said of it."""
    (bench.folder / "notes.txt").write_text("buy milk\n", encoding="utf-8")
    assert "Not an export: notes.txt (no prompts, answers or tool results in it)" in bench.run(bench.folder)
    assert len(bench.json(bench.folder)["exports"]) == len(FILES)
    assert bench.err == ""


# --- JSON ---------------------------------------------------------------------------------------------------------


def test_json_is_one_object_with_every_figure(bench):
    """The object of the contract; the sums are those of its exports."""
    found = bench.json(bench.folder)
    assert list(found) == [
        "generator",
        "exports",
        "total_messages",
        "new_messages",
        "duplicates_filtered",
        "global_unique",
        "storage",
        "duration_s",
    ]
    assert [export["total_messages"] for export in found["exports"]] == TOTALS
    assert sum(export["new_messages"] for export in found["exports"]) == found["new_messages"] == found["global_unique"]
    assert found["total_messages"] - found["new_messages"] == found["duplicates_filtered"]
    assert found["storage"]["raw_bytes"] == sum(len(file.data) for file in FILES)
    assert {export["archived_to"] for export in found["exports"]} == {None}


def test_json_is_one_object_also_when_exports_fail(bench, tmp_path):
    """The failed ones stand in it with their error; the advice goes to standard error."""
    found = bench.json(tmp_path / "missing.txt", bench.paths[0], code=1)
    assert found["exports"][0]["error"] == "The export cannot be read: No such file or directory"
    assert found["exports"][1]["total_messages"] == TOTALS[0]
    assert "❌ ERROR: The export cannot be read" in bench.err
    assert bench.json(tmp_path / "missing.txt", code=1)["total_messages"] == 0


# --- statistics ---------------------------------------------------------------------------------------------------


def test_stats_show_each_conversation_once_before_the_sums(bench):
    """Three exports of one conversation: one block of statistics, made after all of them were stored."""
    shown = bench.run(bench.folder, "--stats")
    assert shown.count("📈 Conversation: story-11") == 1
    assert f"     Exports processed: {len(FILES)} with {sum(TOTALS)} messages" in shown
    assert shown.index("📈") < shown.index("All 3 exports")


def test_stats_only_stores_nothing_and_shows_nothing_else(bench):
    """The figures are those of the store as it is; no run is recorded."""
    bench.run(bench.paths[0])
    before = snapshot(bench.state)
    shown = bench.run(bench.folder, "--stats-only")
    assert shown.splitlines()[0] == "  📈 Conversation: story-11"
    assert f"     Messages: {TOTALS[0]} " in shown
    assert "Total messages" not in shown
    assert snapshot(bench.state) == before


def test_stats_only_without_a_store_creates_none(bench):
    """Nothing is stored, and that is what is said."""
    shown = bench.run(bench.paths[0], "--stats-only")
    assert shown.splitlines() == ["  📈 Conversation: story-11", "     Nothing is stored of it yet."]
    assert list(bench.project.iterdir()) == []


def test_statistics_stand_in_the_json_object(bench):
    """With --stats or --stats-only the object has them, one for each conversation."""
    found = bench.json(bench.folder, "--stats")
    (figures,) = found["statistics"]
    assert (figures["conversation_id"], figures["total_messages"]) == ("story-11", len(STORY.turns))
    assert bench.json(bench.paths[0], "--stats-only")["statistics"] == [figures]


# --- dry run ------------------------------------------------------------------------------------------------------


def test_a_dry_run_counts_and_creates_nothing(bench):
    """The figures of a real run; no folder, no file; the line says so once."""
    shown = bench.run(bench.paths[0], "--dry-run")
    assert f"  Total messages: {TOTALS[0]}" in shown.splitlines()
    unique = len(set(STORY.truth(0, FILES[0].end)))
    assert shown.splitlines()[-2:] == ["  · Skipped: storing (--dry-run)", f"  Global unique count: {unique}"]
    assert list(bench.project.iterdir()) == []


def test_a_dry_run_summarises_as_the_run_that_follows(bench):
    """Over several exports, too: what one of them would bring is a duplicate in the next, and nothing is stored."""
    dry = bench.run(bench.folder, "--dry-run")
    assert list(bench.project.iterdir()) == []
    lines = dry.splitlines()
    lines.remove("  · Skipped: storing (--dry-run)")
    assert lines == bench.run(bench.folder).splitlines()
    again = bench.run(bench.folder, "--dry-run")
    assert "  New unique: 0" in again
    assert again.splitlines()[-1] == lines[-1]


def test_a_dry_run_on_a_full_store_changes_no_byte(bench):
    """Not even the record that the export was seen."""
    bench.run(bench.paths[0])
    before = snapshot(bench.state)
    assert bench.json(bench.folder, "--dry-run")["global_unique"] == len(set(STORY.truth(0, FILES[-1].end)))
    assert snapshot(bench.state) == before


# --- new messages as files ----------------------------------------------------------------------------------------


def test_output_is_the_new_messages_as_json(bench, tmp_path):
    """Every new message once, in order; of what was stored before, nothing."""
    bench.run(bench.paths[0])
    bench.run(bench.paths[1], "--output", tmp_path / "new.json")
    written = json.loads((tmp_path / "new.json").read_text(encoding="utf-8"))
    known = set(STORY.truth(0, FILES[0].end))
    expected = [turn for turn in dict.fromkeys(STORY.truth(0, FILES[1].end)) if turn not in known]
    assert exports.kept(written["messages"]) == expected
    assert written["new_messages"] == len(expected)


def test_output_is_markdown_where_the_name_says_so(bench, tmp_path):
    """A document for people."""
    bench.run(bench.paths[0], "--output", tmp_path / "new.md")
    assert (tmp_path / "new.md").read_text(encoding="utf-8").startswith("# story-11: ")


def test_output_dir_gets_a_file_for_each_export_with_something_new(bench, tmp_path):
    """Named after the exports; an export without news leaves none."""
    bench.run(bench.folder, "--output-dir", tmp_path / "out")
    names = [f"{Path(file.name).stem}.md" for file in FILES]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    bench.run(bench.folder, "--output-dir", tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == len(FILES)


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--output", "nowhere/new.json", "there is no such folder"),
        ("--output", ".", ". is a folder"),
        ("--output", "the exports/{0}", "lies where the export"),
        ("--output", "a project/MEMORY-CONTEXT/dedup_state/conversation_log.jsonl", "lies where the export"),
        ("--output", "a project/MEMORY-CONTEXT/exports-archive/x.json", "lies where the export"),
        ("--output-dir", "the exports/{0}", "it is no folder"),
        ("--output-dir", "a project/MEMORY-CONTEXT/dedup_state/new", "lies where the export"),
    ],
    ids=["missing", "folder", "the-export", "the-log", "the-archive", "file-as-folder", "the-store"],
)
def test_an_output_that_cannot_be_is_refused_before_anything_is_stored(bench, option, value, reason):
    """Exit code 1 with the reason; the exports are as they were, and there is no store."""
    before = snapshot(bench.folder)
    assert bench.run(bench.paths[0], option, value.format(FILES[0].name), code=1) == ""
    assert bench.err.startswith("❌ ERROR: The output cannot be written: ")
    assert reason in bench.err
    assert snapshot(bench.folder) == before
    assert list(bench.project.iterdir()) == []


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_an_output_that_fails_after_all_leaves_the_messages_stored_and_says_so(bench, as_json, monkeypatch):
    """The disk filled up meanwhile: the figures are shown, the export is marked, the code is 1, the rest goes on."""

    def fail(_folder, _stem, _done):
        raise OutputNotWritable("out: No space left on device")

    monkeypatch.setattr(new_messages_file, "write_into", fail)
    arguments = [bench.folder, "--output-dir", "out"]
    message = "Messages stored, but not written out. The output cannot be written: out: No space left on device"
    if as_json:
        assert {export["error"] for export in bench.json(*arguments, code=1)["exports"]} == {message}
        assert message in bench.err
    else:
        assert bench.run(*arguments, code=1).count(message) == len(FILES)
    monkeypatch.undo()
    assert bench.json(bench.folder)["new_messages"] == 0


# --- usage --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "no export was named"),
        (["--stats"], "no export was named"),
        ([""], "an export's name is empty"),
        (["x.txt", ""], "an export's name is empty"),
        (["x.txt", "--session-id", "../x"], "it holds a slash"),
        (["missing.txt", "--session-id", "a\nb"], "it holds control characters"),
        (["x.txt", "--session-id", ""], "it is empty"),
        (["x.txt", "y.txt", "--output", "z.json"], "--output takes the messages of one export"),
        (["x.txt", "--batch", "--output", "z.json"], "--output takes the messages of one export"),
        ([".", "--output", "z.json"], "--output takes the messages of one export"),
        (["x.txt", "--output", "a", "--output-dir", "b"], "not allowed with argument"),
        (["x.txt", "--output", ""], "need a name"),
        (["x.txt", "--output-dir", ""], "need a name"),
        (["x.txt", "--dry-run", "--output", "z.json"], "write nothing"),
        (["x.txt", "--stats-only", "--output-dir", "z"], "write nothing"),
        (["x.txt", "--storage-dir", ""], "--storage-dir is empty"),
        (["x.txt", "--backend", "cloud"], "no storage backend is called 'cloud'"),
        (["x.txt", "--db-url", "postgresql://x"], "takes no database URL"),
        (["x.txt", "--unknown"], "unrecognized arguments: --unknown"),
        (["x.txt", "--stat"], "unrecognized arguments: --stat"),
        (["x.txt", "--bad\x1b[2J"], "unrecognized arguments: --bad\\x1b[2J"),
        (["verify", "x.txt"], "unrecognized arguments: x.txt"),
        (["rebuild", "--storage-dir"], "expected one argument"),
        (["verify", "--storage-dir", ""], "--storage-dir is empty"),
    ],
    ids=lambda value: " ".join(value).replace("\x1b", "ESC").replace("\n", "LF") if isinstance(value, list) else "",
)
def test_a_command_line_that_cannot_be_used_is_2_and_changes_nothing(bench, arguments, reason, tmp_path):
    """Before anything is read or made: the reason, the advice, no trace."""
    (tmp_path / "x.txt").write_bytes(FILES[0].data)
    assert bench.run(*arguments, code=2) == ""
    first, second = bench.err.splitlines()
    assert first.startswith("❌ ERROR: The command line cannot be used as it stands: ")
    assert reason in first
    assert second.startswith("   → ")
    assert list(bench.project.iterdir()) == []
    assert not (tmp_path / "z.json").exists()


@pytest.mark.parametrize("name", ["", "verify", "rebuild"])
def test_help_names_every_option_and_the_exit_codes(name, capsys):
    """Each command explains itself on standard output."""
    with pytest.raises(SystemExit) as caught:
        deduplicate_export.main([*filter(None, [name]), "--help"])
    assert caught.value.code == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(f"usage: deduplicate_export.py {name}".rstrip())
    assert "Exit codes: 0 done" in out
    for option in ("--project", "--storage-dir", "--backend", "--db-url", "--json"):
        assert option in out


def test_a_file_called_like_a_subcommand_is_passed_with_its_folder(bench, tmp_path):
    """``./verify`` is a file."""
    (tmp_path / "verify").write_bytes(FILES[0].data)
    assert bench.json("./verify")["total_messages"] == TOTALS[0]


# --- verify and rebuild -------------------------------------------------------------------------------------------


@pytest.fixture
def full(bench):
    """A bench whose exports were processed."""
    bench.run(bench.folder)
    return bench


def test_verify_counts_and_changes_nothing(full):
    """All is well: one line, one number, the head, 0."""
    before = snapshot(full.state)
    unique = len(set(STORY.truth()))
    expected = f"✅ Verified: every line, every message and every number is right ({unique} unique messages).\n"
    said, head = full.run("verify").split("🔗 Head: ")
    assert said == expected
    found = full.json("verify")
    assert head.startswith(f"{found.pop('head')['digest']}\n")
    assert (found.pop("generator"), found.pop("ok")) == ("export-dedup", True)
    assert {*found} == {"problems", "costs", "missing", "given_up", "unsure", "unfinished_purge", "backups_with_purged"}
    assert not any(found.values())
    assert snapshot(full.state) == before


@pytest.mark.parametrize("name", ["verify", "rebuild"])
@pytest.mark.parametrize("place", ["nothing", "an-empty-folder", "a-folder-of-something-else", "a-file"])
def test_where_no_store_is_none_is_verified_and_none_is_made(bench, tmp_path, name, place):
    """A mistyped folder is neither whole nor to be filled: 1, the folder named, everything as it was."""
    where = tmp_path / "somewhere"
    if place == "a-file":
        where.write_text("x", encoding="utf-8")
    elif place != "nothing":
        where.mkdir(mode=0o755)
        if place == "a-folder-of-something-else":
            (where / "photo.jpg").touch()
    before = snapshot(tmp_path)
    mode = where.stat().st_mode if where.exists() else None
    assert bench.run(name, "--storage-dir", where, code=1) == ""
    assert bench.err.splitlines() == [f"❌ ERROR: There is no message store: {where}", f"   → {StoreMissing.hint}"]
    assert snapshot(tmp_path) == before
    assert mode == (where.stat().st_mode if where.exists() else None)


@pytest.mark.parametrize("missing", ["watermarks.json", "deduplication_log.jsonl", "index.bin"])
def test_a_missing_index_is_named_and_made_again(full, missing):
    """verify says which and what to do, rebuild makes the same bytes again."""
    before = (full.state / missing).read_bytes()
    (full.state / missing).unlink()
    shown = full.run("verify", code=1)
    assert f"   - {missing}: missing (an index; 'rebuild' makes it again)" in shown.splitlines()
    assert shown.splitlines()[-1].startswith("   → 'deduplicate_export.py rebuild'")
    assert full.run("rebuild").endswith("✅ Every index was made anew from the log, and the store verifies.\n")
    assert (full.state / missing).read_bytes() == before
    full.run("verify")


def test_an_index_that_says_something_else_is_named(full):
    """A watermark that somebody edited does not agree with the log."""
    path = full.state / "watermarks.json"
    path.write_text('{"story-11":99999}\n', encoding="utf-8")
    found = full.json("verify", code=1)
    assert found["ok"] is False
    assert any(problem.startswith("watermarks.json: does not say what the log says") for problem in found["problems"])
    assert full.json("rebuild") == {"generator": "export-dedup", "ok": True, "found": [], "remaining": []}


def test_a_flipped_bit_in_the_log_is_named_and_set_right(full):
    """One bit of the truth: verify says where, rebuild restores every byte."""
    path = full.state / "conversation_log.jsonl"
    before = path.read_bytes()
    damaged = bytearray(before)
    damaged[len(before) // 2] ^= 4
    path.write_bytes(damaged)
    assert "conversation_log.jsonl, line " in full.run("verify", code=1)
    assert "one flipped bit was found and set right" in full.run("rebuild")
    assert path.read_bytes() == before
    full.run("verify")


def test_what_cannot_be_cured_is_named_by_both(full):
    """A line that was overwritten is lost: rebuild says which message it held, and its code is 1 for as long as it is so."""
    path = full.state / "conversation_log.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2][:60] + b"#" * (len(lines[2]) - 61) + b"\n"
    path.write_bytes(b"".join(lines))
    shown = full.run("rebuild", code=1)
    assert re.search(r"^❌ The indexes were made anew; \d problems? remains?:$", shown, re.MULTILINE)
    assert "conversation_log.jsonl, line 3 (byte " in shown
    assert shown.splitlines()[-1].startswith("   → Put back the damaged file from a backup")
    found = full.json("rebuild", code=1)
    assert found["ok"] is False
    assert found["remaining"][0].startswith("conversation_log.jsonl, line 3 (byte ")
    assert full.json("verify", code=1)["problems"] == found["remaining"]


def test_a_log_that_is_gone_is_damage_not_an_empty_store(full):
    """The indexes remember what the log held; verify does not call that well."""
    (full.state / "conversation_log.jsonl").unlink()
    assert full.run("verify", code=1).startswith("❌ ")


@pytest.mark.parametrize("arguments", [["verify"], ["rebuild"], ["{export}"]], ids=["verify", "rebuild", "process"])
def test_a_store_that_another_run_holds_is_a_named_failure(full, arguments, monkeypatch):
    """After its patience has ended: 1, the lock named, what to do; nothing is changed."""
    monkeypatch.setitem(LogStore.__init__.__kwdefaults__, "timeout", 0.1)
    before = snapshot(full.state)
    with locking.exclusive(str(full.state / ".lock")):
        assert full.run(*(text.format(export=full.paths[0]) for text in arguments), code=1) == ""
    first, second = full.err.splitlines()
    assert first.startswith(f"❌ ERROR: Another run is using the message store: {full.state / '.lock'} (waited ")
    assert second == f"   → {StoreLocked.hint}"
    assert snapshot(full.state) == before


def test_a_store_beyond_use_stops_the_run_and_names_the_cure(full):
    """A log with a broken line in its middle: nothing is processed, the command that cures it is named."""
    path = full.state / "conversation_log.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b"rubbish\n", *lines[2:]]))
    (full.state / "index.bin").unlink()
    assert full.run(full.paths[0], "--json", code=1) == ""
    assert "❌ ERROR: The message store is damaged" in full.err
    assert "'deduplicate_export.py rebuild'" in full.err


# --- processes ----------------------------------------------------------------------------------------------------


def process(*arguments, **more):
    """The command as a process."""
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        check=False,
        timeout=60,
        **more,
    )


@pytest.mark.e2e
def test_the_whole_command_as_processes(bench, tmp_path):
    """Store, store again, count, verify, rebuild: each a process of its own in the project's folder, in any locale."""
    more = {"cwd": bench.project, "env": {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0"}}
    (bench.project / ".git").mkdir()
    done = process(*bench.paths, "--stats", **more)
    assert (done.returncode, done.stderr) == (0, "")
    assert "📈 Conversation: story-11" in done.stdout
    assert json.loads(process(bench.folder, "--json", **more).stdout)["new_messages"] == 0
    assert process("verify", **more).stdout.startswith("✅ Verified")
    assert process("rebuild", **more).stdout.startswith("✅ Every index")
    done = process(tmp_path / "missing.txt", **more)
    assert (done.returncode, done.stderr) == (1, "")
    assert process(**more).returncode == 2


@pytest.mark.e2e
@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX's")
def test_what_a_process_makes_is_private_whatever_the_umask(bench, tmp_path):
    """Store, its files and the output are for their owner alone."""
    old = os.umask(0)
    try:
        done = process(bench.paths[0], "--project", bench.project, "--output", tmp_path / "new.json")
    finally:
        os.umask(old)
    assert done.returncode == 0
    assert stat.S_IMODE(bench.state.stat().st_mode) == 0o700
    made = [tmp_path / "new.json", *(path for path in bench.state.iterdir() if path.name != ".gitignore")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}


@pytest.mark.e2e
@pytest.mark.skipif(os.name == "nt", reason="terminals are POSIX's")
def test_long_work_shows_a_bar_on_a_terminal_and_the_output_stays_clean(bench, tmp_path):
    """The bar is on standard error; what a script reads from standard output has no escape in it."""
    pytest.importorskip("rich")
    import pty

    big = tmp_path / "big.txt"
    big.write_bytes(b"> first\n\n" + "⏺ word ".encode() + b"word " * 900_000 + b"\n")
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(big), "--project", str(bench.project), "--json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    out, _ = child.communicate(timeout=60)
    os.close(ours)
    assert child.returncode == 0
    assert json.loads(out)["total_messages"] == 2
    assert b"Deduplicating" in shown


def test_the_deduplicator_is_made_over_the_project_s_store(bench):
    """Without --storage-dir the store is the project's; the class is the public one."""
    asked = shared.Parser("x", "y")
    shared.add_store(asked)
    made = shared.deduplicator(asked.parse_args(["--project", str(bench.project)]))
    assert isinstance(made, deduplicator.ClaudeConversationDeduplicator)
    assert made.store.folder == str(bench.state.resolve())
