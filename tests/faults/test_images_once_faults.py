"""An image goes from its file into a pack, and out of a pack into a file: killed at any call, one of them has it."""

from __future__ import annotations

import shutil

import pytest

from deduplication.archive import verify as checking
from deduplication.commands import deduplicate_export
from deduplication.packs import frames, segmenter
from deduplication.purge.run import purge
from deduplication.purge.scope import scope_of
from faults import reader
from faults.children import Shim, run
from image_scenes import IMAGES, LARGE, SESSIONS, Harbour, shown, told

pytestmark = [pytest.mark.faults, pytest.mark.parametrize("backend", ["default"], indirect=True)]
"""What is tested here has no index of the log: one of them is enough."""


class Scene:
    """A project with images; each kind of scene says what is interrupted."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder
        monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(folder / "client"))
        self.make(Harbour(folder / "project", folder / "client"))
        shutil.move(folder / "project", folder / "template")

    def reset(self):
        """As it was before the job."""
        shutil.rmtree(self.folder / "project", ignore_errors=True)
        shutil.copytree(self.folder / "template", self.folder / "project", symlinks=True)

    @property
    def harbour(self):
        """As a new process has it."""
        return Harbour(self.folder / "project", self.folder / "client")

    def images(self):
        """Every image that the independent reader finds; it fails where a line refers to one that is nowhere."""
        state = self.harbour.project.state
        found = reader.read(reader.whole(state), state / "blobs")
        assert found.problems == []
        return found

    def faults(self):
        """What ``verify`` says."""
        checked = checking.check_project(self.harbour.project)
        return [*self.harbour.dedup.store.verify(), *(checked.all_problems() if checked is not None else [])]


class Archived(Scene):
    """Captured already; the transcripts go into a pack, and the files of images go."""

    def make(self, harbour):
        for session, data in told().items():
            harbour.write(session, data)
        harbour.capture()

    def job(self):
        return len(self.harbour.archive().names)

    def again(self):
        self.job()
        self.harbour.dedup.store.settle()
        assert self.harbour.blobs() == {}


class CutAnew(Scene):
    """Packs of a former version; ``pack`` writes them anew."""

    def make(self, harbour):
        cut = segmenter.cut
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(segmenter, "cut", lambda data, start=0: cut(data, start, base64=False))
            patch.setattr(frames, "VERSION", 2)
            harbour.filled()
        assert len(harbour.blobs()) == len(IMAGES) + 1

    def job(self):
        return deduplicate_export.main(["pack", "--project", str(self.harbour.project.root)])

    again = Archived.again


class Purged(Scene):
    """A conversation goes; another one, of which no file is archived, shows an image that only its files had."""

    def make(self, harbour):
        harbour.filled()
        for data in (IMAGES["lamp"], LARGE):
            harbour.dedup.ingest(shown(f"z{len(data)}", data), name="z.jsonl", conversation_id=f"elsewhere{len(data)}")
        harbour.dedup.store.settle()
        assert harbour.blobs() == {}
        shutil.rmtree(harbour.client)

    def job(self):
        harbour = self.harbour
        return len(purge(harbour.dedup.store, harbour.project, scope_of([SESSIONS["first"]], None, [])).removed)

    def again(self):
        if SESSIONS["first"] in self.harbour.dedup.conversations() and self.harbour.dedup.get_full_conversation(
            SESSIONS["first"]
        ):
            self.job()
        self.harbour.dedup.store.settle()
        assert list(self.harbour.blobs().values()) == [LARGE]


@pytest.mark.parametrize("kind", [Archived, CutAnew, Purged])
@pytest.mark.parametrize("action", ["kill", "torn"])
def test_killed_at_any_call_no_image_is_lost(disk, monkeypatch, action, kind, calls):
    """I1, I6: whatever a line refers to is in a file or in a pack; the next run ends what was begun."""
    scene = kind(disk, monkeypatch)
    for at in calls():
        scene.reset()

        def shimmed(at=at):
            Shim(at, action).install()
            return scene.job()

        outcome = run(shimmed)
        assert (outcome.error, outcome.trace) == ("", ""), f"call {at}"
        with scene.harbour.dedup.store.transaction():
            pass  # a purge that was decided is finished
        scene.images()
        scene.again()
        scene.images()
        assert scene.faults() == [], f"call {at}"
        if not outcome.signal:
            break
    assert at > 20, "the shim does not see the calls"
