"""A letter for each kind of message, by which an index names it."""

from __future__ import annotations

from typing import Final

from ...model import (
    BOOKKEEPING,
    COMMAND_OUTPUT,
    CONTEXT,
    LOCAL_COMMAND,
    LOST,
    NOTICE,
    PROMPT,
    SUMMARY,
    TEXT,
    THINKING,
    TOOL_CALL,
    TOOL_RESULT,
    UNKNOWN,
)

CODES: Final = {
    PROMPT: "p",
    TEXT: "t",
    THINKING: "h",
    TOOL_CALL: "c",
    TOOL_RESULT: "r",
    LOCAL_COMMAND: "l",
    COMMAND_OUTPUT: "o",
    NOTICE: "n",
    CONTEXT: "e",
    UNKNOWN: "u",
    SUMMARY: "s",
    BOOKKEEPING: "b",
    LOST: "x",
}
KINDS_BY_CODE: Final = {code: kind for kind, code in CODES.items()}
