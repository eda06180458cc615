"""Killed anywhere, the next exchange completes; what is damaged in the database is named, and never restored as if whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from archive_scenes import texts
from archives import Archives, objects
from conftest import REPOSITORY
from deduplication.errors import ArchiveDamaged
from deduplication.shared_archive import local_files
from deduplication.shared_archive.checking import check
from deduplication.storage.database.archive_tables import ArchiveTables
from deduplication.storage.database.errors import DatabaseUnreachable
from deduplication.storage.database.place import Place
from deduplication.storage.database.session import Session

RANDOM = {f"{n}.txt": random.Random(n).randbytes(9_000) for n in range(3)}


@pytest.fixture
def archives(tmp_path, newest_database, monkeypatch):
    """Machines on an empty database; objects have many parts."""
    monkeypatch.setattr(local_files, "PART", 2_000)
    return Archives(tmp_path, newest_database)


class _Killed(BaseException):
    """Nobody catches it."""


def test_stopped_at_any_call_the_next_exchange_completes(archives, monkeypatch):
    """Before and behind each call: others restore what was there before, or is there now, and nothing stays that nobody needs."""
    archives.add("a", RANDOM)
    archives.send("a")
    files = dict(RANDOM)
    real = Session.repeated
    stopped = 0
    for number, (name, data) in enumerate(texts(6).items()):
        archives.add("a", {name: data})
        left = number

        def counted(session, action, before=bool(number % 2)):
            nonlocal left
            left -= 1
            if left < 0 and before:
                raise _Killed
            found = real(session, action)
            if left < 0:
                raise _Killed
            return found

        monkeypatch.setattr(Session, "repeated", counted)
        try:
            archives.send("a")
        except _Killed:
            stopped += 1
        monkeypatch.setattr(Session, "repeated", real)
        found, _ = archives.restored("b")
        assert {each: found[each] for each in files} == files
        files[name] = data
        sent = archives.send("a")
        assert sent.problems == []
        assert archives.restored("b") == (files, [])
        assert archives.send("a").files == 0
    assert stopped > 3
    packs = archives.project("a").archive / "packs"
    assert len(objects(archives)) == len(list(packs.iterdir()))


@pytest.mark.slow
def test_killed_at_random_the_next_exchange_completes(archives, newest_database):
    """A process that sends is killed: what it sent is not sent again, and nothing is lost."""
    files = {f"{n}.bin": random.Random(n).randbytes(3_000_000) for n in range(3)}
    archives.add("a", files)
    script = (
        "import sys; from pathlib import Path; from deduplication.project.paths import Project;"
        "from deduplication.storage.database.place import Place; from deduplication.shared_archive.exchange import exchange;"
        "exchange(Project(Path(sys.argv[1])), Place(sys.argv[2]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "scripts")}
    chance = random.Random(8)
    for _ in range(8):
        root = str(archives.project("a").root)
        child = subprocess.Popen([sys.executable, "-c", script, root, newest_database], env=environment)
        time.sleep(chance.uniform(0.05, 0.6))
        child.send_signal(signal.SIGKILL)
        child.wait()
    archives.send("a")
    assert archives.restored("b") == (files, [])
    packs = archives.project("a").archive / "packs"
    assert len(objects(archives)) == len(list(packs.iterdir()))


def _damage(archives, what):
    (name, part), *_ = archives.execute(
        "SELECT name, part FROM archive_objects WHERE name LIKE %s ORDER BY size DESC, name, part LIMIT 1", "object/%"
    )
    archives.execute(f"{what} WHERE name = %s AND part = %s", name, part)


DAMAGE = {
    "a flipped byte": "UPDATE archive_objects SET data = set_byte(data, 700, get_byte(data, 700) # 255)",
    "bytes with a hash of their own": "UPDATE archive_objects SET data = set_byte(data, 700, get_byte(data, 700) # 255), "
    "sha256 = encode(sha256(set_byte(data, 700, get_byte(data, 700) # 255)), 'hex')",
    "a part that is cut": "UPDATE archive_objects SET data = substr(data, 1, 100)",
    "a part that is gone": "DELETE FROM archive_objects",
}


@pytest.mark.parametrize("what", DAMAGE.values(), ids=list(DAMAGE))
def test_damage_is_named_and_mended(archives, what):
    """verify names the pack; a restore gives the right bytes or none; an exchange that looks at all of it sends it once more."""
    archives.add("a", RANDOM)
    archives.send("a")
    assert check(archives.project("b"), archives.place) == []
    _damage(archives, what)
    (line,) = check(archives.project("b"), archives.place)
    assert ".pack of the archive on " in line
    try:
        found, _ = archives.restored("b")
    except ArchiveDamaged:
        found = {}
    assert found.items() <= RANDOM.items()
    assert archives.send("a", thorough=True).files == 1
    assert check(archives.project("b"), archives.place) == []
    assert archives.restored("b") == (RANDOM, [])
    assert archives.send("a", thorough=True).files == 0


def test_bytes_that_came_damaged_are_not_kept(archives, monkeypatch):
    """The next restore asks for them again."""
    archives.add("a", RANDOM)
    archives.send("a")
    real = ArchiveTables.data
    monkeypatch.setattr(ArchiveTables, "data", lambda tables, name, part: real(tables, name, part)[::-1])
    found, lost = archives.restored("b")
    assert (found, lost[1:]) == ({}, list(RANDOM))
    monkeypatch.setattr(ArchiveTables, "data", real)
    assert archives.restored("b") == (RANDOM, [])


@pytest.mark.usefixtures("nobody_is_waited_for")
def test_without_the_database_what_is_here_is_restored(archives):
    """And what may be elsewhere is said to be unknown."""
    archives.add("a", RANDOM)
    found, lost = archives.restored("a", place=Place("postgresql://nobody@127.0.0.1:1/none"))
    assert found == RANDOM
    assert len(lost) == 1
    assert lost[0].startswith(str(DatabaseUnreachable("")).rstrip(": "))
