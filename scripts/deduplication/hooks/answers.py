"""What our slash commands answer: their output as the user sees it, and no request to the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import DedupError
from ..project import config
from . import client_screen, command_output, slash_commands
from .store_location import bundle

if TYPE_CHECKING:
    from .work import Work


def answer(work: Work, payload: dict[str, Any]) -> dict[str, Any] | None:
    """One of our slash commands: its output as the user sees it, and no request to the model."""
    from ..reports import hooks as report

    name, arguments = slash_commands.named(payload.get("command_name")), _text(payload.get("command_args"))
    if not name:
        return None
    transcript = _text(payload.get("transcript_path"))
    if work.settings["command_banner"] != config.HOOK:
        # The client puts the arguments of the main command into a line of shell.
        if name == slash_commands.MAIN:
            if not slash_commands.is_plain(arguments):
                return _blocked(report.ARGUMENTS_NOT_PLAIN, done=False)
            _before_the_command(work, transcript)
        return None
    try:
        words = slash_commands.words_of(name, arguments)
    except ValueError as error:
        return _blocked(report.arguments_unreadable(error, f"/{name}"), done=False)
    command = slash_commands.COMMANDS[name]
    if "--help" in words:
        return _blocked(report.usage(f"/{name} {command.arguments}"), done=True)
    if name == slash_commands.MAIN:
        _before_the_command(work, transcript)
    elif transcript and command.captures:
        work.capture(transcript)
    width = client_screen.columns()
    most = command_output.MOST_CHARACTERS if not width else command_output.MOST_CHARACTERS * 3 // 4
    code, output = command_output.output_of(name, bundle(), str(work.place.root), words, most)
    if command.whole:
        output = command_output.of_the_report(output, narrow=0 < width < client_screen.NARROW)
    return _blocked(output.strip("\n"), done=not code or command.tells)


def _before_the_command(work: Work, transcript: str) -> None:
    """What only the transcript tells: which exports went elsewhere, and that a short one belongs to this session."""
    try:
        captured = work.capture(transcript) if transcript else None
        if captured is not None:
            named = work.exports.named_by(captured)
            work.exports.process(
                [path for path in named if not work.exports.is_searched(path)], captured.conversation_id
            )
            # The command finds these, with the user's options.
            work.exports.store([path for path in named if work.exports.is_searched(path)], captured.conversation_id)
    except DedupError as error:  # the command meets it too, and says it on the screen
        work.note(f"UserPromptExpansion: {error}")


def _blocked(text: str, *, done: bool) -> dict[str, Any]:
    """A slash command's answer. The client heads it "operation blocked by hook": it begins with whether that is so.

    No other way of answering is without such a heading and without the model: what comes with ``continue: false`` is headed, too,
    and goes to the model with the next prompt; a ``systemMessage`` of this event is not shown.
    """
    from ..reports import hooks as report

    reason = client_screen.answer(report.answer(text, done=done), client_screen.columns())
    without = {"hookEventName": "UserPromptExpansion", "suppressOriginalPrompt": True}
    return {"decision": "block", "reason": command_output.cut(reason), "hookSpecificOutput": without}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
