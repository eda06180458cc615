"""Said once: that settings of the project wait for the user's approval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..project.config import FILE

if TYPE_CHECKING:
    from ..project.config import Settings


def once(found: Settings) -> str:
    """One line where settings wait for an approval, the first time that this very file asks for them; else nothing."""
    if not found.waiting:
        return ""
    from ..project import approvals
    from ..reports.trust import waiting

    return waiting(FILE, found.waiting) if approvals.is_news(found.path, found.file.data) else ""
