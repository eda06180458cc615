"""commands/entry: the exit code of every ending, one line for a known failure, a log for the rest, never a trace."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from deduplication.commands import entry
from deduplication.errors import NotAnExport, StoreLocked, UsageError

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
posix = pytest.mark.skipif(os.name == "nt", reason="signals, modes and terminals are POSIX's")
LAUNCHER = """\
import os, sys
sys.path.insert(0, {scripts!r})
from deduplication.commands.entry import run
from deduplication.errors import UsageError

def command(arguments):
    {body}

sys.exit(run(command))
"""


def raising(error):
    """A command that ends so."""

    def command(_arguments):
        raise error

    return command


def logs():
    """The error logs of this test."""
    return sorted(Path(tempfile.gettempdir()).glob("export-dedup-error-*.log"))


def launch(tmp_path, body):
    """The command line of a process whose command is ``body``."""
    script = tmp_path / "launch.py"
    script.write_text(LAUNCHER.format(scripts=str(SCRIPTS), body=body), encoding="utf-8")
    return [sys.executable, str(script)]


def run(command, **more):
    """That process to its end, with an output that is buffered as usual."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        command, env={**environment, **more.pop("env", {})}, stdin=subprocess.DEVNULL, check=False, timeout=60, **more
    )


@pytest.mark.parametrize(("given", "code"), [(0, 0), (2, 2), (None, 0)])
def test_a_command_that_exits_by_itself_gives_that_code(given, code):
    """``--help`` ends inside the argument parser."""
    assert entry.run(raising(SystemExit(given))) == code


@pytest.mark.parametrize("code", [0, 1])
def test_a_command_that_returns_gives_its_own_code(code, capsys):
    """What the command returns is the exit code, and nothing is added to its output."""
    assert entry.run(lambda _: code) == code
    assert capsys.readouterr() == ("", "")


def test_a_command_gets_the_arguments_without_the_program(monkeypatch):
    """The command sees what was typed behind its name."""
    monkeypatch.setattr(sys, "argv", ["x.py", "--one", "two"])
    seen = []
    assert entry.run(lambda arguments: seen.append(arguments) or 0) == 0
    assert seen == [["--one", "two"]]


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (NotAnExport("a.txt"), 1, "❌ ERROR: This file is not a conversation export: a.txt"),
        (StoreLocked("s"), 1, "❌ ERROR: Another run is using the message store: s"),
        (UsageError("no"), 2, "❌ ERROR: The command line cannot be used as it stands: no"),
    ],
    ids=["not-an-export", "locked", "usage"],
)
def test_a_named_failure_is_its_message_its_advice_and_its_code(error, code, line, capsys):
    """Two lines on standard error: what happened and what to do; the class owns the code; no log is written."""
    assert entry.run(raising(error)) == code
    out, err = capsys.readouterr()
    assert (out, err.splitlines()) == ("", [line, f"   → {error.hint}"])
    assert logs() == []


def test_a_named_failure_without_advice_is_one_line(capsys):
    """No empty arrow is printed."""
    error = UsageError("no")
    error.hint = ""
    assert entry.report(error) == 2
    assert capsys.readouterr().err == "❌ ERROR: The command line cannot be used as it stands: no\n"


def test_what_a_failure_quotes_cannot_steer_the_terminal(capsys):
    """Escapes and reversed text in a message or an advice are shown, not obeyed."""
    assert entry.run(raising(NotAnExport("\x1b[2J\u202e\n", hint="\x1b]0;x\x07"))) == 1
    err = capsys.readouterr().err
    assert "\\x1b[2J\\u202e\\n" in err
    assert "\\x1b]0;x\\x07" in err
    assert not set(err) & {"\x1b", "\u202e", "\x07"}


def test_an_interruption_is_130_and_says_that_nothing_is_half_done(capsys):
    """Ctrl-C gives one line and 130."""
    assert entry.run(raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr() == ("", "\n❌ Interrupted. Nothing is half done; run the command again to go on.\n")


def test_an_unexpected_failure_is_3_with_its_trace_in_a_private_log(capsys, monkeypatch):
    """The screen shows one line and the path of a log of mode 0600, in which versions, arguments and trace are."""
    monkeypatch.setattr(sys, "argv", ["x.py", "an argument"])
    assert entry.run(raising(ZeroDivisionError("by \x1b[31mnothing"))) == 3
    out, err = capsys.readouterr()
    (log,) = logs()
    assert out == ""
    assert err.splitlines() == [
        "❌ ERROR: Unexpected failure: ZeroDivisionError: by \\x1b[31mnothing",
        f"   → This is a defect of export-dedup. Details were written to {log}",
    ]
    text = log.read_text(encoding="utf-8")
    assert text.startswith("Python 3.")
    assert "an argument" in text
    assert "Traceback (most recent call last):" in text
    assert "raise error" in text
    if os.name != "nt":
        assert stat.S_IMODE(log.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "error", [RecursionError("deep"), MemoryError(), OSError(5, "Input/output error", "a.txt")], ids=str
)
def test_whatever_is_raised_leaves_no_trace_on_the_screen(error, capsys):
    """Exhaustion and errors of the system that nobody foresaw end like any other defect."""
    assert entry.run(raising(error)) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    assert len(logs()) == 1


def test_an_unexpected_failure_that_cannot_be_logged_is_said_all_the_same(capsys, monkeypatch):
    """Where no temporary file can be made, the reason stands where the path would."""
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent/folder")
    assert entry.run(raising(ValueError("bad"))) == 3
    assert capsys.readouterr().err.splitlines() == [
        "❌ ERROR: Unexpected failure: ValueError: bad",
        "   → This is a defect of export-dedup. The details could not be written: No such file or directory",
    ]


def test_a_log_of_arguments_that_are_no_text_is_written(monkeypatch):
    """A file name that is no UTF-8 among the arguments does not break the log."""
    monkeypatch.setattr(sys, "argv", ["x.py", "caf\udce9.txt"])
    assert entry.run(raising(ValueError("caf\udce9"))) == 3
    assert "caf\\udce9" in logs()[0].read_text(encoding="utf-8")


def test_an_error_of_the_system_is_not_taken_for_lost_output(capsys):
    """An ``OSError`` that is not the output's is a defect, and the output goes on working."""
    assert entry.run(raising(OSError(errno.EIO, "Input/output error"))) == 3
    assert "Unexpected failure" in capsys.readouterr().err


# --- as processes -------------------------------------------------------------------------------------------------


@posix
@pytest.mark.e2e
def test_ctrl_c_ends_a_process_with_130(tmp_path):
    """A real SIGINT in the middle of the work: one line, no trace, 130."""
    body = "print('ready', flush=True); import time; time.sleep(60)"
    child = subprocess.Popen(launch(tmp_path, body), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout.readline() == b"ready\n"
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert err.decode() == "\n❌ Interrupted. Nothing is half done; run the command again to go on.\n"


@posix
@pytest.mark.e2e
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("print('x' * 100_000); return 0", 130),
        ("print('few words'); return 0", 130),
        ("print('help'); sys.exit(0)", 130),
        ("raise UsageError('no')", 2),
        ("raise ValueError('no')", 3),
        ("raise KeyboardInterrupt", 130),
    ],
    ids=["much", "little", "help", "usage", "defect", "interrupted"],
)
def test_a_closed_pipe_is_left_in_silence(tmp_path, body, code):
    """Nobody reads any more: the exit code is still right and nothing is written, neither by us nor by Python."""
    reader, writer = os.pipe()
    os.close(reader)
    heard = tmp_path / "heard"
    wrapper = f"import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:], stdout={writer}, stderr={writer}))"
    with heard.open("wb") as file:
        done = run(
            [sys.executable, "-c", wrapper, *launch(tmp_path, body)], stdout=file, stderr=file, pass_fds=[writer]
        )
    os.close(writer)
    assert (done.returncode, heard.read_bytes()) == (code, b"")


@posix
@pytest.mark.e2e
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no device that is always full")
@pytest.mark.parametrize(
    "body", ["print('x'); return 0", "print('x', flush=True); return 0"], ids=["at-the-end", "at-once"]
)
def test_output_onto_a_full_disk_is_a_named_failure(tmp_path, body):
    """``> file`` on a full disk: 1, what happened and what to do; no trace, no log, no word of Python's own."""
    with open("/dev/full", "wb") as full:
        done = run(launch(tmp_path, body), stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    first, second = done.stderr.decode().splitlines()
    assert first == "❌ ERROR: The output cannot be written: standard output: No space left on device"
    assert second.startswith("   → What was stored before is safe.")
    assert logs() == []


@posix
@pytest.mark.e2e
@pytest.mark.parametrize(
    ("closed", "body", "code", "heard"),
    [
        (">&-", "print('x'); return 0", 0, b""),
        (">&-", "raise UsageError('no')", 2, "❌ ERROR: The command line cannot be used as it stands: no\n".encode()),
        ("2>&-", "print('x'); return 0", 0, b"x\n"),
        ("2>&-", "raise UsageError('no')", 2, b""),
        (">&- 2>&-", "print('x'); raise ValueError('no')", 3, b""),
    ],
    ids=["stdout", "stdout-usage", "stderr", "stderr-usage", "both"],
)
def test_streams_that_were_closed_before_us_lead_nowhere(tmp_path, closed, body, code, heard):
    """A parent that closed our standard streams changes no exit code, even where warnings are errors."""
    python, script = launch(tmp_path, body)
    done = run(
        ["sh", "-c", f'"$0" -X dev -W error "$1" {closed}', python, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == code
    assert done.stdout.startswith(heard)
    assert (done.stdout == b"") == (heard == b"")


@posix
@pytest.mark.e2e
def test_a_terminal_without_utf_8_gets_ascii_labels(tmp_path):
    """On a terminal in the C locale an error is told in ASCII, whatever is in it."""
    import pty

    ours, theirs = pty.openpty()
    more = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = run(launch(tmp_path, "raise UsageError('caf\\u00e9 \\u2603')"), stderr=theirs, env=more)
    os.close(theirs)
    shown = os.read(ours, 10_000)
    os.close(ours)
    assert done.returncode == 2
    assert shown.splitlines()[0] == b"!! ERROR: The command line cannot be used as it stands: caf\\xe9 \\u2603"
    assert shown.splitlines()[1].startswith(b"   -> ")


STARTER = LAUNCHER.replace("import run\n", "import start\n").replace("sys.exit(run(command))", "start(command)")


@pytest.mark.parametrize(
    ("body", "code", "out", "err"),
    [
        ("print('done'); sys.stderr.write('told'); return 0", 0, "done\n", "told"),
        ("print('half'); raise UsageError('x')", 2, "half\n", "❌ ERROR: "),
        ("print('help'); raise SystemExit(0)", 0, "help\n", ""),
        ("return 1", 1, "", ""),
    ],
    ids=["done", "a failure", "--help", "a code"],
)
def test_a_process_ends_with_its_code_and_all_of_its_output(tmp_path, body, code, out, err):
    """Though the interpreter is not taken apart: what was printed into a pipe has arrived."""
    script = tmp_path / "start.py"
    script.write_text(STARTER.format(scripts=str(SCRIPTS), body=body), encoding="utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, encoding="utf-8", check=False, timeout=60)
    assert (done.returncode, done.stdout) == (code, out)
    assert done.stderr.startswith(err)
