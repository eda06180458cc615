"""What is damaged or gone in an archive comes back from the database that has it, too: proven, and told."""

from __future__ import annotations

import json
import shutil

import pytest

from archives import Archives
from deduplication.commands import export_dedup
from deduplication.exchange import sending
from exports import Story
from in_process import call

AWAY = {"EXPORT_DEDUP_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
both = pytest.mark.parametrize("backend", ["hybrid", "postgresql"])


@pytest.fixture
def archives(tmp_path, newest_database, monkeypatch):
    """Machines on an empty database; a run of a hybrid store starts nothing in the background."""
    monkeypatch.setenv("EXPORT_DEDUP_DATABASE_URL", newest_database)
    monkeypatch.setattr(sending, "start", lambda _store: None)
    return Archives(tmp_path, newest_database)


class Machine:
    """A project with three archived exports, whose log and archive the database has, and nobody else."""

    def __init__(self, archives, backend):
        self.archives, self.project = archives, archives.project("a")
        self.where = ("--project", self.project.root, "--backend", backend)
        self.files = {file.name: file.data for file in Story(3, exchanges=9).exports(3)}
        self.project.exports.mkdir()
        for name, data in self.files.items():
            (self.project.exports / name).write_bytes(data)
        assert call(*self.where, "--yes", "--no-checkpoint", main=export_dedup.main).returncode == 0
        assert self.call("sync").returncode == 0
        (self.pack,) = (self.project.archive / "packs").glob("*.pack")

    def call(self, *arguments, **more):
        """A subcommand."""
        return call(*arguments, *self.where, **more)

    def damage(self, how):
        """More than the parity of the pack makes good."""
        if how == "blanked":
            data = bytearray(self.pack.read_bytes())
            data[100:-100] = bytes(len(data) - 200)
            self.pack.write_bytes(data)
        elif how == "gone":
            self.pack.unlink()
        elif how == "packs":
            shutil.rmtree(self.pack.parent)
        else:
            shutil.rmtree(self.project.archive)

    def restored(self):
        """Every file that the archive gives without asking anybody."""
        out = self.archives.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        call("restore", "--all", out, "--project", self.project.root, "--backend", "default")
        return {path.name: path.read_bytes() for path in out.iterdir()}


@both
@pytest.mark.parametrize("how", ["blanked", "gone", "packs", "everything"])
def test_lost_packs_come_back_from_the_database(archives, backend, how):
    """Every file byte for byte; where it was taken from is told, the damaged pack is kept aside, and store and archive verify."""
    machine = Machine(archives, backend)
    machine.damage(how)
    assert machine.restored() == {}
    damaged = machine.pack.read_bytes() if how == "blanked" else None
    done = machine.call("repair")
    assert done == (0, done.stdout, "")
    assert done.stdout.count("taken from the database postgresql://") == len(machine.files)
    assert machine.restored() == machine.files
    assert machine.call("verify").returncode == 0
    kept = [path.read_bytes() for path in (machine.project.archive / "quarantine").glob("*.pack")]
    assert kept == ([damaged] if damaged else [])


@both
def test_a_dry_run_tells_the_same_and_changes_nothing(archives, backend):
    """Nothing that was fetched stays."""
    machine = Machine(archives, backend)
    machine.damage("blanked")
    before = {path: path.read_bytes() for path in machine.project.root.rglob("*") if path.is_file()}
    done = machine.call("repair", "--dry-run")
    assert done.stdout.count("repair takes it from the database postgresql://") == len(machine.files)
    assert {path: path.read_bytes() for path in machine.project.root.rglob("*") if path.is_file()} == before


@pytest.mark.usefixtures("nobody_is_waited_for")
@both
def test_a_database_that_cannot_be_reached_is_named_and_the_rest_is_repaired(archives, backend):
    """A hybrid store's log does without it. Nothing is given up meanwhile; once it answers the files come back."""
    machine = Machine(archives, backend)
    machine.damage("blanked")
    done = machine.call("repair", "--accept-lost", "--json", environment=AWAY)
    if backend == "postgresql":  # whose log nobody can ask, either
        assert (done.returncode, "cannot be reached" in done.stderr) == (1, True)
    else:
        told = json.loads(done.stdout)
        assert done.returncode == 1
        (note,) = [each for each in told["notes"] if "database" in each]
        assert "could not be asked" in note
        assert "127.0.0.1:1" in note
        assert (len(told["lost"]), told["given_up"]) == (len(machine.files), [])
        assert "damaged-" in told["quarantined"][0]
    assert machine.restored() == {}
    assert machine.call("repair").returncode == 0
    assert machine.restored() == machine.files


def test_bytes_that_are_damaged_in_the_database_replace_nothing(archives):
    """They are not what was sent: that is told, and the files stay lost until somebody has them."""
    machine = Machine(archives, "hybrid")
    archives.execute("UPDATE archive_objects SET data = substr(data, 1, 9) WHERE name LIKE 'object/%'")
    machine.damage("gone")
    done = machine.call("repair", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, len(told["lost"])) == (1, len(machine.files))
    assert any("in the database" in note for note in told["notes"]), told["notes"]
    assert machine.restored() == {}


def test_nobody_is_asked_where_nothing_is_lost(archives):
    """What the archive's own parity mends needs no network."""
    machine = Machine(archives, "hybrid")
    data = bytearray(machine.pack.read_bytes())
    data[200:204] = b"\0\0\0\0"
    machine.pack.write_bytes(data)
    done = machine.call("repair", environment=AWAY)
    assert done.returncode == 0
    assert "could not be asked" not in done.stdout
    assert machine.restored() == machine.files


def test_a_damaged_plain_file_of_a_store_in_a_database_is_set_aside(archives):
    """Its right bytes lie in a pack then, and what it was in quarantine."""
    machine = Machine(archives, "postgresql")
    archives.add("a", {"plain.txt": b"The tide turns at nine.\n" * 50}, pack=False)
    archives.send("a")
    path = machine.project.archive / "plain.txt"
    path.write_bytes(b"damaged")
    done = machine.call("repair")
    assert done.returncode == 0
    assert not path.exists()
    (kept,) = (machine.project.archive / "quarantine").iterdir()
    assert kept.read_bytes() == b"damaged"
    assert f"exports-archive/quarantine/{kept.name}" in done.stdout
    assert machine.restored() == {**machine.files, "plain.txt": b"The tide turns at nine.\n" * 50}
