"""What is too large for the database lies in a folder that the team names, or stays on its machine, which is said."""

from __future__ import annotations

import random

import pytest

from archives import Archives, objects
from deduplication.errors import ArchiveDamaged
from deduplication.project import config
from deduplication.shared_archive.checking import check
from deduplication.shared_archive.standing import standing

LARGE = {"large.txt": random.Random(1).randbytes(400_000)}
SMALL = {"small.txt": b"A small one.\n" * 100}


@pytest.fixture
def archives(tmp_path, newest_database, monkeypatch):
    """Machines on an empty database that takes files of 100 kB."""
    monkeypatch.setitem(config.DEFAULTS, "archive_database_mb", 0.1)
    return Archives(tmp_path, newest_database)


@pytest.fixture
def team(tmp_path, monkeypatch):
    """The folder of the team."""
    folder = tmp_path / "team"
    folder.mkdir()
    monkeypatch.setitem(config.DEFAULTS, "archive_folder", str(folder))
    return folder


def _both(archives):
    archives.add("a", LARGE)
    archives.add("a", SMALL)


def test_without_a_folder_it_stays_and_that_is_said(archives):
    """The exchange, what stands, and a restore elsewhere, which gives the others."""
    _both(archives)
    sent = archives.send("a")
    assert [held.name for held in sent.stays] == ["packs/pack-0001.pack"]
    assert (standing(archives.project("a")).waiting, standing(archives.project("a")).stays) == (0, 1)
    found, lost = {}, []
    with pytest.raises(ArchiveDamaged, match="alone"):
        archives.restored("b")
    with archives.shelf("b") as shelf:
        (entry,) = shelf.find("small.txt")
        found = b"".join(shelf.parts(entry))
    assert (found, lost) == (SMALL["small.txt"], [])
    assert check(archives.project("a"), archives.place) == []


def test_a_folder_has_it_and_lets_go_of_it(archives, team):
    """Restored from there; once it is replaced, or damaged and sent again, the folder has what is needed."""
    _both(archives)
    assert archives.send("a").stays == []
    (path,) = team.iterdir()
    assert archives.restored("b") == ({**LARGE, **SMALL}, [])
    data = path.read_bytes()
    path.write_bytes(data[:1000] + bytes(9_000) + data[10_000:])
    assert "pack-0001.pack" in check(archives.project("a"), archives.place)[0]
    assert archives.send("a", thorough=True).files == 1
    assert path.read_bytes() == data
    path.unlink()
    assert "nothing of it is in" in check(archives.project("a"), archives.place)[0]
    assert archives.send("a", thorough=True).files == 1
    assert archives.restored("c") == ({**LARGE, **SMALL}, [])
    names = objects(archives)
    archives.add("a", {f"{n}.txt": random.Random(n).randbytes(200_000) for n in range(2)})
    archives.pack_all("a")
    archives.send("a")
    assert len(list(team.iterdir())) == 1
    assert set(objects(archives)).isdisjoint(names)


def test_a_folder_that_cannot_be_written_costs_no_more_than_that(archives, team):
    """It stays, the rest is sent, and with the folder back it is sent, too."""
    team.rmdir()
    _both(archives)
    sent = archives.send("a")
    assert len(sent.stays) == len(sent.problems) == 1
    team.mkdir()
    assert archives.send("a").files == 1
    assert archives.restored("b") == ({**LARGE, **SMALL}, [])
