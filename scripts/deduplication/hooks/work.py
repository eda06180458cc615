"""What the handlers share: capture transcripts, remember what was looked at, note what went wrong."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any

from ..accounting.last_run import LIVE
from ..errors import DedupError, ExportError, StoreNotWritable, UnsafePath
from ..files import atomic, beneath
from ..ingest.deduplicator import ClaudeConversationDeduplicator
from ..ingest.transcript_capture import Captured, capture_file, grown
from . import failures, quick
from .exports import Exports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .store_location import StoreLocation


class Work:
    """The work of one hook at one place."""

    def __init__(self, place: StoreLocation, settings: dict[str, Any]) -> None:
        self.place = place
        self.settings = settings
        self.project = place.project
        self.live = self.project.state / LIVE
        self.dedup = ClaudeConversationDeduplicator(self.project.state)
        self.exports = Exports(self)
        self._has_captured = False

    def check(self) -> None:
        """Raises ``StoreNotWritable`` where nothing can be stored: said before a session relies on it."""
        folder = str(self.project.state)
        while not os.path.lexists(folder) and os.path.dirname(folder) != folder:
            folder = os.path.dirname(folder)
        if not os.path.isdir(folder):
            raise StoreNotWritable(f"{folder} is no folder")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise StoreNotWritable(f"{folder}: permission denied")

    # -- transcripts -------------------------------------------------------------------------------------------

    def capture(self, path: str) -> Captured | None:
        """Store what is new in a transcript; None where nothing is, or where it cannot be read."""
        if not self.settings["capture_transcripts"] or not os.path.isfile(path):
            return None
        try:
            self.make_folder()
            captured = capture_file(self.dedup, path)
        except (ExportError, UnsafePath) as error:
            self._failed(path, error)
            return None
        self._has_captured |= captured is not None
        return captured

    def _failed(self, path: str, error: DedupError) -> None:
        from ..metrics.operations import note_failures

        self.note(f"{path}: {error}")
        note_failures(self.dedup.store, str(self.project.state), [error])

    def tell_figures(self) -> None:
        """Leave the store's figures for Prometheus, where something was captured and the settings name a place for them."""
        if not (self._has_captured and self.settings["metrics_folder"]):
            return
        from ..metrics import textfile

        try:
            textfile.write(self.dedup, str(self.project.state), textfile.folder_for(str(self.place.root)))
        except DedupError as error:
            self.note(f"the figures for Prometheus were not written: {error}")

    def make_folder(self) -> None:
        """The folder of the markers: that it is there says that hooks are at work."""
        if not os.path.isdir(self.live):
            try:
                atomic.make_private_directory(str(self.live))
            except OSError as error:
                raise StoreNotWritable(f"{self.project.state}: {error.strerror or error}") from error

    def lagging(self, *, besides: str = "") -> list[tuple[str, int]]:
        """The project's transcripts that are not wholly captured, with their sizes; without the one named."""
        from ..project.client_transcripts import find_transcripts

        if not self.settings["capture_transcripts"]:
            return []
        found = [each for each in find_transcripts(self.place.root) if str(each.path) != besides]
        return [(str(each.path), each.size) for each in grown(self.dedup, found)]

    def archives(self) -> bool:
        """Whether the transcripts themselves are to be archived."""
        return bool(self.settings["capture_transcripts"] and self.settings["archive_transcripts"])

    def archive(self) -> None:
        """The project's transcripts, as they are, into the archive; one that fails is noted."""
        if not self.archives():
            return
        from ..project.client_transcripts import find_transcripts
        from ..workflow import archive_transcripts

        kept = archive_transcripts.archive_transcripts(self.project, find_transcripts(self.place.root))
        for name, error in kept.failures:
            self.note(f"{name}: {error}")
        for note in kept.notes:
            self.note(note)

    def make_drop_folder(self) -> None:
        """Make the drop folder where it is missing; git ignores it."""
        beneath.make_folders(self.project.exports)
        from ..project.private_folder import hide_from_git

        hide_from_git(self.project)

    # -- what was looked at ------------------------------------------------------------------------------------

    def swept(self, session: str) -> int:
        """When the last sweep of a session was done, in nanoseconds; 0 where there was none."""
        try:
            return os.stat(quick.marker_path(str(self.project.memory), session)).st_mtime_ns
        except OSError:
            return 0

    def remember(self, session: str, state: str) -> None:
        """Leave the marker by which the next hook tells that nothing is new."""
        path = quick.marker_path(str(self.project.memory), session)
        if os.path.isdir(self.project.state):
            atomic.make_private_directory(os.path.dirname(path))
            atomic.replace(path, state.encode("ascii", "replace"), durable=False)

    def state(self, cwd: str, transcript: str) -> str:
        """What is there now, as the marker says it; taken before looking, so that nothing can slip through."""
        return quick.state(str(self.place.root), str(self.project.memory), cwd, transcript)

    @staticmethod
    def size_of(path: str) -> int:
        """Bytes of a file; 0 where it is not there."""
        try:
            return os.stat(path).st_size
        except OSError:
            return 0

    def note(self, text: str) -> None:
        """A line in the log of the hooks."""
        if os.path.isdir(self.project.state):
            moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            with contextlib.suppress(OSError):  # what cannot be noted must not cost what could be captured
                failures.append(os.path.join(self.project.state, failures.NAME), f"{moment} {text}\n")

    def each(self, items: Iterable[str], do: Callable[[str], Any]) -> None:
        """Do something for each item; one that fails costs only itself."""
        for item in items:
            try:
                do(item)
            except DedupError as error:
                self._failed(item, error)
