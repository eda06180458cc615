"""``deduplicate_export.py restore``: any archived export, byte for byte."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from ..archive import restore as restoring
from ..archive import restore_to_client, sealed_archive
from ..archive.entry import lost_error, names
from ..errors import EXIT_FAILURE, EXIT_OK, DedupError, OutputNotWritable, UsageError
from ..files import atomic, beneath
from ..reports import archive as archive_report
from ..shared_archive import elsewhere
from ..storage import audit_entries, open_store
from ..storage.log_backed import place_of
from ..terminal.display import show
from ..terminal.progress import progress
from . import arguments as shared

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

    from ..archive.entry import Entry
    from ..archive.restore import ArchivedFiles

STANDARD_OUTPUT = "-"


def main(arguments: Sequence[str]) -> int:
    """Restore what was asked for; 1 where something could not be, the rest is restored all the same."""
    asked = parser().parse_args(arguments)
    _check(asked)
    began = time.monotonic()
    with _opened(asked) as shelf:
        asked.session = asked.session and (shared.one_of(asked.session, shelf.sessions()) or asked.session)
        if asked.list:
            _list(shelf, as_json=asked.json)
            return EXIT_OK
        if asked.to_client:
            files = _to_client(shelf, asked.session, as_json=asked.json)
            _note(asked, began, files, 0)
            return EXIT_OK
        found, failures = _wanted(shelf, asked)
        if asked.seal is not None:
            return _seal(shelf, found, failures, asked, began)
        if asked.output == STANDARD_OUTPUT:
            return _to_standard_output(shelf, found, failures)
        written: list[dict[str, str | int]] = []
        for entry, path, real in _places(found, asked):
            try:
                new = shelf.write(entry, real)
            except DedupError as error:
                failures.append((entry.name, error))
                continue
            sha256 = shelf.sha256(entry)
            gone = shelf.purged[sha256].messages if sha256 in shelf.purged else 0
            written.append({"name": entry.name, "path": path, "sha256": sha256, **({"purged": gone} if gone else {})})
            if not asked.json:
                show(archive_report.restored(entry.name, path, new=new, purged=gone))
        _note(asked, began, len(written), len(failures))
        for problem in dict.fromkeys(shelf.problems):
            show(archive_report.not_restored("Elsewhere", problem, ""), sys.stderr)
    return _ended(failures, {"restored": written}, as_json=asked.json)


def _check(asked: argparse.Namespace) -> None:
    """Raises ``UsageError`` for what does not go together."""
    chosen = bool(asked.names) + (asked.all is not None) + (asked.session is not None) + asked.list
    if chosen != 1 and not (asked.seal is not None and not chosen):
        raise UsageError("pass the names of files, or --session ID, or --all DIR, or --list")
    if asked.output is not None and not (asked.names or asked.session):
        raise UsageError("--output goes with the names of files, or with --session")
    if asked.to_client and (asked.session is None or asked.output is not None):
        raise UsageError("--to-client goes with --session ID, and the client's folder is the place")
    if "" in asked.names or "" in (asked.output, asked.all, asked.session, asked.seal):
        raise UsageError("an argument is empty", hint="An unset variable of the shell? Nothing was restored.")
    if asked.seal is not None and (asked.all is not None or asked.output is not None or asked.list or asked.to_client):
        raise UsageError("--seal FILE is the place: it goes alone, with the names of files, or with --session")
    if bool(asked.seal) != bool(asked.encrypt_to):
        raise UsageError("--seal and --encrypt-to go together: into which file, and who is to open it?")


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser(
        "deduplicate_export.py restore",
        "Write archived exports as they were, with their modification time: plain ones and packed ones alike. A NAME is a\n"
        "file's name, a session, a date (YYYY-MM-DD), or the first 8 or more digits of a SHA-256. Nothing is overwritten.",
    )
    add = found.add_argument
    add("names", nargs="*", metavar="NAME", help="what to restore")
    add("--output", metavar="PATH", help="a folder, a file's name for one export, or - (default: the current folder)")
    add(
        "--session",
        metavar="ID",
        help="every archived file of this session, by its id or the beginning of it: exports, transcript, what belongs to it",
    )
    add(
        "--to-client",
        action="store_true",
        help="put the transcript of --session back where Claude Code keeps it, so that 'claude --resume ID' works",
    )
    add("--all", metavar="DIR", help="restore every archived export into this folder")
    add(
        "--seal",
        metavar="FILE",
        help="put them, or every file, into this new file, a compressed tar, encrypted by age or gpg",
    )
    shared.add_encrypt_to(found)
    add("--list", action="store_true", help="list what the archive has")
    add(
        "--owner",
        metavar="USER",
        help="take it from the archive of this user of the database, whose store is not yours (it takes dedup_team_role)",
    )
    shared.add_store(found)
    add("--json", action="store_true", help="print one JSON object and nothing else")
    return found


def _note(asked: argparse.Namespace, began: float, files: int, failed: int) -> None:
    """What was restored, among what was done to the store: never the names."""
    state = os.fspath(shared.archive_place(asked).state)
    audit_entries.note_in_folder(state, audit_entries.RESTORE, began, files=files, failed=failed)


@contextlib.contextmanager
def _opened(asked: argparse.Namespace) -> Iterator[ArchivedFiles]:
    """The archive that is meant, and what a database has of others of the same store."""
    project = shared.archive_place(asked)
    place = place_of(open_store(asked.backend, os.fspath(project.state), asked.db_url))
    if asked.owner is not None:
        if place is None or not asked.owner:
            hint = "Pass --backend postgresql and --db-url, or set both in your own settings."
            raise UsageError("--owner names a user of a database, and this store lies in none", hint=hint)
        place = place._replace(owner=asked.owner)
    with elsewhere.opened(project, place) as ask, restoring.opened(project, ask, here=asked.owner is None) as shelf:
        yield shelf


def _wanted(shelf: ArchivedFiles, asked: argparse.Namespace) -> tuple[list[Entry], list[tuple[str, DedupError]]]:
    failures: list[tuple[str, DedupError]] = []
    if asked.all is not None or not (asked.names or asked.session):
        every = shelf.all()
        failures = [("A file", error) for error in shelf.lost]
        return every, failures + [(each.name, lost_error(each)) for each in shelf.missing()]
    if asked.session is not None:
        missing = [each for each in shelf.missing() if each.session == asked.session]
        failures = [("A file", error) for error in shelf.unasked()]
        return shelf.of_session(asked.session), failures + [(each.name, lost_error(each)) for each in missing]
    found: list[Entry] = []
    for name in asked.names:
        try:
            found += [entry for entry in shelf.find(name) if entry not in found]
        except DedupError as error:
            failures.append((name, error))
    return found, failures


def _places(found: Sequence[Entry], asked: argparse.Namespace) -> list[tuple[Entry, str, str]]:
    """Where each file goes, as it was named and as it is: links are followed now, and never again.

    Raises :class:`UsageError` where several would go into one.
    """
    folder = asked.all if asked.all is not None else asked.output
    if folder is None:
        folder = os.curdir
    elif asked.all is not None or folder.endswith(("/", os.sep)):
        with atomic.write_errors(folder):
            beneath.make_folders(os.path.realpath(folder), atomic.PRIVATE_DIRECTORY)
    elif not os.path.isdir(folder):
        if len(found) > 1:
            raise UsageError(
                f"{len(found)} files are meant; --output must be a folder that exists, or end with a slash"
            )
        real = os.path.join(os.path.realpath(os.path.dirname(folder)), os.path.basename(folder))
        return [(entry, folder, real) for entry in found]
    real = os.path.realpath(folder)
    return [(entry, os.path.join(folder, name), os.path.join(real, name)) for entry, name in zip(found, names(found))]


def _to_client(shelf: ArchivedFiles, session: str, *, as_json: bool) -> int:
    """How many files were put back."""
    back = restore_to_client.to_client(shelf, session)
    if as_json:
        files = [{"name": name, "path": path, "new": new} for name, path, new in back.files]
        shared.print_json({"restored": files, "session": session, "directory": back.directory})
    else:
        for name, path, new in back.files:
            show(archive_report.restored(name, path, new=new))
        show(archive_report.to_client(session, back.directory, there=os.path.isdir(back.directory)))
    return len(back.files)


def _to_standard_output(shelf: ArchivedFiles, found: Sequence[Entry], failures: list[tuple[str, DedupError]]) -> int:
    if len(found) > 1:
        raise UsageError(f"{len(found)} files are meant; standard output takes one")
    for entry in found:
        # Whole before the first byte is printed: what follows a pipe must not get half a file.
        data = b"".join(shelf.parts(entry))
        sys.stdout.flush()
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputNotWritable(f"standard output: {error.strerror or error}") from error
    return _ended(failures, {}, as_json=False)


def _seal(
    shelf: ArchivedFiles,
    found: Sequence[Entry],
    failures: list[tuple[str, DedupError]],
    asked: argparse.Namespace,
    began: float,
) -> int:
    """The files into one that is encrypted; the exit code."""
    with progress(sum(entry.size for entry in found), "Sealing") as advance:
        done = sealed_archive.seal(shelf, found, os.path.abspath(asked.seal), asked.encrypt_to, advance)
    failures += done.failures
    _note(asked, began, done.files, len(failures))
    if not asked.json:
        show(archive_report.sealed(done))
    return _ended(failures, {"sealed": done.path, "files": done.files, "bytes": done.bytes}, as_json=asked.json)


def _list(shelf: ArchivedFiles, *, as_json: bool) -> None:
    entries, missing = shelf.all(), shelf.missing()
    if as_json:
        rows = [
            {
                "name": entry.name,
                "session": entry.session,
                "date": entry.day,
                "bytes": entry.size,
                "sha256": shelf.sha256(entry),
                "packed": entry.number >= 0,
            }
            for entry in entries
        ]
        gone = [each.as_dict() for each in missing]
        shared.print_json({"files": rows, "missing": gone})
    else:
        show(archive_report.listed(entries))
        for each in missing:
            show(archive_report.not_restored(each.name, str(lost_error(each)), ""))
    for error in shelf.unasked():
        show(archive_report.not_restored("What other machines have", str(error), error.hint), sys.stderr)


def _ended(failures: Sequence[tuple[str, DedupError]], told: Mapping[str, Any], *, as_json: bool) -> int:
    for name, error in failures:
        show(archive_report.not_restored(name, str(error), error.hint), sys.stderr)
    if as_json:
        failed = [{"name": name, "error": str(error)} for name, error in failures]
        shared.print_json({**told, "failed": failed})
    return EXIT_FAILURE if failures else EXIT_OK
