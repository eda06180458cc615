"""Where the files of a session lie, whatever it is called, for tests."""

from __future__ import annotations

from pathlib import Path

from deduplication.sessions.own_files import named_like


def session_path(folder, session, ending=".md"):
    """The one file of a session with this behind the digits of its name. ``folder``: of the session files."""
    (name,) = (name for name, rest in named_like(str(folder), session) if rest == ending)
    return Path(folder) / name
