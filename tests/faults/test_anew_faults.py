"""A new store takes the place of one without a log, killed or refused at each step: one of them is there, under its name."""

from __future__ import annotations

import errno
import shutil

import pytest

from deduplication.errors import StoreDamaged, StoreHasLog
from deduplication.repair import rebuild_from_archive
from faults import reader
from faults.children import Shim, run
from purge_scenes import Place, Talk

pytestmark = pytest.mark.faults
ALDER = Talk("alder", 8, images=False)


@pytest.mark.parametrize("action", ["kill", errno.EIO], ids=str)
def test_a_store_is_never_without_its_name(disk, backend, action, full):
    """Killed between the steps of the exchange, the next who opens the store finds the new one."""
    template, root = disk / "template", disk / "project"
    made = Place(template, backend=backend)
    made.export("2026-03-02-EXPORT-ALDER.txt", ALDER.text())
    truth = made.said("alder")
    (made.project.state / "conversation_log.jsonl").unlink()
    (made.project.state / "of-the-old-one").write_bytes(b"kept")
    only = () if full else ("rename", "fsync")
    at, reached, ends = 0, True, set()
    while reached:
        at += 1
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(template, root, symlinks=True)
        place = Place(root, backend=backend)

        def job(at=at, place=place):
            shim = Shim(at, action, only=only).install()
            rebuild_from_archive.rebuild_from_archive(place.project, backend, in_place=True)
            return shim.count >= at

        outcome = run(job)
        assert outcome.trace == ""
        reached = bool(outcome.signal or outcome.error) or outcome.value
        try:
            there = bool(place.dedup.conversations())
        except StoreDamaged:  # the old one's indexes know of a log
            there = False
        assert place.project.state.is_dir()
        ends.add(there)
        if there:
            with pytest.raises(StoreHasLog):
                rebuild_from_archive.rebuild_from_archive(place.project, backend, in_place=True)
        else:
            rebuild_from_archive.rebuild_from_archive(place.project, backend, in_place=True)
        assert place.said("alder") == truth
        with place.dedup.store.transaction():  # an index that could not be written is made by whoever writes next
            pass
        assert place.dedup.store.verify() == []
        assert reader.read(reader.whole(place.project.state)).problems == []
        assert len(list(place.project.memory.rglob("of-the-old-one"))) == 1
        assert not (place.project.memory / "dedup_state.new").exists()
    assert ends == {False, True}
