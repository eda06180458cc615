"""Where alerts are sent is the user's own to say, and what is secret of it stands in the environment alone."""

from __future__ import annotations

import json
import os

import pytest

import settings_scenes
from alert_scenes import Scene, hook
from deduplication.alerts import sender, targets
from deduplication.project import config
from in_process import call

ADDRESS = "mailtos://ada:${SMTP_PASSWORD}@example.com"


def test_variables_are_filled_in_and_escaped(monkeypatch):
    """A password may hold what has a meaning in an address; a variable that is the whole address is one."""
    monkeypatch.setenv("SMTP_PASSWORD", "p@ss/word")
    monkeypatch.setenv("SLACK", "slack://A/B/C")
    assert targets.resolved("mail", ADDRESS) == "mailtos://ada:p%40ss%2Fword@example.com"
    assert targets.resolved("slack", "${SLACK}") == "slack://A/B/C"


UNUSABLE = {
    "a password in the settings": ("mailtos://ada:s3cr3t@example.com", "a password in the settings"),
    "a variable that is not set": (ADDRESS, "needs SMTP_PASSWORD"),
    "no address": ("somewhere", "is no address"),
}


@pytest.mark.parametrize(("address", "said"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_cannot_be_used_is_said_without_its_secret(address, said):
    """By the target's name."""
    with pytest.raises(targets.TargetUnusable) as raised:
        targets.resolved("mail", address)
    assert said in str(raised.value)
    assert "s3cr3t" not in f"{raised.value} {raised.value.hint}"


def test_the_environment_names_targets_too(monkeypatch):
    """With a name or without one."""
    monkeypatch.setenv(config.ALERT_TARGETS, "team=json://localhost/x?a=b slack://A/B")
    found = targets.addresses({"alert_targets": {"mail": ADDRESS, "none": 3}})
    assert found == {"mail": ADDRESS, "team": "json://localhost/x?a=b", "environment-3": "slack://A/B"}


def test_no_project_says_where_alerts_go(tmp_path):
    """Not even one whose file of settings is approved."""
    settings_scenes.own(alert_targets={"mine": "json://mine.example"})
    settings_scenes.approved(tmp_path, alert_targets={"theirs": "json://evil.example"}, alert_level="information")
    found = config.load(os.path.realpath(tmp_path))
    assert found["alert_targets"] == {"mine": "json://mine.example"}
    assert found["alert_level"] == "information"


@pytest.fixture
def scene(tmp_path):
    """A project with a store."""
    made = Scene(tmp_path / "project")
    made.root.mkdir()
    made.export("tide", ["one"])
    return made


def run(scene, *words):
    """The command in the project."""
    return call("alerts", *words, "--project", str(scene.root))


def test_a_test_says_what_became_of_it(scene):
    """Target by target; 1 where one did not take it."""
    pytest.importorskip("apprise")
    with hook() as server:
        settings_scenes.own(alert_targets={"team": server.address})
        ended = run(scene, "test")
        assert (ended.returncode, ended.stdout) == (0, "✓ team: delivered\n")
        assert [each["message"].splitlines()[0] for each in server.taken] == ["This is a test: alerts arrive here."]
        server.status = 500
        ended = run(scene, "test", "--json")
    assert ended.returncode == 1
    assert json.loads(ended.stdout)["tested"] == [
        {"target": "team", "error": "it was refused, or could not be reached"}
    ]


def test_the_list_names_alerts_and_targets_and_no_address(scene, monkeypatch):
    """What to do about each, and what is wrong with a target; a sender is begun."""
    begun = []
    monkeypatch.setattr(sender, "start", lambda *where: begun.append(where))
    settings_scenes.own(alert_targets={"mail": "mailtos://ada:s3cr3t@example.com", "team": "json://localhost:1/hidden"})
    (scene.project.state / "hooks.log").write_text("", encoding="utf-8")
    line = "2026-11-01 10:00:00 · Status: ✅ SUCCESS · 1 new, 1 duplicate · 9,000 in storage · 1.00 s\n"
    scene.project.status_log.write_text(line, encoding="utf-8")
    ended = run(scene, "list")
    assert "❌ critical: total shrank" in ended.stdout
    assert "❌ mail (mailtos): 'mail' has a password in the settings" in ended.stdout
    assert "team (json)" in ended.stdout
    assert "s3cr3t" not in ended.stdout
    assert "hidden" not in ended.stdout
    assert scene.project.status_log.read_text(encoding="utf-8").count("Alert · Critical") == 1
    found = json.loads(run(scene, "--json").stdout)
    assert [each["rule"] for each in found["alerts"]] == ["total_shrank"]
    done = json.loads(run(scene, "ack", found["alerts"][0]["id"], "--json").stdout)
    assert [each["rule"] for each in done["acknowledged"]] == ["total_shrank"]
    assert done["alerts"] == []
    assert begun


@pytest.mark.parametrize("words", [("ack", "12345678"), ("list", "x"), ("drop",)])
def test_what_cannot_be_meant_is_refused(scene, words):
    """In one line, with what to do."""
    ended = run(scene, *words)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def test_without_a_store_there_is_nothing_to_say(tmp_path):
    """And nothing is made."""
    ended = call("alerts", "--project", str(tmp_path))
    assert (ended.returncode, ended.stdout) == (0, "✓ No alert: nothing needs attention.\n")
    assert list(tmp_path.iterdir()) == []


def test_acknowledged_alerts_are_listed_and_not_told(scene):
    """Somebody knows: it lasts, and nobody hears of it."""
    from deduplication.alerts import alert, book, evaluation

    evaluation.raise_only(scene.place(), alert.HOOK, "Stop", [alert.Raised(alert.HOOK, "Stop", "it failed")])
    assert run(scene, "ack").returncode == 0
    assert [each.state for each in book.load(scene.folder).present()] == [alert.ACKNOWLEDGED]
    again = evaluation.raise_only(scene.place(), alert.HOOK, "Stop", [alert.Raised(alert.HOOK, "Stop", "it failed")])
    assert again.raised == ()
