"""When the client deletes a transcript: by its two settings, and by who wrote the session."""

from __future__ import annotations

import json
import os

import pytest

from deduplication.project import client_retention
from deduplication.project.client_retention import CLEANUP_DAYS, Retention, is_of_desktop, retention
from deduplication.project.client_transcripts import Transcript
from transcript_lines import SESSION, answer, day

NOW = 1_800_000_000.0
DAY = 86_400


@pytest.fixture
def config(tmp_path, monkeypatch):
    """The client's folder, and no settings of an organization."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setattr(client_retention, "_MANAGED", {})
    monkeypatch.setattr(client_retention, "_MANAGED_ELSEWHERE", str(tmp_path / "managed.json"))
    (tmp_path / "config").mkdir()
    return tmp_path / "config"


def transcript(folder, data, days_old, name=SESSION):
    """A transcript that nobody wrote to for so many days."""
    path = folder / f"{name}.jsonl"
    path.write_bytes(data)
    moment = NOW - days_old * DAY
    os.utime(path, (moment, moment))
    status = path.stat()
    return Transcript(path, name, status.st_size, status.st_mtime_ns)


@pytest.mark.parametrize(
    ("settings", "days"),
    [
        ({}, 30),
        ({"cleanupPeriodDays": 7}, 7),
        ({"cleanupPeriodDays": 90}, 90),
        ({"cleanupPeriodDays": 0}, 30),
        ({"cleanupPeriodDays": True}, 30),
        ({"cleanupPeriodDays": "9"}, 30),
        ({"cleanupPeriodDays": 10**40}, 1_000_000),
        ([], 30),
        (None, 30),
    ],
    ids=str,
)
def test_how_long_the_client_keeps_a_transcript(config, settings, days):
    """Thirty days, unless its settings say another number."""
    if settings is not None:
        (config / "settings.json").write_text(json.dumps(settings))
    assert retention() == Retention(days, 0)


@pytest.mark.parametrize("text", ["{", "[" * 5000, "\0"], ids=["torn", "deep", "binary"])
def test_a_broken_settings_file_is_no_error(config, text):
    """Somebody is editing it."""
    (config / "settings.json").write_text(text)
    assert retention().days == CLEANUP_DAYS


def test_the_shortest_time_counts_and_an_organization_decides(config, tmp_path):
    """A session in any project deletes what is old by the settings there; the desktop's days are the user's alone."""
    root = tmp_path / "project"
    (root / ".claude").mkdir(parents=True)
    (config / "settings.json").write_text('{"cleanupPeriodDays": 60, "desktopSessionCleanupPeriodDays": 90}')
    (root / ".claude" / "settings.local.json").write_text(
        '{"cleanupPeriodDays": 45, "desktopSessionCleanupPeriodDays": 1}'
    )
    assert retention() == Retention(60, 90)
    assert retention(root) == Retention(45, 90)
    (config / "settings.json").unlink()
    assert retention(root) == Retention(
        30, 0
    )  # where the user says nothing, another project's sessions go by the default
    (tmp_path / "managed.json").write_text('{"cleanupPeriodDays": 400}')
    assert retention(root) == Retention(400, 0)


@pytest.mark.parametrize(
    ("kept", "old", "left"),
    [
        (Retention(), 0, 30),
        (Retention(), 29.5, 0),
        (Retention(), 40, 0),
        (Retention(7), 2.5, 4),
        (Retention(7, 90), 2.5, 4),
    ],
)
def test_the_days_that_are_left(tmp_path, kept, old, left):
    """Whole days since somebody last wrote to the file; those of Desktop do not count for others."""
    assert kept.days_left(transcript(tmp_path, day(1), old), NOW) == left


DESKTOP = [
    (Retention(), 300, None),
    (Retention(30, 90), 60.5, 29),
    (Retention(30, 10), 20.5, 9),
    (Retention(30, 90), 100, 0),
]


@pytest.mark.parametrize(("kept", "old", "left"), DESKTOP)
@pytest.mark.parametrize("entrypoint", ["claude-desktop", "claude-desktop-3p", "local-agent", "local_agent"])
def test_a_session_of_desktop_or_cowork_is_exempt(tmp_path, kept, old, left, entrypoint):
    """For ever, or up to its own number of days; whichever of the two periods is longer holds."""
    assert kept.days_left(transcript(tmp_path, answer("x", entrypoint=entrypoint), old), NOW) == left


def test_the_first_and_the_last_line_tell_whose_session_it_is(tmp_path):
    """Begun in a terminal and gone on with in Desktop, or the other way round; what was written between does not tell."""
    far = day(400)
    assert len(far) > 2 * 64 * 1024
    own, other = answer("x", entrypoint="cli"), answer("y", entrypoint="claude-desktop")
    assert is_of_desktop(transcript(tmp_path, own + far + other, 0).path)
    assert is_of_desktop(transcript(tmp_path, other + far + own, 0).path)
    assert not is_of_desktop(transcript(tmp_path, own + far + other + far + own, 0).path)
    assert not is_of_desktop(transcript(tmp_path, own + far + other + own, 0).path)
    assert not is_of_desktop(transcript(tmp_path, answer("z", entrypoint="claude-vscode"), 0).path)
    assert not is_of_desktop(tmp_path / "gone.jsonl")


@pytest.mark.parametrize(
    ("reason", "marked", "left"),
    [('{"reason": "delete"}', 0, 0), ('{"reason": "archive"}', 10.5, 19), ('{"reason": "?"}', 0, None), ("{", 0, None)],
)
def test_a_session_that_desktop_gave_up(tmp_path, reason, marked, left):
    """Deleted there: the usual days count again. Archived there: from when it was."""
    found = transcript(tmp_path, answer("x", entrypoint="claude-desktop"), 60)
    marker = tmp_path / f"{SESSION}.desktop-released.json"
    marker.write_text(reason)
    os.utime(marker, (NOW - marked * DAY,) * 2)
    assert Retention().days_left(found, NOW) == left
