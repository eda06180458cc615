"""What a format must answer; each module in this folder answers it for one kind of file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from ..model import Export


class Member(NamedTuple):
    """One conversation of a file that holds several.

    ``sha256`` and ``size`` (bytes) are those of the bytes it was read from, so that it is known where it did not change.
    ``name`` says which one it is; ``side``: it belongs to the one before it and is never what a person names.
    """

    export: Export
    sha256: str
    size: int
    name: str = ""
    side: bool = False


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


class Several(Format, Protocol):
    """A format whose files hold several conversations."""

    def members(self, data: bytes) -> Iterator[Member]:
        """Which conversations does it hold, one after another? Raises as :meth:`Format.parse`."""


class Large(Several, Protocol):
    """A format whose files are too large to be read whole."""

    def opens(self, file: BinaryIO, *, strict: bool) -> bool:
        """Is it a file of the format, judged by no more than its beginning? It is left where it stands."""

    def members_of(self, file: BinaryIO) -> Iterator[Member]:
        """Which conversations does it hold? Never more than one of them is in memory.

        Raises before the first one where the file is cut or damaged.
        """
