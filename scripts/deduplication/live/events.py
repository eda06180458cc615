"""One handler an event of the client. Each takes the event's object and returns what the client is to be told, or None."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from .. import config
from ..errors import DedupError
from .place import place_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .work import Work

    Payload = dict[str, Any]
    Answer = dict[str, Any] | None

AT_ONCE: Final = 3_000_000
"""Bytes of transcripts that SessionStart reads itself; more would take longer than 200 ms and go to a process apart."""
EXPORTS_AT_ONCE: Final = 2
MOST_CHARACTERS: Final = 9_500
"""The client cuts what a hook says at 10,000."""
_MOST_LINES: Final = 30
"""Lines above a banner at most."""
_TELLING: Final = (
    "⚠",
    "❌",
    "✓ Already done",
    "✓ No new export",
    "✓ Archived",
    "✓ Checkpoint",
    "· Left",
    "· Not an export",
)
"""Beginnings of lines that tell what became of an export."""
_COMMANDS: Final = ("export-dedup", "export-dedup:export-dedup")


def handle(event: str, payload: Payload) -> Answer:
    """What the client is to be told of an event; None for silence."""
    handler = _HANDLERS.get(event)
    if handler is None:
        return None
    place = place_of(payload, user_store=True)
    if place is None:
        return None
    settings = config.load(str(place.root))
    if not settings["hooks"] or not (place.opted_in or settings["user_store"]):
        return None
    if _stands_down(str(place.root)):
        return _say_so(payload) if event == "SessionStart" else None
    from .work import Work

    work = Work(place, settings)
    _note_firing(work, event)
    return handler(work, payload)


# -- the handlers ---------------------------------------------------------------------------------------------------


def session_start(work: Work, payload: Payload) -> Answer:
    """Watch the transcript and the drop folder, catch up on what was missed, say what is safe after a compaction."""
    transcript = _text(payload, "transcript_path")
    if payload.get("source") in ("startup", "resume"):
        work.check()
        from . import notices

        notices.session_began(work.live, _text(payload, "session_id"))
    if work.place.opted_in:
        work.project.exports.mkdir(parents=True, exist_ok=True)
    banner = ""
    lagging = work.lagging(besides=transcript)
    lying = work.lying_about(_text(payload, "cwd"), 0) if work.place.opted_in else []
    if sum(size for _, size in lagging) > AT_ONCE or len(lying) > EXPORTS_AT_ONCE:
        _detach(work, payload)
    else:
        work.each((path for path, _ in lagging), work.capture)
        banner = work.process(lying)
    output: dict[str, Any] = {"hookEventName": "SessionStart", "watchPaths": _watched(work, payload)}
    if payload.get("source") in ("compact", "resume") and work.settings["compact_context"]:
        if transcript:
            work.capture(transcript)
        context = _what_is_safe(work, _text(payload, "session_id"))
        if context:
            output["additionalContext"] = context
    return {"hookSpecificOutput": output, **_message(banner)}


def cwd_changed(work: Work, payload: Payload) -> Answer:
    """In a project's own installation a ``cd`` drops the watched paths: they are returned again."""
    return {"hookSpecificOutput": {"hookEventName": "CwdChanged", "watchPaths": _watched(work, payload)}}


def file_changed(work: Work, payload: Payload) -> Answer:
    """The transcript grew: capture it, and process the export it names. Or a file came into the drop folder."""
    path = _text(payload, "file_path")
    if payload.get("event") not in ("add", "change") or not path:
        return None
    if path.endswith(".jsonl") and os.path.realpath(path) == os.path.realpath(_text(payload, "transcript_path")):
        return _notice(work, payload, _capture_and_process(work, path))
    if work.place.opted_in and os.path.dirname(os.path.realpath(path)) == os.path.realpath(work.project.exports):
        return _notice(work, payload, work.process(_dropped(work, path)))
    return None


def sweep(work: Work, payload: Payload) -> Answer:
    """What FileChanged missed: the transcript's new lines, exports in the drop folder, the root and the current folder."""
    session, transcript, cwd = (_text(payload, name) for name in ("session_id", "transcript_path", "cwd"))
    since = work.swept(session)
    state = work.state(cwd, transcript)
    banners = [_capture_and_process(work, transcript)] if transcript else []
    if since and work.place.opted_in:
        banners.append(work.process(work.lying_about(cwd, since)))
    work.remember(session, state)
    return _message("\n".join(filter(None, banners)))


def pre_compact(work: Work, payload: Payload) -> Answer:
    """Before the context goes: the transcript and every export that waits. The client shows nothing of what we say."""
    transcript = _text(payload, "transcript_path")
    if not transcript:
        from ..transcripts import find_transcripts

        found = find_transcripts(session=_text(payload, "session_id") or "-")
        transcript = str(found[-1].path) if found else ""
    if transcript:
        _capture_and_process(work, transcript)
    if work.place.opted_in:
        work.process(work.lying_about(_text(payload, "cwd"), 0))
    return None


def session_end(work: Work, payload: Payload) -> Answer:
    """The client kills this hook after 1.5 seconds: the work is done by a process of its own."""
    _detach(work, payload)
    return None


def catch_up(work: Work, payload: Payload) -> Answer:
    """The process that was left behind: every transcript of the project that has grown, every export that lies about."""
    transcript = _text(payload, "transcript_path")
    if transcript:
        _capture_and_process(work, transcript)
    work.each((path for path, _ in work.lagging()), lambda path: _capture_and_process(work, path))
    if work.place.opted_in:
        work.process(work.lying_about("", 0))
    return None


def prompt_expansion(work: Work, payload: Payload) -> Answer:
    """``/export-dedup``: the whole banner as the user sees it, and no request to the model."""
    if payload.get("command_name") not in _COMMANDS:
        return None
    import shlex

    arguments = _text(payload, "command_args")
    try:
        words = shlex.split(arguments)
    except ValueError as error:
        return {"decision": "block", "reason": f"❌ export-dedup: the arguments cannot be read: {error}"}
    try:
        _before_the_command(work, _text(payload, "transcript_path"))
    except DedupError as error:  # the command meets it too, and says it on the screen
        work.note(f"UserPromptExpansion: {error}")
    if work.settings["command_banner"] != config.HOOK:
        return None
    script = os.path.join(_bundle(), "scripts", "export-dedup-with-status.py")
    # The user's own project, even where it did not opt in: the command is what opts in.
    command = [sys.executable, script, "--project", str(work.place.root), "--yes", *words]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # Our bundle may be a plugin's folder: what Python compiles goes where the hook's own goes.
        env={
            **os.environ,
            "PYTHONIOENCODING": "utf-8",
            **({"PYTHONPYCACHEPREFIX": sys.pycache_prefix} if sys.pycache_prefix else {}),
        },
        check=False,
    )
    return {"decision": "block", "reason": _shown(done.stdout.decode("utf-8", "replace"))}


_HANDLERS: Final[dict[str, Callable[[Work, Payload], Answer]]] = {
    "SessionStart": session_start,
    "CwdChanged": cwd_changed,
    "FileChanged": file_changed,
    "UserPromptSubmit": sweep,
    "Stop": sweep,
    "PreCompact": pre_compact,
    "SessionEnd": session_end,
    "UserPromptExpansion": prompt_expansion,
    "CatchUp": catch_up,
}


# -- their parts ----------------------------------------------------------------------------------------------------


def _capture_and_process(work: Work, transcript: str) -> str:
    """Capture a transcript and process the exports that its new lines name; the short banner, or nothing."""
    captured = work.capture(transcript)
    if captured is None:
        return ""
    return work.process(work.exports_named(captured), captured.conversation_id)


def _before_the_command(work: Work, transcript: str) -> None:
    """What only the transcript tells: which exports went elsewhere, and that a short one belongs to this session."""
    captured = work.capture(transcript) if transcript else None
    if captured is not None:
        named = work.exports_named(captured)
        work.process([path for path in named if not work.within(path)], captured.conversation_id)
        # The command finds these, with the user's options.
        work.know([path for path in named if work.within(path)], captured.conversation_id)


def _dropped(work: Work, path: str) -> list[str]:
    """A file in the drop folder, once it is whole and an export."""
    from .work import settled

    if not settled(path):
        return []
    return [found for found in work.lying_about("", 0) if os.path.realpath(found) == os.path.realpath(path)]


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


def _what_is_safe(work: Work, session: str) -> str:
    """Two lines of facts for the assistant, whose context was just cut."""
    with work.dedup.store.transaction(write=False):
        conversation = work.dedup.store.session(session)
    if not conversation:
        return ""
    figures = work.dedup.get_statistics(conversation)
    script = os.path.join(_bundle(), "scripts", "deduplicate_export.py")
    count, updated = figures["total_messages"], figures["last_updated"]
    return (
        f"export-dedup has {count:,} messages of this conversation in its store, up to {updated}.\n"
        f'What the summary left out can be looked up with: python3 "{script}" search --project "{work.project.root}" TEXT'
    )


def _shown(output: str) -> str:
    """What a person wants to see of a report: the banner, what became of the exports, the summary; all of it without a banner."""
    from .. import report

    lines = output.rstrip("\n").split("\n")
    bars = [n for n, line in enumerate(lines) if line.startswith(report.LOCKS)]
    if not bars:
        return "\n".join(lines)[-MOST_CHARACTERS:]
    told = _told(lines[: bars[0]])[:_MOST_LINES]
    told = ["", *told] if told else []
    return "\n".join([*lines[bars[0] : bars[-1] + 1], *told, *lines[bars[-1] + 1 :]])[:MOST_CHARACTERS]


def _told(steps: list[str]) -> list[str]:
    """Of the five steps the lines that tell what became of the exports, and what stands indented below them."""
    told: list[str] = []
    below = 1000
    for line in steps:
        text = line.lstrip()
        depth = len(line) - len(text)
        if text.startswith(_TELLING):
            below = depth + 3
            told.append(text)
        elif text and depth >= below:
            told.append(f"   {text}")
        else:
            below = 1000
    return told


def _detach(work: Work, payload: Payload) -> None:
    """Leave the work to a process that outlives this hook and the client."""
    import json

    entry = os.path.join(_bundle(), "hooks", "run.py")
    process = subprocess.Popen(
        [sys.executable, entry, "CatchUp"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=str(work.place.root),
        start_new_session=os.name != "nt",
        # DETACHED_PROCESS and CREATE_NEW_PROCESS_GROUP, which only Windows has
        creationflags=0x208 if os.name == "nt" else 0,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(payload).encode())
    process.stdin.close()
    process.returncode = 0  # nobody waits for it, and nobody should be warned of that


def _stands_down(root: str) -> bool:
    """True where this is the plugin and the project has hooks of its own installation: one of both is enough."""
    if not os.environ.get("CLAUDE_PLUGIN_ROOT"):
        return False
    own = os.path.join(root, ".coditect", "hooks", "run.py")
    if not os.path.isfile(own):
        return False
    try:
        with open(os.path.join(root, ".claude", "settings.json"), encoding="utf-8") as file:
            return ".coditect/hooks/run" in file.read(1_000_000)
    except (OSError, ValueError):
        return False


def _note_firing(work: Work, event: str) -> None:
    """Remember that the client fires this hook, for ``doctor``."""
    import json

    from .. import atomic

    path = os.path.join(work.project.state, "hooks.json")
    if not os.path.isdir(work.project.state):
        return
    try:
        with open(path, "rb") as file:
            seen = json.loads(file.read())
    except (OSError, ValueError):
        seen = {}
    entry = seen.get(event) if isinstance(seen, dict) else None
    count = entry.get("count", 0) if isinstance(entry, dict) else 0
    seen = seen if isinstance(seen, dict) else {}
    seen[event] = {"last": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "count": count + 1}
    atomic.replace(path, json.dumps(seen).encode(), durable=False)


def _bundle() -> str:
    """The folder that has ``scripts`` and ``hooks``: the plugin's root, or ``.coditect`` of the project."""
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))


def _say_so(payload: Payload) -> Answer:
    from .. import report

    return _message(report.plugin_stands_down()) if payload.get("source") in ("startup", "resume") else None


def _notice(work: Work, payload: Payload, text: str) -> Answer:
    """A notice in the corner of the screen, once the one before it has gone: the client would drop it."""
    if text:
        from . import notices

        time.sleep(notices.turn(work.live, _text(payload, "session_id")))
    return _message(text)


def _message(text: str) -> dict[str, Any]:
    return {"systemMessage": text[:MOST_CHARACTERS]} if text else {}


def _text(payload: Payload, name: str) -> str:
    value = payload.get(name)
    return value if isinstance(value, str) else ""
