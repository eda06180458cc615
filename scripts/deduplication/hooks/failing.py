"""A hook that captures failed: it is said in the client, once a session, whatever else can still be done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..errors import StoreLocked
from ..project import config
from . import client_screen, watch
from .store_location import location_of

if TYPE_CHECKING:
    from ..project.paths import Project


def told(event: str, data: bytes, error: BaseException) -> dict[str, object] | None:
    """The answer to the client; None where there is nothing to be said, or where it was said."""
    payload = _payload(data)
    transcript = payload.get("transcript_path")
    place = location_of(payload, user_store=True)
    if isinstance(error, StoreLocked):
        return None  # somebody else is at work: the next event finds out what is missing
    if place is None or not isinstance(transcript, str) or not transcript:
        return None
    settings = config.load(str(place.root))
    if not settings["hooks"] or not (place.opted_in or settings["user_store"]):
        return None
    text = _text(place.project, settings, transcript, error)
    return {"systemMessage": client_screen.said(text, event, client_screen.columns())} if text else None


def _text(project: Project, settings: dict[str, Any], transcript: str, error: BaseException) -> str:
    return watch.after_failure(project, settings, transcript, f"{type(error).__name__}: {error}"[:300])


def _payload(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data.decode("utf-8", "replace"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
