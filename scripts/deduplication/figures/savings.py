"""What went into a store, what lies on the disk, and what each layer saved: the numbers, and how they add up.

Raw bytes seen = bytes stored + what identical files, known messages, doubled blobs and compression saved. A layer that costs
more than it saves has a negative number, which is shown as such.
"""

from __future__ import annotations

from typing import Any, Final, Optional

from ..start.late_dataclass import dataclass, replace


def percent(part: float, whole: float) -> float:
    """``part`` of ``whole`` in percent; 0.0 where there is no whole to have a part of."""
    return 100.0 * part / whole if whole else 0.0


@dataclass(frozen=True)
class Seen:
    """What the log says of everything that was processed, in bytes.

    ``distinct``: files with different contents, each once, and parts of growing transcripts. ``captured``: of these, the parts
    of transcripts. ``identical``: the same contents under another name. ``known``: in ``distinct``, what showed messages that
    were stored already. ``doubled``: in ``distinct``, images and documents (as Base64) that a new message showed and an earlier
    one had brought. ``blobs``: images and documents, each once, as they must lie on the disk.
    """

    distinct: int = 0
    captured: int = 0
    identical: int = 0
    known: int = 0
    doubled: int = 0
    blobs: int = 0

    def plus(self, **more: int) -> Seen:
        """The same with more bytes of some kinds."""
        return replace(self, **{name: getattr(self, name) + size for name, size in more.items()})

    @property
    def raw(self) -> int:
        """Raw bytes seen."""
        return self.distinct + self.identical


_NOTHING_SEEN: Final = Seen()


@dataclass(frozen=True)
class Savings:
    """What was seen, and what a store with its archive takes on the disk.

    ``plain`` are those of the bytes stored that lie as plain files in the archive. ``damage``: why the bytes on the disk are
    not all that was stored, a line each; then nothing can be said of what was saved.
    """

    seen: Seen = _NOTHING_SEEN
    stored: int = 0
    plain: int = 0
    pack_after_days: float = -1.0
    """The age at which plain files are packed; below 0: never."""
    damage: tuple[str, ...] = ()

    @property
    def compression(self) -> int:
        """What compression saved, less what the store adds: raw bytes that no other layer saved, minus the bytes stored."""
        seen = self.seen
        return seen.distinct - seen.known - seen.doubled - self.stored

    @property
    def layers(self) -> dict[str, int]:
        """What each layer saved, in bytes."""
        return {
            "identical_files": self.seen.identical,
            "known_messages": self.seen.known,
            "doubled_blobs": self.seen.doubled,
            "compression": self.compression,
        }

    @property
    def saved_pct(self) -> Optional[float]:
        """Saved in percent of the raw bytes seen, with one digit; None where something is damaged."""
        return None if self.damage else round(percent(self.seen.raw - self.stored, self.seen.raw), 1)

    def as_dict(self) -> dict[str, Any]:
        """The object ``storage`` in the output of ``--json``; ``damage`` stands in it only where there is any."""
        return {
            "raw_bytes": self.seen.raw,
            "stored_bytes": self.stored,
            "savings_pct": self.saved_pct,
            "saved": None if self.damage else self.layers,
            "plain_bytes": self.plain,
            **({"damage": list(self.damage)} if self.damage else {}),
        }


NOTHING: Final = Savings()
"""Of a store that nothing went into."""
