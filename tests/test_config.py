"""The settings: defaults, the project's file, the environment."""

from __future__ import annotations

import json

import pytest

from deduplication import config
from deduplication.privacy import LEVELS


@pytest.fixture
def root(tmp_path):
    """A project's folder."""
    (tmp_path / ".coditect").mkdir()
    return tmp_path


def load(root, content):
    """The settings with this file."""
    (root / config.FILE).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return config.load(str(root))


def test_the_file_that_is_installed_has_the_defaults(repository):
    """Whoever opens it sees every setting with the value it has anyway."""
    assert json.loads((repository / config.FILE).read_text(encoding="utf-8")) == config.DEFAULTS


@pytest.mark.parametrize("content", ["", "{", "[1]", "[" * 100_000, '"x"'], ids=lambda text: repr(text[:9]))
def test_a_file_that_cannot_be_read_changes_nothing(root, content):
    """A slip in a file of settings must not stop a hook."""
    assert load(root, content) == config.DEFAULTS


def test_what_does_not_fit_is_passed_over(root):
    """Unknown names and values of another type; the rest of the file counts."""
    found = load(
        root, {"hooks": "yes", "command_banner": "loud", "commit_hooks": True, "other": 1, "user_store": False}
    )
    assert found == {**config.DEFAULTS, "commit_hooks": True, "user_store": False}


@pytest.mark.parametrize("level", [*LEVELS, "pubilc", 3, None, ["team"]], ids=repr)
def test_a_level_that_is_none_is_the_strictest(root, level):
    """A misspelt level must not publish anything."""
    assert load(root, {"privacy_level": level})["privacy_level"] == (level if level in LEVELS else "public")


def test_patterns_are_kept_whatever_they_are(root):
    """They are judged where they are used: passed over, they would let secrets through."""
    found = load(root, {"privacy_patterns": [1], "privacy_allow": "x"})
    assert (found["privacy_patterns"], found["privacy_allow"]) == ([1], "x")


def test_the_environment_comes_first(root, monkeypatch):
    """Switches and words; lists and objects have no form there, and what does not fit is passed over."""
    for name, value in (
        ("COMMIT_HOOKS", "yes"),
        ("HOOKS", "0"),
        ("PRIVACY_LEVEL", "public"),
        ("PRIVACY_ALLOW", "x"),
        ("COMMAND_BANNER", "loud"),
        ("USER_STORE", ""),
    ):
        monkeypatch.setenv(config.ENVIRONMENT + name, value)
    changed = {"commit_hooks": True, "hooks": False, "privacy_level": "public"}
    assert load(root, {"hooks": True}) == {**config.DEFAULTS, **changed}
    monkeypatch.setenv(config.ENVIRONMENT + "PRIVACY_LEVEL", "privat")
    assert load(root, {"privacy_level": "private"})["privacy_level"] == "public"
