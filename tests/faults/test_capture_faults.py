"""A capture that is killed, and transcripts captured by many at once: every line once, whatever happens (I6, I7)."""

from __future__ import annotations

import random
import shutil
import time

import pytest

from deduplication.ingest.transcript_capture import capture_file
from faults.children import Shim, end, run, start
from faults.scenes import dedup
from transcript_lines import day, exported, prompt

pytestmark = pytest.mark.faults

FIRST, SECOND = day(3) + exported("/x/a.txt"), day(2, start=3) + prompt("yes", "again") + exported("/x/b.txt", "b")


def everything(folder):
    """What a reader gets of each conversation."""
    store = dedup(folder)
    return {name: [m["content"] for m in store.get_full_conversation(name)] for name in store.conversations()}


@pytest.mark.parametrize("before", [b"", FIRST], ids=["new", "grown"])
@pytest.mark.parametrize("action", ["kill", "torn"])
def test_a_capture_killed_at_any_system_call_stores_every_line_once(disk, before, action, calls):
    """I6: messages and cursor are stored together or not at all, and the next capture goes on from there."""
    file, template = disk / "s.jsonl", disk / "template"
    file.write_bytes(before)
    if before:
        capture_file(dedup(template), file)
    file.write_bytes(before + SECOND)
    whole = disk / "whole"
    capture_file(dedup(whole), file)
    expected = everything(whole)
    for at in calls():
        shutil.rmtree(disk / "state", ignore_errors=True)
        if before:
            shutil.copytree(template, disk / "state")

        def job(at=at):
            Shim(at, action).install()
            capture_file(dedup(disk / "state"), file)

        outcome = run(job)
        assert (outcome.error, outcome.trace) == ("", ""), f"call {at}"
        capture_file(dedup(disk / "state"), file)
        assert everything(disk / "state") == expected, f"call {at}"
        with dedup(disk / "state").store.transaction():
            pass  # whoever writes next brings the indexes up to the log
        assert dedup(disk / "state").store.verify() == []
        if not outcome.signal:
            break
    assert at > 10, "the shim does not see the calls"


def test_sessions_that_write_and_are_captured_at_once(disk, full):
    """Eight sessions grow while hooks of all of them capture; every line of each stands in the store once, in order."""
    turns = 400 if full else 12
    sessions = [f"{n}{n}{n}{n}{n}{n}{n}{n}-2222-4333-8444-555555555555" for n in range(1, 9)]
    lines = {
        session: [
            prompt(f"Turn {n} of session {session}, or so" if n % 3 else "yes", f"{n}", session=session)
            for n in range(turns)
        ]
        for session in sessions
    }

    def work(session):
        chance = random.Random(session)
        store = dedup(disk / "state")
        file = disk / f"{session}.jsonl"
        for line in lines[session]:
            cut = chance.randrange(len(line))
            with file.open("ab") as more:
                more.write(line[:cut])
                more.flush()
                if chance.random() < 0.3:
                    _capture(store, disk / f"{chance.choice(sessions)}.jsonl")
                more.write(line[cut:])
            _capture(store, file)

    def _capture(store, file):
        if file.exists() and file.stat().st_size:
            capture_file(store, file)

    began = time.monotonic()
    while not full or time.monotonic() - began < 60:
        shutil.rmtree(disk / "state", ignore_errors=True)
        for file in disk.glob("*.jsonl"):
            file.unlink()
        running = [start(lambda session=session: work(session)) for session in sessions]
        outcomes = [end(*child) for child in running]
        assert [outcome.trace or outcome.error for outcome in outcomes] == [""] * len(sessions)
        for session in sessions:
            capture_file(dedup(disk / "state"), disk / f"{session}.jsonl")
        assert everything(disk / "state") == {
            session: ["yes" if n % 3 == 0 else f"Turn {n} of session {session}, or so" for n in range(turns)]
            for session in everything(disk / "state")
        }
        assert set(everything(disk / "state")) == set(sessions)
        assert dedup(disk / "state").store.verify() == []
        if not full:
            break
