"""What each version of the client knows, and where its version is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.project import client_version
from deduplication.project.client_version import (
    BASIC,
    EVENTS,
    LOWEST,
    SINCE,
    known,
    of_this_process,
    of_transcript,
    parse,
)
from transcript_lines import prompt

VERSIONS = st.tuples(st.integers(0, 4), st.integers(0, 30), st.integers(0, 400))


@given(VERSIONS, VERSIONS)
def test_a_newer_client_knows_no_less(one, other):
    """Each event is known from one version on, the whole table from the lowest that works; known and lacking are all."""
    older, newer = sorted((one, other))
    assert set(known(older).events) <= set(known(newer).events)
    for version in (older, newer):
        events, lacking = known(version)
        assert sorted(events + lacking) == sorted(EVENTS)
        assert all((SINCE[event] <= version) == (event in events) for event in EVENTS)
        assert (not lacking) == (version >= LOWEST)


@pytest.mark.parametrize(
    ("version", "lacking"),
    [
        ((2, 0, 76), {"FileChanged", "CwdChanged", "UserPromptExpansion"}),
        ((2, 1, 82), {"FileChanged", "CwdChanged", "UserPromptExpansion"}),
        ((2, 1, 83), {"UserPromptExpansion"}),
        ((2, 1, 114), {"UserPromptExpansion"}),
        ((2, 1, 116), set()),
        ((2, 1, 197), set()),
        ((2, 1, 332), set()),
    ],
)
def test_the_table_is_what_the_clients_know(version, lacking):
    """Tried in 2.0.76, 2.1.197 and 2.1.332; where one has the name of an event in it, and the one before it has not."""
    assert set(known(version).lacking) == lacking


def test_of_a_client_that_nobody_can_ask_the_least_is_assumed():
    """What a client does not know would cost its user the whole file of settings."""
    assert known(None) == known(BASIC)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("2.1.332 (Claude Code)\n", (2, 1, 332)),
        ("claude 12.0.1", (12, 0, 1)),
        ("1.2", None),
        ("1.2.3.4", None),
        ("", None),
    ],
)
def test_a_version_in_words(text, version):
    """The first number of three parts."""
    assert parse(text) == version
    assert version is None or parse(client_version.text(version)) == version


def test_the_last_line_of_a_transcript_tells(tmp_path):
    """A session may have been gone on with by a newer client."""
    path = tmp_path / "s.jsonl"
    assert of_transcript(path) is None
    path.write_bytes(prompt("x", version="2.0.76") + prompt("y", version="2.1.40"))
    assert of_transcript(path) == (2, 1, 40)
    path.write_bytes(b'{"version":1}\n')
    assert of_transcript(path) is None


def test_the_client_tells_its_hooks(monkeypatch):
    """Newer ones do, in the form that 2.1.197 and 2.1.332 were seen to use; other agents say other things."""
    for text, version in (
        ("claude-code_2-1-332_harness", (2, 1, 332)), ("claude-code/2.1.197", (2, 1, 197)), ("other_1-2-3", None), ("", None)
    ):  # fmt: skip
        monkeypatch.setenv("AI_AGENT", text)
        assert of_this_process() == version
