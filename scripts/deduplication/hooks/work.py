"""What the handlers share: capture a transcript, process exports, remember what was looked at."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..accounting.last_run import LIVE
from ..errors import DedupError, ExportError, PrivacySettingInvalid, StoreNotWritable, UnsafePath
from ..files import atomic
from ..ingest.deduplicator import ClaudeConversationDeduplicator
from ..ingest.transcript_capture import Captured, capture_file, grown
from . import failures, quick

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .place import Place

SETTLE: Final = 1.5
"""Seconds that a file in the drop folder may go on growing before it is left for the next event."""
_STEP: Final = 0.05
_PATIENCE: Final = 20.0
"""Seconds that a hook waits for another one that processes exports."""
_SLACK: Final = 2_000_000_000
"""Nanoseconds before the last sweep from which files are looked at again: coarse clocks of file systems."""


class Work:
    """The work of one hook at one place."""

    def __init__(self, place: Place, settings: dict[str, Any]) -> None:
        self.place = place
        self.settings = settings
        self.project = place.project
        self.live = self.project.state / LIVE
        self.dedup = ClaudeConversationDeduplicator(self.project.state)

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
            self._make_folder()
            return capture_file(self.dedup, path)
        except (ExportError, UnsafePath) as error:
            self.note(f"{path}: {error}")
            return None

    def _make_folder(self) -> None:
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

        kept = archive_transcripts.keep(self.project, find_transcripts(self.place.root))
        for name, error in kept.failures:
            self.note(f"{name}: {error}")
        for note in kept.notes:
            self.note(note)

    # -- exports -----------------------------------------------------------------------------------------------

    def exports_named(self, captured: Captured | None) -> list[str]:
        """The files that a captured part says the conversation was exported to, where they are still there."""
        from ..project.named_exports import files_of

        # What we said ourselves names files that we archived.
        own = (str(self.project.archive) + os.sep, str(self.project.state) + os.sep)
        named = files_of(captured.exports) if captured is not None else []
        return [name for name in named if not os.path.realpath(name).startswith(own) and settled(name)]

    def within(self, path: str) -> bool:
        """True where a command that searches the project would find the file."""
        folder = Path(os.path.realpath(os.path.dirname(path)))
        return folder in (self.place.root, self.project.memory, self.project.exports)

    def lying_about(self, cwd: str, since: int) -> list[str]:
        """Exports in the drop folder, the project's root and ``cwd`` that changed after ``since`` (nanoseconds)."""
        from ..archive.discovery import exports_in

        folders = [self.project.exports, self.project.memory] if self.place.opted_in else []
        folders += [self.place.root, Path(cwd)] if cwd else [self.place.root]
        real = dict.fromkeys(Path(os.path.realpath(folder)) for folder in folders)
        inside = [folder for folder in real if folder == self.place.root or self.place.root in folder.parents]
        return [str(path) for path in exports_in(self.project, inside, newer_than=since - _SLACK)]

    def process(self, paths: Sequence[str], conversation: str | None = None) -> str:
        """Take exports through the steps of export-dedup; the short banner, empty where there was none."""
        if not paths:
            return ""
        # Of several hooks that see the same file one processes it; the others wait, and find it gone.
        from ..files.locking import exclusive

        atomic.make_private_directory(str(self.live))
        with exclusive(str(self.live / ".exports.lock"), _PATIENCE):
            return self._process([path for path in paths if os.path.isfile(path)], conversation)

    def _process(self, paths: Sequence[str], conversation: str | None) -> str:
        if not paths:
            return ""
        from ..accounting.last_run import BY_HOOK, save
        from ..reports import hooks
        from ..workflow import five_steps

        options = five_steps.Options(
            paths=tuple(paths),
            session_id=conversation,
            description="Export captured by a hook",
            checkpoint=bool(self.settings["hook_checkpoint"]) and self.place.opted_in,
            only_news=True,
            session_files=self.settings["session_files"],
        )
        outcome = five_steps.run(self.project, options, self.dedup, _nowhere)
        for failed in outcome.result.failed:
            self.note(f"{failed.path}: {failed.error}")
        for problem in outcome.problems:
            self.note(str(problem))
        done = [export for export in outcome.result.exports if not export.error]
        if done:
            save(self.project, outcome.result, BY_HOOK)
        banner = hooks.notice(outcome.result) if outcome.result.exports else ""
        refused = [problem for problem in outcome.problems if isinstance(problem, PrivacySettingInvalid)]
        if refused:
            from ..reports.trust import not_shared

            banner = "\n".join(filter(None, [banner, not_shared(refused[0])]))
        return banner

    def know(self, paths: Sequence[str], conversation: str) -> None:
        """Store the messages of exports in the conversation that named them; the files stay for whoever processes them."""
        from ..files.safe_read import read
        from ..project import own_output
        from ..project.export_names import file_name

        for path in paths:
            try:
                data, _ = read(Path(path))
                own_output.refuse(data)
                self.dedup.ingest(
                    data, name=file_name(os.path.basename(path)), conversation_id=conversation, announce=False
                )
            except (ExportError, UnsafePath) as error:
                self.note(f"{path}: {error}")

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
                self.note(f"{item}: {error}")


def settled(path: str) -> bool:
    """True for a file that is not empty and has stopped growing; waits a little for it."""
    deadline = time.monotonic() + SETTLE
    before = -1
    while True:
        try:
            size = os.stat(path).st_size
        except OSError:
            return False
        if size == before and size > 0:
            return True
        if time.monotonic() > deadline:
            return False
        before = size
        time.sleep(_STEP)


def _nowhere(_text: str) -> None:
    """A hook says one line; the steps' own texts are for a terminal."""
