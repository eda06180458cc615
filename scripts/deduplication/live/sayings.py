"""What the hooks say besides banners: to the user once, to the assistant after its context was cut."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .forms import plugin_enabled

if TYPE_CHECKING:
    from .work import Work


def both_forms(work: Work) -> str:
    """A line where the plugin and the project's own hooks are both there: the first time that a session starts so."""
    if os.environ.get("CLAUDE_PLUGIN_ROOT") or not plugin_enabled(str(work.place.root)):
        return ""
    from .pruning import SAID_ONCE

    noted = os.path.join(work.live, SAID_ONCE)
    if os.path.exists(noted):
        return ""
    if os.path.isdir(work.project.state):  # before there is a store nothing can be noted: then it is said once more
        from .. import atomic

        atomic.make_private_directory(os.path.dirname(noted))
        atomic.replace(noted, b"", durable=False)
    return (
        "export-dedup is here twice, in the project and as a plugin: the plugin's hooks leave the work to the project's. "
        "'./install.sh --uninstall --project DIR' takes the project's out."
    )


def what_is_safe(work: Work, session: str, bundle: str) -> str:
    """Two lines of facts for the assistant, whose context was just cut."""
    with work.dedup.store.transaction(write=False):
        conversation = work.dedup.store.session(session)
    if not conversation:
        return ""
    figures = work.dedup.get_statistics(conversation)
    script = os.path.join(bundle, "scripts", "deduplicate_export.py")
    count, updated = figures["total_messages"], figures["last_updated"]
    return (
        f"export-dedup has {count:,} messages of this conversation in its store, up to {updated}.\n"
        f'What the summary left out can be looked up with: python3 "{script}" search --project "{work.project.root}" TEXT'
    )
