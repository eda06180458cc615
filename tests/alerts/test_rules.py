"""Each rule finds what it is there for, says nothing where that is not so, and tells it once."""

from __future__ import annotations

import json
import shutil
import time

import pytest

from alert_scenes import Scene
from conftest import REPOSITORY
from deduplication.alerts import alert, book, capture, conditions, evaluation, missing, run_rules, soundness
from deduplication.alerts.audit_tail import AuditTail
from deduplication.commands import export_dedup
from deduplication.errors import StoreLocked
from deduplication.files import clock
from deduplication.gaps import gap, look
from deduplication.gaps.found import Found
from deduplication.project import config, tightening
from deduplication.storage.audit_entries import AuditEntry
from deduplication.workflow import alert_step
from in_process import call


@pytest.fixture
def scene(tmp_path):
    """A project with a store of two messages."""
    made = Scene(tmp_path / "project")
    made.root.mkdir()
    made.export("tide", ["one", "two"])
    return made


def entry(conversation="tide", total=100, known=0, seconds=0.1, size=1000, ago=0.0, name="notes.txt"):
    """What the audit says of an export."""
    said = {"name": name, "bytes": size}
    moment = clock.spelt(time.time() - ago)
    return AuditEntry(conversation, "process_export", total, known, 0.0, int(seconds * 1000), moment, said)


def asked(rule, scene, entries=(), held=None, **settings):
    """What a rule finds: the names of rules."""
    place = scene.place(**settings)
    tail = AuditTail(place)
    tail.__dict__["entries"] = list(entries)
    return [each.rule for each in rule(place, held or book.Book(), tail)]


def rates(known, exports=6):
    """Six exports of a conversation that was exported before, each with so many known messages of a hundred."""
    return [entry(ago=10.0 - number, known=known if number else 0) for number in range(exports + 1)]


RUNS = {  # entries are made when the test runs: the rules look at the last hour
    "an export that took long": (run_rules.exports, lambda: [entry(seconds=10.5)], {}, [alert.SLOW]),
    "one that did not": (run_rules.exports, lambda: [entry(seconds=9.5)], {}, []),
    "one that took as long as the user likes": (
        run_rules.exports,
        lambda: [entry(seconds=10.5)],
        {"alert_export_seconds": 0},
        [],
    ),
    "a large export": (run_rules.exports, lambda: [entry(size=10_000_001)], {}, [alert.LARGE]),
    "one that is not": (run_rules.exports, lambda: [entry(size=10_000_000)], {}, []),
    "what happened long ago": (run_rules.exports, lambda: [entry(seconds=10.5, ago=9_000)], {}, []),
    "few known messages": (run_rules.rates, lambda: rates(49), {}, [alert.LOW_RATE]),
    "half of them": (run_rules.rates, lambda: rates(50), {}, []),
    "all of them": (run_rules.rates, lambda: rates(100), {}, [alert.HIGH_RATE]),
    "nearly all": (run_rules.rates, lambda: rates(99), {}, []),
    "too few exports to tell": (run_rules.rates, lambda: rates(0, 4), {}, []),
    "first exports": (run_rules.rates, lambda: [entry(f"c{number}") for number in range(9)], {}, []),
}


@pytest.mark.parametrize(("rule", "entries", "settings", "found"), RUNS.values(), ids=RUNS)
def test_rules_of_runs(scene, rule, entries, settings, found):
    """At their thresholds, which are the settings'."""
    assert asked(rule, scene, entries(), **settings) == found


@pytest.mark.parametrize(("free", "held", "found"), [(9, False, 1), (10, False, 0), (10.5, True, 1), (11.5, True, 0)])
def test_a_full_disk_is_told_until_there_is_room_again(scene, monkeypatch, free, held, found):
    """Less than ten in a hundred; and not over at once where it changes around that."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1000, 0, int(10 * free)))
    before = book.Book()
    if held:
        before.merge([alert.Raised(alert.DISK, "", "x")], clock.timestamp())
    assert len(asked(conditions.disk, scene, held=before)) == found


def test_a_store_that_shrank_is_told_by_the_book(scene):
    """What the original lost overnight, unnoticed."""
    evaluation.update(scene.place())
    assert book.load(scene.folder).total == 2
    with book.changing(scene.folder) as held:
        held.total = 220_741
    change = evaluation.update(scene.place())
    assert [each.text for each in change.raised] == [
        "the store had 220,741 messages and has 2 now, and nothing was purged"
    ]
    assert evaluation.update(scene.place()).raised == ()


def test_a_store_that_was_replaced_is_told_by_the_status_log(scene):
    """With its folder the book is gone, too; the status log lies beside it. Who takes note of it hears it no more."""
    line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} · Status: ✅ SUCCESS · 1 new, 1 duplicate · 220,741 in storage · 1.00 s\n"
    scene.project.status_log.write_text(line, encoding="utf-8")
    assert [each.rule for each in evaluation.update(scene.place()).raised if each.level == "critical"] == [alert.SHRUNK]
    time.sleep(1.1)
    assert call("alerts", "ack", "--project", str(scene.root)).returncode == 0
    for _ in range(2):
        assert evaluation.update(scene.place()).present == ()


def test_a_purge_makes_a_store_smaller_and_is_no_alert(scene):
    """What was asked for is not lost."""
    scene.export("other", ["three", "four", "five"])
    evaluation.update(scene.place())
    ended = call("purge", "--project", str(scene.root), "--session", "other", "--yes")
    assert ended.returncode == 0, ended.stderr
    assert evaluation.update(scene.place()).present == ()
    assert book.load(scene.folder).total == 2


def test_damage_is_told_by_verify_and_over_when_it_finds_none(scene):
    """Without reading the whole log with every run."""
    log = scene.project.state / "conversation_log.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole.replace(b'"two"', b'"tow"'))
    assert call("verify", "--project", str(scene.root)).returncode == 1
    change = evaluation.update(scene.place())
    assert alert.CORRUPTION in [each.rule for each in change.raised]
    log.write_bytes(whole)
    call("repair", "--project", str(scene.root))
    assert call("verify", "--project", str(scene.root)).returncode == 0
    assert [each.rule for each in evaluation.update(scene.place()).present] == []


def test_an_archive_that_lost_a_file_is_told_once_a_day(scene):
    """It is looked at where there is time; in between nobody says that it is whole again."""
    shutil.copy(next((REPOSITORY / ".coditect" / "demo").glob("*.txt")), scene.root)
    assert call("--yes", "--no-checkpoint", "--project", str(scene.root), main=export_dedup.main).returncode == 0
    shutil.rmtree(scene.project.archive / "packs")
    assert [each.about for each in evaluation.update(scene.place(), thorough=True).present] == ["archive"]
    assert [each.about for each in evaluation.update(scene.place(), thorough=True).present] == ["archive"]


def test_a_database_that_does_not_answer_is_critical(scene):
    """And nothing is said of what nobody can know then."""
    pytest.importorskip("psycopg")
    from deduplication.alerts.place import opened

    place = opened(
        scene.project, scene.folder, scene.settings, backend="postgresql", url="postgresql://ada@127.0.0.1:1/tides"
    )
    assert place.store is None
    assert [each.rule for each in evaluation.present(place)] == [alert.DATABASE]


def test_content_at_new_indexes_is_told(scene):
    """A conversation that says everything twice; not one in which somebody says yes again and again."""
    words = [f"sentence number {number} about the harbour" for number in range(60)]
    scene.export("twice", words + words)
    scene.export("often", [text for word in words for text in (word, f"more of {word}", "yes")])
    change = evaluation.update(scene.place())
    assert [each.about for each in change.raised if each.rule == alert.REPEATED] == ["twice"]


def test_a_new_conversation_and_a_day_are_told_once(scene, monkeypatch):
    """Events: they are over when they were told."""
    first = evaluation.update(scene.place())
    assert [(each.rule, each.about, each.state) for each in first.raised] == [(alert.CONVERSATION, "tide", alert.TOLD)]
    scene.export("tide", ["one", "two", "three"])
    assert evaluation.update(scene.place()).raised == ()
    tomorrow = clock.spelt(time.time() + 86_400)
    with clock.stands_at(tomorrow):
        told = evaluation.update(scene.place()).raised
    assert [each.rule for each in told] == [alert.SUMMARY]
    assert "2 exports with 5 messages, 2 of them known" in told[0].text


def test_an_old_backup_is_told_and_none_is_not(scene, tmp_path, monkeypatch):
    """Who makes backups wants them to be new."""
    assert asked(conditions.backups, scene) == []
    assert call("backup", str(tmp_path / "backup"), "--project", str(scene.root)).returncode == 0
    assert asked(conditions.backups, scene) == []
    later = time.time() + 31 * 86_400
    monkeypatch.setattr(conditions.time, "time", lambda: later)
    assert asked(conditions.backups, scene) == [alert.BACKUP]
    assert asked(conditions.backups, scene, alert_backup_days=40) == []
    shutil.rmtree(tmp_path / "backup")
    assert asked(conditions.backups, scene) == []


def test_a_hook_that_fails_is_told_until_it_works(scene):
    """By the log of the hooks, and by when each was called."""
    state = scene.project.state
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 600))
    (state / "hooks.log").write_text(
        f"{stamp} Stop: KeyError: 'x'\n  a trace\n{stamp} x.txt: no export\n", encoding="utf-8"
    )
    (state / "hooks.json").write_text(json.dumps({"Stop": {"last": stamp, "count": 1}}), encoding="utf-8")
    assert asked(conditions.hooks, scene) == [alert.HOOK]
    again = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 300))
    (state / "hooks.json").write_text(json.dumps({"Stop": {"last": again, "count": 2}}), encoding="utf-8")
    assert asked(conditions.hooks, scene) == []


def test_a_purge_that_was_stopped_is_told(scene, monkeypatch):
    """And the store is left alone until it is finished."""
    monkeypatch.setattr(conditions.journal, "unfinished", lambda _: ("store",))
    assert asked(conditions.purges, scene) == [alert.PURGE]


def test_gaps_that_are_sure_are_told_by_their_kind(scene, monkeypatch):
    """Those that may have another explanation, and lines that the client always hides, are for who asks."""
    found = Found(
        (
            gap.Gap(gap.INDEX_JUMP, "3 messages are missing", gap.CERTAIN, "an export"),
            gap.Gap(gap.INDEX_JUMP, "1 message is missing", gap.CERTAIN, "an export"),
            gap.Gap(gap.AT_RISK, "perhaps", gap.POSSIBLE, ""),
            gap.Gap(gap.HIDDEN_LINES, "57 lines", gap.CERTAIN, ""),
        )
    )
    monkeypatch.setattr(look, "look", lambda *_args, **_more: found)
    place = scene.place()
    told = list(missing.gaps(place, book.Book(), AuditTail(place)))
    assert [(each.about, each.text) for each in told] == [(gap.INDEX_JUMP, "3 messages are missing, and 1 more")]


def test_one_rule_that_cannot_look_costs_only_itself(scene, monkeypatch):
    """And its alerts are neither raised nor over."""
    evaluation.raise_only(scene.place(), alert.BACKUP, "", [alert.Raised(alert.BACKUP, "", "old")])

    def fails(*_):
        raise PermissionError(13, "no")

    monkeypatch.setattr(conditions.os.path, "isfile", fails)
    assert [each.rule for each in evaluation.update(scene.place()).present] == [alert.BACKUP]


@pytest.mark.parametrize(("error", "said"), [(ValueError("ours"), "ValueError: ours"), (StoreLocked("theirs"), None)])
def test_no_run_fails_for_its_alerts(scene, monkeypatch, error, said):
    """Whatever happens while they are looked for: a run that is done is done, and a mistake of ours is said."""

    def fail(*_):
        raise error

    monkeypatch.setattr(evaluation, "update", fail)
    lines = []
    place = scene.place()
    alert_step.tell(place.project, place.folder, place.store, lines.append)
    assert [said in line for line in lines] == ([True] if said else [])


def test_no_alert_where_nobody_wants_any(scene):
    """The setting is the user's own."""
    with book.changing(scene.folder) as held:
        held.total = 100
    assert evaluation.present(scene.place(alerts=False)) == []
    assert evaluation.update(scene.place(alerts=False)) == evaluation.Change()


def test_present_writes_nothing(scene):
    """A page that asks every two seconds leaves nothing behind."""
    before = sorted(path.name for path in scene.project.state.rglob("*"))
    evaluation.present(scene.place())
    assert sorted(path.name for path in scene.project.state.rglob("*")) == before


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"alerts": [{}]}', b"\xff", b'{"alerts": 1, "queue": 2}'])
def test_a_book_that_is_none_is_begun_anew(scene, text):
    """What lasts is raised once more."""
    (scene.project.state / "alerts.json").write_bytes(text)
    assert book.load(scene.folder).alerts == []
    assert evaluation.update(scene.place()).raised


def test_every_rule_that_is_named_is_looked_for():
    """None is forgotten in the table, the levels, or the settings."""
    from deduplication.alerts.rules import RULES

    covered = {name.partition(":")[0] for rule in RULES for name in rule.covers}
    assert covered == set(alert.RULES)
    assert set(config.THRESHOLDS) <= set(config.DEFAULTS)
    assert tightening.together("alert_targets", {"mine": "x"}, {"theirs": "y"}) == {"mine": "x"}


def test_the_words_of_the_watchdog_name_the_session(scene):
    """And how much is missing of what."""
    from deduplication.alerts.watchdog import Watched

    told = capture.lacking("s", Watched(10, 6, (), 4))
    assert told.text == "session s: the client wrote 6 prompts and answers, 4 of them are not in the store"
    assert soundness.total_of(scene.place()) == 2
