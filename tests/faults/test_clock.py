"""A clock that is wrong: order comes from the sequence, never from the time of day, and nothing depends on a right one."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import os
import sys
import time
from dataclasses import dataclass

import pytest

import transcript_lines as lines
from deduplication.commands import deduplicate_export, export_dedup, restore
from deduplication.ingest.transcript_capture import capture_file
from deduplication.project import export_names
from deduplication.project.paths import Project
from exports import kept
from faults.scenes import FILES, NAME, NEW, dedup, truth

pytestmark = pytest.mark.faults

DAY = 86_400.0
YEAR_9999 = 253_402_300_000.0
NOW = 1_795_000_000.0


@dataclass(frozen=True)
class Case:
    """What the clock says at each of four runs, and the time zone (None: none is set)."""

    moments: tuple[float, float, float, float]
    zone: str | None = "UTC"


CASES = {
    "backwards by a second each run": Case((NOW, NOW - 1, NOW - 2, NOW - 3)),
    "backwards by years": Case((NOW, NOW - 4000 * DAY, NOW - 8000 * DAY, NOW - 12000 * DAY)),
    "standing still": Case((NOW, NOW, NOW, NOW)),
    "to and fro": Case((NOW, NOW - DAY, NOW + DAY, NOW - 2 * DAY)),
    "the year 1970": Case((0.0, 0.0, 1.0, 2.0)),
    "before 1970": Case((-1.0, -DAY, -1e9, -2e9)),
    "after 2038": Case((2_147_483_646.5, 2_147_483_648.0, 4_294_967_295.0, 4_294_967_297.0)),
    "the year 9999": Case((NOW, YEAR_9999, YEAR_9999 + 1, YEAR_9999 + 2)),
    "a far future and back": Case((YEAR_9999, NOW, YEAR_9999, NOW)),
    "no time zone": Case((NOW, NOW + 1, NOW + 2, NOW + 3), None),
    "a time zone that is none": Case((NOW, NOW + 1, NOW + 2, NOW + 3), ":no/such/place"),
    "an empty time zone": Case((NOW, NOW + 1, NOW + 2, NOW + 3), ""),
    "a day ahead of everybody": Case((NOW, NOW + 1, NOW + 2, NOW + 3), "AHEAD-24"),
    "half an hour and a quarter": Case((NOW, NOW + 1, NOW + 2, NOW + 3), "ODD3:45"),
    # 29 March 2026, 1:59:58 to 3:00:01; 25 October 2026, 2:59:58 and the hour again
    "an hour that is left out": Case(
        (1_774_745_998.0, 1_774_745_999.0, 1_774_746_000.0, 1_774_746_001.0), "Europe/Berlin"
    ),
    "an hour that comes twice": Case(
        (1_792_889_998.0, 1_792_889_999.0, 1_792_890_000.0, 1_792_893_601.0), "Europe/Berlin"
    ),
}


class Clock:
    """Stands in for the clock of this process wherever the product asks for the time of day."""

    def __init__(self, patch):
        self.now = NOW
        clock = self
        gmtime, localtime = time.gmtime, time.localtime

        class Moment(dt.datetime):
            @classmethod
            def now(cls, tz=None):
                return dt.datetime.fromtimestamp(clock.now, tz)

        patch.setattr(time, "time", lambda: clock.now)
        patch.setattr(time, "gmtime", lambda seconds=None: gmtime(clock.now if seconds is None else seconds))
        patch.setattr(time, "localtime", lambda seconds=None: localtime(clock.now if seconds is None else seconds))
        self._moment, self._patch = Moment, patch

    def rule(self):
        """Also over the modules that took ``datetime`` by its name, those imported meanwhile among them."""
        for name, module in list(sys.modules.items()):
            if name.startswith("deduplication") and getattr(module, "datetime", None) is dt.datetime:
                self._patch.setattr(module, "datetime", self._moment)


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request, monkeypatch):
    """One of the cases, its time zone in force."""
    if request.param.zone is None:
        monkeypatch.delenv("TZ", raising=False)
    else:
        monkeypatch.setenv("TZ", request.param.zone)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def said(command, *arguments):
    """What a command prints; it must end well."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        assert command(list(arguments)) == 0, out.getvalue()
    return out.getvalue()


def test_whatever_the_clock_says_order_and_counts_are_right(disk, case, backend, monkeypatch):
    """Four runs of the whole command: each counts what is new, the conversation is in order, the archive gives all back."""
    project = Project((disk / "project").resolve())
    project.exports.mkdir(parents=True)
    clock = Clock(monkeypatch)
    common = ["--project", str(project.root), "--json"]
    for number, (file, moment) in enumerate(zip(FILES[:4], case.moments)):
        clock.now = moment
        clock.rule()
        path = project.exports / file.name
        path.write_bytes(file.data)
        os.utime(path, (moment, moment))
        result = json.loads(
            said(export_dedup.main, *common, "--session-id", NAME, "--yes", "--no-checkpoint", "--backend", backend)
        )
        assert [export["new_messages"] for export in result["exports"]] == [NEW[number]]
        clock.rule()
    store = dedup(project.state)
    assert kept(store.get_full_conversation(NAME)) == truth(4)
    assert store.store.verify() == []
    assert said(deduplicate_export.main, "status", "--project", str(project.root))
    assert said(export_dedup.main, "--project", str(project.root), "--yes", "--no-checkpoint")
    out = disk / "out"
    said(restore.main, "--all", str(out), "--project", str(project.root))
    assert sorted(p.read_bytes() for p in out.iterdir()) == sorted(file.data for file in FILES[:4])


def test_exports_of_one_run_are_put_in_order_by_what_they_show(disk, case, monkeypatch):
    """All four at once, their own times as the case has them: the conversation is the same."""
    project = Project((disk / "project").resolve())
    project.exports.mkdir(parents=True)
    clock = Clock(monkeypatch)
    clock.rule()
    for file, moment in zip(FILES[:4], case.moments):
        path = project.exports / file.name
        path.write_bytes(file.data)
        os.utime(path, (moment, moment))
    said(export_dedup.main, "--project", str(project.root), "--session-id", NAME, "--yes", "--no-checkpoint")
    assert kept(dedup(project.state).get_full_conversation(NAME)) == truth(4)


def test_a_transcript_is_captured_in_its_own_order(disk, case, monkeypatch):
    """Its lines say one thing, the clock another: they are stored in the order of the file, none waits for ever."""
    clock = Clock(monkeypatch)
    file = disk / f"{lines.SESSION}.jsonl"
    data, said = b"", []
    for number, moment in enumerate(case.moments):
        clock.now = moment
        clock.rule()
        stamp = dt.datetime.fromtimestamp(moment, dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        said += [f"Question {number}, asked at some time", f"Answer {number}, given at another"]
        data += lines.prompt(said[-2], timestamp=stamp) + lines.answer(said[-1], timestamp=stamp)
        file.write_bytes(data)
        assert capture_file(dedup(disk / "state"), file).new == 2
    assert [message["content"] for message in dedup(disk / "state").get_full_conversation(lines.SESSION)] == said
    assert dedup(disk / "state").store.verify() == []


@pytest.mark.parametrize("written", [-(2**40), -1, 0, 2**31, 2**33, 2**40, 2**60], ids=str)
def test_a_file_time_that_no_calendar_has_is_no_error(disk, written, monkeypatch):
    """The time of an export's file may be any number: its name gives the time, or none does."""
    assert isinstance(export_names.moment("notes.txt", written * 10**9), (int, float))
    path = disk / "a.txt"
    path.write_bytes(FILES[0].data)
    try:
        os.utime(path, ns=(written * 10**9, written * 10**9))
    except (OSError, OverflowError):
        pytest.skip("this file system has no such time")
    project = Project((disk / "project").resolve())
    project.exports.mkdir(parents=True)
    os.rename(path, project.exports / "EXPORT-a.txt")
    said(export_dedup.main, "--project", str(project.root), "--session-id", NAME, "--yes", "--no-checkpoint")
    assert kept(dedup(project.state).get_full_conversation(NAME)) == truth(1)
    said(restore.main, "--all", str(disk / "out"), "--project", str(project.root))
    listed = said(restore.main, "--list", "--project", str(project.root))
    assert "EXPORT-a.txt" in listed
