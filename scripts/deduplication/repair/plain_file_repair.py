"""Plain files of the archive that are not what was archived: the log has the SHA-256 of what they were."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Optional

from ..archive.places import plain_files
from ..errors import DedupError
from ..files import atomic, beneath
from ..files.quarantine import quarantined
from ..files.safe_read import digest_of, opened
from ..project.paths import QUARANTINE
from ..start.late_tuple import NamedTuple
from . import damage
from .lost_runs import is_another

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ..archive.entry import Entry
    from ..archive.listed import Inventory
    from ..project.paths import Project
    from .damage import Finding
    from .evidence import Evidence
    from .other_copies import Copy, OtherCopies


class Damaged(NamedTuple):
    """A plain file that is damaged, what the log has of it, and its right bytes, where they lie elsewhere."""

    entry: Entry
    record: dict[str, Any]
    copy: Optional[Copy]

    def finding(self) -> Finding:
        """What is to be told of it."""
        export = self.record["export"]
        return damage.Finding(
            damage.FILE,
            self.entry.name,
            "its bytes are not what was archived",
            self.copy is not None,
            conversation=self.record["conversation_id"],
            file=self.copy.path if self.copy is not None else "",
            name=self.entry.name,
            sha256=export["sha256"],
            bytes=export["bytes"],
            date=self.entry.day,
        )


def damaged(evidence: Evidence, elsewhere: OtherCopies) -> Iterator[Damaged]:
    """The plain files that are not what the log says was archived under their names."""
    for entry in evidence.sources.entries:
        if entry.path is None or not is_another(evidence, entry):
            continue
        record = next(
            each
            for each in reversed(evidence.commits)
            if not evidence.sources.has(each["export"]["sha256"]) and evidence.is_named(each, entry.name)
        )
        export = record["export"]
        yield Damaged(entry, record, elsewhere.find("", export["bytes"], bytes.fromhex(export["sha256"])))


def set_aside(project: Project, have: Inventory, back: Collection[str]) -> Iterator[str]:
    """Move plain files of the names ``back`` into quarantine that are not what the list has; their names there.

    Under the archive's lock. Raises ``StoreNotWritable``.
    """
    known = {each.sha256 for each in have.files.values()}
    for path, _ in plain_files(project):
        with contextlib.suppress(DedupError), opened(path) as (file, _):
            if path.name not in back or digest_of(file) in known:
                continue
            name = quarantined(os.path.join(project.archive, QUARANTINE), os.fspath(path), path.name)
            with atomic.write_errors(os.fspath(path)):
                beneath.unlink(path)
            yield f"{QUARANTINE}/{name}"


def write(project: Project, found: Damaged) -> str:
    """Put the right bytes in the place of a damaged file, or nothing where they are nowhere; its name in quarantine.

    Under the archive's lock. Raises ``StoreNotWritable``.
    """
    path = os.fspath(found.entry.path or "")
    folder = os.path.join(project.archive, QUARANTINE)
    name = quarantined(folder, path, os.path.basename(path))
    with atomic.write_errors(path):
        if found.copy is not None:
            atomic.replace(path, found.copy.data)
            beneath.set_times(path, found.entry.mtime_ns)
        else:
            beneath.unlink(path)
            atomic.sync_directory(os.path.dirname(path))
    return f"{QUARANTINE}/{name}"
