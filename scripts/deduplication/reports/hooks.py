"""What hooks say: to the user in the corner of the client's screen, to the assistant after its context was cut.

The client shows one line of a notice: the words that count come first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..figures.counted import counted
from ..terminal import console

if TYPE_CHECKING:
    from ..figures.run_result import RunResult


DONE: Final = "✓ Done."
"""In the place of a command's output, where it said nothing."""
ARGUMENTS_NOT_PLAIN: Final = (
    "❌ export-dedup: the client would pass these arguments through a shell, and they have characters that a shell obeys. "
    'Leave them out, or set "command_banner" to "hook" in .coditect/config.json: then no shell is used.'
)


def arguments_unreadable(error: ValueError) -> str:
    """In the place of a command's output, where its arguments are no words."""
    return f"❌ export-dedup: the arguments cannot be read: {error}"


def notice(run: RunResult) -> str:
    """What a hook says of the exports that it processed: one line, since 2.1.33x shows no more and cuts it at its window's edge."""
    names = ", ".join(_shortened(console.printable_name(export.path)) for export in run.exports[:2])
    names += f" and {len(run.exports) - 2} more" if len(run.exports) > 2 else ""
    failed = run.failed
    if len(failed) == len(run.exports):
        return f"❌ not processed: {names}: {console.printable(failed[0].error or '')}"
    first = f"⚠ {counted(len(failed), 'export')} failed, /export-dedup says why" if failed else "/compact is safe now"
    from .workflow import captured  # few turns have an export

    # Where hooks work, all was captured as it came: that needs no place in a line that is cut.
    told = captured(run.new, run.captured) if run.captured < run.new else ""
    new = told or f"{run.new:,} new"
    return " · ".join(
        [first, new, names, counted(run.total, "message") + ", all stored", f"{run.global_unique:,} in storage"]
    )


def not_capturing(error: str, log: str) -> str:
    """At the start of a session whose store cannot be used."""
    return f"⚠ export-dedup: nothing is captured: {console.printable(error)} (details: {console.printable(log)})"


def _shortened(name: str) -> str:
    """A file name of at most 40 characters: the client's own ones have the first prompt in them."""
    return name if len(name) <= 40 else f"{name[:30]}…{name[-9:]}"


def both_forms() -> str:
    """Where the plugin and the project's own hooks are both there."""
    return (
        "export-dedup is here twice, in the project and as a plugin: the plugin's hooks leave the work to the project's. "
        "'./install.sh --uninstall --project DIR' takes the project's out."
    )


def installed_for_less(version: str) -> str:
    """Where the client can do more than what was installed for it, for example ``2.1.300``."""
    return f"export-dedup: Claude Code {version} can do more than it was installed for: run ./install.sh --project DIR again."


def client_lacks(version: str, lowest: str, *, late: bool, command: bool, plugin: bool) -> str:
    """Where the client cannot do all that we do: it is ``late`` to tell of an export, or leaves the ``command`` to the model."""
    means = ["an /export is taken with the next prompt or answer"] if late else []
    if command:
        means.append(
            "/export-dedup may need your permission, and runs no hook"
            if plugin
            else "/export-dedup is answered by the model"
        )
    return f"export-dedup: with Claude Code {version} {' and '.join(means)}; all of it works from {lowest} on."


def what_is_stored(count: int, updated: str, skill: str, script: str, project: object) -> str:
    """Two lines of facts for the assistant: what the store has of its conversation, and how it looks something up."""
    return (
        f"export-dedup has {counted(count, 'message')} of this conversation in its store, up to {updated}.\n"
        f"What the summary left out can be looked up with the skill {skill}, or: "
        f'python3 "{script}" search --project "{project}" TEXT'
    )
