"""One handler an event of the client. Each takes the event's object and returns what the client is to be told, or None."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any, Final

from ..project import config
from ..project.own_place import require_inside
from . import answers, client_screen, command_output, event_log
from .forms import stands_down
from .store_location import bundle, location_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .work import Work

    Payload = dict[str, Any]
    Answer = dict[str, Any] | None

AT_ONCE: Final = 3_000_000
"""Bytes of transcripts that SessionStart reads itself; more would take longer than 200 ms and go to a process apart."""
EXPORTS_AT_ONCE: Final = 2
CATCH_UP: Final = "CatchUp"
ARCHIVE: Final = "Archive"
"""Events of our own: what a hook leaves to a process apart."""
ARCHIVED_EACH: Final = 1 << 20
"""Bytes by which a transcript grows until it is archived while its session still runs."""


def handle(event: str, payload: Payload) -> Answer:
    """What the client is to be told of an event; None for silence."""
    handler = _HANDLERS.get(event)
    if handler is None:
        return None
    place = location_of(payload, user_store=True)
    if place is None:
        return None
    require_inside(str(place.project.state))
    settings = config.load(str(place.root))
    if not settings["hooks"] or not (place.opted_in or settings["user_store"]) or stands_down(str(place.root)):
        return None
    from .work import Work

    work = Work(place, settings)
    event_log.note(str(work.project.state), event)
    answer = handler(work, payload)
    work.tell_figures()
    return answer


# -- the handlers ---------------------------------------------------------------------------------------------------


def session_start(work: Work, payload: Payload) -> Answer:
    """Watch the transcript and the drop folder, catch up on what was missed, say what is safe after a compaction."""
    from . import messages

    transcript = _text(payload, "transcript_path")
    if payload.get("source") in ("startup", "resume"):
        work.check()
        from . import notices

        notices.session_began(work.live, _text(payload, "session_id"))
    if work.place.opted_in:
        work.make_drop_folder()
    banner = ""
    lagging = work.lagging(besides=transcript)
    lying = work.exports.lying_about(_text(payload, "cwd"), 0) if work.place.opted_in else []
    if sum(size for _, size in lagging) > AT_ONCE or len(lying) > EXPORTS_AT_ONCE:
        _detach(work, payload, CATCH_UP)
    else:
        work.each((path for path, _ in lagging), work.capture)
        banner = work.exports.process(lying)
        if lagging:
            _leave_to_archive(work, payload)
    output: dict[str, Any] = {"hookEventName": "SessionStart", "watchPaths": _watched(work, payload)}
    if payload.get("source") in ("compact", "resume") and work.settings["compact_context"]:
        if transcript:
            work.capture(transcript)
        context = messages.context_after_compaction(work, _text(payload, "session_id"), bundle())
        if context:
            output["additionalContext"] = context
    narrow = 0 < client_screen.columns() < client_screen.NARROW
    said = [messages.first_word(work, narrow=narrow), messages.left_behind(work, bundle())]
    said += [messages.both_forms(work), messages.settings_notice(work), banner]
    by = f"SessionStart:{_text(payload, 'source')}"
    return {"hookSpecificOutput": output, **_message("\n".join(filter(None, said)), by)}


def cwd_changed(work: Work, payload: Payload) -> Answer:
    """In a project's own installation a ``cd`` drops the watched paths: they are returned again."""
    return {"hookSpecificOutput": {"hookEventName": "CwdChanged", "watchPaths": _watched(work, payload)}}


def file_changed(work: Work, payload: Payload) -> Answer:
    """The transcript grew: capture it, and process the export it names. Or a file came into the drop folder."""
    path = _text(payload, "file_path")
    if payload.get("event") not in ("add", "change") or not path:
        return None
    if path.endswith(".jsonl") and os.path.realpath(path) == os.path.realpath(_text(payload, "transcript_path")):
        return _notice(work, payload, _capture_and_process(work, path, payload))
    if work.place.opted_in and os.path.dirname(os.path.realpath(path)) == os.path.realpath(work.project.exports):
        return _notice(work, payload, work.exports.process(work.exports.dropped(path)))
    return None


def sweep(work: Work, payload: Payload) -> Answer:
    """What FileChanged missed: the transcript's new lines, exports in the drop folder, the root and the current folder."""
    session, transcript, cwd = (_text(payload, name) for name in ("session_id", "transcript_path", "cwd"))
    since = work.swept(session)
    state = work.state(cwd, transcript)
    until = work.size_of(transcript)
    banners = [_capture_and_process(work, transcript, payload)] if transcript else []
    if since and work.place.opted_in:
        banners.append(work.exports.process(work.exports.lying_about(cwd, since)))
    from . import detached, messages, watch

    banners += [
        watch.after_capture(work, transcript, until) if transcript else "",
        messages.left_behind(work, bundle()),
        messages.client_notice(work, transcript),
        messages.settings_notice(work),
    ]
    work.remember(session, state)
    detached.send(work)
    watch.send(work)
    return _message("\n".join(filter(None, banners)), _text(payload, "hook_event_name"))


def pre_compact(work: Work, payload: Payload) -> Answer:
    """Before the context goes: the transcript and every export that waits. The client shows nothing of what we say."""
    transcript = _text(payload, "transcript_path")
    if not transcript:
        from ..project.client_transcripts import find_transcripts

        found = find_transcripts(session=_text(payload, "session_id") or "-")
        transcript = str(found[-1].path) if found else ""
    if transcript:
        _capture_and_process(work, transcript)
    if work.place.opted_in:
        work.exports.process(work.exports.lying_about(_text(payload, "cwd"), 0))
    _leave_to_archive(work, payload)
    return None


def session_end(work: Work, payload: Payload) -> Answer:
    """The client kills this hook after 1.5 seconds: the work is done by a process of its own."""
    _detach(work, payload, CATCH_UP)
    return None


def catch_up(work: Work, payload: Payload) -> Answer:
    """The process that was left behind: every transcript of the project that has grown, every export that lies about."""
    from . import detached, pruning, watch

    pruning.prune(str(work.live))
    transcript = _text(payload, "transcript_path")
    if transcript:
        _capture_and_process(work, transcript)
    work.each((path for path, _ in work.lagging()), lambda path: _capture_and_process(work, path))
    if work.place.opted_in:
        work.exports.process(work.exports.lying_about("", 0))
    detached.send(work, at_once=True)
    watch.everything(work)
    return archive(work, payload)


def archive(work: Work, _payload: Payload) -> Answer:
    """The project's transcripts as files into the archive, which takes longer than a hook may."""
    work.archive()
    return None


_HANDLERS: Final[dict[str, Callable[[Work, Payload], Answer]]] = {
    "SessionStart": session_start,
    "CwdChanged": cwd_changed,
    "FileChanged": file_changed,
    "UserPromptSubmit": sweep,
    "Stop": sweep,
    "PreCompact": pre_compact,
    "SessionEnd": session_end,
    "UserPromptExpansion": answers.answer,
    CATCH_UP: catch_up,
    ARCHIVE: archive,
}


# -- their parts ----------------------------------------------------------------------------------------------------


def _capture_and_process(work: Work, transcript: str, payload: Payload | None = None) -> str:
    """Capture a transcript and process the exports that its new lines name; the short banner, or nothing.

    With the event's object the transcript is archived each time that another MiB of it is full.
    """
    captured = work.capture(transcript)
    if captured is None:
        return ""
    banner = work.exports.process(work.exports.named_by(captured), captured.conversation_id)
    if payload is not None and captured.end // ARCHIVED_EACH > (captured.end - captured.read_bytes) // ARCHIVED_EACH:
        _leave_to_archive(work, payload)
    return banner


def _leave_to_archive(work: Work, payload: Payload) -> None:
    """Leave the archiving of transcripts to a process that outlives this hook, where it is wanted."""
    if work.archives():
        _detach(work, payload, ARCHIVE)


def _watched(work: Work, payload: Payload) -> list[str]:
    """The session's transcript and the drop folder.

    The client makes the folder of a project's first session only with the first line, and cannot watch in a folder that is
    not there yet: it would never tell of that session.
    """
    transcript = _text(payload, "transcript_path")
    if transcript:
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(transcript), mode=0o700, exist_ok=True)
    drop = str(work.project.exports) if work.place.opted_in and work.project.exports.is_dir() else ""
    return [path for path in (transcript, drop) if path]


def _detach(work: Work, payload: Payload, event: str) -> None:
    """Leave the work to a process that outlives this hook and the client."""
    from . import detached

    detached.start(event, bundle(), str(work.place.root), payload)


def _notice(work: Work, payload: Payload, text: str) -> Answer:
    """A notice in the corner of the screen, once the one before it has gone: the client would drop it."""
    if text:
        from . import notices

        time.sleep(notices.turn(work.live, _text(payload, "session_id")))
        text = client_screen.in_the_corner(text, client_screen.columns())
    return {"systemMessage": text[: command_output.MOST_CHARACTERS]} if text else {}


def _message(text: str, by: str) -> dict[str, Any]:
    """What the client prints below a prompt or an answer, behind the name of the event that said it."""
    text = client_screen.said(text, by, client_screen.columns()) if text else ""
    return {"systemMessage": text[: command_output.MOST_CHARACTERS]} if text else {}


def _text(payload: Payload, name: str) -> str:
    value = payload.get(name)
    return value if isinstance(value, str) else ""
