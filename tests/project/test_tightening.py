"""The direction in which a project may change each setting."""

from __future__ import annotations

import pytest

from deduplication.project.tightening import RULES, together
from deduplication.redaction import MOST_PATTERNS

CASES = [
    ("hooks", True, False, True),
    ("hooks", False, True, False),
    ("user_store", False, True, False),
    ("hook_checkpoint", True, False, False),
    ("hook_checkpoint", False, True, False),
    ("commit_hooks", False, True, False),
    ("commit_signing", True, False, True),
    ("command_banner", "hook", "model", "hook"),
    ("command_banner", "model", "hook", "hook"),
    ("session_files", "session", "off", "off"),
    ("session_files", "checkpoint", "session", "checkpoint"),
    ("readme_checkpoints", "command", True, "command"),
    ("readme_checkpoints", "command", False, False),
    ("privacy_level", "team", "private", "team"),
    ("privacy_level", "team", "public", "public"),
    ("pack_older_than_days", 7, 0, 7),
    ("pack_older_than_days", 7, 8, 8),
    ("pack_older_than_days", 7, -1, -1),
    ("backup_retention_days", -1, 30, -1),
    ("backup_retention_days", 30, 0.5, 30),
    ("privacy_allow", ["x"], [".*"], ["x"]),
    ("privacy_patterns", {"a": "1"}, {"a": "1", "b": "2"}, {"a": "1", "b": "2"}),
    ("privacy_patterns", {"a": "1"}, {"a": "2", "a-2": "3"}, {"a": "1", "a-2": "2", "a-2-2": "3"}),
    ("privacy_patterns", {"a": "1"}, [1], [1]),
    ("privacy_patterns", "x", {"a": "1"}, "x"),
]


@pytest.mark.parametrize(("name", "users", "projects", "expected"), CASES, ids=str)
def test_what_is_in_force(name, users, projects, expected):
    """The user's own value, or the project's where it is tighter."""
    assert RULES[name].merged(users, projects) == expected


def test_a_number_is_no_switch():
    """``1 == True``, and neither stands for the other."""
    assert RULES["commit_hooks"].merged(True, 0) is True


def test_too_many_patterns_stay_too_many():
    """Their number is judged where they are used."""
    many = {f"p{n}": "x" for n in range(MOST_PATTERNS + 1)}
    assert RULES["privacy_patterns"].merged({"p0": "y"}, many) == many


def test_an_approved_file_adds_its_exceptions():
    """To those of the user, each once."""
    assert together("privacy_allow", ["x"], ["x", "y"]) == ["x", "y"]
    assert together("privacy_allow", ["x"], "y") == "y"
    assert together("hooks", True, False) is False
