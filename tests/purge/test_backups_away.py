"""A purge while a backup's disk is away: it is said until it is made up for, and whoever has the disk next makes it there."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import backup_reader
from deduplication.backup import folder as folders
from deduplication.backup import known, manifest, renewing, restoring, taking
from deduplication.backup.source import Source
from deduplication.commands import deduplicate_export
from deduplication.errors import BackupHasPurged, BackupRefused, NothingToPurge
from deduplication.purge.follow_up import renew_backups, verify
from deduplication.purge.run import purge
from deduplication.purge.scope import scope_of
from purge_scenes import Place, Talk, everything, left

TALKS = [Talk(name, 4, tools=False, images=False) for name in ("alder", "birch", "cedar", "doker")]
ALDER, BIRCH = TALKS[:2]


@pytest.fixture(params=["json", "default"])
def place(request, tmp_path):
    """A project with two conversations."""
    return filled(Place(tmp_path / "project", backend=request.param), TALKS[:2])


def filled(place, talks):
    """Some conversations in the store of a project."""
    for talk in talks:
        place.dedup.ingest(talk.text(), name=f"{talk.name}.txt", conversation_id=talk.name)
    return place


def command(place, name, *arguments):
    """Exit code of a command for this project, and what it said."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = deduplicate_export.main([name, *map(str, arguments), "--project", str(place.project.root)])
    return code, out.getvalue()


def purged(place, name="alder", *more):
    """The command that purges a conversation."""
    return command(place, "purge", "--session", name, "--yes", *more)


def has(folder, talk=ALDER):
    """Whether any word of a conversation is anywhere in a folder."""
    data = everything(folder)
    return any(word in data for word in talk.words())


def owed(place):
    """The folders of the backups that are said to have something."""
    return [each.path for each in known.owed(str(place.project.state))]


def test_it_is_said_until_the_next_backup_there(place, tmp_path):
    """By the purge, ``verify``, ``status`` and ``doctor``, with what to do; then it is gone, and nobody says so any more."""
    here, away, drawer = tmp_path / "here", tmp_path / "away", tmp_path / "drawer"
    for folder in (here, away):
        assert command(place, "backup", folder)[0] == 0
    away.rename(drawer)
    code, out = purged(place)
    assert code == 1
    assert f"Backups that got a fresh snapshot in the place of all earlier ones: {here}\n" in out
    assert f"The backup {away} may still have it: {away} has no backup" in out
    assert f"'deduplicate_export.py backup {away}' removes it there" in out
    assert (has(here), has(drawer), owed(place)) == (False, True, [str(away)])
    said = f"backup {away} may still have what was purged (1 purge)"
    for name, expected in (("verify", 0), ("status", 0), ("doctor", 1)):
        code, out = command(place, name)
        assert (code, said in out, f"deduplicate_export.py backup {away}" in out) == (expected, True, True), out
    assert json.loads(command(place, "verify", "--json")[1])["backups_with_purged"] == [
        {"folder": str(away), "purges": 1}
    ]
    assert json.loads(command(place, "status", "--json")[1])["backups_with_purged"] != []
    drawer.rename(away)
    code, out = command(place, "backup", away)
    assert (code, "Removed: 1 snapshot taken before a purge" in out) == (0, True), out
    assert (has(away), has(away, BIRCH), owed(place)) == (False, True, [])
    for name in ("verify", "status", "doctor"):
        assert "may still have" not in command(place, name)[1]
    assert command(place, "backup", away, "--verify")[0] == 0
    with pytest.raises(NothingToPurge):
        purged(place)


def test_the_same_purge_again_goes_on_with_the_backups(place, tmp_path):
    """It names those that are still away and ends with 1; with all of them there it ends with 0; a dry run changes nothing."""
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        command(place, "backup", folder)
        folder.rename(tmp_path / f"{folder.name} away")
    assert purged(place)[0] == 1
    (tmp_path / "one away").rename(one)
    code, out = command(place, "purge", "--session", "alder", "--dry-run")
    assert (code, f"{one}, {two}" in out, "Nothing was changed" in out, has(one)) == (0, True, True, True)
    code, out = purged(place)
    assert (code, "Nothing more to purge in the store" in out, f"The backup {two} may still have it" in out) == (
        1,
        True,
        True,
    )
    assert (has(one), owed(place)) == (False, [str(two)])
    (tmp_path / "two away").rename(two)
    code, out = purged(place, "alder", "--json")
    said = json.loads(out)
    assert (code, said["messages"], said["backups"], said["unreached_backups"]) == (0, 0, [str(two)], [])
    assert (has(two), owed(place)) == (False, [])


def test_another_purge_reaches_what_an_earlier_one_did_not(place, tmp_path):
    """Several purges may be missing in a backup; one visit makes up for all of them."""
    away, drawer = tmp_path / "away", tmp_path / "drawer"
    command(place, "backup", away)
    away.rename(drawer)
    assert purged(place, "alder")[0] == purged(place, "birch")[0] == 1
    assert "(2 purges)" in command(place, "verify")[1]
    drawer.rename(away)
    filled(place, TALKS[2:])
    assert purged(place, "cedar")[0] == 0
    assert [has(away, talk) for talk in TALKS] == [False, False, False, True]


def test_the_disk_may_be_mounted_elsewhere(place, tmp_path):
    """A backup is known by its own id: wherever it comes back, it is that one."""
    before, after = tmp_path / "before", tmp_path / "after"
    command(place, "backup", before)
    before.rename(after)
    assert purged(place)[0] == 1
    code, out = command(place, "backup", after)
    assert (code, has(after), owed(place)) == (0, False, []), out
    assert known.known(str(place.project.state)) == [str(after)]


def test_another_disk_in_its_place_is_another_backup(place, tmp_path):
    """Neither a fresh folder nor another backup of the store counts as the one that is away."""
    mount, first, second = tmp_path / "mount", tmp_path / "first", tmp_path / "second"
    command(place, "backup", mount)
    mount.rename(first)
    command(place, "backup", mount)
    mount.rename(second)
    second_id = folders.Folder(str(second)).id()
    mount.mkdir()
    code, out = purged(place)
    assert (code, out.count(f"The backup {mount} may still have it")) == (1, 2)
    mount.rmdir()
    second.rename(mount)
    code, out = purged(place)
    assert (code, "has another backup by now" in out) == (1, True)
    assert (has(mount), has(first)) == (False, True)
    (left_over,) = known.owed(str(place.project.state))
    assert left_over.id not in ("", second_id)
    mount.rename(second)
    assert command(place, "backup", mount)[0] == 0  # a third one, begun in the empty place
    assert len(known.owed(str(place.project.state))) == 1
    shutil.rmtree(mount)
    first.rename(mount)
    assert command(place, "backup", mount)[0] == 0
    assert (has(mount), owed(place)) == (False, [])


def test_a_copy_of_a_backup_becomes_one_of_its_own(place, tmp_path):
    """Both lie there with one id: the copy gets another, and each is cleaned, whichever had the purge already."""
    one, copy = tmp_path / "one", tmp_path / "copy"
    command(place, "backup", one)
    shutil.copytree(one, copy)
    assert purged(place)[0] == 0
    assert (has(one), has(copy)) == (False, True)
    code, out = command(place, "backup", copy)
    assert (code, "taken before a purge" in out) == (0, True)
    assert (has(copy), known.known(str(place.project.state))) == (False, [str(one), str(copy)])
    assert folders.Folder(str(one)).id() != folders.Folder(str(copy)).id()
    assert owed(place) == []


def test_a_link_to_a_backup_is_no_copy(place, tmp_path):
    """Two ways to one folder are one backup."""
    (tmp_path / "link").symlink_to(tmp_path / "one")
    command(place, "backup", tmp_path / "one")
    command(place, "backup", tmp_path / "link")
    assert known.known(str(place.project.state)) == [str(tmp_path / "one")]


def test_an_older_state_of_a_backup_that_was_put_back_is_cleaned(place, tmp_path):
    """It tells by the snapshots, not by what the store has noted."""
    one, old = tmp_path / "one", tmp_path / "old"
    command(place, "backup", one)
    shutil.copytree(one, old)
    assert purged(place)[0] == 0
    shutil.rmtree(one)
    old.rename(one)
    assert (has(one), owed(place)) == (True, [])
    assert command(place, "backup", one)[0] == 0
    assert not has(one)


def test_a_damaged_store_keeps_its_good_snapshots_and_says_so(place, tmp_path):
    """What was purged stays there until the store is whole again: that is said, with 1, and remembered."""
    away, drawer = tmp_path / "away", tmp_path / "drawer"
    picture = Talk("elder")
    place.capture(tmp_path / "client", picture)
    command(place, "backup", away)
    away.rename(drawer)
    assert purged(place)[0] == 1
    drawer.rename(away)
    blob = next((place.project.state / "blobs").glob("*/*"))
    whole = blob.read_bytes()
    blob.write_bytes(b"other")
    code, out = command(place, "backup", away)
    assert (code, "It may still have what was purged: the store is damaged" in out) == (1, True)
    assert (has(away), owed(place)) == (True, [str(away)])
    blob.write_bytes(whole)
    assert command(place, "backup", away)[0] == 0
    assert (has(away), owed(place)) == (False, [])


def test_a_snapshot_from_before_a_purge_is_not_restored_unsaid(place, tmp_path):
    """Where the store knows of the purge, or another snapshot does; ``--list`` marks it, ``--with-purged`` restores it."""
    away, drawer = tmp_path / "away", tmp_path / "drawer"
    command(place, "backup", away)
    away.rename(drawer)
    assert purged(place)[0] == 1
    with pytest.raises(BackupHasPurged, match="snapshot 1, from before 1 purge"):
        command(place, "backup", drawer, "--restore", "--output", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert command(place, "backup", drawer, "--restore", "--output", tmp_path / "out", "--with-purged")[0] == 0
    assert has(tmp_path / "out")
    # Killed between the fresh snapshot and the removal of the earlier one: the backup itself knows.
    real = taking._purge_earlier
    taking._purge_earlier = lambda *_: None
    try:
        command(place, "backup", drawer)
    finally:
        taking._purge_earlier = real
    shutil.rmtree(place.project.memory)
    code, out = command(place, "backup", drawer, "--list")
    assert (code, out.count("taken before a purge")) == (0, 1)
    rows = json.loads(command(place, "backup", drawer, "--list", "--json")[1])["snapshots"]
    assert [row["before_purge"] for row in rows] == [True, False]
    with pytest.raises(BackupHasPurged):
        command(place, "backup", drawer, "--restore", "--snapshot", 1)
    assert command(place, "backup", drawer, "--restore")[0] == 0
    assert left(place, ALDER.words()) == []
    # The store that was restored goes on where the backup was left.
    assert owed(place) == [str(drawer)]
    assert command(place, "backup", drawer)[0] == 0
    assert (has(drawer), owed(place)) == (False, [])


def test_a_store_that_was_restored_from_before_a_purge_is_told_so(place, tmp_path):
    """Another backup has snapshots from after a purge of which this store knows nothing."""
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        command(place, "backup", folder)
    two.rename(tmp_path / "drawer")
    purged(place)
    shutil.rmtree(place.project.memory)
    assert command(place, "backup", tmp_path / "drawer", "--restore")[0] == 0
    assert has(place.project.memory)  # nobody there knows of it
    assert "as it was before 1 purge" in command(place, "backup", one)[1]
    (tmp_path / "drawer").rename(two)
    assert purged(place)[0] == 0
    assert (has(one), has(two), has(place.project.memory)) == (False, False, False)
    assert "as it was before" not in command(place, "backup", one)[1]


def test_backups_of_an_earlier_version(place, tmp_path):
    """Without ids and without purges in their heads: known by their folder, given an id, and cleaned."""
    one, away, drawer = tmp_path / "one", tmp_path / "away", tmp_path / "drawer"
    state = place.project.state
    for folder in (one, away):
        command(place, "backup", folder)
        store = folders.Folder(str(folder)).store()
        (folder / "backup.json").write_bytes(
            manifest.seal([{"format": manifest.FORMAT, "version": manifest.VERSION, "store": store}])
        )
        for path in backup_reader.snapshots(folder):
            head, *lines = manifest.unseal(path.read_bytes(), "")
            del head["backup"], head["purges"]
            path.write_bytes(manifest.seal([head, *lines]))
    said = json.loads((state / "backups.json").read_text(encoding="utf-8"))
    for entry in said["folders"]:
        del entry["id"]
    (state / "backups.json").write_text(json.dumps(said), encoding="utf-8")
    away.rename(drawer)
    assert purged(place)[0] == 1
    assert (has(one), owed(place)) == (False, [str(away)])
    drawer.rename(away)
    assert command(place, "backup", away)[0] == 0
    assert (has(away), owed(place)) == (False, [])
    assert all(each.id for each in known.backups(str(state)))


def test_an_earlier_versions_entry_is_not_met_by_another_backup(place, tmp_path):
    """The folder of a backup without an id has one that is known under its own: that is another one."""
    away = tmp_path / "away"
    command(place, "backup", away)
    state = str(place.project.state)
    (entry,) = known.backups(state)
    assert purged(place)[0] == 0
    old = entry._replace(id="", owed=("0123456789abcdef",))
    (unreached,) = renewing.renew(Source.of_project(place.project), [old])
    assert "another backup" in unreached.why


def test_an_export_that_waits_is_in_the_backup_until_it_is_processed(place, tmp_path):
    """It is backed up as it is; so the backup counts as one that has it, until the file is gone."""
    folder = tmp_path / "backup"
    command(place, "backup", folder)
    waiting = place.project.exports / "2026-03-05-EXPORT.txt"
    waiting.write_bytes(ALDER.text(0, 4, width=60))
    code, out = purged(place)
    assert (code, f"The backup {folder} may still have it: an export that waits" in out) == (1, True)
    code, out = command(place, "backup", folder)
    assert (code, "It may still have what was purged: an export that waits" in out) == (1, True)
    assert (has(folder), owed(place)) == (True, [str(folder)])
    waiting.unlink()
    assert command(place, "backup", folder)[0] == 0
    assert (has(folder), owed(place)) == (False, [])
    assert "waiting" not in json.loads((place.project.state / "backups.json").read_bytes())


@pytest.mark.parametrize("forget", [False, True])
def test_what_is_remembered_says_nothing_of_what_went(place, tmp_path, forget):
    """Ids at random; with ``--forget`` no hash either, not of the log's first line, not of a file that waits."""
    first = place.dedup.store.log.lines()
    first = hashlib.sha256(next(first).data).hexdigest()
    waiting = place.project.exports / "2026-03-05-EXPORT.txt"
    waiting.write_bytes(ALDER.text(0, 4, width=60))
    purged(place, "alder", *(["--forget"] if forget else []))
    said = (place.project.state / "backups.json").read_text(encoding="utf-8")
    assert not any(word.decode() in said for word in ALDER.words())
    assert (first[:32] in said) != forget
    assert (hashlib.sha256(waiting.read_bytes()).hexdigest() in said) != forget
    assert len(known.purges(str(place.project.state))) == 1


def test_a_store_that_was_purged_is_still_known_to_a_backup_that_it_forgot(place, tmp_path):
    """The first line may go: what copies know the store by is noted before."""
    folder = tmp_path / "backup"
    command(place, "backup", folder)
    (place.project.state / "backups.json").unlink()
    assert purged(place)[0] == 0
    assert has(folder)
    assert command(place, "backup", folder)[0] == 0
    assert not has(folder)


def test_forgetting_a_backup_that_has_it_says_so(place, tmp_path):
    """From then on nothing tells of it."""
    folder = tmp_path / "backup"
    command(place, "backup", folder)
    folder.rename(tmp_path / "drawer")
    purged(place)
    code, out = command(place, "backup", folder, "--forget")
    assert (code, "what was purged is still there" in out, owed(place)) == (0, True, [])


def test_a_store_made_anew_goes_on_with_its_backups(place, tmp_path):
    """``rebuild --from-exports`` takes the list along, and what is still to be done."""
    place.export("2026-03-01-EXPORT-CEDAR.txt", TALKS[2].text())
    folder = tmp_path / "backup"
    command(place, "backup", folder)
    folder.rename(tmp_path / "drawer")
    purged(place)
    for path in [place.project.state / "conversation_log.jsonl", *place.project.state.glob("sealed/*")]:
        path.unlink()
    command(place, "rebuild", "--from-exports", "--yes")
    assert owed(place) == [str(folder)]
    (tmp_path / "drawer").rename(folder)
    assert command(place, "backup", folder)[0] == 0
    assert (has(folder), owed(place)) == (False, [])


def test_another_stores_backup_is_refused_and_nothing_is_settled(place, tmp_path):
    """A folder that has the backup of another store by now."""
    folder = tmp_path / "backup"
    command(place, "backup", folder)
    folder.rename(tmp_path / "drawer")
    other = filled(Place(tmp_path / "other"), TALKS[2:])
    command(other, "backup", folder)
    assert purged(place)[0] == 1
    with pytest.raises(BackupRefused):
        command(place, "backup", folder)
    assert owed(place) == [str(folder)]


class Disks:
    """Some disks, each with a backup or none, there or away, under one of some paths; a store that is purged now and then."""

    def __init__(self, root, backend):
        self.root = root
        self.place = filled(Place(root / "project", backend=backend), TALKS)
        self.gone = []
        self.drawer = root / "drawer"
        self.drawer.mkdir()
        self.at = {}
        """Which disk is at which path."""

    def path(self, number):
        """A place where a disk may be mounted."""
        return self.root / f"mount-{number}"

    def backup(self, number):
        """A backup at a path, whatever disk is there."""
        if number in self.at:
            taking.take(Source.of_project(self.place.project), str(self.path(number)))

    def plug(self, number, disk):
        """A disk comes to a path, where none is, and from wherever it was."""
        if number in self.at or disk in self.at.values():
            return
        kept = self.drawer / str(disk)
        kept.mkdir(exist_ok=True)
        kept.rename(self.path(number))
        self.at[number] = disk

    def unplug(self, number, _=None):
        """The disk goes."""
        if number in self.at:
            self.path(number).rename(self.drawer / str(self.at.pop(number)))

    def purge(self, number):
        """A conversation goes, or is asked to go once more."""
        talk = TALKS[number]
        store, project = self.place.dedup.store, self.place.project
        if talk in self.gone:
            renewing.catch_up(Source.of_project(project))
            return
        done = purge(store, project, scope_of([talk.name], None, []))
        verify(store, project, done)
        renew_backups(store, project, done)
        self.gone.append(talk)

    def judge(self):
        """A backup that has what was purged is named as one; one that is there and was just visited has nothing of it."""
        owed_ids = {each.id for each in known.owed(str(self.place.project.state))}
        for folder in (*map(self.path, self.at), *self.drawer.iterdir()):
            if any(has(folder, talk) for talk in self.gone):
                assert folders.Folder(str(folder)).id() in owed_ids


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("plug"), st.integers(0, 1), st.integers(0, 2)),
        st.tuples(st.just("unplug"), st.integers(0, 1)),
        st.tuples(st.just("backup"), st.integers(0, 1)),
        st.tuples(st.just("backup"), st.integers(0, 1)),
        st.tuples(st.just("purge"), st.integers(0, 3)),
    ),
    min_size=4,
    max_size=14,
)


@pytest.mark.unmeasured
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS, st.sampled_from(["json", "default"]))
def test_a_backup_that_has_what_was_purged_is_always_named(steps, backend):
    """Whatever disks come and go under whatever paths; and once each was visited, none has anything of it, nor is named."""
    with tempfile.TemporaryDirectory() as folder:
        disks = Disks(Path(folder).resolve(), backend)
        disks.plug(0, 0)
        disks.backup(0)
        for name, *arguments in steps:
            getattr(disks, name)(*arguments)
            disks.judge()
        for number in tuple(disks.at):
            disks.unplug(number)
        for path in sorted(disks.drawer.iterdir()):
            if any(path.iterdir()):
                disks.plug(0, int(path.name))
                disks.backup(0)
                assert not any(has(disks.path(0), talk) for talk in disks.gone)
                disks.unplug(0)
        assert known.owed(str(disks.place.project.state)) == []


def test_restoring_asks_what_it_was_told(place, tmp_path):
    """Purges that the caller names, those of other snapshots, or neither."""
    folder = tmp_path / "backup"
    command(place, "backup", folder)
    target = restoring.Target.of_folder(str(tmp_path / "out"))
    with folders.opened(str(folder)) as opened:
        with pytest.raises(BackupHasPurged):
            restoring.restore(opened, target, purges=["0123456789abcdef"])
        assert restoring.restore(opened, target).problems == []
    assert os.path.isdir(tmp_path / "out" / "dedup_state")
