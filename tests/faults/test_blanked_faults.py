"""A run that archives an export which shows purged messages, killed or refused at every call: what it left is no damage."""

from __future__ import annotations

import errno
import shutil

import pytest

from archive_scenes import archived
from deduplication.archive import purged_files
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.repair import examine
from deduplication.repair import repair as whole
from deduplication.workflow import five_steps
from faults import reader
from faults.children import Shim, run
from purge_scenes import Place, Talk, left, word

pytestmark = pytest.mark.faults
NAME = "2026-03-05-EXPORT-ALDER.txt"
GONE = [word("alder", 5).encode()]


class Scene:
    """A project in which a message was purged, and the next export, which shows it, waits."""

    def __init__(self, folder, backend):
        self.root, self._template, self._backend = folder / "project", folder / "template", backend
        place = Place(self._template, backend=backend)
        place.export("2026-03-02-EXPORT-ALDER.txt", Talk("alder").text(0, 8))
        message = next(m for m in place.dedup.get_full_conversation("alder") if word("alder", 5) in m["content"])
        place.purge(hashes=[message["content_hash"]])
        (place.project.exports / NAME).write_bytes(Talk("alder").text(0, 16))

    @property
    def place(self):
        """The project, as a new process has it."""
        return Place(self.root, backend=self._backend)

    def reset(self):
        """Begin again."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self._template, self.root, symlinks=True)

    def job(self):
        """What a child does: True where the export was stored and archived."""
        project = self.place.project
        dedup = ClaudeConversationDeduplicator(project.state, self._backend)
        done = five_steps.run(project, five_steps.Options(checkpoint=False), dedup, lambda _: None)
        return bool(done.result.exports) and not any(export.error for export in done.result.exports)

    def judge(self):
        """Nothing is damaged, and a repair finds nothing to do and leaves every message as it was."""
        place = self.place
        store = place.dedup.store
        before = reader.read(reader.whole(place.project.state)).messages
        done = whole.repair(store, place.project)
        assert [each for each in done.findings if each.kind != "unfinished"] == []
        after = reader.read(reader.whole(place.project.state)).messages
        assert after == before or len(after["alder"]) == 16
        assert list(after) == ["alder"]

    def archived(self):
        """Whether the export is in the archive."""
        return NAME in archived(self.place.project)


@pytest.mark.parametrize("action", ["kill", "torn", errno.ENOSPC, errno.EIO], ids=str)
def test_a_blanked_file_is_never_there_without_its_note(disk, backend, action, calls):
    """Before the file there is its note, torn or whole; the next run ends what was begun."""
    scene = Scene(disk, backend)
    for at in calls(6):
        scene.reset()

        def job(at=at):
            shim = Shim(at, action).install()
            return scene.job(), shim.count >= at

        outcome = run(job)
        reached = bool(outcome.signal or outcome.error) or outcome.value[1]
        assert not outcome.trace, outcome.trace
        folder = str(scene.place.project.archive)
        if scene.archived():
            assert len(purged_files.load(folder)) == 2
        scene.judge()
        scene.job()
        assert scene.archived()
        assert len(purged_files.load(folder)) == 2
        assert examine.examine(scene.place.dedup.store, scene.place.project) == []
        assert len(scene.place.said("alder")) == 15  # and the place of the one that is gone
        assert left(scene.place, GONE) == []
        if not reached:
            break
    assert at > 20
