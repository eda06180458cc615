"""What the hooks say besides banners: to the user once, to the assistant after its context was cut."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..project import client_version
from ..terminal import called
from .forms import plugin_enabled, project_events

if TYPE_CHECKING:
    from .work import Work


def both_forms(work: Work) -> str:
    """A line where the plugin and the project's own hooks are both there: the first time that a session starts so."""
    if os.environ.get("CLAUDE_PLUGIN_ROOT") or not plugin_enabled(str(work.place.root)):
        return ""
    from .pruning import BOTH_FORMS

    if not _first_time(work, BOTH_FORMS):
        return ""
    from ..reports import hooks as report

    return report.both_forms()


def first_word(work: Work, *, narrow: bool) -> str:
    """Where the plugin works for the user in a project that did not opt in: what is kept, where, how to turn it off; once."""
    if work.place.opted_in or not os.environ.get("CLAUDE_PLUGIN_ROOT") or not work.settings["capture_transcripts"]:
        return ""
    from .pruning import FIRST_WORD

    work.make_folder()
    if not _first_time(work, FIRST_WORD):
        return ""
    from ..project.config import own_path
    from ..reports import hooks as report

    return report.first_word(_below_home(work.project.root), _below_home(own_path()), narrow=narrow)


def left_behind(work: Work, bundle: str) -> str:
    """Where a project opted in, and the user's own store has what was said in it before: how that is taken along; once."""
    from .pruning import LEFT_BEHIND
    from .store_location import left_behind as folder_of

    folder = folder_of(work.place.root)
    if not folder or not _first_time(work, LEFT_BEHIND):
        return ""
    from ..reports import hooks as report

    script = os.path.join(bundle, "scripts", "deduplicate_export.py")
    return report.left_behind(called.command_line("unite", folder, "--project", str(work.place.root), script=script))


def _below_home(path: str | os.PathLike[str]) -> str:
    """A path as people write it."""
    home, path = os.path.expanduser("~"), os.fspath(path)
    return f"~{path[len(home) :]}" if path.startswith(home + os.sep) else path


def settings_notice(work: Work) -> str:
    """A line where the project sets what counts only once its file is approved; once for each state of the file."""
    from ..project import config
    from ..workflow.settings_notice import once

    return once(config.examine(str(work.place.root)))


def client_notice(work: Work, transcript: str) -> str:
    """A line where the client, or what was installed for it, cannot do all that we do; once for each version.

    The plugin's newer events lie in a file of their own, which an old client refuses without a word.
    """
    version = client_version.of_this_process() or client_version.of_transcript(transcript)
    if version is None:
        return ""
    lacking = client_version.known(version).lacking
    own = not os.environ.get("CLAUDE_PLUGIN_ROOT")
    called = project_events(str(work.place.root)) if own and not lacking else set()
    unused = called and not called.issuperset(client_version.EVENTS)
    named, lowest = client_version.text(version), client_version.text(client_version.LOWEST)
    if not (lacking or unused) or not _first_time(work, f"client-{named}"):
        return ""
    from ..reports import hooks as report

    if unused:
        return report.installed_for_less(named)
    late, command = "FileChanged" in lacking, "UserPromptExpansion" in lacking
    return report.client_lacks(named, lowest, late=late, command=command, plugin=not own)


def _first_time(work: Work, name: str) -> bool:
    """True where this was not said before; before there is a store nothing can be noted: then it is said once more."""
    noted = os.path.join(work.live, name)
    if os.path.exists(noted):
        return False
    if os.path.isdir(work.project.state):
        from ..files import atomic

        atomic.make_private_directory(os.path.dirname(noted))
        atomic.replace(noted, b"", durable=False)
    return True


def context_after_compaction(work: Work, session: str, bundle: str) -> str:
    """Two lines of facts for the assistant, whose context was just cut."""
    with work.dedup.store.transaction(write=False):
        conversation = work.dedup.store.session(session)
    if not conversation:
        return ""
    figures = work.dedup.get_statistics(conversation)
    script = os.path.join(bundle, "scripts", "deduplicate_export.py")
    from ..reports import hooks as report
    from . import own_skill

    return report.what_is_stored(
        figures["total_messages"], figures["last_updated"], own_skill.name(), script, work.project.root
    )
