"""The wrapper around the core: live output, banner, summary, the log, whatever becomes of the core or of ourselves.

Every run is a real process. The core is a small script of the test's own, except where the real one is named.
"""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, Optional

import pytest

from deduplication.commands import with_status
from deduplication.terminal import forked

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
REAL = SCRIPTS / "export-dedup-with-status.py"
SUMS = "  Total messages: 1206\n  New unique: 143\n  Duplicates filtered: 1063\n  Dedup rate: 88.1%\n  Global unique count: 7931"
CAPTURED = "\n  143 new (42 captured earlier)"
SAVED = "📝 Full report saved to: MEMORY-CONTEXT/dedup_state/reports.txt ('status --full' shows it)"
NEW = "🆕 NEW UNIQUE MESSAGES ADDED & BACKED UP: 143"
RULE = "=" * 80

pytestmark = pytest.mark.e2e
posix = pytest.mark.skipif(os.name == "nt", reason="signals and terminals are POSIX's")


class Wrapper:
    """A project, a core made for the test, and the wrapper as a command line."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "a project"
        self.project.mkdir()
        self.core = folder / "the core.py"
        self.launcher = folder / "launcher.py"
        self.launcher.write_text(
            "import sys\n"
            f"sys.path.insert(0, {str(SCRIPTS)!r})\n"
            "from deduplication.commands.entry import run\n"
            "from deduplication.commands.with_status import main\n"
            f"sys.exit(run(lambda argv: main(argv, core=({str(self.core)!r},))))\n",
            encoding="utf-8",
        )
        self.write(f"print({SUMS!r})")

    def grace(self, seconds):
        """Give an interrupted core that long for its end."""
        text = self.launcher.read_text(encoding="utf-8")
        patch = f"import deduplication.terminal.child_process\ndeduplication.terminal.child_process.GRACE = {seconds}\nsys.exit("
        self.launcher.write_text(text.replace("sys.exit(", patch), encoding="utf-8")

    def write(self, program: str) -> None:
        """Make ``program`` the core."""
        self.core.write_text(f"import os, signal, sys, time\n{program}\n", encoding="utf-8")

    def command(self, *arguments: str, flags: tuple[str, ...] = ()) -> list[str]:
        """The wrapper's command line."""
        return [sys.executable, *flags, str(self.launcher), "--project", str(self.project), *arguments]

    def run(self, *arguments: str, flags: tuple[str, ...] = (), **more: str) -> subprocess.CompletedProcess[str]:
        """One run to its end; ``more`` goes to the environment."""
        return subprocess.run(
            self.command(*arguments, flags=flags),
            capture_output=True,
            encoding="utf-8",
            env=environment(**more),
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )

    def start(self, **more: Any) -> subprocess.Popen[str]:
        """A run that goes on while the test does something to it."""
        return subprocess.Popen(
            self.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", env=environment(), **more
        )

    @property
    def path(self) -> Path:
        """Where the reports lie."""
        return self.project / "MEMORY-CONTEXT" / "dedup_state" / "reports.txt"

    @property
    def log(self) -> str:
        """The reports' text."""
        return self.path.read_text(encoding="utf-8")

    @property
    def lines(self) -> list[str]:
        """The lines of the status log."""
        return (self.project / "MEMORY-CONTEXT" / "export-dedup-status.txt").read_text(encoding="utf-8").splitlines()


def environment(**more: str) -> dict[str, str]:
    """Ours, without what would change a console."""
    dropped = ("COLUMNS", "PYTHONIOENCODING", "PYTHONUTF8", "LC_ALL", "CLAUDE_PROJECT_DIR")
    return {**{name: value for name, value in os.environ.items() if name not in dropped}, **more}


@pytest.fixture
def wrapper(tmp_path: Path) -> Wrapper:
    """A wrapper whose core succeeds and prints sums."""
    return Wrapper(tmp_path)


def wait_for(condition: Callable[[], Any]) -> None:
    """Until ``condition`` holds; a test whose condition never does fails here."""
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it never came to pass")


def normal(text: str) -> list[str]:
    """Lines of a report with the times taken out."""
    volatile = ("Started: ", "Completed: ", "Duration: ")
    return [next((line[: len(v)] for v in volatile if line.startswith(v)), line) for line in text.splitlines()]


def test_report_is_header_output_banner_and_summary(wrapper: Wrapper) -> None:
    """The screen shows the report in the seed's order, and the log has the same but for the line that names it."""
    done = wrapper.run()
    locks = "🔐" * 40
    assert (done.returncode, done.stderr) == (0, "")
    expected = [
        *(RULE, "EXPORT-DEDUP EXECUTION REPORT", RULE, "Started: ", "Repository: a project"),
        *("Status Log: MEMORY-CONTEXT/export-dedup-status.txt", RULE, ""),
        *("📦 RUNNING DEDUPLICATION PROCESS...", "", *SUMS.splitlines(), ""),
        *(locks, "📊 BACKUP & DEDUPLICATION RESULTS", locks, "", NEW),
        *("🔄 Duplicate Messages Filtered: 1,063", "📨 Total Messages Processed: 1,206"),
        *("💾 Total Unique Messages in Storage: 7,931", locks, ""),
        *(RULE, "EXECUTION SUMMARY", RULE, "Status: ✅ SUCCESS", "Exit Code: 0", "Completed: ", "Duration: ", RULE),
    ]
    assert normal(wrapper.log) == expected
    assert normal(done.stdout) == [*expected, "", SAVED]


def test_the_status_log_has_a_line_for_each_run(wrapper: Wrapper) -> None:
    """When, how it ended, what it came to, and the first error: the words that people look for there."""
    wrapper.run()
    wrapper.write(f"print({SUMS.replace('New unique: 143', 'New unique: 143' + CAPTURED)!r})")
    wrapper.run()
    wrapper.write("print('❌ ERROR: The disk is full\\n   → Free some.'); sys.exit(4)")
    wrapper.run()
    numbers = "1,063 duplicates · Overall dedup rate: 88.1% · 7,931 in storage"
    patterns = [
        rf"Status: ✅ SUCCESS · 143 new, {numbers} · \d+\.\d\d s",
        rf"Status: ✅ SUCCESS · 143 new \(42 captured earlier\), {numbers} · \d+\.\d\d s",
        r"Status: ❌ FAILED · Exit Code: 4 · \d+\.\d\d s · The disk is full",
    ]
    assert len(wrapper.lines) == len(patterns)
    for line, pattern in zip(wrapper.lines, patterns):
        assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d · {pattern}", line), line


def test_times_are_iso_to_the_second(wrapper: Wrapper) -> None:
    """Start and end are written to the second, the duration in seconds with two places."""
    wrapper.run()
    found = {line.partition(": ")[0]: line.partition(": ")[2] for line in wrapper.log.splitlines()}
    assert len(found["Started"]) == len(found["Completed"]) == len("2025-11-22T00:05:05")
    assert found["Started"] <= found["Completed"]
    seconds, unit = found["Duration"].split(" ")
    assert (len(seconds.partition(".")[2]), unit) == (2, "seconds")


def test_arguments_reach_the_core_as_they_are(wrapper: Wrapper) -> None:
    """The core gets the same arguments in the same order, blanks and quotes included."""
    wrapper.write("print(sys.argv[1:])")
    done = wrapper.run("two words.txt", "--session-id", 'q"x', "--", "--json")
    expected = ["--project", str(wrapper.project), "two words.txt", "--session-id", 'q"x', "--", "--json"]
    assert str(expected) in done.stdout
    assert done.stdout.startswith(RULE)  # behind "--" it is a file's name


def test_core_is_told_of_no_console(wrapper: Wrapper) -> None:
    """What the core prints goes to the log in full width and without colour, however our own console is."""
    wrapper.write("print('told', [os.environ.get(name) for name in ('COLUMNS', 'FORCE_COLOR', 'NO_COLOR')])")
    assert "told [None, None, '1']\n" in wrapper.run(COLUMNS="40", FORCE_COLOR="1").stdout


def until(process: subprocess.Popen[str], words: str) -> str:
    """What a process printed up to ``words``; it fails where the process ends before it says them."""
    seen = ""
    while words not in seen:
        letter = process.stdout.read(1) if process.stdout is not None else ""
        assert letter, f"it ended after {seen!r}"
        seen += letter
    return seen


def test_both_streams_are_shown_in_order(wrapper: Wrapper) -> None:
    """What the core says on standard error stands where it was said."""
    wrapper.write("print('one'); print('two', file=sys.stderr); print('three')")
    assert "one\ntwo\nthree\n" in wrapper.run().stdout
    assert "one\ntwo\nthree\n" in wrapper.log


def test_output_is_shown_while_the_core_runs(wrapper: Wrapper) -> None:
    """Also a part of a line is on the screen before the core goes on."""
    flag = wrapper.project / "go on"
    wrapper.write(f"sys.stdout.write('half a line')\nwhile not os.path.exists({str(flag)!r}): time.sleep(.01)")
    process = wrapper.start()
    assert process.stdout is not None
    until(process, "half a line")
    assert process.poll() is None
    flag.touch()
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_sums_of_several_exports_are_in_the_banner(wrapper: Wrapper) -> None:
    """With several exports the banner shows the sums, which come last."""
    wrapper.write(f"print('  Total messages: 1\\n  New unique: 1\\n  Duplicates filtered: 0')\nprint({SUMS!r})")
    assert NEW in wrapper.run().stdout


def test_run_without_figures_has_no_banner(wrapper: Wrapper) -> None:
    """Where nothing was counted no number is shown."""
    wrapper.write("print('✓ No new export files found')")
    done = wrapper.run()
    assert done.returncode == 0
    assert "🔐" not in done.stdout
    assert "Status: ✅ SUCCESS" in wrapper.log


@pytest.mark.parametrize("code", [1, 3, 77])
def test_failed_core_ends_with_error_advice_and_code(wrapper: Wrapper, code: int) -> None:
    """The last lines repeat the core's error and advice, then its exit code, which is ours too."""
    wrapper.write(f"print('❌ ERROR: It went wrong: x.txt\\n   → Do this.', file=sys.stderr); sys.exit({code})")
    done = wrapper.run()
    end = f"\n❌ ERROR: It went wrong: x.txt\n   → Do this.\n   Exit code: {code}\n"
    assert done.returncode == code
    assert done.stdout.endswith(end)
    assert f"Status: ❌ FAILED\nExit Code: {code}\n" in wrapper.log
    assert wrapper.log.endswith(end)


def test_failed_exports_are_named_at_the_end(wrapper: Wrapper) -> None:
    """A run with broken files shows its banner and ends with each file's name and error."""
    from deduplication.figures.run_result import ExportResult, RunResult
    from deduplication.project.paths import Project
    from deduplication.reports import workflow as report

    broken = [ExportResult(f"{n}.txt", error=f"Broken: {n}") for n in range(7)]
    good = ExportResult("good.txt", total=1206, new=143, duplicates=1063)
    text = report.summary(RunResult((good, *broken), 7931), Project(wrapper.project))
    wrapper.write(
        f"print({SUMS!r}); print('  ❌ ERROR: Broken: 0\\n     → Export again.'); print({text!r}); sys.exit(1)"
    )
    done = wrapper.run()
    assert NEW in done.stdout
    listed = "".join(f"❌ ERROR: {n}.txt: Broken: {n}\n" for n in range(5))
    assert done.stdout.endswith(
        f"\n{listed}❌ ERROR: and 2 more exports, see above\n   → Export again.\n   Exit code: 1\n"
    )


def test_a_usage_error_leaves_no_report_and_no_folder(wrapper: Wrapper) -> None:
    """Arguments that cannot be used are said on the screen, and nothing is created for them."""
    wrapper.write(
        "print('❌ ERROR: The command line cannot be used as it stands: --nope', file=sys.stderr); sys.exit(2)"
    )
    before = sorted(wrapper.project.rglob("*"))
    done = wrapper.run()
    assert done.returncode == 2
    assert done.stdout.endswith("\n❌ ERROR: The command line cannot be used as it stands: --nope\n   Exit code: 2\n")
    assert sorted(wrapper.project.rglob("*")) == before


def test_core_that_fails_in_its_own_words_is_quoted(wrapper: Wrapper) -> None:
    """Without an error line of ours the core's last words are the error."""
    wrapper.write("print('usage: x'); print('x: error: no such option'); sys.exit(2)")
    assert wrapper.run().stdout.endswith(
        "\n❌ ERROR: x: error: no such option\n   → Run the command with --help to see what it takes.\n   Exit code: 2\n"
    )


def test_core_that_fails_in_silence_is_named(wrapper: Wrapper) -> None:
    """A failure without a word still ends in words."""
    wrapper.write("sys.exit(4)")
    assert "❌ ERROR: The deduplication ended without a word\n" in wrapper.run().stdout


@pytest.mark.parametrize("missing", ["the core", "the interpreter", "a process"])
def test_core_that_cannot_be_started_is_a_failure_with_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """A core or an interpreter that is gone, and a system without a process left, give an error, 1 and a report, no trace."""
    core = with_status.CORE
    if missing == "the core":
        core = (str(tmp_path / "gone.py"),)
    elif missing == "the interpreter":  # it is needed where a process cannot be forked
        monkeypatch.setattr(forked, "POSSIBLE", False)
        monkeypatch.setattr(sys, "executable", str(tmp_path / "gone"))
    else:
        monkeypatch.setattr(forked, "POSSIBLE", True)
        monkeypatch.setattr(threading, "active_count", lambda: 1)  # whatever a server of another test has left running
        monkeypatch.setattr(os, "fork", no_more, raising=False)
    assert with_status.main(["--project", str(tmp_path)], core) == 1
    log = (tmp_path / "MEMORY-CONTEXT" / "dedup_state" / "reports.txt").read_text(encoding="utf-8")
    said = "Resource temporarily" if missing == "a process" else "No such file"
    assert f"❌ ERROR: The deduplication could not be started: {said}" in log


def no_more() -> int:
    """The user has as many processes as he may have."""
    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))


@posix
def test_core_is_no_second_interpreter(wrapper: Wrapper) -> None:
    """The core finds the modules that the wrapper has imported: nothing is started for it anew."""
    wrapper.write("print('found', 'deduplication.commands.with_status' in sys.modules, os.getpid() != os.getppid())")
    assert "found True True\n" in wrapper.run().stdout


def test_core_runs_where_no_process_can_be_forked(wrapper: Wrapper) -> None:
    """In a process with several threads, and on Windows, an interpreter is started, and the report is the same."""
    text = wrapper.launcher.read_text(encoding="utf-8")
    patch = "import deduplication.terminal.forked\ndeduplication.terminal.forked.POSSIBLE = False\nsys.exit("
    wrapper.launcher.write_text(text.replace("sys.exit(", patch), encoding="utf-8")
    wrapper.write(f"print({SUMS!r}); print('found', 'deduplication.commands.with_status' in sys.modules); sys.exit(3)")
    done = wrapper.run()
    assert (done.returncode, "found False\n" in done.stdout, NEW in done.stdout) == (3, True, True)


@posix
@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGTERM, "SIGTERM"), (signal.SIGSEGV, "SIGSEGV")], ids=["term", "segv"]
)
def test_killed_core_is_said_in_words(wrapper: Wrapper, number: int, name: str) -> None:
    """A core ended by a signal gives 128 + n, the signal's name, and a whole report."""
    wrapper.write(f"print('Step 1'); os.kill(os.getpid(), {int(number)})")
    done = wrapper.run()
    assert done.returncode == 128 + number
    assert f"❌ ERROR: The deduplication was killed by {name}\n" in done.stdout
    assert "Step 1\n" in wrapper.log
    assert wrapper.log.endswith(f"   Exit code: {128 + number}\n")


@posix
def test_core_killed_for_memory_says_so_and_shows_no_banner(wrapper: Wrapper) -> None:
    """After kill -9 there is a hint at the memory, and what one export had is not shown as the run's."""
    wrapper.write("print('  Total messages: 1\\n  New unique: 1\\n  Duplicates filtered: 0'); os.kill(os.getpid(), 9)")
    done = wrapper.run()
    assert done.returncode == 137
    assert "out of memory" in done.stdout
    assert "🔐" not in done.stdout


WAITING = "print('waiting'); time.sleep(60)"


@posix
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)] if os.name != "nt" else [],
    ids=["interrupt", "terminate", "hang-up"],
)
def test_interrupted_wrapper_ends_the_core_and_keeps_the_report(wrapper: Wrapper, number: int, code: int) -> None:
    """A signal to us reaches the core once, the report is whole, and the exit code is the signal's."""
    wrapper.write(
        "def said(number, frame):\n    print('core got', number); sys.exit(9)\n"
        f"signal.signal({int(number)}, said)\n{WAITING}"
    )
    before = signal.signal(
        number, signal.SIG_DFL
    )  # a shell that ignores it (nohup) would have the wrapper ignore it, too
    try:
        process = wrapper.start()
    finally:
        signal.signal(number, before)
    assert process.stdout is not None
    until(process, "waiting\n")
    process.send_signal(number)
    rest, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (code, "")
    assert rest.count(f"core got {int(number)}\n") == 1
    assert f"❌ ERROR: The run was interrupted ({signal.Signals(number).name})\n" in rest
    assert f"Exit Code: {code}\n" in wrapper.log
    assert wrapper.log.endswith(f"   Exit code: {code}\n")


@posix
def test_second_signal_kills_a_core_that_will_not_end(wrapper: Wrapper) -> None:
    """A core that ignores the interruption is killed by the next one, with its children, and the report is kept."""
    wrapper.grace(1000)
    wrapper.write(
        "import subprocess\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"print('child', child.pid, 'end')\n{WAITING}"
    )
    process = wrapper.start()
    assert process.stdout is not None
    seen = until(process, "waiting\n")
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert "The run was interrupted (SIGINT)" in wrapper.log
    grandchild = int(seen.partition("child ")[2].partition(" end")[0])
    wait_for(lambda: not _runs(grandchild))


@posix
def test_core_that_will_not_end_is_killed_in_the_end(wrapper: Wrapper) -> None:
    """A core that ignores the interruption, and talks on, has a while and not for ever; the report is kept."""
    wrapper.grace(0.2)
    wrapper.write("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: print('waiting'); time.sleep(.01)")
    process = wrapper.start()
    assert process.stdout is not None
    until(process, "waiting\n")
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert "The run was interrupted (SIGTERM)" in wrapper.log


def _runs(pid: int) -> bool:
    """Whether the process is there and no zombie that waits to be collected by somebody else."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return sys.platform != "linux"


@posix
def test_core_that_ends_well_although_interrupted_has_succeeded(wrapper: Wrapper) -> None:
    """Where everything was done all the same, the report and the exit code say so."""
    wrapper.write(f"signal.signal(signal.SIGTERM, lambda *_: (print({SUMS!r}), sys.exit(0)))\n{WAITING}")
    process = wrapper.start()
    assert process.stdout is not None
    until(process, "waiting\n")
    process.terminate()
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert NEW in rest


@posix
def test_ignored_signals_stay_ignored(wrapper: Wrapper) -> None:
    """Under nohup a hang-up ends neither us nor the core."""
    flag = wrapper.project / "go on"
    wrapper.write(f"print('waiting')\nwhile not os.path.exists({str(flag)!r}): time.sleep(.01)\nprint({SUMS!r})")
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = wrapper.start()
    finally:
        signal.signal(signal.SIGHUP, before)
    assert process.stdout is not None
    until(process, "waiting\n")
    process.send_signal(signal.SIGHUP)
    flag.touch()
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert NEW in rest


@posix
def test_reader_that_leaves_costs_nothing(wrapper: Wrapper) -> None:
    """With the pipe closed after the first line the core runs to its end, the report is kept, nothing is said about it."""
    flag = wrapper.project / "go on"
    wrapper.write(
        f"while not os.path.exists({str(flag)!r}): time.sleep(.01)\nprint('x' * 300000)\nprint({SUMS!r}); sys.exit(5)"
    )
    process = wrapper.start()
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == RULE + "\n"
    process.stdout.close()
    flag.touch()
    assert process.wait(60) == 5
    assert process.stderr.read() == ""
    process.stderr.close()
    assert "x" * 300000 in wrapper.log
    assert NEW in wrapper.log


@posix
def test_process_left_behind_does_not_hold_us(wrapper: Wrapper) -> None:
    """A background process that keeps the core's output open does not keep the wrapper from its end."""
    wrapper.write(
        "import subprocess\nchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(40)'])\n"
        f"open({str(wrapper.project / 'pid')!r}, 'w').write(str(child.pid))\nprint({SUMS!r})"
    )
    try:
        done = wrapper.run()
        assert done.returncode == 0
        assert NEW in done.stdout
        assert _runs(int((wrapper.project / "pid").read_text(encoding="ascii")))
    finally:
        os.kill(int((wrapper.project / "pid").read_text(encoding="ascii")), signal.SIGKILL)


def test_core_cannot_wait_for_an_answer(wrapper: Wrapper) -> None:
    """The core has no standard input, so no question is ever waited for unseen."""
    wrapper.write("print('read', repr(sys.stdin.read()))")
    done = subprocess.run(
        wrapper.command(),
        input="ours",
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        timeout=60,
        check=True,
    )
    assert "read ''\n" in done.stdout


def test_runs_at_once_leave_whole_reports(wrapper: Wrapper) -> None:
    """Eight wrappers at once leave eight whole reports in the log."""
    wrapper.write(f"time.sleep(.1); print('run', os.getpid())\nprint({SUMS!r})")
    running = [wrapper.start() for _ in range(8)]
    outputs = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0] * 8
    wrapper_s_own = ("", SAVED)
    shown = sorted("\n".join(output.splitlines()[: -len(wrapper_s_own)]) for output in outputs)
    head = f"{RULE}\nEXPORT-DEDUP EXECUTION REPORT\n"
    logged = sorted(head + part.rstrip("\n") for part in wrapper.log.split(head)[1:])
    assert logged == shown


def test_torn_report_of_a_crash_is_not_glued(wrapper: Wrapper) -> None:
    """A report that was cut off stays as it is, marked, and the next one starts on a line of its own."""
    wrapper.path.parent.mkdir(parents=True, mode=0o700)
    wrapper.path.write_bytes("Status: ✅".encode()[:-1])
    wrapper.run()
    assert wrapper.path.read_bytes().startswith(
        "Status: ✅".encode()[:-1] + b"\n[The report above was cut off.]\n\n" + RULE.encode()
    )


@pytest.mark.parametrize(("core_code", "code"), [(0, 1), (3, 3)], ids=["core-succeeded", "core-failed"])
def test_log_that_cannot_be_written_is_a_warning_and_a_failure(wrapper: Wrapper, core_code: int, code: int) -> None:
    """Everything is shown, the warning names the log, and a successful run without its report gives 1."""
    (wrapper.project / "MEMORY-CONTEXT").write_text("a file in its place", encoding="utf-8")
    wrapper.write(f"print({SUMS!r}); sys.exit({core_code})")
    done = wrapper.run()
    assert done.returncode == code
    assert NEW in done.stdout
    assert "⚠ The report could not be saved to: MEMORY-CONTEXT/export-dedup-status.txt" in done.stderr
    assert done.stderr.endswith(f"   Exit code: {code}\n")
    assert "Full report saved" not in done.stdout


def test_json_stands_alone_on_standard_output(wrapper: Wrapper) -> None:
    """With --json standard output is the object byte for byte, standard error the core's, and the log has the report."""
    numbers = {
        "new_messages": 143,
        "duplicates_filtered": 1063,
        "total_messages": 1206,
        "global_unique": 7931,
        "x": "→\x85",
    }
    line = json.dumps(numbers, ensure_ascii=False)
    wrapper.write(f"print('a note', file=sys.stderr); print({line!r})")
    done = wrapper.run("--json")
    assert (done.returncode, done.stdout, done.stderr) == (0, line + "\n", "a note\n")
    assert NEW in wrapper.log
    assert "a note" in wrapper.log
    assert "Status: ✅ SUCCESS" in wrapper.log


def test_json_of_a_failure_has_nothing_of_ours(wrapper: Wrapper) -> None:
    """A core that fails under --json leaves standard output to itself; the log still ends with the error."""
    wrapper.write("print('❌ ERROR: It went wrong', file=sys.stderr); sys.exit(1)")
    done = wrapper.run("--json")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "❌ ERROR: It went wrong\n")
    assert wrapper.log.endswith("❌ ERROR: It went wrong\n   Exit code: 1\n")


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_is_the_core_s_with_a_note(wrapper: Wrapper, flag: str) -> None:
    """--help shows what the core takes and what the wrapper adds, and leaves nothing behind."""
    wrapper.write("print('usage: export-dedup.py')")
    done = wrapper.run(flag)
    assert done.returncode == 0
    assert done.stdout.startswith("usage: export-dedup.py\n")
    assert "takes the same arguments" in done.stdout
    assert not (wrapper.project / "MEMORY-CONTEXT").exists()


@pytest.mark.parametrize("form", [("--project", "{}"), ("--project={}",)], ids=["two-words", "one-word"])
def test_missing_project_is_a_usage_error(wrapper: Wrapper, tmp_path: Path, form: tuple[str, ...]) -> None:
    """A project that does not exist is refused in one line, before anything is created."""
    gone = tmp_path / "gone"
    done = wrapper.run(*(word.format(gone) for word in form))
    assert done.returncode == 2
    assert "no such project folder" in done.stderr
    assert not gone.exists()


def test_log_lies_in_the_project_found_from_here(wrapper: Wrapper) -> None:
    """Without --project the log is the one of the project around the current folder, as for the core."""
    below = wrapper.project / "src" / "deep"
    below.mkdir(parents=True)
    (wrapper.project / ".git").mkdir()
    command = [sys.executable, str(wrapper.launcher)]
    subprocess.run(command, cwd=below, env=environment(), check=True, capture_output=True, timeout=60)
    assert NEW in wrapper.log
    assert not (below / "MEMORY-CONTEXT").exists()


CONSOLES = [
    pytest.param({"PYTHONIOENCODING": "ascii"}, 80, id="ascii-pipe"),
    pytest.param({"PYTHONIOENCODING": "cp1252"}, 80, id="cp1252-pipe"),
    pytest.param({"LC_ALL": "C"}, 80, id="c-locale"),
    pytest.param({"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, 80, id="posix-without-utf8"),
    pytest.param({"NO_COLOR": "1"}, 80, id="no-colour"),
    pytest.param({"FORCE_COLOR": "1"}, 80, id="colour-forced"),
    pytest.param({"TERM": "dumb"}, 80, id="dumb"),
    pytest.param({"COLUMNS": "40"}, 40, id="40-columns"),
    pytest.param({"COLUMNS": "200"}, 80, id="200-columns"),
    pytest.param({"COLUMNS": "nonsense"}, 80, id="columns-nonsense"),
]


@pytest.mark.parametrize(("variables", "width"), CONSOLES)
def test_consoles_of_every_kind(wrapper: Wrapper, variables: dict[str, str], width: int) -> None:
    """Whatever the console, there is no failure and no escape, rules fit, and the log has the full form."""
    done = wrapper.run(**variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert done.stdout.splitlines()[0] == "=" * width
    lock = "#" if "PYTHONIOENCODING" in variables and variables["PYTHONIOENCODING"] != "utf-8" else "🔐"
    assert lock * (width // 2) in done.stdout.splitlines()
    assert "🔐" * 40 in wrapper.log.splitlines()
    assert wrapper.log.startswith(RULE)


@posix
@pytest.mark.parametrize(
    ("variables", "ascii_only"),
    [
        pytest.param({"PYTHONIOENCODING": "ascii"}, True, id="ascii"),
        pytest.param({"PYTHONIOENCODING": "cp1252"}, True, id="cp1252"),
        pytest.param({"PYTHONIOENCODING": "utf-8"}, False, id="utf-8"),
        pytest.param({"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, True, id="posix"),
    ],
)
def test_terminal_without_utf8_gets_ascii_labels(wrapper: Wrapper, variables: dict[str, str], ascii_only: bool) -> None:
    """On a terminal that cannot show emoji every label is readable ASCII; its width is asked of it; the log is full."""
    wrapper.write(f"print('Step 1 ✓ →')\nprint({SUMS!r})")
    shown = on_terminal(wrapper, 60, variables)
    assert "NEW UNIQUE MESSAGES ADDED & BACKED UP: 143" in shown
    assert not [sign for sign in ("\\u", "\\x", "\x1b") if sign in shown]
    assert shown.isascii() == ascii_only
    assert ("#" * 40 if ascii_only else "🔐" * 30) in shown.splitlines()
    assert "🔐" * 40 in wrapper.log.splitlines()
    assert "Step 1 ✓ →" in wrapper.log


def on_terminal(wrapper: Wrapper, columns: int, variables: dict[str, str]) -> str:
    """What a terminal of that width shows of a run."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        wrapper.command(), stdin=theirs, stdout=theirs, stderr=theirs, env=environment(TERM="xterm", **variables)
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            block = os.read(ours, 65536)
        except OSError:  # Linux says EIO where others say end of file
            break
        if not block:
            break
        shown += block
    os.close(ours)
    assert process.wait(60) == 0
    return shown.decode("utf-8").replace("\r\n", "\n")


def test_escapes_of_the_core_are_shown_not_obeyed(wrapper: Wrapper) -> None:
    """What slipped through the core (a trace with a hostile name) reaches neither screen nor log as an escape."""
    wrapper.write("sys.stdout.buffer.write(b'\\x1b[2J \\xff \\xe2\\x80\\xae\\r\\nnext\\n')")
    done = wrapper.run()
    assert "\\x1b[2J \\xff \\u202e\nnext\n" in done.stdout
    assert "\\x1b[2J \\xff \\u202e\nnext\n" in wrapper.log


def test_character_cut_between_two_writes_is_whole(wrapper: Wrapper) -> None:
    """A sign whose bytes arrive one by one is shown as that sign."""
    wrapper.write(
        "for byte in '🔐'.encode():\n    sys.stdout.buffer.write(bytes([byte])); sys.stdout.buffer.flush(); time.sleep(.03)"
    )
    assert "\n🔐\n" in wrapper.run().stdout


def test_output_beyond_measure_is_shown_and_capped_in_the_report(wrapper: Wrapper) -> None:
    """A core gone wild is shown whole, the report keeps its beginning and its end, and the sums are still found."""
    wrapper.write(f"for n in range(220): print('y' * 50000)\nprint({SUMS!r})")
    done = wrapper.run()
    assert done.stdout.count("y") > 11_000_000
    assert "characters of output were left out here" in wrapper.log
    assert len(wrapper.log) < 10_100_000
    assert NEW in done.stdout


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        pytest.param(("-I",), (1, 1, 1), id="isolated"),
        pytest.param(("-E",), (0, 1, 0), id="no-environment"),
        pytest.param(("-s",), (0, 0, 1), id="no-user-site"),
        pytest.param((), (0, 0, 0), id="none"),
    ],
)
def test_isolation_travels_to_the_core(wrapper: Wrapper, flags: tuple[str, ...], expected: tuple[int, ...]) -> None:
    """The core runs under the interpreter's own rules, and its output is UTF-8 and unbuffered in any case."""
    wrapper.write(
        "f = sys.flags\nprint('flags', (f.isolated, f.ignore_environment, f.no_user_site), sys.stdout.write_through)"
    )
    assert f"flags {expected} True\n" in wrapper.run(flags=flags).stdout


def test_module_is_loaded_late(wrapper: Wrapper) -> None:
    """The wrapper's own start-up does not pay for the parsers and the store."""
    program = "import sys; import deduplication.commands.with_status; print('\\n'.join(sys.modules))"
    listed = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(PYTHONPATH=str(SCRIPTS)),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"deduplication.ingest.deduplicator", "subprocess", "argparse", "rich", "filelock"} & set(listed)


EXPORT = """\
╭─── Claude Code v2.0.42 ─────────────────────────────────────────────────────────╮
│                                                                                 │
╰─────────────────────────────────────────────────────────────────────────────────╯

> Please name the three largest harbours of the northern coast and say why each of them matters.

⏺ The first is known for its shipyards, the second for its fish, and the third for the ferries that leave it.

> yes

⏺ Then here is the longer list, with the tonnage of every year since the harbours were opened to trade.
"""


def test_real_run_from_export_to_log(tmp_path: Path) -> None:
    """The real core on an export made here: its messages are new the first time and duplicates the second."""
    if not (SCRIPTS / "export-dedup.py").exists():
        pytest.skip("the core is not there")
    project = tmp_path / "a project"
    project.mkdir()
    banners: list[Optional[list[str]]] = []
    for _ in range(2):
        (project / "2025-11-21-EXPORT-HARBOURS.txt").write_text(EXPORT, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(REAL), "--project", str(project), "--yes", "--no-checkpoint"],
            capture_output=True,
            encoding="utf-8",
            env=environment(),
            timeout=120,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        banners.append(
            [line.rpartition(": ")[2] for line in done.stdout.splitlines() if line[:1] in "🆕🔄📨💾" and line]
        )
    assert banners == [["4", "0", "4", "4"], ["0", "4", "4", "4"]]
    log = (project / "MEMORY-CONTEXT" / "export-dedup-status.txt").read_text(encoding="utf-8")
    assert len(log.splitlines()) == 2
    assert log.count("Status: ✅ SUCCESS") == 2
