"""``scan``: what would be redacted, without a secret in the answer."""

from __future__ import annotations

import json
import random

import pytest

import settings_scenes
from deduplication import ClaudeConversationDeduplicator
from deduplication.commands import deduplicate_export
from deduplication.errors import ExportUnreadable, PrivacySettingInvalid, StoreMissing, UnsafePath, UsageError
from deduplication.project.paths import Project
from planted import of_format

KEY = of_format("github classic", random.Random(1))


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a stored conversation that holds a key, and the current folder."""
    root = tmp_path / "project"
    (root / "MEMORY-CONTEXT").mkdir(parents=True)
    monkeypatch.chdir(root)
    made = Project(root)
    messages = [
        {"index": 0, "role": "user", "content": "Which key do I use?"},
        {"index": 1, "role": "assistant", "content": f"This one: {KEY}\nand mail ada@example.org"},
        {"index": 2, "role": "user", "content": [{"type": "text", "text": f"Not {KEY}?"}]},
    ]
    ClaudeConversationDeduplicator(made.state).process_export("keys", {"messages": messages})
    ClaudeConversationDeduplicator(made.state).process_export("calm", {"messages": [messages[0]]})
    return made


def scan(*arguments):
    """Run the subcommand."""
    return deduplicate_export.main(["scan", *arguments])


def test_every_conversation_is_scanned(project, capsys):
    """Each place with the message, the rule and the reason; of the secret four characters and the length."""
    assert scan() == 0
    output = capsys.readouterr().out
    assert KEY[:5] not in output
    assert output.splitlines() == [
        "⚠ keys: 2 places to redact",
        "   - message 1: ghp_… (40 characters) github-token: the format of a key of GitHub",
        "   - message 2: ghp_… (40 characters) github-token: the format of a key of GitHub",
        "✓ calm: nothing to redact",
        "2 places in 2 sources would be redacted, level team:",
        "   2 × github-token",
        "   → The private log and the archive keep them. What was no secret can be named in privacy_allow.",
    ]


def test_one_conversation_at_another_level(project, capsys):
    """A level that is asked for comes before the setting."""
    assert scan("keys", "--level", "public", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["level"], answer["findings"]) == ("public", 3)
    (source,) = answer["sources"]
    assert (source["source"], source["unit"]) == ("keys", "message")
    assert [(one["rule"], one["line"]) for one in source["findings"]] == [
        ("github-token", 1),
        ("email", 1),
        ("github-token", 2),
    ]


def test_nothing_found_is_said(project, capsys):
    """A clean conversation succeeds with one line."""
    assert scan("calm") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "✅ Nothing to redact in 1 source, level team."


def test_a_file_is_scanned_line_by_line(project, tmp_path, capsys, monkeypatch):
    """A file needs no store, and its findings are counted in lines; very many are cut, and said."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.md").write_text(f"\nthe {KEY}\n" * 201, encoding="utf-8")
    assert scan("notes.md") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "⚠ notes.md: 201 places to redact"
    assert lines[1].startswith("   - line 2: ghp_… (40 characters)")
    assert lines[201] == "   … and 1 more"


def test_a_short_secret_shows_nothing_of_itself(project, tmp_path, capsys):
    """Four characters would be most of it."""
    (project.root / "x.env").write_text("DB_PASSWORD=abcd\n", encoding="utf-8")
    scan("x.env")
    assert "line 1: (4 characters) password" in capsys.readouterr().out


def test_what_cannot_be_scanned_is_an_error(project, tmp_path, monkeypatch):
    """A name that is neither file nor conversation, a folder, a project without a store, a bad setting."""
    with pytest.raises(UsageError, match="neither a file nor a stored conversation: nothing"):
        scan("nothing")
    with pytest.raises((UnsafePath, ExportUnreadable)):
        scan(str(tmp_path))
    with pytest.raises(UsageError):
        scan("--level", "secret")
    settings_scenes.own(privacy_allow="x")
    with pytest.raises(PrivacySettingInvalid):
        scan()
    settings_scenes.own()
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(StoreMissing):
        scan("--project", str(empty))


def test_the_level_of_the_settings(project, capsys):
    """The user's own level holds, and a misspelt one is the strictest."""
    for level, expected in (("private", "private"), ("pubilc", "public"), (3, "public")):
        settings_scenes.own(privacy_level=level)
        scan("calm", "--json")
        assert json.loads(capsys.readouterr().out)["level"] == expected
