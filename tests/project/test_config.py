"""The settings: defaults, the user's own file, the project's file that may only tighten, the environment."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import settings_scenes
from deduplication.project import config, tightening
from deduplication.redaction.redact import LEVELS


@pytest.fixture
def root(tmp_path):
    """A project's folder."""
    (tmp_path / ".coditect").mkdir()
    return tmp_path


def load(root, content):
    """The settings where a clone brought this file."""
    settings_scenes.asked(root, content if isinstance(content, str) else json.dumps(content))
    return config.load(str(root))


def test_the_file_that_is_installed_has_the_defaults(repository):
    """Whoever opens it sees every setting with the value it has anyway."""
    assert json.loads((repository / config.FILE).read_text(encoding="utf-8")) == config.DEFAULTS


@pytest.mark.parametrize("content", ["", "{", "[1]", "[" * 100_000, '"x"'], ids=lambda text: repr(text[:9]))
def test_a_file_that_cannot_be_read_changes_nothing(root, content):
    """A slip in a file of settings must not stop a hook."""
    assert load(root, content) == config.DEFAULTS


def test_what_does_not_fit_is_passed_over(root):
    """Unknown names and values of another type; the rest of the file counts, in both files."""
    said = {"hooks": "yes", "command_banner": "loud", "commit_hooks": True, "other": 1, "hook_checkpoint": False}
    settings_scenes.own(**said)
    assert config.load(str(root)) == {**config.DEFAULTS, "commit_hooks": True, "hook_checkpoint": False}
    settings_scenes.own()
    assert load(root, said) == {**config.DEFAULTS, "hook_checkpoint": False}


@pytest.mark.parametrize("level", [*LEVELS, "pubilc", 3, None, ["team"]], ids=repr)
def test_a_level_that_is_none_is_the_strictest(root, level):
    """A misspelt level must not publish anything, in either file."""
    settings_scenes.own(privacy_level=level)
    assert config.load(str(root))["privacy_level"] == (level if level in LEVELS else "public")
    settings_scenes.own(privacy_level="private")
    assert load(root, {"privacy_level": level})["privacy_level"] == (level if level in LEVELS else "public")


def test_patterns_are_kept_whatever_they_are(root):
    """They are judged where they are used: passed over, they would let secrets through. Exceptions of a clone are none."""
    found = load(root, {"privacy_patterns": [1], "privacy_allow": "x"})
    assert (found["privacy_patterns"], found["privacy_allow"]) == ([1], [])


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


# --- three layers -------------------------------------------------------------------------------------------------

VALUES = {
    **{name: st.booleans() for name, default in config.DEFAULTS.items() if isinstance(default, bool)},
    "command_banner": st.sampled_from(["hook", "model"]),
    "session_files": st.sampled_from(["session", "checkpoint", "off"]),
    "readme_checkpoints": st.sampled_from([True, False, "command"]),
    "pack_older_than_days": st.sampled_from([-2, -1, 0, 1, 7, 30, 90]),
    "backup_retention_days": st.sampled_from([-2, -1, 0, 1, 7, 30, 90]),
    "backend": st.sampled_from(config.BACKENDS),
    "database_url": st.sampled_from(["", "service=tides", "postgresql://evil.example/x"]),
    "database_schema": st.sampled_from(["", "tides"]),
    "archive_database_mb": st.sampled_from([0, 1, 64]),
    "archive_folder": st.sampled_from(["", "/srv/tides"]),
    "metrics_folder": st.sampled_from(["", "/srv/figures"]),
    "privacy_level": st.sampled_from(LEVELS),
    "privacy_patterns": st.dictionaries(st.sampled_from(["tide", "gauge"]), st.sampled_from(["A-1", "B-2"])),
    "privacy_allow": st.lists(st.sampled_from(["x", "rule:email"]), max_size=2),
    "alert_targets": st.dictionaries(
        st.sampled_from(["mail", "team"]), st.sampled_from(["json://a.example", "json://b.example"])
    ),
    "alert_level": st.sampled_from(["critical", "warning", "information"]),
    "alert_quiet_hours": st.sampled_from(["", "22:00-07:00"]),
    **dict.fromkeys(config.THRESHOLDS, st.sampled_from([0, 1, 10, 99])),
}
FILES = st.fixed_dictionaries({}, optional=VALUES)


def test_every_setting_has_a_direction():
    """A new setting cannot be forgotten: the table has all of them, and so does this test."""
    assert list(tightening.RULES) == list(config.DEFAULTS)
    assert set(VALUES) == set(config.DEFAULTS)


@given(FILES, FILES)
def test_a_clone_loosens_nothing(tmp_path_factory, users, clones):
    """Whatever the user's own file and a clone's say: no setting is looser than the user's own word alone makes it."""
    root = tmp_path_factory.mktemp("clone")
    settings_scenes.own(**users)
    before = config.load(str(root))
    settings_scenes.asked(root, **clones)
    found = config.examine(str(root))
    assert [name for name in before if settings_scenes.looser(name, before[name], found.values[name])] == []
    # And what was not taken is said: nothing that was asked for is dropped in silence.
    silent = [
        name
        for name, value in clones.items()
        if name not in found.waiting
        and found.values[name] != value
        and settings_scenes.looser(name, found.values[name], value)
    ]
    silent = [name for name in silent if name not in ("privacy_patterns", "privacy_allow", "alert_targets")]
    assert silent == []
    assert set(clones.get("privacy_allow", ())) <= {
        *found.values["privacy_allow"],
        *found.waiting.get("privacy_allow", ()),
    }


@given(FILES, FILES)
def test_an_approved_file_counts_in_full(tmp_path_factory, users, projects):
    """Its values are in force; patterns and exceptions of both files add up. Where alerts are sent is never its to say."""
    root = tmp_path_factory.mktemp("project")
    settings_scenes.own(**users)
    settings_scenes.approved(root, **projects)
    found = config.examine(str(root))
    others = ("privacy_patterns", "privacy_allow", "alert_targets")
    plain = {name: value for name, value in projects.items() if name not in others}
    assert found.values["alert_targets"] == users.get("alert_targets", {})
    assert {name: found.values[name] for name in plain} == plain
    assert set(found.values["privacy_allow"]) == {*users.get("privacy_allow", ()), *projects.get("privacy_allow", ())}
    assert found.waiting == {}


def test_a_pattern_of_a_clone_takes_no_name_from_the_user(root):
    """Two patterns of one name are both applied."""
    settings_scenes.own(privacy_patterns={"ticket": "ACME-[0-9]"})
    found = load(root, {"privacy_patterns": {"ticket": "none", "gauge": "G"}})["privacy_patterns"]
    assert found == {"ticket": "ACME-[0-9]", "ticket-2": "none", "gauge": "G"}


def test_the_file_as_it_is_installed_asks_for_nothing(root):
    """It lists what there is: the user's own settings hold, looser ones and stricter ones."""
    settings_scenes.own(privacy_level="private", hooks=False, commit_hooks=True, session_files="off")
    settings_scenes.asked(root, **config.DEFAULTS)
    found = config.examine(str(root))
    assert found.waiting == {}
    assert found.values == {
        **config.DEFAULTS,
        "privacy_level": "private",
        "hooks": False,
        "commit_hooks": True,
        "session_files": "off",
    }


def test_the_user_s_own_file_that_cannot_be_read_stops_sharing(root):
    """Nobody can tell then what he wants to be redacted."""
    path = settings_scenes.own("{")
    assert str(path) in config.load(str(root))[config.FAULT]


def test_a_file_that_a_link_leads_to_from_outside_counts_only_when_approved(root, tmp_path_factory):
    """Not even what would tighten: it is no file of this project."""
    outside = tmp_path_factory.mktemp("outside") / "config.json"
    outside.write_text('{"hook_checkpoint": false}', encoding="utf-8")
    (root / config.FILE).symlink_to(outside)
    found = config.examine(str(root))
    assert found.values == config.DEFAULTS
    assert "out of the project" in found.file.fault
    (root / config.FILE).unlink()
    settings_scenes.approved(root, outside.read_text(encoding="utf-8"))
    (root / config.FILE).unlink()
    (root / config.FILE).symlink_to(outside)
    assert not config.load(str(root))["hook_checkpoint"]
