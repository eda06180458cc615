"""Alerts are delivered once each, whatever fails: to a mail server, to a web server that refuses, hangs and comes back."""

from __future__ import annotations

import email
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from alert_scenes import Scene, hook
from conftest import REPOSITORY
from deduplication.alerts import alert, book, delivery, evaluation, quiet_hours, sender
from deduplication.alerts.alert import Raised
from thorough import THOROUGH

pytest.importorskip("apprise")
MAIN = REPOSITORY / "scripts" / "deduplication" / "__main__.py"


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """A project with a store; a try that failed is made again at once."""
    monkeypatch.setattr(sender, "FIRST_PAUSE", 0.05)
    made = Scene(tmp_path / "project")
    made.root.mkdir()
    made.export("tide", ["one", "two"])
    return made


@pytest.fixture
def server():
    """A web server that takes alerts."""
    with hook() as made:
        yield made


@pytest.fixture
def mailbox():
    """A mail server on this machine: what came, and its address as a target."""
    controller_of = pytest.importorskip("aiosmtpd.controller")
    came = []

    class Handler:
        async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - its name for it
            came.append(email.message_from_bytes(envelope.content))
            return "250 taken"

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = controller_of.Controller(Handler(), hostname="127.0.0.1", port=port)
    controller.start()
    address = f"mailto://127.0.0.1:{port}?from=store@example.invalid&to=ada@example.invalid&mode=insecure"
    try:
        yield came, address
    finally:
        controller.stop()


def raise_alerts(scene, count, rule=alert.CAPTURE, **settings):
    """So many alerts, each told; what is in the queue then."""
    place = scene.place(**settings)
    for number in range(count):
        evaluation.raise_only(
            place, rule, f"{number}", [Raised(rule, f"{number}", f"what happened, number {number}", "Do it.")]
        )
    return book.load(scene.folder).queue


def deliver(scene, lifetime=20.0, **settings):
    """Send what waits; what still does then."""
    return sender.deliver(scene.folder, {**scene.settings, **settings}, lifetime=lifetime)


def test_each_target_gets_each_alert_once(scene, server, mailbox):
    """A mail and a web server, whose answers are good."""
    came, address = mailbox
    targets = {"mail": address, "team": server.address}
    assert len(raise_alerts(scene, 3, alert_targets=targets)) == 6
    assert deliver(scene, alert_targets=targets) == []
    assert deliver(scene, alert_targets=targets) == []
    assert server.titles == ["❌ export-dedup: Critical: capture failed"] * 3
    assert sorted(each["message"].splitlines()[0] for each in server.taken) == [
        f"what happened, number {n}" for n in range(3)
    ]
    assert len(came) == 3
    assert len({each["Message-ID"] for each in came}) == 3


def test_one_that_fails_costs_the_others_nothing(scene, server, mailbox):
    """What the mail server took is not sent to it again while the other one refuses; which gets it when it comes back."""
    came, address = mailbox
    targets = {"team": server.address, "mail": address}
    server.status = 500
    raise_alerts(scene, 2, alert_targets=targets)
    left = deliver(scene, lifetime=0.5, alert_targets=targets)
    assert {each.target for each in left} == {"team"}
    assert all(each.error and each.tries > 1 for each in left)
    assert (len(came), server.taken) == (2, [])
    server.status = 200
    assert deliver(scene, alert_targets=targets) == []
    assert (len(came), len(server.taken)) == (2, 2)


def test_one_that_is_not_there_is_tried_again(scene, server):
    """No connection at all is a failure as any other."""
    address = server.address
    server.close()
    raise_alerts(scene, 1, alert_targets={"team": address})
    left = deliver(scene, lifetime=0.2, alert_targets={"team": address})
    assert [each.error for each in left] == ["it was refused, or could not be reached"]


def child(scene, target):
    """The process that hooks start."""
    return subprocess.Popen(
        [sys.executable, str(MAIN), "alerts", "send", "--quiet", "--project", str(scene.root)],
        env={**os.environ, "EXPORT_DEDUP_ALERT_TARGETS": f"team={target}", "EXPORT_DEDUP_ALERT_DISK_PERCENT": "0"},
        stdin=subprocess.DEVNULL,
    )


def until(holds):
    """Wait for another process."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_a_killed_sender_left_is_sent_by_the_next_one(scene, server):
    """Killed while the server hangs, before a word of an answer: nothing is lost, and nothing taken twice."""
    raise_alerts(scene, 4, alert.SLOW, alert_targets={"team": server.address})
    server.go_on.clear()
    server.status = 500  # what hangs now is not taken
    process = child(scene, server.address)
    until(lambda: server.asked)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    server.go_on.set()
    until(lambda: server.asked >= 1)
    time.sleep(0.1)
    server.status = 200
    assert len(book.load(scene.folder).queue) == 4
    assert child(scene, server.address).wait() == 0
    assert book.load(scene.folder).queue == []
    texts = [each["message"].splitlines()[0] for each in server.taken]
    assert sorted(texts) == [f"what happened, number {n}" for n in range(4)]


@pytest.mark.slow
@pytest.mark.unmeasured
@pytest.mark.skipif(not THOROUGH, reason="a sweep: EXPORT_DEDUP_THOROUGH=1")
def test_no_kill_loses_an_alert(scene, server, capsys):
    """Killed at any moment, twenty times: each is taken; what was taken while it was killed may come again, with the same id."""
    raise_alerts(scene, 40, alert.SLOW, alert_targets={"team": server.address})
    kills = 0
    for number in range(20):
        before = server.asked
        process = child(scene, server.address)
        until(lambda before=before, process=process: server.asked > before or process.poll() is not None)
        time.sleep(0.003 * (number % 7))
        process.kill()
        kills += process.wait() != 0
    assert child(scene, server.address).wait() == 0
    ids = [each["message"].splitlines()[-1] for each in server.taken]
    assert len(set(ids)) == 40
    assert len(ids) <= 40 + kills
    with capsys.disabled():
        print(f"\n40 alerts, {kills} kills, {len(ids)} deliveries, {len(ids) - len(set(ids))} of them a second time")


def test_two_senders_do_not_meet(scene, server):
    """The second one leaves the queue to the first."""
    raise_alerts(scene, 2, alert_targets={"team": server.address})
    server.go_on.clear()
    settings = {**scene.settings, "alert_targets": {"team": server.address}}
    first = threading.Thread(target=sender.deliver, args=(scene.folder, settings))
    first.start()
    until(lambda: server.asked)
    assert len(sender.deliver(scene.folder, settings)) == 2
    assert server.asked == 1
    server.go_on.set()
    first.join()
    assert len(server.taken) == 2


def test_an_alert_that_is_over_is_said_too(scene, server):
    """Once raised, once resolved; and neither again."""
    settings = {"alert_targets": {"team": server.address}}
    raise_alerts(scene, 1, **settings)
    raise_alerts(scene, 1, **settings)
    evaluation.raise_only(scene.place(**settings), alert.CAPTURE, "0", [])
    evaluation.raise_only(scene.place(**settings), alert.CAPTURE, "0", [])
    assert deliver(scene, **settings) == []
    assert server.titles == ["❌ export-dedup: Critical: capture failed", "✓ export-dedup: Resolved: capture failed"]


@pytest.mark.parametrize(("level", "sent"), [("critical", 0), ("warning", 1), ("information", 1)])
def test_targets_get_what_is_urgent_enough(scene, server, level, sent):
    """The setting names the lowest level that is sent."""
    assert (
        len(raise_alerts(scene, 1, rule=alert.HOOK, alert_targets={"team": server.address}, alert_level=level)) == sent
    )


def test_secrets_are_neither_sent_nor_kept(scene, server, monkeypatch):
    """An address's secret stays in the environment, a text's is redacted before it is queued."""
    monkeypatch.setenv("TOKEN_OF_THE_TEAM", "s3cr3t-in-the-address")
    target = {"team": server.address + "?+X-Token=${TOKEN_OF_THE_TEAM}"}
    key = "AKIA" + "IOSFODNN7EXAMPLF"
    evaluation.raise_only(
        scene.place(alert_targets=target), alert.HOOK, "x", [Raised(alert.HOOK, "x", f"the key {key} was refused", "")]
    )
    queued = book.load(scene.folder).queue
    assert key not in queued[0].text
    assert "s3cr3t" not in (scene.project.state / "alerts.json").read_text(encoding="utf-8")
    assert deliver(scene, alert_targets=target) == []
    assert key not in json.dumps(server.taken)


def test_without_the_package_it_is_said_what_to_install(scene, server, monkeypatch):
    """One clear line, and nothing is lost."""
    monkeypatch.setattr(delivery, "is_installed", lambda: False)
    settings = {"alert_targets": {"team": server.address}}
    raise_alerts(scene, 1, **settings)
    left = deliver(scene, lifetime=0.0, **settings)
    assert left[0].error.endswith("apprise, which sends alerts")
    assert "pip install apprise" in sender.obstacle({**scene.settings, **settings})
    assert not sender.start_where_due(scene.folder, {**scene.settings, **settings}, str(scene.root))


def test_a_target_that_is_no_longer_set_gets_nothing(scene, server):
    """What waits for it says why, until it is given up."""
    raise_alerts(scene, 1, alert_targets={"team": server.address})
    assert [each.error for each in deliver(scene, lifetime=0.0)] == ["there is no such target any more"]
    assert server.asked == 0


def test_in_quiet_hours_only_what_is_critical_is_sent(scene, server, monkeypatch):
    """The rest waits for their end, and is sent then."""
    settings = {"alert_targets": {"team": server.address}, "alert_quiet_hours": "00:00-23:59"}
    now = time.time()
    monkeypatch.setattr(quiet_hours, "ends", lambda _hours, moment: max(moment, now + 0.3))
    raise_alerts(scene, 1, rule=alert.HOOK, **settings)
    raise_alerts(scene, 1, **settings)
    left = deliver(scene, lifetime=0.0, **settings)
    assert [each.level for each in left] == ["warning"]
    assert server.titles == ["❌ export-dedup: Critical: capture failed"]
    assert deliver(scene, **settings) == []
    assert len(server.taken) == 2


HOURS = {
    "none are set": ("", "12:00", None),
    "before them": ("22:00-07:00", "21:59", None),
    "in the evening": ("22:00-07:00", "22:00", "07:00 tomorrow"),
    "after midnight": ("22:00-07:00", "06:59", "07:00"),
    "their end": ("22:00-07:00", "07:00", None),
    "in the day": ("12:00-14:30", "13:00", "14:30"),
    "no hours": ("night", "13:00", None),
}


@pytest.mark.parametrize(("hours", "now", "end"), HOURS.values(), ids=HOURS)
def test_quiet_hours_end_on_the_user_s_own_clock(hours, now, end):
    """Over midnight, too."""
    moment = time.mktime(time.strptime(f"2026-12-01 {now}", "%Y-%m-%d %H:%M"))
    found = quiet_hours.ends(hours, moment)
    if end is None:
        assert found == moment
    else:
        day = "2026-12-02" if "tomorrow" in end else "2026-12-01"
        assert time.strftime("%Y-%m-%d %H:%M", time.localtime(found)) == f"{day} {end[:5]}"
