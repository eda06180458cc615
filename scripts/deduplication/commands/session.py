"""``deduplicate_export.py session``: sessions as files that people read."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any, Final

from ..errors import EXIT_OK, OutputNotWritable, SessionUnknown, StoreNotWritable, UsageError
from ..project.export_names import validate_session_id
from ..project.paths import Project, find_project
from ..reports import sessions as session_report
from ..sessions import full_document
from ..terminal.display import show, show_nothing
from . import arguments as shared
from .shell.titles import namings, redaction, with_tags

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from ..storage.contract import Store

_DESCRIPTION: Final = """\
Write sessions as files that people read: Markdown that grows turn by turn, one page of HTML, JSON for programs.
Without a session, list those that there are.

  deduplicate_export.py session rollout-master              MEMORY-CONTEXT/sessions/rollout-master.md
  deduplicate_export.py session --all                       the same for every session
  deduplicate_export.py session rollout-master --format html --output page.html
"""
_FORMS: Final = {"md": full_document.MARKDOWN, "html": full_document.HTML, "json": full_document.JSON}


def main(arguments: Sequence[str]) -> int:
    """Write or list sessions."""
    asked = parser().parse_args(arguments)
    _check(asked)
    project = find_project(asked.project)
    dedup = shared.deduplicator(asked, existing=True)
    out = show_nothing if asked.json else show
    if asked.index:
        return _index(asked, project, dedup.store, out)
    if not asked.sessions and not asked.all:
        listed = _listed(asked, dedup.store)
        out(session_report.listed(listed))
        if asked.json:
            shared.print_json({"sessions": listed})
        return EXIT_OK
    known = dedup.conversations()
    sessions = known if asked.all else list(dict.fromkeys(_known(dedup.store, each) for each in asked.sessions))
    if asked.format == "md" and asked.output is None:
        written = _grow(project, dedup.store, sessions, out, each_checkpoint=asked.per_checkpoint)
    else:
        written = _whole(asked, project, dedup.store, sessions, out)
    if asked.json:
        shared.print_json({"written": written})
    return EXIT_OK


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser("deduplicate_export.py session", _DESCRIPTION)
    add = found.add_argument
    add("sessions", nargs="*", metavar="SESSION", help="the sessions to write: ids, or their beginnings")
    add("--all", action="store_true", help="write every session")
    add("--format", metavar="F", choices=tuple(_FORMS), default="md", help="md (the default), html or json")
    add("--output", metavar="O", help="a file, a folder for several, or - for the screen; it is replaced as a whole")
    add(
        "--index",
        action="store_true",
        help="write MEMORY-CONTEXT/index.md and index.html, of all sessions; runs keep them",
    )
    add("--per-checkpoint", action="store_true", help="write only what no file has yet, to a new file for each session")
    add("--tag", metavar="WORD", action="append", default=[], help="list only sessions that have this word (see tag)")
    shared.add_store(found)
    add(
        "--json",
        action="store_true",
        help="print one JSON object with what was written, or what there is, and nothing else",
    )
    return found


def _index(asked: argparse.Namespace, project: Project, store: Store, out: Callable[[str], None]) -> int:
    from ..sessions.for_a_run import refreshed_index

    paths = [project.relative(path) for path in refreshed_index(project, store, make=True)]
    out(session_report.indexed(paths))
    if asked.json:
        shared.print_json({"index": paths})
    return EXIT_OK


def _known(store: Store, asked: str) -> str:
    """The session that is asked for: its id, or the beginning of it. Raises ``SessionUnknown``, ``ConversationUnclear``."""
    with store.transaction(write=False):
        found = shared.one_of(store.session(asked) or store.canonical(asked), store.conversations())
    if found is None:
        raise SessionUnknown(asked)
    return found


def _check(asked: argparse.Namespace) -> None:
    for session in asked.sessions:
        validate_session_id(session)
    if asked.index and (asked.all or asked.sessions or asked.tag or asked.output is not None):
        raise UsageError("--index is of all sessions, and lies in MEMORY-CONTEXT")
    if asked.tag and (asked.all or asked.sessions):
        raise UsageError("--tag is for the list of sessions")
    if asked.all and asked.sessions:
        raise UsageError("--all takes every session, so name none")
    if asked.output == "":
        raise UsageError("--output needs a name")
    if asked.json and asked.output == "-":
        raise UsageError("--json and --output - both print, so pass one of them")
    if asked.per_checkpoint and (asked.format != "md" or asked.output is not None):
        raise UsageError("--per-checkpoint is for the Markdown files in MEMORY-CONTEXT/sessions alone")
    if (asked.output is not None or asked.per_checkpoint or asked.format != "md") and not (asked.sessions or asked.all):
        raise UsageError("no session was named", hint="Name sessions, or pass --all.")


def _listed(asked: argparse.Namespace, store: Store) -> list[dict[str, Any]]:
    with store.transaction(write=False):
        named = with_tags(namings(asked, store, store.conversations()).values(), asked.tag)
        found: list[dict[str, Any]] = [
            {
                "session_id": each.conversation_id,
                "title": each.title or None,
                "tags": list(each.tags),
                "messages": store.figures(each.conversation_id).occurrences,
                "last_updated": store.figures(each.conversation_id).updated_at,
            }
            for each in named
        ]
    found.sort(key=lambda each: (each["last_updated"], each["session_id"]), reverse=True)
    return found


def _grow(
    project: Project, store: Store, sessions: Sequence[str], out: Callable[[str], None], *, each_checkpoint: bool
) -> list[dict[str, Any]]:
    from pathlib import Path

    from ..sessions.folder import write_sessions

    written = []
    for session, done in write_sessions(project, store, sessions, each_checkpoint=each_checkpoint).items():
        path, beside = (project.relative(Path(each)) if each else "" for each in (done.path, done.untouched))
        written.append(
            {
                "session_id": session,
                "path": path or None,
                "messages": done.messages,
                "new_messages": done.new,
                "changed": bool(done.files),
                "left_alone": beside or None,
            }
        )
        out(
            session_report.written(
                session,
                path,
                messages=done.messages,
                new=done.new,
                parts=done.parts,
                changed=bool(done.files),
            )
        )
        if done.untouched is not None:
            out(session_report.left_alone(beside))
    return written


def _whole(
    asked: argparse.Namespace, project: Project, store: Store, sessions: Sequence[str], out: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Each session as a document of its own, replaced as a whole."""
    from pathlib import Path

    from ..files import atomic, beneath
    from ..sessions.folder import held
    from ..sessions.place import prepared_folder
    from ..workflow import new_messages_file

    form = _FORMS[asked.format]
    redact = redaction(asked)
    folder = prepared_folder(project) if asked.output is None else asked.output
    single = asked.output is not None and asked.output != "-" and not _is_folder(asked.output)
    if asked.output is not None and (single or asked.output == "-") and len(sessions) > 1:
        raise UsageError("several sessions do not fit into one output", hint="Pass a folder that exists.")
    if single:
        asked.output = new_messages_file.check_file(asked.output, (shared.store_folder(asked), project.archive))
    elif asked.output not in (None, "-"):
        folder = new_messages_file.check_folder(asked.output, (shared.store_folder(asked), project.archive))
        try:
            beneath.make_folders(folder)
        except OSError as error:
            raise OutputNotWritable(f"{asked.output}: {error.strerror or error}") from error
    written = []
    for session in sessions:
        beside = () if single or asked.output == "-" else sessions
        with contextlib.ExitStack() as stack:
            if asked.output is None:  # beside the session files: not while they are purged
                stack.enter_context(held(project))
            data = full_document.text_of(
                store, session, form, redact, beside, pictures=asked.output is not None
            ).encode("utf-8", "backslashreplace")
            if asked.output == "-":
                sys.stdout.write(data.decode())
                continue
            name = "" if single else full_document.file_name(store, session, form, redact)
            path = asked.output if single else os.path.join(folder, name)
            try:
                atomic.replace(path, data, mode=atomic.PRIVATE_FILE if asked.output is not None else atomic.SHARED_FILE)
                if asked.output is None:
                    full_document.remove_former(folder, session, form, name)
            except StoreNotWritable as error:
                raise OutputNotWritable(str(error).partition(": ")[2]) from error
        shown = project.relative(Path(path))
        written.append({"session_id": session, "path": shown, "bytes": len(data)})
        out(session_report.document(session, shown, len(data)))
    return written


def _is_folder(path: str) -> bool:
    return os.path.isdir(path) or path.endswith(("/", os.sep))
