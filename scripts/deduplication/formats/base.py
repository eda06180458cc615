"""What a format answers; each module in this folder answers it for one kind of file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional, Protocol

from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import BinaryIO

    from ..model import Export, Message, SafePlace


class Member(NamedTuple):
    """One conversation of a file; most files hold one.

    ``sha256`` and ``size`` (bytes) are those of the bytes it was read from, so that it is known where it did not change.
    ``name`` says which one it is; ``side``: it belongs to the one before it and is never what a person names.
    """

    export: Export
    sha256: str
    size: int
    name: str = ""
    side: bool = False


class Purging(NamedTuple):
    """What is to be blanked in a file: ``purged`` says it of each of its messages, ``quoted`` of text that is no message."""

    purged: Callable[[Message], bool]
    quoted: Callable[[str], bool]


class Slice(NamedTuple):
    """A part of a growing file, and what the reader of the next part must know: pass ``after`` on."""

    export: Export
    after: str


class Format(Protocol):
    """One input format."""

    @property
    def NAME(self) -> str:  # noqa: N802 - a constant of a module
        """How is this format called in logs and in JSON output?"""

    @property
    def OWN_IDS(self) -> bool:  # noqa: N802 - see above
        """Do the ids of its conversations say all there is to say: does no file of another format show the same ones?"""

    @property
    def members(self) -> Optional[Callable[[bytes], Iterator[Member]]]:
        """Which conversations does a file hold, one after another? None: never more than one.

        Raises as :meth:`parse`.
        """

    @property
    def blank(self) -> Optional[Callable[[bytes, Sequence[Export], Purging], Optional[bytes]]]:
        """What is a file, with these conversations in it, without the messages that are purged? None: it cannot be told.

        Every byte of what stays is the same. Whoever asks reads the result again: it must show the rest and nothing else.
        """

    def recognises(self, data: bytes, *, strict: bool) -> bool:
        """Is this a file of the format, judged by its content?

        ``strict`` is for files that nobody named (found in a folder): no false friend may pass. Without it a person
        said "this is an export", and weaker signs are enough.
        """

    def parse(self, data: bytes) -> Export:
        """Which messages does it hold, and which bytes is each of them?

        The spans of the result cover ``data`` without overlap. Raises ``NotAnExport`` or ``ExportUnreadable``.
        """


class Cumulative(Format, Protocol):
    """A format in which an export begins with what an earlier one of the same conversation held."""

    def volatile(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Which runs of bytes (half open, in order) may be others in a later export, without any message being another one?

        Neither the bytes of a message, nor how many lines there are, nor what encloses a run may be different.
        """

    def parse_rest(self, data: bytes, place: SafePlace) -> Optional[Export]:
        """What does a file hold from ``place`` on, of which an earlier export had the same before it but for volatile runs?

        Offsets count from the beginning of the file, positions from the place. None where the whole file must be read.
        """


class Large(Format, Protocol):
    """A format of which the table of formats says how its large files begin."""

    def opens(self, file: BinaryIO, *, strict: bool) -> bool:
        """Is it a file of the format, judged by no more than its beginning? It is left where it stands."""

    def members_of(self, file: BinaryIO) -> Iterator[Member]:
        """Which conversations does it hold? Never more than one of them is in memory.

        Raises before the first one where the file is cut or damaged.
        """


class Growing(Format, Protocol):
    """A format whose files grow while they are read: lines are only ever added."""

    def parse_slice(self, data: bytes, after: str = "", before: Callable[[str], tuple[bool, bool]] = ...) -> Slice:
        """Which messages does a part hold that begins where a line begins? Offsets count from the beginning of the part.

        ``after`` is that of the part before; ``before`` says of an id whether the parts before have a line of it, and one that
        names it as its parent.
        """
