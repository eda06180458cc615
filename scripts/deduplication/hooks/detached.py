"""A process of its own for work that a hook has no time for: it outlives the hook, and the client."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .work import Work

_DETACHED: Final = 0x208
"""DETACHED_PROCESS and CREATE_NEW_PROCESS_GROUP, which only Windows has."""


def start(event: str, bundle: str, folder: str, payload: Mapping[str, Any]) -> None:
    """Start an event with ``payload`` in ``folder``, by the hooks of ``bundle``, and wait for nothing."""
    import subprocess

    process = subprocess.Popen(
        [sys.executable, os.path.join(bundle, "hooks", "run.py"), event],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        start_new_session=os.name != "nt",
        creationflags=_DETACHED if os.name == "nt" else 0,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(payload).encode())
    process.stdin.close()
    process.returncode = 0  # nobody waits for it, and nobody should be warned of that


def send(work: Work, *, at_once: bool = False) -> None:
    """Where a database has the log, too: begin to send what waits, unless somebody just tried. No hook waits for a network."""
    from ..storage.log_backed import folder_place

    if folder_place(work.dedup.store) is None:
        return
    from ..exchange import sending

    store = sending.hybrid_of(work.dedup.store)
    if store is not None and sending.is_due(store, pause=0.0 if at_once else sending.PAUSE):
        sending.start(store)
