"""workflow: the five steps, what each leaves to the next, and what a failure costs."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Callable

import pytest

from deduplication import formats
from deduplication.commands import export_dedup
from deduplication.errors import CheckpointFailed, ExportUnreadable, StoreDamaged, UsageError
from deduplication.figures.counted import counted
from deduplication.figures.savings import Seen
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.project.paths import Project
from deduplication.workflow import five_steps
from deduplication.workflow.options import Options
from in_memory_store import MemoryStore

if TYPE_CHECKING:
    from deduplication.workflow.outcome import Outcome

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "export-dedup.py"
TURN = "> {0}\n\n⏺ The answer to {0}.\n\n⏺ Bash(ls)\n  ⎿  a.txt\n\n"

pytestmark = pytest.mark.usefixtures("plain_week")


def export(*prompts: str) -> bytes:
    """A text export with these prompts."""
    return "".join(TURN.format(prompt) for prompt in prompts).encode()


class Fake:
    """A deduplicator that takes every line for a message and remembers what it was asked."""

    def __init__(self) -> None:
        self.lines: set[bytes] = set()
        self.store = MemoryStore()
        self.calls: list[tuple[str, Any, bool]] = []
        self.raising: dict[str, Exception] = {}
        self.meanwhile: Callable[[str], None] = lambda _name: None

    def ingest(
        self,
        data: bytes,
        *,
        name: str,
        conversation_id: Any = None,
        dry_run: bool = False,
        strict: bool = False,
        keep: bool = True,
    ) -> Any:
        """Count lines; fail where the test asks for it."""
        self.calls.append((name, conversation_id, strict))
        if name in self.raising:
            raise self.raising[name]
        self.meanwhile(name)
        shown = data.splitlines()
        new = len(set(shown) - self.lines)
        self.lines.update(shown)
        return SimpleNamespace(
            conversation_id=conversation_id or "c",
            format="text",
            sha256=hashlib.sha256(data).hexdigest(),
            total=len(shown),
            new=new,
            captured=0,
            duplicates=len(shown) - new,
            gaps=("a gap",),
            warnings=(),
            raw_bytes=len(data),
            conversations=(),
        )

    def ingest_file(self, path: Path, **_asked: Any) -> None:
        """No file is too large to be read whole."""

    def global_unique_count(self) -> int:
        """Distinct lines."""
        return len(self.lines)

    def seen_bytes(self) -> Seen:
        """Any number."""
        return Seen(distinct=1000)


class Bench:
    """A project, a fake store, and a run with everything observed."""

    def __init__(self, root: Path) -> None:
        self.project = Project(root)
        self.dedup = Fake()
        self.checkpoints: list[dict[str, Any]] = []
        self.text = ""

    def put(self, name: str, data: bytes) -> Path:
        """An export in the drop folder."""
        path = self.project.exports / name
        path.write_bytes(data)
        return path

    def checkpoint(self, project: Project, description: str, **given: Any) -> Any:
        """Stands in for checkpoint.create."""
        self.checkpoints.append({"project": project, "description": description, **given})
        return SimpleNamespace(document=None, commit=None, note="committed 0a1b2c3")

    def run(self, *, confirm: Any = None, make: Any = None, **options: Any) -> Outcome:
        """The five steps."""
        shown: list[str] = []
        outcome = five_steps.run(
            self.project,
            Options(**options),
            self.dedup,
            shown.append,
            confirm=confirm,
            make_checkpoint=make or self.checkpoint,
        )
        self.text = "\n".join(shown)
        return outcome

    def archived(self) -> list[str]:
        """Names in the archive."""
        if not self.project.archive.exists():
            return []
        return sorted(path.name for path in self.project.archive.iterdir() if not path.name.startswith("."))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A project with an empty drop folder."""
    made = Bench(tmp_path.resolve() / "project")
    made.project.exports.mkdir(parents=True)
    return made


def test_the_five_steps(bench: Bench) -> None:
    """Found, deduplicated oldest first, archived, checkpointed, summed up, with the stable labels in this order."""
    bench.put("2025-11-18-EXPORT-B.txt", export("a", "b"))
    bench.put("2025-11-17-EXPORT-A.txt", export("a"))
    outcome = bench.run()
    assert outcome.exit_code == 0
    assert bench.dedup.calls == [("2025-11-17-EXPORT-A.txt", None, True), ("2025-11-18-EXPORT-B.txt", None, True)]
    assert bench.archived() == ["2025-11-17-EXPORT-A.txt", "2025-11-18-EXPORT-B.txt"]
    assert list(bench.project.exports.iterdir()) == []
    labels = re.findall(r"Step \d|Total messages: \d+|Global unique count: \d+|complete!|Archived: \S+", bench.text)
    assert labels == [
        "Step 1",
        "Step 2",
        "Total messages: 7",
        "Total messages: 14",
        "Total messages: 21",
        f"Global unique count: {len(bench.dedup.lines)}",
        "Step 3",
        "Archived: 2025-11-17-EXPORT-A.txt",
        "Archived: 2025-11-18-EXPORT-B.txt",
        "Step 4",
        "complete!",
    ]
    (made,) = bench.checkpoints
    assert (made["project"], made["description"], made["paths"]) == (bench.project, "7 new messages", ())
    assert made["figures"]["total_messages"] == 21
    assert [each["archived_to"] for each in made["figures"]["exports"]] == [
        "MEMORY-CONTEXT/exports-archive/2025-11-17-EXPORT-A.txt",
        "MEMORY-CONTEXT/exports-archive/2025-11-18-EXPORT-B.txt",
    ]


def test_the_result_has_every_figure(bench: Bench) -> None:
    """What the deduplicator counted reaches the result unchanged; new and duplicates add up."""
    data = export("a")
    bench.put("x.txt", data)
    outcome = bench.run(session_id="mine", description="Sprint complete")
    (result,) = outcome.result.exports
    assert (result.path, result.format, result.session_id) == ("MEMORY-CONTEXT/exports/x.txt", "text", "mine")
    assert result.total == result.new + result.duplicates == 7
    assert (result.gaps, result.raw_bytes, result.error) == (("a gap",), len(data), None)
    assert (outcome.result.global_unique, outcome.result.storage.seen.raw) == (len(bench.dedup.lines), 1000)
    lists = [bench.project.state / "archived.jsonl", bench.project.archive / ".archived.jsonl"]
    assert outcome.result.storage.plain == len(data)
    assert outcome.result.storage.stored == len(data) + sum(path.stat().st_size for path in lists)
    assert outcome.result.duration_s > 0
    assert bench.dedup.calls == [("x.txt", "mine", True)]
    assert bench.checkpoints[0]["description"] == "Sprint complete"
    assert "Checkpoint created: Sprint complete" in bench.text
    assert "committed 0a1b2c3" in bench.text


def test_nothing_found_is_no_failure(bench: Bench) -> None:
    """The user reads where was looked and what to do; nothing is created."""
    outcome = bench.run()
    assert (outcome.exit_code, outcome.result.exports) == (0, ())
    for words in ("No new export files found", "repo root", "MEMORY-CONTEXT/exports", "/export"):
        assert words in bench.text
    assert "Step 2" not in bench.text
    assert bench.checkpoints == []
    assert list(bench.project.memory.iterdir()) == [bench.project.exports]


def test_switches(bench: Bench) -> None:
    """--no-archive leaves the file, --no-checkpoint makes none; both are said."""
    path = bench.put("x.txt", export("a"))
    assert bench.run(archive=False, checkpoint=False).exit_code == 0
    assert path.exists()
    assert bench.archived() == []
    assert bench.checkpoints == []
    assert "--no-archive" in bench.text
    assert "--no-checkpoint" in bench.text


def test_a_broken_file_costs_only_itself(bench: Bench) -> None:
    """It is named and left where it is, the others are processed and archived, the exit code is 1."""
    for name in ("a.txt", "b.txt", "c.txt"):
        bench.put(name, export(name))
    bench.dedup.raising = {"b.txt": ExportUnreadable("line 7", hint="Mend line 7.")}
    outcome = bench.run()
    assert outcome.exit_code == 1
    assert bench.archived() == ["a.txt", "c.txt"]
    assert [path.name for path in bench.project.exports.iterdir()] == ["b.txt"]
    assert [result.error for result in outcome.result.exports] == [None, "The export cannot be read: line 7", None]
    assert "❌ ERROR: The export cannot be read: line 7" in bench.text
    assert "Mend line 7." in bench.text
    assert len(bench.checkpoints) == 1


def test_a_path_that_does_not_exist_costs_only_itself(bench: Bench) -> None:
    """The other paths are processed; the missing one is in the result, with its error."""
    path = bench.put("a.txt", export("a"))
    outcome = bench.run(paths=(str(path), str(bench.project.root / "nope.txt")))
    assert outcome.exit_code == 1
    assert {each.path: each.error is None for each in outcome.result.exports} == {
        "nope.txt": False,
        "MEMORY-CONTEXT/exports/a.txt": True,
    }
    assert bench.archived() == ["a.txt"]


def test_an_export_that_another_run_took_is_no_failure(bench: Bench) -> None:
    """Found, but archived by a run beside this one: as if that run had come first. A path that was passed is missed."""
    bench.put("a.txt", export("a"))
    taken = bench.put("b.txt", export("b"))
    bench.dedup.meanwhile = lambda _name: taken.unlink()
    outcome = bench.run()
    assert (outcome.exit_code, [each.path for each in outcome.result.exports]) == (0, ["MEMORY-CONTEXT/exports/a.txt"])
    assert "b.txt is gone" in bench.text
    paths = (str(bench.put("c.txt", export("c"))), str(bench.put("d.txt", export("d"))))
    bench.dedup.meanwhile = lambda _name: Path(paths[1]).unlink()
    outcome = bench.run(paths=paths)
    assert outcome.exit_code == 1
    assert outcome.result.failed[0].error == "The export is no longer there: d.txt"


def test_only_failures(bench: Bench) -> None:
    """Where no path can be used the run ends with the summary of a failed run."""
    outcome = bench.run(paths=("nope.txt",))
    assert outcome.exit_code == 1
    assert "❌ Finished with 1 export failed" in bench.text
    assert "Step 2" not in bench.text


def test_a_placeholder_is_named_and_is_no_failure(bench: Bench) -> None:
    """What only looks like an export is left alone, and the exit code stays 0."""
    path = bench.put("2025-11-17-EXPORT-X.txt", b"Status: PENDING, a placeholder\n")
    assert bench.run().exit_code == 0
    assert path.exists()
    assert "2025-11-17-EXPORT-X.txt (a placeholder" in bench.text


def test_a_store_that_fails_ends_the_run_before_anything_is_moved(bench: Bench) -> None:
    """What was stored before stays stored, and every export lies where it was, for the next run."""
    for name in ("a.txt", "b.txt", "c.txt"):
        bench.put(name, export(name))
    bench.dedup.raising = {"b.txt": StoreDamaged("line 3")}
    with pytest.raises(StoreDamaged):
        bench.run()
    assert [name for name, *_ in bench.dedup.calls] == ["a.txt", "b.txt"]
    assert sorted(path.name for path in bench.project.exports.iterdir()) == ["a.txt", "b.txt", "c.txt"]
    assert bench.archived() == []
    assert bench.checkpoints == []


def test_a_defect_in_a_parser_costs_one_file_and_is_not_hidden(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected error that the file alone brings about leaves the batch whole and travels up at the end."""
    bench.put("a.txt", export("a"))
    bench.put("b.txt", export("b"))
    defect = KeyError("x")
    bench.dedup.raising = {"a.txt": defect}

    def parse(data: bytes, *, strict: bool = False) -> Any:
        raise defect

    monkeypatch.setattr(formats, "parse", parse)
    outcome = bench.run()
    assert outcome.unexpected is defect
    assert outcome.exit_code == 1
    assert bench.archived() == ["b.txt"]


@pytest.mark.parametrize("data", [export("a"), b"{"], ids=["parses", "named-error"])
def test_a_defect_elsewhere_ends_the_run(bench: Bench, data: bytes) -> None:
    """Where the file is not at fault the store may be: nothing more is done with it, nothing is moved."""
    path = bench.put("a.txt", data)
    bench.dedup.raising = {"a.txt": KeyError("x")}
    with pytest.raises(KeyError):
        bench.run(paths=(str(path),))
    assert path.exists()


def test_a_file_that_changes_between_processing_and_archiving_stays(bench: Bench) -> None:
    """The new content was never processed: it is left, named, and the run has failed in part."""
    path = bench.put("a.txt", export("a"))
    bench.put("b.txt", export("b"))
    bench.dedup.meanwhile = lambda name: None if name == "b.txt" else (path.write_bytes(export("a", "more")), None)[1]
    outcome = bench.run()
    assert outcome.exit_code == 1
    assert path.read_bytes() == export("a", "more")
    assert bench.archived() == ["b.txt"]
    assert "changed while it was being processed" in bench.text
    bench.dedup.meanwhile = lambda _name: None
    assert bench.run().exit_code == 0
    assert bench.archived() == ["a.txt", "b.txt"]


def test_an_archive_that_cannot_be_opened_is_a_named_failure(bench: Bench) -> None:
    """The messages are stored, the exports stay, the user reads both."""
    path = bench.put("a.txt", export("a"))
    bench.project.archive.write_bytes(b"")
    outcome = bench.run()
    assert outcome.exit_code == 1
    assert path.exists()
    assert "Messages stored, but not archived." in (outcome.result.exports[0].error or "")
    assert outcome.result.new > 0
    assert "❌ ERROR" in bench.text


def test_a_full_disk_in_the_archive_costs_only_the_moves(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENOSPC for one file leaves it where it is; the others are archived."""
    bench.put("a.txt", export("a"))
    bench.put("b.txt", export("b"))
    genuine = os.utime
    failed: list[str] = []

    def once(path: str, **times: Any) -> None:
        if not failed:
            failed.append(path)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        genuine(path, **times)

    monkeypatch.setattr(os, "utime", once)
    outcome = bench.run()
    assert outcome.exit_code == 1
    assert len(bench.archived()) == 1
    assert len(list(bench.project.exports.iterdir())) == 1
    assert [each.archived_to is None for each in outcome.result.exports] == [True, False]


def test_a_failed_checkpoint_is_reported_and_undoes_nothing(bench: Bench) -> None:
    """The messages are stored, the export is archived; error and hint are shown, the exit code is 1."""
    bench.put("a.txt", export("a"))

    def fail(*_: Any, **__: Any) -> Any:
        raise CheckpointFailed("the disk is full")

    outcome = bench.run(make=fail)
    assert outcome.exit_code == 1
    assert [type(problem) for problem in outcome.problems] == [CheckpointFailed]
    assert bench.archived() == ["a.txt"]
    assert "The checkpoint could not be made: the disk is full" in bench.text
    assert "create-checkpoint.py" in bench.text
    assert "Checkpoint created:" not in bench.text


def test_a_file_outside_the_project_is_copied(bench: Bench, tmp_path: Path) -> None:
    """It is the user's, elsewhere: the archive gets a copy, the original stays, and that is said."""
    outside = tmp_path / "outside.txt"
    outside.write_bytes(export("a"))
    outcome = bench.run(paths=(str(outside),))
    assert outcome.exit_code == 0
    assert outside.read_bytes() == export("a")
    assert bench.archived() == ["outside.txt"]
    assert outcome.result.exports[0].archived_to == "MEMORY-CONTEXT/exports-archive/outside.txt"
    assert "Left in place: outside.txt (outside the project, so it was copied)" in bench.text
    assert bench.dedup.calls == [("outside.txt", None, False)]


def test_an_identical_export_is_not_kept_twice(bench: Bench) -> None:
    """The second run says that the archive had it; the original goes all the same."""
    bench.put("a.txt", export("a"))
    bench.run()
    path = bench.put("again.txt", export("a"))
    outcome = bench.run()
    assert not path.exists()
    assert bench.archived() == ["a.txt"]
    assert outcome.result.exports[0].archived_to == "MEMORY-CONTEXT/exports-archive/a.txt"
    assert "Archived already: again.txt" in bench.text


@pytest.mark.parametrize(("count", "outside", "asked"), [(20, False, False), (21, False, True), (1, True, True)])
def test_a_person_is_asked_where_there_is_reason(
    bench: Bench, tmp_path: Path, count: int, outside: bool, asked: bool
) -> None:
    """More than twenty exports, or one outside the project: one question, and a no leaves everything as it was."""
    folder = tmp_path if outside else bench.project.exports
    paths = [folder / f"{number}.txt" for number in range(count)]
    for path in paths:
        path.write_bytes(export(path.name))
    questions: list[str] = []

    def answer(yes: bool) -> Callable[[str], bool]:
        return lambda question: (questions.append(question), yes)[1]

    given = tuple(map(str, paths)) if outside else ()
    outcome = bench.run(paths=given, confirm=answer(False))
    assert len(questions) == asked
    if asked:
        assert counted(count, "export file") in questions[0]
        assert (outcome.exit_code, bench.dedup.calls, bench.archived()) == (0, [], [])
        assert outcome.result.exports == ()
        bench.run(paths=given, confirm=answer(True))
    assert len(bench.archived()) == count


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the file system does not take every name")
@pytest.mark.parametrize("name", ["a\nb.txt", "\x1b[31m.txt", "-rf", "CON", os.fsdecode(b"\xe9.txt")])
def test_a_hostile_name_is_never_shown_raw(bench: Bench, name: str) -> None:
    """It is processed and archived under its own name; the terminal sees escapes, the store sees valid text."""
    bench.put(name, export("a"))
    outcome = bench.run()
    assert outcome.exit_code == 0
    assert bench.archived() == [name]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", bench.text)
    assert "a\nb.txt" not in bench.text
    bench.dedup.calls[0][0].encode()


# --- the command, over the real store ---------------------------------------------------------------------------


def main(project: Path, *arguments: str) -> int:
    """export-dedup.py in this process, without a checkpoint."""
    return export_dedup.main(["--project", str(project), "--no-checkpoint", *arguments])


def test_cumulative_exports_over_the_real_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second day's export adds its own turns only, and the same folder again gives nothing new."""
    for day, prompts in enumerate((["one", "two"], ["one", "two", "three"]), start=17):
        (tmp_path / f"2025-11-{day}-EXPORT-WORK.txt").write_bytes(export(*(f"please do thing {p}" for p in prompts)))
    assert main(tmp_path) == 0
    text = capsys.readouterr().out
    assert re.findall(r"Dedup rate: (\S+)", text)[0] != "100.0%"
    stored = ClaudeConversationDeduplicator(tmp_path / "MEMORY-CONTEXT" / "dedup_state")
    (conversation,) = stored.conversations()
    assert conversation == "work"
    prompts_kept = [
        m["content"] for m in stored.get_full_conversation("work") if m["role"] == "user" and m["kind"] == "prompt"
    ]
    assert prompts_kept == [f"please do thing {p}" for p in ("one", "two", "three")]
    archive = tmp_path / "MEMORY-CONTEXT" / "exports-archive"
    for path in archive.glob("*.txt"):
        shutil.copy(path, tmp_path)
    assert main(tmp_path) == 0
    assert re.findall(r"New unique: (\d+)", capsys.readouterr().out) == ["0", "0", "0"]
    assert len(list(archive.glob("*.txt"))) == 2
    assert list(tmp_path.glob("*.txt")) == []


def test_json_is_one_object_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output parses as the contract's object, with an entry of its own for a file that failed."""
    (tmp_path / "a.txt").write_bytes(export("a"))
    assert main(tmp_path, "--json", str(tmp_path / "a.txt"), str(tmp_path / "nope.txt")) == 1
    captured = capsys.readouterr()
    run = json.loads(captured.out)
    assert list(run) == [
        "generator",
        "exports",
        "total_messages",
        "new_messages",
        "duplicates_filtered",
        "global_unique",
        "storage",
        "duration_s",
    ]
    assert {each["path"]: each.get("error") for each in run["exports"]} == {
        "nope.txt": "The export cannot be read: No such file or directory",
        "a.txt": None,
    }
    assert run["total_messages"] == run["new_messages"] + run["duplicates_filtered"] > 0
    assert "nope.txt" in captured.err


def test_json_reports_what_belongs_to_no_export_on_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint that failed is no part of the object, and is not swallowed either."""
    (tmp_path / "a.txt").write_bytes(export("a"))
    genuine = five_steps.run

    def fail(*_: Any, **__: Any) -> Any:
        raise CheckpointFailed("no room")

    monkeypatch.setattr(five_steps, "run", lambda *given, **named: genuine(*given, **named, make_checkpoint=fail))
    assert export_dedup.main(["--project", str(tmp_path), "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["new_messages"] > 0
    assert "The checkpoint could not be made: no room" in captured.err


def test_a_defect_is_raised_after_the_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one handler above gets the defect itself, so that its trace reaches a log; the figures were printed before."""
    (tmp_path / "a.txt").write_bytes(export("a"))

    def parse(data: bytes, **_more: Any) -> Any:
        raise KeyError("x")

    monkeypatch.setattr(formats, "parse", parse)
    with pytest.raises(KeyError):
        main(tmp_path, "--json")
    assert "KeyError" in json.loads(capsys.readouterr().out)["exports"][0]["error"]


WRONG = {
    "unknown-option": (["--nope"], "unrecognized"),
    "abbreviation": (["--no-arch"], "unrecognized"),
    "missing-value": (["--session-id"], "expected one argument"),
    "session-id": (["--session-id", "../x"], "slash"),
    "project": (["--project", "/no/such/folder"], "no such project"),
    "backend": (["--backend", "cloud"], "cloud"),
    "database": (["--db-url", "postgresql://x"], "no database"),
    "escape": (["--\x1b[31m"], "unrecognized"),
}


@pytest.mark.parametrize(("arguments", "reason"), WRONG.values(), ids=WRONG)
def test_a_wrong_call_is_a_usage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], reason: str
) -> None:
    """It says what is wrong and nothing is created."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=reason):
        export_dedup.main(arguments)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("answer", "expected"), [("y", True), ("Yes ", True), ("", False), ("n", False), (None, False)]
)
def test_the_question(monkeypatch: pytest.MonkeyPatch, answer: str, expected: bool) -> None:
    """Only a yes is a yes; the end of input is a no; without a terminal nobody is asked."""

    def typed(_prompt: str) -> str:
        if answer is None:
            raise EOFError
        return answer

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", typed)
    ask = export_dedup._asker()
    assert ask is not None
    assert ask("Process?") is expected
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    assert export_dedup._asker() is None


def test_eight_runs_at_once_end_as_one(tmp_path: Path) -> None:
    """Eight processes over the same files: each message once, each file archived once, every run succeeds."""
    for number in range(6):
        (tmp_path / f"2025-11-1{number}-EXPORT-WORK.txt").write_bytes(
            export(*(f"do thing {n}" for n in range(number + 1)))
        )
    (tmp_path / "MEMORY-CONTEXT").mkdir()
    command = [sys.executable, str(SCRIPT), "--no-checkpoint", "--yes", "--project", str(tmp_path)]
    runs = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8") for _ in range(8)
    ]
    outputs = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0] * 8, outputs
    archive = tmp_path / "MEMORY-CONTEXT" / "exports-archive"
    assert sorted(path.name for path in archive.glob("*.txt")) == [f"2025-11-1{n}-EXPORT-WORK.txt" for n in range(6)]
    assert list(tmp_path.glob("*.txt")) == []
    stored = ClaudeConversationDeduplicator(tmp_path / "MEMORY-CONTEXT" / "dedup_state")
    prompts = [m["content"] for m in stored.get_full_conversation("work") if m["kind"] == "prompt"]
    assert prompts == [f"do thing {number}" for number in range(6)]


def script(*arguments: str, cwd: Path, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    """The entry as a user starts it."""
    return subprocess.run(
        [python, "-W", "error", str(SCRIPT), *arguments], cwd=cwd, capture_output=True, encoding="utf-8", check=False
    )


def test_the_script_runs_through_a_link_from_anywhere(tmp_path: Path) -> None:
    """A linked script finds its package; the project is found from the current folder upwards; exit codes travel."""
    link = tmp_path / "bin"
    try:
        link.symlink_to(SCRIPT.parent)
    except OSError:
        pytest.skip("links are not allowed here")
    below = tmp_path / "my project" / "src"
    below.mkdir(parents=True)
    (tmp_path / "my project" / "MEMORY-CONTEXT").mkdir()
    (tmp_path / "my project" / "a.txt").write_bytes(export("a"))
    environment = {key: value for key, value in os.environ.items() if key != "CLAUDE_PROJECT_DIR"}
    done = subprocess.run(
        [sys.executable, str(link / SCRIPT.name), "--no-checkpoint", "--yes"],
        cwd=below,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "complete!" in done.stdout
    assert (tmp_path / "my project" / "MEMORY-CONTEXT" / "exports-archive" / "a.txt").exists()


def test_the_script_gives_exit_codes_and_no_trace(tmp_path: Path) -> None:
    """0 done, 1 a named failure, 2 usage; help names every argument."""
    (tmp_path / ".git").mkdir()
    usage = script("--nope\x1b[31m", cwd=tmp_path)
    assert usage.returncode == 2
    assert "\x1b" not in usage.stderr
    missing = script("--no-checkpoint", "--project", ".", "nope.txt", cwd=tmp_path)
    assert missing.returncode == 1
    assert "Traceback" not in missing.stdout + missing.stderr + usage.stderr
    shown = script("--help", cwd=tmp_path)
    assert shown.returncode == 0
    for argument in ("PATH", "--project", "--session-id", "--description", "--yes", "--no-archive"):
        assert argument in shown.stdout
    for argument in ("--no-checkpoint", "--backend", "--db-url", "--json"):
        assert argument in shown.stdout


BAD_INPUT = {
    "empty": b"",
    "blank": b" \n\t\n",
    "binary": bytes(range(256)) * 40,
    "nul-in-text": export("a") + b"\0" * 10,
    "invalid-utf-8": export("a") + b"\xff\xfe\xfa\n" + export("b"),
    "crlf": export("a").replace(b"\n", b"\r\n"),
    "bom": b"\xef\xbb\xbf" + export("a"),
    "escapes": export("\x1b[31mred\x1b]0;title\x07 \u202e"),
    "truncated-json": b'{"exported_at": "x", "messages": [{"index": 0, "role": "user", "content": "hel',
    "deep-json": b'{"messages": ' + b"[" * 100_000,
    "wrong-types": b'{"exported_at": 1, "messages": {"role": []}}',
    "huge-index": b'{"exported_at": "x", "messages": [{"index": 1e400, "role": "user", "content": "a"},'
    b'{"index": -5, "role": "assistant", "content": "b"}]}',
    "lone-surrogate": b'{"exported_at": "x", "messages": [{"index": 0, "role": "user", "content": "\\ud800"}]}',
    "one-line": b"> " + b"x" * 2_000_000,
}


@pytest.mark.parametrize("data", BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input_is_an_error_or_kept_whole(tmp_path: Path, data: bytes) -> None:
    """A clear error with the file in place, or every byte in the archive; no trace, no escape, nothing outside."""
    project = tmp_path / "project"
    project.mkdir()
    path = project / "bad.txt"
    path.write_bytes(data)
    done = script("--no-checkpoint", "--project", str(project), "--yes", str(path), cwd=tmp_path)
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stdout + done.stderr
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", done.stdout + done.stderr)
    kept = project / "MEMORY-CONTEXT" / "exports-archive" / "bad.txt"
    assert (kept if done.returncode == 0 else path).read_bytes() == data
    assert path.exists() == (done.returncode == 1)
    assert [found.name for found in tmp_path.iterdir()] == ["project"]


def test_an_empty_name_is_refused_before_anything_is_searched(tmp_path):
    """An unset variable of the shell must not turn into the current folder."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--project", str(tmp_path), ""], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "name is empty" in done.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []
