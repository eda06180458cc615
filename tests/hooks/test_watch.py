"""The watchdog in the hooks: capture that fails says so within the session, capture that works says nothing."""

from __future__ import annotations

import json
import os
import time

import pytest

from alert_scenes import hook
from broken_copies import BROKEN, broken_copy
from deduplication.alerts import book, watchdog
from deduplication.alerts.alert import CAPTURE, RESOLVED
from in_process import call
from transcript_lines import day, exported, prompt
from truth_lines import Transcript
from truth_session import Session as Words

pytestmark = pytest.mark.unmeasured


def said_by(session, turns=2):
    """What the client was told while a session of some turns went on."""
    told = []
    for turn in range(turns):
        session.write(day(1, start=10 + turn))
        told += [session.fire(event).get("systemMessage", "") for event in ("UserPromptSubmit", "Stop")]
    return [text for text in told if text]


@pytest.mark.parametrize("fault", BROKEN)
def test_capture_that_fails_is_said_within_the_session(tmp_path, session, fault):
    """In the client, once; as a critical alert; and by doctor. Whatever is broken of what captures, and however it fails."""
    session.repository = broken_copy(tmp_path / "broken", fault)
    told = said_by(session)
    assert len(told) == 1
    assert "export-dedup does not capture this session" in told[0]
    found = [each for each in book.load(str(session.state)).present() if each.rule == CAPTURE]
    assert [each.level for each in found] == ["critical"]
    assert session.transcript.stem in found[0].text


def test_doctor_says_it_too(tmp_path, session):
    """With the same store, by a parser that is whole or broken."""
    session.repository = broken_copy(tmp_path / "broken", "the parser passes the assistant over")
    said_by(session)
    ended = call("doctor", "--project", str(session.root), "--json")
    found = {each["name"]: each for each in json.loads(ended.stdout)["findings"]}
    assert found["watchdog"]["state"] == "problem"
    assert "5 of them are not in the store" in found["watchdog"]["details"][0]


def test_what_is_put_right_is_said_and_the_alert_is_over(tmp_path, session):
    """Once the parser is whole again and the session was captured."""
    repository = session.repository
    session.repository = broken_copy(tmp_path / "broken", "the parser fails")
    assert said_by(session)
    session.repository = repository
    assert "captures this session again" in "".join(said_by(session))
    state = book.load(str(session.state))
    assert [each.state for each in state.alerts if each.rule == CAPTURE] == [RESOLVED]
    assert said_by(session) == []


def test_a_session_that_is_captured_hears_nothing(session):
    """Nor is anything noted as an alert."""
    assert said_by(session, turns=3) == []
    assert book.load(str(session.state)).alerts == []


@pytest.mark.parametrize("setting", ["ALERTS", "CAPTURE_TRANSCRIPTS"])
def test_who_wants_no_capture_or_no_alerts_hears_nothing(tmp_path, session, setting):
    """The setting is the user's own word."""
    session.repository = broken_copy(tmp_path / "broken", "the parser fails")
    off = {f"EXPORT_DEDUP_{setting}": "off"}
    session.write(day(1, start=10))
    assert session.fire("Stop", environment=off) == {}


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("EXPORT_DEDUP_THOROUGH"), reason="a sweep: EXPORT_DEDUP_THOROUGH=1")
def test_a_hundred_healthy_sessions_raise_no_alert(tmp_path, session, capsys):
    """Compacted, rewound, exported, resumed; every event of each as a process. Not one word of the watchdog, and all compared."""
    told, compared = [], 0
    for number in range(100):
        made = Transcript(
            f"healthy {number}", Words(number), compacted=(3,) * (number % 3 == 1), rewound=(4,) * (number % 4 == 1)
        )
        session.transcript = session.transcript.with_name(f"{made.session}.jsonl")
        more = {"session_id": made.session}
        told.append(session.fire("SessionStart", source="startup", **more))
        step = len(made.lines) // 3 + 1
        for begin in range(0, len(made.lines), step):
            session.write(b"".join(line.data for line in made.lines[begin : begin + step]))
            if begin and number % 5 == 0:
                session.write(exported(session.root / "gone.txt", f"export {number} {begin}"))
            told.append(session.fire("UserPromptSubmit", **more))
            change = {"file_path": str(session.transcript), "event": "change"}
            told.append(session.fire("FileChanged", **change, **more))
            told.append(session.fire("Stop", **more))
        told += [session.fire("PreCompact", **more), session.fire("CatchUp", **more)]
        noted = watchdog.noted(str(session.state), str(session.transcript))
        assert (noted.lacking, noted.offset) == (0, session.transcript.stat().st_size)
        compared += noted.written
    texts = [each["systemMessage"] for each in told if "systemMessage" in each]
    assert [text for text in texts if "capture" in text] == []
    assert [each for each in book.load(str(session.state)).alerts if each.level != "information"] == []
    with capsys.disabled():
        print(f"\n100 sessions, {len(told)} hooks, {compared:,} prompts and answers compared, no alert")


@pytest.mark.parametrize(
    "fault", ["the parser finds no message", "the parser cannot be imported", "capture sees nothing new"]
)
def test_who_is_to_hear_of_it_does(tmp_path, session, fault):
    """By a process that the hook leaves behind, which is as broken as the hook; once."""
    pytest.importorskip("apprise")
    session.repository = broken_copy(tmp_path / "broken", fault)
    with hook() as server:
        session.write(day(1, start=10))
        for _ in range(2):
            session.fire("Stop", environment={"EXPORT_DEDUP_ALERT_TARGETS": f"team={server.address}"})
        until = time.monotonic() + 60
        while not (server.taken and book.load(str(session.state)).queue == []):
            assert time.monotonic() < until
            time.sleep(0.05)
    assert [title for title in server.titles if "hook failing" not in title] == [
        "❌ export-dedup: Critical: capture failed"
    ]


def test_what_a_session_leaves_behind_finds_gaps_of_the_client_s_files(session):
    """A line that goes on from one that stands nowhere: told once a day, by the process that has time."""
    session.write(prompt("it goes on", parentUuid="00000000-0000-4000-8000-000000000000"))
    session.fire("Stop")
    session.fire("CatchUp")
    found = [(each.rule, each.about) for each in book.load(str(session.state)).present()]
    assert found == [("gaps", "missing_parent")]
    assert "Alert · Warning" in (session.memory / "export-dedup-status.txt").read_text(encoding="utf-8")
