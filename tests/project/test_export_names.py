"""naming: session ids, moments and order from file names."""

from __future__ import annotations

import os
import unicodedata
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.errors import EXIT_USAGE, UsageError
from deduplication.project.export_names import (
    looks_like_export,
    moment,
    natural,
    session_id_from_name,
    validate_session_id,
)

NAMES = {
    "seed-rule": ("2025-11-17-EXPORT-ROLLOUT-MASTER.txt", "rollout-master"),
    "seed-rule-markdown": ("2025-11-17-EXPORT-ROLLOUT-MASTER.md", "rollout-master"),
    "seed-rule-lower-case": ("2025-11-17-export-Rollout.txt", "rollout"),
    "mixed-case-project": ("2025-09-01-EXPORT-ADRS-session5.txt", "adrs-session5"),
    "date-again-in-the-project": ("2025-09-28-EXPORT-DEV-SESSION-2025-09-28-01.txt", "dev-session-2025-09-28-01"),
    "something-before-the-date": ("backup of 2025-11-17-EXPORT-MASTER.txt", "master"),
    "time": ("2025-11-16T1523-RESTORE-CONTEXT.txt", "restore-context"),
    "time-in-utc-and-export": ("2025-11-18T06-58-00Z-EXPORT-SESSION-TOON.txt", "session-toon"),
    "numbered": ("007-EXPORT-abc.txt", "abc"),
    "client-default": ("2026-03-05-190925-local-command-caveat.txt", "local-command-caveat"),
    "client-default-of-2025": ("2025-10-20-fix-the-login-page.txt", "fix-the-login-page"),
    "digits-that-are-no-time": ("2025-10-20-999999-bugs.txt", "999999-bugs"),
    "year-in-the-slug": ("2025-10-20-2024-plan.txt", "2024-plan"),
    "stem": ("session-export.txt", "session-export"),
    "no-ending": ("conversation-about-cats", "conversation-about-cats"),
    "dot-in-the-stem": ("release v1.2.txt", "release-v1.2"),
    "date-only": ("2025-11-17.txt", "2025-11-17"),
    "nothing-after-export": ("2025-11-17-EXPORT-.txt", "2025-11-17-export"),
    "date-and-time-only": ("2026-03-05-190925.txt", "2026-03-05-190925"),
    "letters-of-other-scripts": ("2025-11-17-EXPORT-検討.txt", "検討"),
    "decomposed-letters": ("2025-11-17-EXPORT-" + unicodedata.normalize("NFD", "Übung") + ".txt", "übung"),
    "folders-before": ("../../etc/2025-11-17-EXPORT-x.txt", "x"),
    "backslashes": ("..\\..\\2025-11-17-EXPORT-x.txt", "x"),
    "parent-folder": ("..", "conversation"),
    "dots-inside": ("2025-11-17-EXPORT-a..b.txt", "a.b"),
    "empty": ("", "conversation"),
    "punctuation-only": ("!!!.txt", "conversation"),
    "newline-and-escape": ("a\nb\x1b[31mc.txt", "a-b-31mc"),
    "option": ("-rf", "rf"),
    "undecodable": ("caf\udce9.txt", "caf"),
    "reserved": ("CON", "con"),
}


@pytest.mark.parametrize(("name", "expected"), NAMES.values(), ids=NAMES)
def test_session_id_from_a_name(name: str, expected: str) -> None:
    """Each form of name that was seen, and each hostile one, gives the id its owner would expect."""
    assert session_id_from_name(name) == expected


@pytest.mark.unmeasured
@given(st.one_of(st.text(), st.binary().map(os.fsdecode)))
def test_a_derived_session_id_is_always_safe(name: str) -> None:
    """Whatever the name: never empty, never a folder, short enough, accepted by validate_session_id, and stable."""
    session = session_id_from_name(name)
    assert session
    assert len(session) <= 100
    assert len(session.encode()) <= 200
    assert validate_session_id(session) == session
    assert not session.startswith((".", "-"))


def test_a_long_name_is_cut_at_100_characters() -> None:
    """A name of 300 bytes gives an id that still fits into a file name."""
    assert session_id_from_name("x" * 300 + ".txt") == "x" * 100
    assert len(session_id_from_name("検" * 100).encode()) <= 200


@pytest.mark.parametrize("text", ["rollout-master", "Mixed Case", "検討", "-rf", "a.b", "x" * 200, "👍🏽"])
def test_a_plain_session_id_is_taken_as_it_is(text: str) -> None:
    """What can name a conversation is not changed."""
    assert validate_session_id(text) == text


REFUSED = {
    "empty": ("", "empty"),
    "blank": ("  ", "empty"),
    "too-long": ("x" * 201, "201 characters"),
    "leading-blank": (" a", "white space"),
    "folder": (".", "names a folder"),
    "parent": ("..", "names a folder"),
    "traversal": ("../../etc/passwd", "slash"),
    "backslash": ("a\\b", "backslash"),
    "newline": ("a\nb", "control"),
    "tab": ("a\tb", "control"),
    "nul": ("a\0b", "control"),
    "escape": ("a\x1b[31mb", "control"),
    "c1": ("a\x9bb", "control"),
    "bidi": ("a\u202eb", "control"),
    "lone-surrogate": ("a\udcffb", "control"),
}


@pytest.mark.parametrize(("text", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_session_id_that_cannot_be_used_is_refused_with_the_reason(text: str, reason: str) -> None:
    """The error says what is wrong, is a usage error, and shows nothing that a terminal would obey."""
    with pytest.raises(UsageError, match=reason) as caught:
        validate_session_id(text)
    assert caught.value.exit_code == EXIT_USAGE
    assert str(caught.value).isprintable()


def _at(*parts: int, tz: timezone | None = None) -> float:
    return datetime(*parts, tzinfo=tz).timestamp()  # type: ignore[arg-type,misc]


MOMENTS = {
    "time-in-the-name": ("2025-11-16T1523-X.txt", _at(2025, 11, 16, 15, 23)),
    "seconds": ("2026-03-05-190925-x.txt", _at(2026, 3, 5, 19, 9, 25)),
    "utc": ("2025-11-18T06-58-00Z-EXPORT-X.txt", _at(2025, 11, 18, 6, 58, tz=timezone.utc)),
    "date-of-a-copy": ("2025-11-17-EXPORT-X.txt", _at(2025, 11, 17)),
    "date-of-the-last-write": ("2025-12-24-EXPORT-X.txt", _at(2025, 12, 24, 18, 30)),
    "no-date": ("x.txt", _at(2025, 12, 24, 18, 30)),
    "no-such-date": ("2025-13-45-x.txt", _at(2025, 12, 24, 18, 30)),
    "digits-around": ("12025-11-170.txt", _at(2025, 12, 24, 18, 30)),
    "year-zero": ("0000-01-01-x.txt", _at(2025, 12, 24, 18, 30)),
}


@pytest.mark.parametrize(("name", "expected"), MOMENTS.values(), ids=MOMENTS)
def test_moment(name: str, expected: float) -> None:
    """The name's date and time; a date alone is completed by the file's time only if that is of the same day."""
    assert moment(name, int(_at(2025, 12, 24, 18, 30)) * 10**9) == expected


@given(st.text())
def test_any_name_has_a_moment_and_a_place_in_the_order(name: str) -> None:
    """No name makes ordering fail, digits of other scripts included."""
    assert isinstance(moment(name, 10**18), float)
    assert natural(name) <= natural(name)


def test_natural_order() -> None:
    """Numbers count by value, and a name comes before its own continuations."""
    names = ["MASTER10.txt", "MASTER2.txt", "MASTER.txt", "master2-wide.txt"]
    assert sorted(names, key=natural) == ["MASTER.txt", "MASTER2.txt", "master2-wide.txt", "MASTER10.txt"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2025-11-17-EXPORT-X.txt", True),
        ("TEST-EXPORT.txt", True),
        ("2025-10-20-slug.txt", True),
        ("notes.txt", False),
        ("exporter.txt", False),
        ("EXPORT-GUIDE.md", False),
        ("2025-10-20-minutes.md", False),
    ],
)
def test_looks_like_export(name: str, expected: bool) -> None:
    """Only names of text exports arouse the expectation that there is a conversation inside."""
    assert looks_like_export(name) is expected
