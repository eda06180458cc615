"""The record of a purge: what went, or with a dry run would go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..start.late_dataclass import dataclass, field

if TYPE_CHECKING:
    from ..backup.renewing import Unreached
    from .plan import Plan
    from .proof import Proof
    from .reach import OtherPlace


@dataclass
class Purged:
    """What went, or with ``dry_run`` would go. Bytes are bytes on disk."""

    plan: Plan
    dry_run: bool
    blanked: list[tuple[str, int]] = field(default_factory=list)
    """Archived files that stay without some messages, and how many."""
    removed: list[tuple[str, int, str]] = field(default_factory=list)
    """Archived files that go as a whole: name, bytes, and why, where they show anything else."""
    renamed: int = 0
    sessions: list[str] = field(default_factory=list)
    quarantine: list[str] = field(default_factory=list)
    backups: list[str] = field(default_factory=list)
    """Folders with backups of the store: each gets a fresh snapshot and loses the earlier ones."""
    unreached: list[Unreached] = field(default_factory=list)
    """Those of them that may still have it."""
    elsewhere: list[OtherPlace] = field(default_factory=list)
    packs_renewed: bool = False
    proof: Proof | None = None
    problems: list[str] = field(default_factory=list)
