"""Everything that can go wrong by name: the docstring is the message, the class owns the exit code.

The seam between a failure and what the user reads. ``str(error)`` is one line that says what happened and to
which file; ``error.hint`` is one line that says what to do next (it may be empty).
"""

from __future__ import annotations

from typing import Final

from .start import permissions

EXIT_OK: Final = 0
EXIT_FAILURE: Final = 1
EXIT_USAGE: Final = 2
EXIT_UNEXPECTED: Final = 3
EXIT_INTERRUPTED: Final = 130


class DedupError(Exception):
    """The operation failed"""

    exit_code: int = EXIT_FAILURE
    usual_hint: str = ""
    hint = permissions.Hint()

    def __init__(self, detail: str = "", *, hint: str = "") -> None:
        """``detail`` names the file or the value; ``hint`` replaces the class's usual advice."""
        message = (type(self).__doc__ or "").split("\n", 1)[0].rstrip(".")
        super().__init__(f"{message}: {detail}" if detail else message)
        self.detail = detail
        self.told = hint


class NotPermitted(DedupError):
    """The system does not permit it"""


class UsageError(DedupError):
    """The command line cannot be used as it stands"""

    exit_code = EXIT_USAGE
    usual_hint = "Run the command with --help to see what it takes."


class ExportWarning(UserWarning):
    """Something in an export could not be read as it should be. It is kept; the text says what it was."""


class ExportError(DedupError):
    """The export could not be processed"""

    usual_hint = "The file was left where it is. Export again, or pass another file."


class NotAnExport(ExportError):
    """This file is not a conversation export"""

    usual_hint = "Pass a file written by /export, or a conversation as JSON."


class OwnOutput(NotAnExport):
    """This file is not a conversation export"""

    usual_hint = (
        "It stays where it is, and nothing of it is counted. Its messages came from exports: pass one of those."
    )


class RestoredExport(OwnOutput):
    """This file was restored from the archive"""

    usual_hint = "It stays where it is: its messages are stored, and the archive has its bytes. Pass its path to process it again."


class ExportUnreadable(ExportError):
    """The export cannot be read"""


class ExportTooLarge(ExportError):
    """The export is too large to be read"""

    usual_hint = (
        "Is it an export? If so, set EXPORT_DEDUP_LARGEST_EXPORT to a larger number of bytes and run the command again."
    )


class ExportGone(ExportUnreadable):
    """The export is no longer there"""

    usual_hint = "Another run may have archived it; otherwise check the path."


class ExportChanged(ExportError):
    """The export changed while it was being processed"""

    usual_hint = "Nothing was archived. Run the command again once the file is at rest."


class UnsafePath(DedupError):
    """The path leads outside the project or is not a regular file"""

    usual_hint = "Pass the real path of a regular file."


class OutputNotWritable(DedupError):
    """The output cannot be written"""

    usual_hint = "Pass a place that exists, is yours, and holds nothing that must be kept."


class PackageMissing(DedupError):
    """A package that this needs is not installed"""


class StoreError(DedupError):
    """The message store cannot be used"""


class StoreMissing(StoreError):
    """There is no message store"""

    usual_hint = "Check --project and --storage-dir; a store is made when the first export is processed."


class StoreDamaged(StoreError):
    """The message store is damaged"""

    usual_hint = "Run 'deduplicate_export.py verify' to see what is affected, then 'deduplicate_export.py rebuild'."


class CopyNotWhole(StoreError):
    """A copy of the log cannot be taken in"""

    usual_hint = "It stays where it is. Wait until what synchronises the folder has brought all of it, then run the command again."


class StoreOfNewerVersion(StoreError):
    """The message store was written by a newer version of export-dedup"""

    usual_hint = "Update export-dedup; nothing was changed."


class StoreHasLog(StoreError):
    """The store has a log, and is not replaced"""

    usual_hint = (
        "Run 'deduplicate_export.py repair'; or leave --yes out: the new store is then made in a folder of its own."
    )


class StoreLocked(StoreError):
    """Another run is using the message store"""

    usual_hint = "Wait until the other run has finished, then try again."


class StoreNotWritable(StoreError):
    """The message store cannot be written"""

    usual_hint = "Free some space or correct the permissions, then run the command again; nothing was lost."


class StoreNotPrivate(StoreError):
    """The message store belongs to somebody else"""

    usual_hint = "Use a folder of your own: pass --storage-dir or correct the owner."


class StoreKeepsNoLog(UsageError):
    """This backend keeps no log"""

    usual_hint = "Use a backend that has one: the default one, json or postgresql."


class StoreKeepsNoFiles(UsageError):
    """This backend keeps no files"""

    usual_hint = "Use the default or json backend: a store that lies in a folder and has a log."


class ConversationUnclear(DedupError):
    """It is not clear which conversation is meant"""

    usual_hint = "'deduplicate_export.py show' lists the conversations; the beginning of an id is enough where it is the only one."


class StoreTracked(StoreError):
    """The message store is tracked by git"""

    usual_hint = "Run 'git rm -r --cached MEMORY-CONTEXT/dedup_state' and commit; what was pushed counts as known."


class PrivacySettingInvalid(DedupError):
    """A privacy setting cannot be used"""

    usual_hint = "Correct it ('deduplicate_export.py trust' names the files of settings); until then nothing is shared."


class RedactionTooSlow(PrivacySettingInvalid):
    """It takes too long to tell what must not be shared"""

    usual_hint = "Nothing of it was written, the messages are stored. Make privacy_patterns fewer or simpler."


class NotApproved(DedupError):
    """These settings cannot be approved"""

    usual_hint = "Put them into your own file of settings, which 'deduplicate_export.py trust' names."


class SessionUnknown(DedupError):
    """Nothing is stored of this session"""

    usual_hint = "Run 'deduplicate_export.py session' without a name to see which sessions there are."


class SessionNotWritten(DedupError):
    """The session file could not be written"""

    usual_hint = "The messages are stored. Correct the cause and run 'deduplicate_export.py session' again."


class ArchiveDamaged(StoreError):
    """The archive is damaged"""

    usual_hint = "Run 'deduplicate_export.py verify' to see which files it costs; everything else can be restored."


class NotInArchive(DedupError):
    """The archive has no such file"""

    usual_hint = "Run 'deduplicate_export.py restore --list' to see what it has."


class BackupFailed(DedupError):
    """The backup could not be made"""

    usual_hint = "Earlier snapshots are whole. Correct the cause and run the same command again."


class BackupRefused(DedupError):
    """This folder cannot take the backup"""

    usual_hint = "Pass a folder outside of MEMORY-CONTEXT that is empty or does not exist yet."


class BackupMissing(DedupError):
    """There is no such backup"""

    usual_hint = "'deduplicate_export.py backup DIR --list' shows the snapshots in a folder."


class BackupDamaged(DedupError):
    """The backup is damaged"""

    usual_hint = (
        "'deduplicate_export.py backup DIR --verify' says which snapshots are whole; --snapshot chooses one of them."
    )


class BackupHasPurged(DedupError):
    """What was purged would come back"""

    usual_hint = (
        "Run 'deduplicate_export.py backup DIR' where the store is: it removes such snapshots. --list marks them, --snapshot "
        "chooses another one, --with-purged restores it all the same: then purge again."
    )


class RestoreRefused(DedupError):
    """Something is there already, and nothing is overwritten"""

    usual_hint = "Restore into another folder with --output DIR, or move away what is there and restore again."


class NothingToPurge(DedupError):
    """There is nothing to purge"""

    usual_hint = (
        "Nothing was changed. 'deduplicate_export.py show' and 'search --json' show what there is, with content hashes."
    )


class PurgeRefused(DedupError):
    """Nothing was purged"""

    usual_hint = "Look at what would go with --dry-run, then pass --yes."


class PurgeIncomplete(DedupError):
    """Something of what was purged is still there"""

    usual_hint = "It was purged from the store; remove the places that are named, or run the command again."


class CheckpointFailed(DedupError):
    """The checkpoint could not be made"""

    usual_hint = "The messages are stored. Correct the cause and run create-checkpoint.py again."
