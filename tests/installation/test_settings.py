"""Our hooks in a project's ``.claude/settings.json``: in and out again, and nothing of anybody else's changes."""

from __future__ import annotations

import json
import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import REPOSITORY
from deduplication.commands.setup import install_script as install
from deduplication.errors import StoreNotWritable
from deduplication.files import atomic
from deduplication.hooks import forms, slash_commands
from deduplication.installation import origin, settings, targets
from deduplication.installation.errors import InstallFailed, InstallRefused

HOOKS = targets.hooks(origin.of_checkout(REPOSITORY), forms.EVENTS)
FOREIGN = {"type": "command", "command": "echo mine"}
OURS = {"type": "command", "command": 'sh "${CLAUDE_PROJECT_DIR}/.coditect/hooks/run.sh" Stop'}
pytestmark = pytest.mark.usefixtures("small_checkout")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of somebody else's, and a client without plugins."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "config"))
    root = tmp_path / "project"
    (root / ".claude").mkdir(parents=True)
    return root


def run(project, *options):
    """The installer in this process, without network."""
    return install.main(["--project", str(project), "--offline", *options])


def put(project, data):
    """The project's settings as bytes; returns the file."""
    path = project / settings.NAME
    path.write_bytes(data if isinstance(data, bytes) else json.dumps(data, indent=2).encode() + b"\n")
    return path


def commands_of(data):
    """Every hook command in settings, by event."""
    record = json.loads(data.decode("utf-8-sig"))
    return {
        event: [entry.get("command", "") for group in groups for entry in group.get("hooks", [])]
        for event, groups in record.get("hooks", {}).items()
    }


# --- in and out -----------------------------------------------------------------------------------------------------


def test_all_commands_and_all_hooks_are_installed_and_removed(project):
    """Every slash command and every event is there afterwards, and nothing of it once it is taken out again."""
    run(project)
    there = {path.stem for path in (project / ".claude" / "commands").iterdir()}
    assert there == set(slash_commands.COMMANDS)
    found = commands_of((project / settings.NAME).read_bytes())
    assert tuple(found) == forms.EVENTS
    assert all(settings.OURS in command for commands in found.values() for command in commands)
    for path in (project / ".claude" / "commands").iterdir():
        assert "CLAUDE_PLUGIN_ROOT" not in path.read_text(encoding="utf-8")
    assert run(project, "--uninstall") == 0
    assert list(project.rglob("*")) == [project / ".claude"]  # it was there before


BEFORE = {
    "other settings": {"model": "opus", "permissions": {"allow": ["Bash(ls *)"]}},
    "another event": {"hooks": {"PostToolUse": [{"matcher": "Write", "hooks": [FOREIGN]}]}},
    "the same event": {"hooks": {"Stop": [{"hooks": [FOREIGN]}], "SessionStart": []}},
    "a group without entries": {"hooks": {"Stop": [{"matcher": "x"}]}},
    "no hooks": {"hooks": {}},
    "one line": b'{"model": "opus", "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "echo"}]}]}}',
    "tabs": b'{\n\t"model": "opus"\n}\n',
    "four blanks, no line end": b'{\n    "model": "opus"\n}',
    "CRLF": b'{\r\n  "model": "opus"\r\n}\r\n',
    "byte order mark": b'\xef\xbb\xbf{\n  "model": "opus"\n}\n',
    "letters": '{\n  "name": "größe 🚀"\n}\n'.encode(),
    "strange spacing": b'{ "model" :"opus",\n\n "x": [1,\n2] }\n',
    "empty file": b"",
    "empty object": b"{}",
}


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
def test_what_others_wrote_stays(project, before):
    """Installed: every setting and every foreign entry as before, in its order; removed: the very bytes of before."""
    path = put(project, before)
    data = path.read_bytes()
    run(project)
    merged = path.read_bytes()
    old = json.loads(data.decode("utf-8-sig") or "{}")
    new = json.loads(merged.decode("utf-8-sig"))
    assert {name: value for name, value in new.items() if name != "hooks"} == {
        name: value for name, value in old.items() if name != "hooks"
    }
    for event, groups in old.get("hooks", {}).items():
        assert new["hooks"][event][: len(groups)] == groups
    assert set(commands_of(merged)) >= set(forms.EVENTS)
    assert (project / settings.BACKUP).read_bytes() == data
    run(project, "--uninstall")
    assert path.read_bytes() == data
    assert not (project / settings.BACKUP).exists()


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
def test_a_second_time_changes_no_byte(project, before):
    """Idempotent: neither the settings nor the backup nor the manifest are written again."""
    path = put(project, before)
    run(project)
    first = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in project.rglob("*") if file.is_file()}
    run(project)
    assert {
        file: (file.read_bytes(), file.stat().st_mtime_ns) for file in project.rglob("*") if file.is_file()
    } == first
    assert path in first


def test_the_form_of_the_file_stays(project):
    """Indentation, line ends, the byte order mark and a missing line end at the end are those of the file."""
    assert b'\n\t"hooks": {\n\t\t' in settings.merged(BEFORE["tabs"], HOOKS)
    assert settings.merged(BEFORE["four blanks, no line end"], HOOKS).endswith(b"}")
    crlf = settings.merged(BEFORE["CRLF"], HOOKS)
    assert crlf.count(b"\n") == crlf.count(b"\r\n")
    assert settings.merged(BEFORE["byte order mark"], HOOKS).startswith(b"\xef\xbb\xbf{")
    assert b"\n" not in settings.merged(BEFORE["one line"], HOOKS)
    assert "größe 🚀".encode() in settings.merged(BEFORE["letters"], HOOKS)


def test_changes_made_since_stay_when_it_is_taken_out(project):
    """What was set after the installation is kept; only our entries go."""
    path = put(project, {"model": "opus"})
    run(project)
    record = json.loads(path.read_text())
    record["model"] = "haiku"
    record["hooks"]["Stop"][0]["hooks"].append(FOREIGN)
    record["hooks"]["Notification"] = [{"hooks": [FOREIGN]}]
    put(project, record)
    run(project, "--uninstall")
    assert json.loads(path.read_text()) == {
        "model": "haiku",
        "hooks": {"Stop": [{"hooks": [FOREIGN]}], "Notification": [{"hooks": [FOREIGN]}]},
    }


def test_a_file_of_ours_that_somebody_used_stays(project):
    """We made the file; another setting came into it: it is not ours to delete."""
    run(project)
    path = project / settings.NAME
    record = json.loads(path.read_text())
    put(project, {**record, "model": "opus"})
    run(project, "--uninstall")
    assert json.loads(path.read_text()) == {"model": "opus"}


def test_settings_that_are_gone_or_ours_no_longer(project, capsys):
    """Taking out what is not there is no failure."""
    run(project)
    (project / settings.NAME).unlink()
    assert run(project, "--uninstall") == 0
    run(project)
    path = put(project, {"model": "opus"})
    assert run(project, "--uninstall") == 0
    assert json.loads(path.read_text()) == {"model": "opus"}


def test_an_update_replaces_our_entries_and_keeps_the_first_backup(project):
    """Entries of an older version go, wherever somebody moved them; the backup stays what the file was before us."""
    path = put(project, {"model": "opus"})
    original = path.read_bytes()
    run(project)
    record = json.loads(path.read_text())
    record["hooks"] = {"Stop": [{"matcher": "old", "hooks": [OURS, FOREIGN]}], "PostToolUse": [{"hooks": [OURS]}]}
    put(project, record)
    run(project)
    found = commands_of(path.read_bytes())
    assert found["Stop"][0] == "echo mine"
    assert len(found["Stop"]) == 2
    assert "PostToolUse" not in found
    assert (project / settings.BACKUP).read_bytes() == original
    run(project, "--uninstall")
    assert commands_of(path.read_bytes()) == {"Stop": ["echo mine"]}


def test_no_hooks_takes_out_those_that_were_there(project):
    """--no-hooks later: ours go, others stay."""
    path = put(project, {"hooks": {"Stop": [{"hooks": [FOREIGN]}]}})
    run(project)
    run(project, "--no-hooks")
    assert commands_of(path.read_bytes()) == {"Stop": ["echo mine"]}


def test_a_foreign_backup_is_never_overwritten(project):
    """A file of the backup's name that was there before stays as it is."""
    put(project, {"model": "opus"})
    (project / settings.BACKUP).write_text("mine\n")
    run(project)
    assert (project / settings.BACKUP).read_text() == "mine\n"
    run(project, "--uninstall")
    assert (project / settings.BACKUP).read_text() == "mine\n"


def test_permissions_of_the_settings_stay(project):
    """A private file stays private, and so is its backup."""
    path = put(project, {"model": "opus"})
    path.chmod(0o600)
    run(project)
    for file in (path, project / settings.BACKUP):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


# --- what is refused --------------------------------------------------------------------------------------------------


BAD = {
    "no JSON": b"{",
    "comments": b'{ // mine\n "model": "opus" }',
    "a list": b"[]",
    "a number": b"7",
    "hooks of another form": b'{"hooks": []}',
    "an event of another form": b'{"hooks": {"Stop": {}}}',
    "a group of another form": b'{"hooks": {"Stop": ["x"]}}',
    "entries of another form": b'{"hooks": {"Stop": [{"hooks": {}}]}}',
    "the same name twice": b'{"model": "a", "model": "b"}',
    "not UTF-8": b'{"model": "\xff"}',
    "nested without end": b"[" * 100_000,
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_settings_that_the_client_does_not_read_are_refused(project, data):
    """Nothing at all is changed, and the reason names the file."""
    path = put(project, data)
    before = sorted(project.rglob("*"))
    with pytest.raises(InstallRefused, match=r"settings\.json"):
        run(project)
    assert sorted(project.rglob("*")) == before
    assert path.read_bytes() == data


def test_settings_that_broke_later_are_left_alone_when_taking_out(project, capsys):
    """The rest is removed; the file is named, with what to do by hand."""
    run(project)
    put(project, b"{ broken")
    capsys.readouterr()
    assert run(project, "--uninstall") == 0
    assert "take the hooks of export-dedup out by hand" in capsys.readouterr().out
    assert (project / settings.NAME).read_bytes() == b"{ broken"
    assert not (project / ".coditect").exists()


def test_a_backup_that_broke_is_not_put_back(project):
    """Then our entries are taken out of the file as it is."""
    path = put(project, {"model": "opus"})
    run(project)
    (project / settings.BACKUP).write_bytes(b"{ broken")
    run(project, "--uninstall")
    assert json.loads(path.read_text()) == {"model": "opus"}


def test_a_write_that_fails_leaves_the_settings_whole(project, monkeypatch):
    """Atomic: the disk fills up while the settings are written; they are the old ones, and a second run goes on."""
    path = put(project, {"model": "opus"})
    data = path.read_bytes()
    real = atomic.replace

    def full(target, *arguments, **options):
        if target == os.path.realpath(path):
            raise StoreNotWritable(f"{target}: no space left on device")
        real(target, *arguments, **options)

    monkeypatch.setattr(atomic, "replace", full)
    with pytest.raises(InstallFailed):
        run(project)
    assert path.read_bytes() == data
    monkeypatch.setattr(atomic, "replace", real)
    run(project)
    assert set(commands_of(path.read_bytes())) == set(forms.EVENTS)
    run(project, "--uninstall")
    assert path.read_bytes() == data


def test_dry_run_names_the_hooks(project, capsys):
    """--dry-run says that hooks would be put in, and does not."""
    path = put(project, {"model": "opus"})
    data = path.read_bytes()
    run(project, "--dry-run")
    assert f"update: {settings.NAME} (hooks)" in capsys.readouterr().out
    assert path.read_bytes() == data


# --- both forms at once -------------------------------------------------------------------------------------------------


ENABLED = {
    "for the user": ("config/settings.json", True),
    "for the project": ("project/.claude/settings.json", True),
    "for the user in the project": ("project/.claude/settings.local.json", True),
    "turned off": ("config/settings.json", False),
}


@pytest.mark.parametrize(("place", "enabled"), ENABLED.values(), ids=ENABLED)
def test_the_plugin_is_seen_wherever_it_is_enabled(project, tmp_path, place, enabled, capsys):
    """With the plugin the project gets no hooks of its own, and that is said once."""
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"enabledPlugins": {"export-dedup@market": enabled, "other@market": True}}))
    run(project)
    said = capsys.readouterr().out
    assert said.count("The plugin is enabled and has the hooks") == enabled
    assert forms.project_form(str(project)) is not enabled


def test_the_project_can_turn_the_plugin_off(project, tmp_path):
    """The last file that says something decides; files that cannot be read say nothing."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.json").write_text('{"enabledPlugins": {"export-dedup@market": true}}')
    assert forms.plugin_enabled(str(project))
    put(project, {"enabledPlugins": {"export-dedup@market": False}})
    assert not forms.plugin_enabled(str(project))
    for broken in (b"{", b"[]", b'{"enabledPlugins": []}', b"\xff"):
        put(project, broken)
        assert forms.plugin_enabled(str(project))
        assert forms.project_events(str(project)) == set()


# --- laws ---------------------------------------------------------------------------------------------------------------


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
entries = st.lists(st.sampled_from([FOREIGN, OURS, {"type": "prompt", "prompt": "x"}]), max_size=3)
groups = st.lists(st.fixed_dictionaries({"hooks": entries}, optional={"matcher": st.just("x")}), max_size=3)
files = st.builds(
    lambda rest, hooks, indent: json.dumps({**rest, "hooks": hooks}, indent=indent, ensure_ascii=False).encode(),
    st.dictionaries(st.text(max_size=5).filter(lambda name: name != "hooks"), json_values, max_size=3),
    st.dictionaries(st.sampled_from(["Stop", "SessionStart", "PostToolUse"]), groups, max_size=3),
    st.sampled_from([None, 2, "\t"]),
)


def foreign(data):
    """Everything that is not ours: other settings, and foreign entries by event, in order."""
    record = json.loads(data)
    hooks = record.pop("hooks", {})
    kept = {
        event: [entry for group in groups for entry in group.get("hooks", []) if settings.OURS not in str(entry)]
        for event, groups in hooks.items()
    }
    return record, {event: found for event, found in kept.items() if found}


@given(files)
def test_foreign_settings_survive_everything(data):
    """In, in again, out: what is not ours is the same after each, ours is there once, then not at all."""
    once = settings.merged(data, HOOKS)
    assert settings.merged(once, HOOKS) == once
    out = settings.removed(once)
    assert foreign(once) == foreign(out) == foreign(data)
    assert settings.removed(out) == out
    assert settings.OURS.encode() not in out
    found = commands_of(once)
    assert all(sum(settings.OURS in command for command in found[event]) == 1 for event in HOOKS)
    assert settings.same(settings.removed(data), out)
