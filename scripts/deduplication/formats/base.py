"""What a format must answer; each module in this folder answers it for one kind of file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..model import Export


class Format(Protocol):
    """One input format."""

    NAME: str
    """How is this format called in logs and in JSON output?"""

    def recognises(self, data: bytes, *, strict: bool) -> bool:
        """Is this a file of the format, judged by its content?

        ``strict`` is for files that nobody named (found in a folder): no false friend may pass. Without it a person
        said "this is an export", and weaker signs are enough.
        """

    def parse(self, data: bytes) -> Export:
        """Which messages does it hold, and which bytes is each of them?

        The spans of the result cover ``data`` without overlap. Raises ``NotAnExport`` or ``ExportUnreadable``.
        """
