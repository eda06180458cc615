"""The process of one hook: an event's JSON in, at most one line of JSON out, exit code 0 whatever happens.

A hook must never break the session: what fails goes to a bounded log in the store, and the client goes on. Only
what every event needs is imported here.
"""

from __future__ import annotations

import os
import sys

from . import quick


def run(arguments: list[str]) -> None:
    """Handle the event that ``arguments`` name; ends the process."""
    event = arguments[0] if arguments else ""
    data = b""
    try:
        data = sys.stdin.buffer.read()
        if not (event in ("UserPromptSubmit", "Stop") and quick.nothing_new(data)):
            _answer(_handled(event, data))
    except BaseException as error:  # noqa: BLE001 - a hook never breaks the session
        log = _log(event, data, error)
        if event == "SessionStart" and log:
            _answer({"systemMessage": _not_capturing(error, log, data)})
        elif event in ("UserPromptSubmit", "Stop") and log:
            _answer(_capture_fails(event, data, error))
    try:
        sys.stdout.flush()
    except OSError as error:
        _log(event, data, error)
    # Nothing is left to be tidied up, and tearing an interpreter down takes longer than most hooks.
    os._exit(0)


def _handled(event: str, data: bytes) -> dict[str, object] | None:
    import gc
    import json

    gc.disable()  # a short-lived process: looking for cycles is a quarter of its time
    try:
        payload = json.loads(data.decode("utf-8", "replace") or "{}")
    except ValueError:
        payload = {}
    found = payload if isinstance(payload, dict) else {}
    if event == "PreToolUse":
        from . import own_skill

        return own_skill.handle(found)
    from . import events

    return events.handle(event, found)


def _answer(answer: dict[str, object] | None) -> None:
    if answer:
        import json

        sys.stdout.write(json.dumps(answer) + "\n")  # ASCII: no console can refuse it


def _log(event: str, data: bytes, error: BaseException) -> str:
    """Note a failure; where that was, empty where it could not be."""
    try:
        from . import failures

        return failures.note(event, data, error)
    except Exception:  # noqa: BLE001 - nowhere is left to say it
        return ""


def _capture_fails(event: str, data: bytes, error: BaseException) -> dict[str, object] | None:
    """What the client is told, once a session, where a hook that captures failed; the session goes on whatever this meets."""
    try:
        from . import failing

        return failing.told(event, data, error)
    except Exception:  # noqa: BLE001 - the failure itself is noted already
        return None


def _not_capturing(error: BaseException, log: str, data: bytes) -> str:
    from ..reports import hooks
    from . import client_screen

    text = hooks.not_capturing(str(error) or type(error).__name__, log)
    return client_screen.said(text, f"SessionStart:{quick.field(data, 'source')}", client_screen.columns())
