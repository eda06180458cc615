"""What runs said: whole lines and whole reports, apart from each other, private, and never glued to what a crash left."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from deduplication.errors import StoreLocked, StoreNotWritable
from deduplication.files import locking
from deduplication.project.paths import Project
from deduplication.workflow import status_log

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project in which nothing was made yet."""
    return Project(Path(os.path.realpath(tmp_path)) / "a project")


def texts(project: Project) -> tuple[str, str]:
    """The status log, and the reports."""
    return project.status_log.read_text(encoding="utf-8"), project.reports.read_text(encoding="utf-8")


def test_the_first_run_makes_folders_and_files(project: Project) -> None:
    """The folders need not exist; log and reports begin with what is said."""
    status_log.append(project, "line ✅", "\nreport ✅\n\n")
    assert texts(project) == ("line ✅\n", "report ✅\n")


def test_nobody_waits_for_the_disk(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports are only shown: the messages are in the store's log by then, synced."""
    status_log.append(project, "1", "one")

    def never(_descriptor: int) -> None:
        raise AssertionError("the disk was waited for")

    monkeypatch.setattr(os, "fsync", never)
    status_log.append(project, "2", "two")
    assert texts(project) == ("1\n2\n", "one\n\ntwo\n")


def test_a_run_is_one_line_and_one_report(project: Project) -> None:
    """Lines stand below each other, reports with one empty line between them."""
    for number in "12":
        status_log.append(project, f"line {number}", f"report\nof {number}")
    assert texts(project) == ("line 1\nline 2\n", "report\nof 1\n\nreport\nof 2\n")


@pytest.mark.parametrize(
    "torn", [pytest.param(b"torn re", id="text"), pytest.param("torn ✅".encode()[:-1], id="half-a-character")]
)
def test_a_torn_tail_is_closed_and_kept(project: Project, torn: bytes) -> None:
    """What an interrupted write left stays, is marked as cut off, and what comes stands on lines of its own."""
    status_log.append(project, "1", "one")
    for path in (project.status_log, project.reports):
        with path.open("ab") as stream:
            stream.write(torn)
    status_log.append(project, "2", "two")
    cut = b"\n[The report above was cut off.]\n"
    assert project.status_log.read_bytes() == b"1\n" + torn + cut + b"2\n"
    assert project.reports.read_bytes() == b"one\n" + torn + cut + b"\ntwo\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_log_reports_and_lock_are_private(project: Project) -> None:
    """They are readable by their owner only, also a log that was open to all before."""
    project.memory.mkdir(parents=True)
    project.status_log.write_text("old\n", encoding="utf-8")
    project.status_log.chmod(0o644)
    status_log.append(project, "1", "one")
    assert stat.S_IMODE(project.status_log.stat().st_mode) == 0o600
    assert stat.S_IMODE(project.state.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in project.state.iterdir()] == [0o600, 0o600]


def test_lone_surrogates_become_escapes(project: Project) -> None:
    """A name that is no valid Unicode does not keep a report out."""
    status_log.append(project, "line \udcff", "name \udcff")
    assert texts(project) == ("line \\udcff\n", "name \\udcff\n")


def test_a_held_lock_is_named_and_nothing_is_written(project: Project) -> None:
    """Whoever waits in vain is told so, and everything is as it was."""
    status_log.append(project, "1", "one")
    with locking.exclusive(str(project.state / "status.lock")), pytest.raises(StoreLocked):
        status_log.append(project, "2", "two", timeout=0.05)
    assert texts(project) == ("1\n", "one\n")


def test_a_file_in_place_of_the_folder_is_named(project: Project) -> None:
    """A folder that cannot be made is an error with the log's name in it."""
    project.root.mkdir(parents=True)
    project.memory.write_text("a file", encoding="utf-8")
    with pytest.raises(StoreNotWritable, match="export-dedup-status"):
        status_log.append(project, "1", "one")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
@pytest.mark.parametrize("name", ["status_log", "reports"])
def test_what_is_no_regular_file_is_refused(project: Project, tmp_path: Path, name: str, kind: str) -> None:
    """A pipe would wait for ever and a link leads away: both are refused, and what the link points to is untouched."""
    path = getattr(project, name)
    path.parent.mkdir(parents=True, mode=0o700)
    outside = tmp_path / "outside.txt"
    outside.write_text("mine", encoding="utf-8")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(outside)
    else:
        path.mkdir()
    with pytest.raises(StoreNotWritable, match="not a regular file"):
        status_log.append(project, "1", "one")
    assert outside.read_text(encoding="utf-8") == "mine"
    assert not (project.reports if name == "status_log" else project.status_log).exists()


def test_reports_of_processes_at_once_stay_whole(project: Project) -> None:
    """Eight processes that append five reports each leave forty lines and forty whole reports."""
    program = (
        "import sys; from pathlib import Path; from deduplication.project.paths import Project\n"
        "from deduplication.workflow import status_log\n"
        "for n in range(5):\n"
        "    report = f'BEGIN {sys.argv[2]}.{n}\\n' + 'x' * 20000 + '\\nEND'\n"
        "    status_log.append(Project(Path(sys.argv[1])), f'{sys.argv[2]}.{n}', report)"
    )
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(project.root), str(n)], env=environment) for n in range(8)
    ]
    assert [process.wait(60) for process in running] == [0] * 8
    log, reports = texts(project)
    each = sorted(f"{p}.{n}" for p in range(8) for n in range(5))
    assert sorted(log.splitlines()) == each
    found = reports.split("\n\n")
    assert sorted(report.split("\n")[0] for report in found) == [f"BEGIN {one}" for one in each]
    assert {report.strip("\n").split("\n", 1)[1] for report in found} == {"x" * 20000 + "\nEND"}
