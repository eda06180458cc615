"""The status log: whole reports, apart from each other, private, and never glued to what a crash left."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deduplication.errors import StoreLocked, StoreNotWritable
from deduplication.files import locking
from deduplication.workflow import status_log

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where the log of a project lies."""
    return tmp_path / "a project" / "MEMORY-CONTEXT" / "export-dedup-status.txt"


def test_first_report_makes_folders_and_file(log: Path) -> None:
    """The folders need not exist, and the log begins with the report."""
    status_log.append(log, "\nreport ✅\n\n")
    assert log.read_text(encoding="utf-8") == "report ✅\n"


def test_nobody_waits_for_the_disk(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports are only shown: the messages are in the store's log by then, synced."""
    status_log.append(log, "one")

    def never(_descriptor: int) -> None:
        raise AssertionError("the disk was waited for")

    monkeypatch.setattr(os, "fsync", never)
    status_log.append(log, "two")
    assert log.read_text(encoding="utf-8") == "one\n\ntwo\n"


def test_reports_are_separated_by_a_blank_line(log: Path) -> None:
    """Two reports stand one after the other with one empty line between them."""
    status_log.append(log, "one")
    status_log.append(log, "two")
    assert log.read_text(encoding="utf-8") == "one\n\ntwo\n"


@pytest.mark.parametrize(
    "torn", [pytest.param(b"torn re", id="text"), pytest.param("torn ✅".encode()[:-1], id="half-a-character")]
)
def test_torn_tail_is_closed_and_kept(log: Path, torn: bytes) -> None:
    """What an interrupted write left stays, is marked as cut off, and the new report stands on lines of its own."""
    status_log.append(log, "one")
    with log.open("ab") as stream:
        stream.write(torn)
    status_log.append(log, "two")
    assert log.read_bytes() == b"one\n" + torn + b"\n[The report above was cut off.]\n\ntwo\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_log_and_lock_are_private(log: Path) -> None:
    """The log is readable by its owner only, also one that was open to all before."""
    log.parent.mkdir(parents=True)
    log.write_text("old\n", encoding="utf-8")
    log.chmod(0o644)
    status_log.append(log, "one")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE((log.parent / "dedup_state").stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in (log.parent / "dedup_state").iterdir()] == [0o600]


def test_lone_surrogates_become_escapes(log: Path) -> None:
    """A name that is no valid Unicode does not keep a report out of the log."""
    status_log.append(log, "name \udcff")
    assert log.read_text(encoding="utf-8") == "name \\udcff\n"


def test_held_lock_is_named_and_nothing_is_written(log: Path) -> None:
    """Whoever waits in vain is told so, and the log is as it was."""
    status_log.append(log, "one")
    with locking.exclusive(str(log.parent / "dedup_state" / "status.lock")), pytest.raises(StoreLocked):
        status_log.append(log, "two", timeout=0.05)
    assert log.read_text(encoding="utf-8") == "one\n"


def test_file_in_place_of_the_folder_is_named(log: Path) -> None:
    """A folder that cannot be made is an error with the log's name in it."""
    log.parent.parent.mkdir(parents=True)
    log.parent.write_text("a file", encoding="utf-8")
    with pytest.raises(StoreNotWritable, match="export-dedup-status"):
        status_log.append(log, "one")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_what_is_no_regular_file_is_refused(log: Path, tmp_path: Path, kind: str) -> None:
    """A pipe would wait for ever and a link leads away: both are refused, and what the link points to is untouched."""
    log.parent.mkdir(parents=True)
    outside = tmp_path / "outside.txt"
    outside.write_text("mine", encoding="utf-8")
    if kind == "pipe":
        os.mkfifo(log)
    elif kind == "link":
        log.symlink_to(outside)
    else:
        log.mkdir()
    with pytest.raises(StoreNotWritable, match="not a regular file"):
        status_log.append(log, "one")
    assert outside.read_text(encoding="utf-8") == "mine"


def test_reports_of_processes_at_once_stay_whole(log: Path) -> None:
    """Eight processes that append five reports each leave forty whole reports."""
    program = (
        "import sys; from pathlib import Path; from deduplication.workflow import status_log\n"
        "for n in range(5): status_log.append(Path(sys.argv[1]), f'BEGIN {sys.argv[2]}.{n}\\n' + 'x' * 20000 + '\\nEND')"
    )
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    running = [subprocess.Popen([sys.executable, "-c", program, str(log), str(n)], env=environment) for n in range(8)]
    assert [process.wait(60) for process in running] == [0] * 8
    reports = log.read_text(encoding="utf-8").split("\n\n")
    assert sorted(report.split("\n")[0] for report in reports) == sorted(
        f"BEGIN {p}.{n}" for p in range(8) for n in range(5)
    )
    assert {report.strip("\n").split("\n", 1)[1] for report in reports} == {"x" * 20000 + "\nEND"}
