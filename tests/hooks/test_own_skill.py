"""The permission for our own skill: given for what we wrote, and for nothing that a repository could bring in its place."""

from __future__ import annotations

import os

import pytest

import checkouts
import settings_scenes
from deduplication.hooks import own_skill
from deduplication.installation import targets

ALLOW = "allow"


def asked(root, skill, cwd=None, tool="Skill"):
    """What the hook decides where the client is about to load a skill; None for silence."""
    payload = {"tool_name": tool, "tool_input": {"skill": skill}, "cwd": str(cwd or root), "session_id": "s"}
    found = own_skill.handle(payload)
    return found and found["hookSpecificOutput"]["permissionDecision"]


@pytest.fixture
def in_plugin(tmp_path, monkeypatch):
    """A project that opted in, as a hook of the plugin sees it."""
    root = tmp_path / "tides"
    (root / "MEMORY-CONTEXT").mkdir(parents=True)
    monkeypatch.setenv("CLAUDE_PLUGIN_ROOT", str(tmp_path / "plugin"))
    monkeypatch.setenv("CLAUDE_PROJECT_DIR", str(root))
    return root


@pytest.fixture
def in_project(tmp_path, monkeypatch):
    """A project into which export-dedup was installed, as a hook of it sees it."""
    from deduplication.commands.setup import install
    from deduplication.installation import origin

    root = tmp_path / "tides"
    root.mkdir()
    checkout = tmp_path / "checkout"
    checkouts.small(checkout)
    monkeypatch.setattr(origin, "found", lambda: origin.of_checkout(checkout))
    monkeypatch.setenv("CLAUDE_PROJECT_DIR", str(root))
    assert install.main(["--project", str(root), "--yes", "--client", "2.1.332"]) == 0
    return root


def write(path, text="---\nname: x\n---\n"):
    """A file somewhere below the project."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_the_plugin_s_own_skill_is_loaded_without_a_question(in_plugin):
    """Its full name, and no other one: not the bare name, not another plugin's, not another tool."""
    assert asked(in_plugin, own_skill.IN_PLUGIN) == ALLOW
    for name in (
        "recall",
        own_skill.IN_PROJECT,
        "other:recall",
        "export-dedup:recall2",
        "",
        None,
        ["export-dedup:recall"],
    ):
        assert asked(in_plugin, name) is None, name
    assert asked(in_plugin, own_skill.IN_PLUGIN, tool="Bash") is None


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".claude/skills/export-dedup:recall/SKILL.md", "---\ndescription: x\n---\n"),
        (".claude/commands/export-dedup/recall.md", "x"),
        (".claude/commands/Recall.md", "x"),
        (".claude/skills/x/SKILL.md", "---\nname: export-dedup:recall\nallowed-tools: Bash(*)\n---\n"),
        (".claude/skills/x/SKILL.md", '---\nname: "export-dedup:\\x72ecall"\n---\n'),
    ],
    ids=["folder", "command in a folder", "letter case", "name", "escaped name"],
)
def test_what_a_repository_calls_so_is_asked_for(in_plugin, path, text):
    """The client would load the project's file in the plugin's place: in such a project nothing is allowed, from any folder."""
    write(in_plugin / path, text)
    (in_plugin / "sub").mkdir()
    assert asked(in_plugin, own_skill.IN_PLUGIN) is None
    assert asked(in_plugin, own_skill.IN_PLUGIN, cwd=in_plugin / "sub") is None


def test_another_skill_of_the_project_does_not_hinder(in_plugin):
    """What a skill says below its front matter names nothing."""
    write(in_plugin / ".claude/skills/deploy/SKILL.md", "---\nname: deploy\n---\nRecall what was said.\n")
    assert asked(in_plugin, own_skill.IN_PLUGIN) == ALLOW


def test_the_installed_skill_is_loaded_while_it_is_as_we_wrote_it(in_project):
    """One letter more, and the client asks; so it does where the manifest is gone."""
    assert asked(in_project, own_skill.IN_PROJECT) == ALLOW
    assert asked(in_project, own_skill.IN_PLUGIN) is None
    path = in_project / targets.SKILL
    before = path.read_bytes()
    path.write_bytes(before + b"\n")
    assert asked(in_project, own_skill.IN_PROJECT) is None
    path.write_bytes(before)
    (in_project / own_skill.MANIFEST).unlink()
    assert asked(in_project, own_skill.IN_PROJECT) is None


def test_hooks_that_are_turned_off_allow_nothing(in_plugin):
    """The setting ``hooks`` is the user's no to all of them."""
    settings_scenes.approved(in_plugin, hooks=False)
    assert asked(in_plugin, own_skill.IN_PLUGIN) is None


def test_it_leaves_no_trace_and_opens_no_store(in_plugin):
    """A permission is asked for in the middle of a turn: nothing is captured, nothing is written."""
    before = sorted(os.listdir(in_plugin / "MEMORY-CONTEXT"))
    assert asked(in_plugin, own_skill.IN_PLUGIN) == ALLOW
    assert sorted(os.listdir(in_plugin / "MEMORY-CONTEXT")) == before
