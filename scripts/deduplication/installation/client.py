"""Which version of the client will read what we write: asked of the client itself, else taken from its last session."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Final, Optional

from ..errors import UsageError
from ..project import client_version
from ..project.client_transcripts import find_transcripts
from ..start.late_dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..project.client_version import Version

PATIENCE: Final = 15.0
"""Seconds that the client may take to say its version; it needs less than one."""
_PLACES: Final = ("~/.local/bin/claude", "~/.claude/local/claude")
"""Where the client's own installers put it; a shell's alias is no entry of the PATH."""


@dataclass(frozen=True)
class Client:
    """``version`` is None where nobody could say; ``why`` says in a few words how it is known, or why not."""

    version: Optional[Version]
    why: str


def find() -> Client:
    """The client on the PATH, or where its installers put it; else the one of the last session on this machine."""
    silent = ""
    for path in _candidates():
        version = _asked(path)
        if version is not None:
            return Client(version, f"{path} says so")
        silent = silent or path
    for transcript in reversed(find_transcripts()):
        version = client_version.of_transcript(transcript.path)
        if version is not None:
            return Client(version, "by its last session")
    return Client(None, f"{silent} does not say its version" if silent else "it was not found here")


def named(said: Optional[str]) -> Client:
    """The one of the version that somebody said; :func:`find` where nobody did. Raises :class:`UsageError` for no version."""
    if said is None:
        return find()
    version = client_version.parse(said)
    if version is None:
        raise UsageError(f"--client {said!r} is no version", hint="Pass one such as 2.1.197.")
    return Client(version, "as you said")


def _candidates() -> Iterator[str]:
    found = shutil.which("claude")
    if found:
        yield found
    for place in map(os.path.expanduser, _PLACES):
        if os.path.isfile(place) and os.access(place, os.X_OK):
            yield place


def _asked(path: str) -> Optional[Version]:
    try:
        done = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,
            env={**os.environ, "DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return client_version.parse(done.stdout.decode("utf-8", "replace")) if done.returncode == 0 else None


def describe(client: Client) -> list[str]:
    """What the user should know of it: nothing where everything works."""
    lowest, lacking = client_version.text(client_version.LOWEST), client_version.known(client.version).lacking
    if not lacking:
        return []
    left_out = (
        f"{', '.join(lacking)} left out of .claude/settings.json: a client that does not know an event refuses the file"
    )
    means = "An /export is taken with the next prompt or answer, and /export-dedup is answered by the model."
    if client.version is None:
        return [
            f"Claude Code: {client.why}. {left_out}.",
            f"{means} With {lowest} or newer all of it works: run this again once it is installed, or pass --client VERSION.",
        ]
    return [
        f"Claude Code {client_version.text(client.version)} ({client.why}): {left_out}.",
        f"{means} All of it works from {lowest} on: update Claude Code, then run this again.",
    ]
