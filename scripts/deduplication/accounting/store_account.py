"""The whole account of a store: its savings, its archive against the list of it, what its packs say, what lies beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from ..archive import completeness, drop_folder, savings_ledger
from ..archive.places import packs_folder
from ..archive.verify import Checked
from ..errors import ArchiveDamaged
from ..start.late_dataclass import dataclass, replace
from . import storage_account

if TYPE_CHECKING:
    from ..figures.savings import Savings
    from .storage_account import Besides, Counted, OnDisk


@dataclass(frozen=True)
class StoreAccount:
    """``packs`` is None where there are none, or where something is damaged; ``kept`` names what is missing of the archive."""

    savings: Savings
    disk: OnDisk
    packs: Optional[savings_ledger.Ledger]
    kept: Checked
    besides: Besides


def account_of(store: Counted, folder: str, disk: OnDisk) -> StoreAccount:
    """Of the ``store`` in ``folder``; ``disk``: what was counted there."""
    found = storage_account.savings(store, folder, disk)
    packs = None
    if not found.damage:
        try:
            packs = _ledger(folder, disk)
        except ArchiveDamaged as error:
            found = replace(found, damage=(error.detail,))
    project = storage_account.project_of(folder)
    kept = completeness.compare_with_inventory(project) if project is not None else Checked()
    return StoreAccount(found, disk, packs, kept, storage_account.besides(folder, disk))


def _ledger(folder: str, disk: OnDisk) -> Optional[savings_ledger.Ledger]:
    """What the packs say of themselves; None where there are none."""
    project = storage_account.project_of(folder)
    if project is None or not disk.archive.pack_files:
        return None
    with drop_folder.opened(project):
        return savings_ledger.ledger(packs_folder(project), disk.archive.packs + disk.archive.indexes)
