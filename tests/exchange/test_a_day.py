"""A day of captures with the server away half of the time: nobody waits, and in the evening everything is there once, in order."""

from __future__ import annotations

import random

import pytest

import postgres_server
from deduplication.exchange import sending
from deduplication.storage.database.errors import DatabaseError
from machines import Machines
from thorough import THOROUGH
from truth_lines import Transcript, transcript_differences
from truth_session import Session

pytestmark = [pytest.mark.slow, pytest.mark.unmeasured]
CAPTURES = 500 if THOROUGH else 150


@pytest.fixture
def server(newest_postgres):
    """A server of its own, that is stopped and started; nobody waits for it longer than it takes to see that it is away."""
    with postgres_server.Server(newest_postgres.installation, durable=True) as server:
        yield server


@pytest.mark.usefixtures("nobody_is_waited_for")
def test_captures_of_two_machines_with_the_server_away_half_of_the_time(server, tmp_path):
    """Sessions of both, one that moves between them; the server is stopped, killed and started again all day."""
    chance = random.Random(500)
    machines = Machines(tmp_path, server.dsn(server.new_database()))
    sessions = [Transcript(f"day/{n}", Session(f"day/{n}", 30), compacted=(9,) if n % 2 else ()) for n in range(5)]
    refused, waited = 0, 0
    for number, (which, end) in enumerate(captures_of(sessions, chance)):
        away = number // 25 % 2
        if away and number % 25 == 0:
            chance.choice((server.stop, server.kill))()
        elif number % 25 == 0 and number:
            server.start()
        name = "ab"[number // 40 % 2 if which == 4 else which % 2]
        machines.capture(name, sessions[which], end)
        if number % 5 == 0:
            try:
                machines.exchange(name)
            except DatabaseError:
                refused += 1
                waited = max(waited, waits(machines.store(name)))
    assert refused == CAPTURES // 2 // 5
    assert waited > 15
    server.start()
    machines.together()
    assert [waits(machines.store(name)) for name in "ab"] == [0, 0]
    for transcript in sessions:
        assert transcript_differences(transcript, machines.told(transcript.session)) == []
    assert machines.exchange("c").received > CAPTURES - 20
    machines.together()


def captures_of(sessions, chance):
    """Which session was captured up to which line, all over the day."""
    found = []
    for which, transcript in enumerate(sessions):
        ends = chance.sample(range(2, len(transcript.lines)), CAPTURES // len(sessions) - 1)
        found += [(chance.random() + n, which, end) for n, end in enumerate([*sorted(ends), len(transcript.lines)])]
    return [(which, end) for _, which, end in sorted(found)]


def waits(store):
    """Runs that the database does not have."""
    with store.transaction(write=False):
        return sending.waits(store).runs
