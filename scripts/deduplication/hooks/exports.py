"""The exports that a hook comes across: where they lie, which of them are whole, and their way through the steps."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import ExportError, PrivacySettingInvalid, UnsafePath

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..ingest.transcript_capture import Captured
    from .work import Work

SETTLE: Final = 1.5
"""Seconds that a file in the drop folder may go on growing before it is left for the next event."""
_STEP: Final = 0.05
_SLACK: Final = 2_000_000_000
"""Nanoseconds before the last sweep from which files are looked at again: coarse clocks of file systems."""


class Exports:
    """The exports that one hook comes across."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def named_by(self, captured: Captured | None) -> list[str]:
        """The files that a captured part says the conversation was exported to, where they are still there."""
        from ..project.named_exports import files_of

        # What we said ourselves names files that we archived.
        own = (str(self._work.project.archive) + os.sep, str(self._work.project.state) + os.sep)
        named = files_of(captured.exports) if captured is not None else []
        return [name for name in named if not os.path.realpath(name).startswith(own) and _is_written(name)]

    def is_searched(self, path: str) -> bool:
        """True where a command that searches the project would find the file."""
        folder = Path(os.path.realpath(os.path.dirname(path)))
        return folder in (self._work.place.root, self._work.project.memory, self._work.project.exports)

    def lying_about(self, cwd: str, since: int) -> list[str]:
        """Exports in the drop folder, the project's root and ``cwd`` that changed after ``since`` (nanoseconds)."""
        from ..archive.discovery import exports_in

        folders = [self._work.project.exports, self._work.project.memory] if self._work.place.opted_in else []
        folders += [self._work.place.root, Path(cwd)] if cwd else [self._work.place.root]
        real = dict.fromkeys(Path(os.path.realpath(folder)) for folder in folders)
        inside = [
            folder for folder in real if folder == self._work.place.root or self._work.place.root in folder.parents
        ]
        return [str(path) for path in exports_in(self._work.project, inside, newer_than=since - _SLACK)]

    def dropped(self, path: str) -> list[str]:
        """A file that came into the drop folder, once it is whole and an export; else nothing."""
        if not _is_written(path):
            return []
        return [found for found in self.lying_about("", 0) if os.path.realpath(found) == os.path.realpath(path)]

    def process(self, paths: Sequence[str], conversation: str | None = None) -> str:
        """Take exports through the steps of export-dedup; the short banner, empty where there was none."""
        if not paths:
            return ""
        from .export_turn import in_turn

        with in_turn(self._work):
            return self._process([path for path in paths if os.path.isfile(path)], conversation)

    def _process(self, paths: Sequence[str], conversation: str | None) -> str:
        if not paths:
            return ""
        from ..accounting.last_run import BY_HOOK, save
        from ..reports import hooks as report
        from ..terminal.display import show_nothing
        from ..workflow import five_steps

        options = five_steps.Options(
            paths=tuple(paths),
            session_id=conversation,
            checkpoint=bool(self._work.settings["hook_checkpoint"]) and self._work.place.opted_in,
            only_news=True,
            session_files=self._work.settings["session_files"],
        )
        outcome = five_steps.run(self._work.project, options, self._work.dedup, show_nothing)
        for failed in outcome.result.failed:
            self._work.note(f"{failed.path}: {failed.error}")
        for problem in outcome.problems:
            self._work.note(str(problem))
        done = [export for export in outcome.result.exports if not export.error]
        if done:
            save(self._work.project, outcome.result, BY_HOOK)
        banner = report.notice(outcome.result) if outcome.result.exports else ""
        refused = [problem for problem in outcome.problems if isinstance(problem, PrivacySettingInvalid)]
        if refused:
            from ..reports.trust import not_shared

            banner = "\n".join(filter(None, [banner, not_shared(refused[0])]))
        return banner

    def store(self, paths: Sequence[str], conversation: str) -> None:
        """Store the messages of exports in the conversation that named them; the files stay for whoever processes them."""
        from ..files.safe_read import read
        from ..project import own_output
        from ..project.export_names import file_name

        for path in paths:
            try:
                data, _ = read(Path(path))
                own_output.refuse(data)
                self._work.dedup.ingest(
                    data,
                    name=file_name(os.path.basename(path)),
                    conversation_id=conversation,
                    announce=False,
                    keep=False,
                )
            except (ExportError, UnsafePath) as error:
                self._work.note(f"{path}: {error}")


def _is_written(path: str) -> bool:
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
