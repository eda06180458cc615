"""What hooks say: to the user in the corner of the client's screen, to the assistant after its context was cut.

The client shows one line of a notice: the words that count come first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..alignment.plain_text import ANSWERED, NOT_DONE
from ..figures.counted import counted
from ..terminal.console import printable, printable_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..figures.run_result import Figures, RunResult

ARGUMENTS_NOT_PLAIN: Final = (
    "export-dedup: the client would pass these arguments through a shell, and they have characters that a shell obeys. "
    'Leave them out, or set "command_banner" to "hook" in .coditect/config.json: then no shell is used.'
)


def arguments_unreadable(error: ValueError, command: str) -> str:
    """In the place of the output of a slash ``command``, where its arguments are no words."""
    return f"{command}: the arguments cannot be read: {error}"


def answer(text: str, *, done: bool) -> str:
    """What a slash command answers, below the client's heading that a hook blocked something."""
    return "\n".join(filter(None, [ANSWERED if done else NOT_DONE, text]))


def usage(command: str) -> str:
    """What may follow a slash command, where its ``--help`` is asked for."""
    return f"{command}\nMore of it has --help in a shell, and the user guide."


def short_banner(figures: Figures) -> str:
    """The four numbers where a screen is narrow."""
    return "\n".join(
        [
            f"🆕 {figures.new:,} new",
            f"🔄 {figures.duplicates:,} duplicate{'' if figures.duplicates == 1 else 's'}",
            f"📨 {figures.total:,} processed",
            f"💾 {figures.unique:,} in storage",
        ]
    )


def ended(summary: Mapping[str, str]) -> str:
    """How a run ended, of the lines of its summary: one line."""
    parts = [f"Status: {summary.get('Status', '?')}", *([summary["Duration"]] if "Duration" in summary else [])]
    return " · ".join(parts).replace(" seconds", " s")


def notice(run: RunResult) -> str:
    """What a hook says of the exports that it processed: one line, since 2.1.33x shows no more and cuts it at its window's edge."""
    names = ", ".join(_shortened(printable_name(export.path)) for export in run.exports[:2])
    names += f" and {len(run.exports) - 2} more" if len(run.exports) > 2 else ""
    failed = run.failed
    if len(failed) == len(run.exports):
        return f"❌ not processed: {names}: {printable(failed[0].error or '')}"
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
    return f"⚠ export-dedup: nothing is captured: {printable(error)} (details: {printable(log)})"


def _shortened(name: str) -> str:
    """A file name of at most 40 characters: the client's own ones have the first prompt in them."""
    return name if len(name) <= 40 else f"{name[:30]}…{name[-9:]}"


def both_forms() -> str:
    """Where the plugin and the project's own hooks are both there."""
    return (
        "export-dedup is here twice, in the project and as a plugin: the plugin's hooks leave the work to the project's. "
        "'./install.sh --uninstall --project DIR' takes the project's out."
    )


def first_word(folder: str, settings: str, *, narrow: bool) -> str:
    """At the first session in a project that the plugin works in for the user: what is kept, in ``folder``, how to end that."""
    if narrow:
        return (
            f"export-dedup keeps what is said, in\n{folder}\n"
            f'Turn it off: /plugin, or "user_store": false in\n{settings}'
        )
    return (
        f"export-dedup keeps each message of this project's conversations, for you alone, in {folder}; nothing is written "
        f'into the project.\nTo turn it off: "user_store": false in {settings}, or /plugin. To keep it in the project instead: '
        "/export-dedup."
    )


def left_behind(command: str) -> str:
    """Where a project opted in, and the user's own store has what was said in it before."""
    return (
        "export-dedup: what was said here before is in your own store, and can be searched with --all-stores. This takes it "
        f"along, from a shell:\n{printable(command)}"
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
