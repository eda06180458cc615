"""What can go wrong with a migration by name: the part of ``errors.py`` for it, by the same rules."""

from __future__ import annotations

from ..errors import StoreError, UsageError


class SameStore(UsageError):
    """Source and target are the same store"""

    usual_hint = "Name another folder or another database for the target. Nothing was changed."


class TargetHoldsOther(StoreError):
    """The target holds something that does not come from this source"""

    usual_hint = (
        "Nothing was changed. Name an empty folder or database; or pass --unite: then the conversations of the source are "
        "processed once more in the target, and what both have is recognised."
    )


class SourceDamaged(StoreError):
    """The source is damaged"""

    usual_hint = (
        "What stands before that place was taken over. Run 'verify' on the source, then 'repair', and migrate again."
    )


class SourceRewritten(StoreError):
    """The source was purged or repaired while it was migrated"""

    usual_hint = "The target may have what was purged: empty it, or name another one, and run the command again."


class MigrationUnproven(StoreError):
    """The target does not say what the source says"""

    usual_hint = "The source is what it was: go on with it. Run 'verify' on both, and migrate into an empty target."
