"""A purge under faults: killed or refused by the disk at any call, either nothing has gone or all of it goes."""

from __future__ import annotations

import errno
import os
import shutil

import pytest

import archive_reader
from deduplication.archive import drop_folder
from deduplication.archive import restore as restoring
from deduplication.archive import verify as checking
from deduplication.errors import DedupError, NothingToPurge
from deduplication.files import journal
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.project.paths import Project
from deduplication.purge.run import purge
from deduplication.purge.scope import scope_of
from deduplication.sessions.folder import write_sessions
from faults import reader
from faults.children import Shim, end, run, start
from purge_scenes import Place, Talk, everything, left

pytestmark = pytest.mark.faults
ALDER, BIRCH = Talk("alder", 8, images=False), Talk("birch", 8, images=False)


class Scene:
    """A project with two conversations; the job is to purge one of them."""

    def __init__(self, folder, backend):
        self.root = folder / "project"
        self.backend = backend
        self._template = folder / "template"
        place = Place(self._template, backend=backend)
        for talk in (ALDER, BIRCH):
            for end_ in (4, 8):
                place.export(f"2026-03-0{end_}-EXPORT-{talk.name.upper()}.txt", talk.text(0, end_))
        place.pack()
        place.export("2026-03-11-EXPORT-ALDER.txt", ALDER.text(0, 8, width=60))
        place.sessions()
        self.birch = place.said("birch")

    @property
    def place(self):
        """The project, as a new process has it."""
        return Place(self.root, backend=self.backend)

    def reset(self):
        """Begin again."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self._template, self.root, symlinks=True)

    def job(self):
        """What a child does."""
        place = self.place
        return len(purge(place.dedup.store, place.project, scope_of(["alder"], None, [])).removed)

    def opens(self):
        """Everybody opens everything: what was decided is finished, what was not is as it was. True where it has gone."""
        place = self.place
        gone = place.said("alder") == []
        with restoring.opened(place.project) as shelf:
            names = [entry.name for entry in shelf.all()]
            files = [b"".join(shelf.parts(entry)) for entry in shelf.all()]
        write_sessions(place.project, place.dedup.store, ["birch"])
        assert place.said("birch") == self.birch
        assert sum("BIRCH" in name for name in names) == 2
        assert len(files) == len(names) == (2 if gone else 5)
        assert (left(place, ALDER.words()) == []) == gone
        assert not (place.project.state / journal.NAME).exists()
        assert len(left(place, BIRCH.words())) == 8
        return gone

    def recovers(self):
        """Opened or not, the same purge again completes it, and everything agrees."""
        gone = self.opens()
        try:
            self.job()
            assert not gone
        except NothingToPurge:
            assert gone
        place = self.place
        assert left(place, ALDER.words()) == []
        store = place.dedup.store
        if any("an index; 'rebuild' makes it again" in problem for problem in store.verify()):
            store.rebuild()  # the disk refused the last thing of all, which follows from the log
        assert store.verify() == []
        log = reader.read(reader.whole(place.project.state))
        assert (log.problems, log.unfinished) == ([], 0)
        packs = place.project.archive / "packs"
        assert all(b"birch" in data for data in archive_reader.read(packs).values())
        assert checking.check(str(packs)).all_problems() == []
        names = [path.name for path in place.project.memory.rglob("*")]
        over = [name for name in names if name.endswith(".tmp") and not name.startswith("last_run")]
        assert (over, names.count(journal.STAGE)) == ([], 0)
        return gone


@pytest.fixture
def scene(disk, backend):
    """Made once for each backend."""
    return Scene(disk, backend)


@pytest.mark.parametrize("action", ["kill", "torn"])
def test_a_purge_killed_at_any_system_call_is_all_or_nothing(scene, action, calls):
    """I6: whatever call is its last; in the ordinary size every few calls, each of them in the large one."""
    seen = set()
    for at in calls(7 if action == "kill" else 15):
        scene.reset()

        def shimmed(at=at):
            Shim(at, action).install()
            return scene.job()

        outcome = run(shimmed)
        assert (outcome.error, outcome.trace) == ("", ""), f"call {at}"
        seen.add(scene.recovers())
        if not outcome.signal:
            break
    assert at > 60, "the shim does not see the calls"
    assert seen == {False, True}


@pytest.mark.parametrize(
    ("action", "options"),
    [
        (errno.ENOSPC, {}),
        (errno.EROFS, {"forever": True}),
        ("short-then-full", {"only": ("write",)}),
        (errno.EIO, {"only": ("fsync",)}),
    ],
    ids=["ENOSPC", "EROFS from then on", "then full", "fsync"],
)
def test_a_failing_system_call_is_a_named_error_or_no_harm(scene, action, options, calls):
    """Each call fails in turn: a named error; what is reported as purged is."""
    for at in calls(15 if "only" not in options else 4):
        scene.reset()

        def job(at=at):
            shim = Shim(at, action, **options).install()
            try:
                scene.job()
            except DedupError as error:
                return str(error), shim.count >= at
            return "", shim.count >= at

        outcome = run(job)
        assert (outcome.signal, outcome.trace) == (0, ""), outcome.trace
        said, reached = outcome.value
        gone = scene.recovers()
        assert gone or said
        if not reached:
            break
    assert at > 5, "the shim does not see the calls"


def test_a_purge_beside_runs_that_store_and_read(scene):
    """I7: others wait; afterwards what they brought is there, and nothing of what went."""
    scene.reset()
    place = scene.place
    more = Talk("cedar", 8, images=False)

    def store():
        dedup = ClaudeConversationDeduplicator(place.project.state, scene.backend)
        for end_ in (2, 4, 6, 8):
            dedup.ingest(more.text(0, end_), name=f"{end_}.txt", conversation_id="cedar")
            dedup.ingest(ALDER.text(0, end_, width=70), name=f"a{end_}.txt", conversation_id="alder")

    def archive():
        for _ in range(5):
            with drop_folder.opened(Project(place.project.root)):
                pass

    children = [start(job) for job in (store, scene.job, archive, store)]
    for child in children:
        outcome = end(*child)
        assert (outcome.signal, outcome.error, outcome.trace) == (0, "", "")
    assert left(place, ALDER.words()) == []
    assert len(place.said("cedar")) == 8
    assert place.dedup.store.verify() == []


def test_a_journal_that_is_damaged_is_never_guessed_at(scene):
    """A flipped bit in it is a named error, not a store that opens half purged."""
    scene.reset()
    place = scene.place
    path = place.project.state / journal.NAME
    journal.begin(str(place.project.state), {journal.STORE: journal.Changes(remove=["nothing"])}, {})
    data = bytearray(path.read_bytes())
    data[5] ^= 4
    path.write_bytes(data)
    with pytest.raises(DedupError, match=journal.NAME):
        place.dedup.conversations()
    os.unlink(path)
    assert everything(place.project.state)
