"""A message after the other as Markdown. What is written of a message depends on those before it, never on those after it.

So a file goes on where it ended: :class:`Flow` is what must be known of what stands above, and it fits into a line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..model import (
    ASSISTANT,
    BANNER,
    BOOKKEEPING,
    COMMAND_OUTPUT,
    COMPACTION,
    CONTEXT,
    LOCAL_COMMAND,
    LOST,
    NOTICE,
    PROMPT,
    REWIND,
    SUMMARY,
    TEXT,
    THINKING,
    TOOL_CALL,
    TOOL_RESULT,
    TRUNCATION,
    UNKNOWN,
)
from ..start.late_dataclass import dataclass, replace
from .content import CODE, LAID_OUT, MARKDOWN, NOTE, Block, MessageBlocks, blocks_of
from .conversation import GAP, purged_in
from .fences import code_span, fenced, length, shortened
from .layout import escaped_inline, layout_markdown
from .moments import day, hour, said_at
from .prose import safe_markdown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..titles.naming import Naming
    from .agents import Family
    from .conversation import Entry
    from .redaction import Cleaner

_RESULT_LINES: Final = 40
_RESULT_CHARACTERS: Final = 4_000
_CALL_LINES: Final = 80
_CALL_CHARACTERS: Final = 8_000
_LONGEST_TITLE: Final = 80
_INLINE_RESULT: Final = 80
"""Characters of a result that needs no folding."""
_MARKS: Final = {
    COMPACTION: (
        "NOTE",
        "🗜️ **Conversation compacted.** From here on the assistant worked from a summary of what stands above.",
    ),
    REWIND: (
        "NOTE",
        "↩️ **Rewound.** The conversation goes on from an earlier point; what was said after that point was taken back.",
    ),
    TRUNCATION: ("WARNING", "✂️ **Left out.** The source itself says that earlier messages are not shown in it."),
    BANNER: ("NOTE", "🔄 **The client was started again.**"),
    GAP: ("WARNING", "🕳️ **Gap.** Nothing that was captured connects what stands above with what follows."),
}


@dataclass(frozen=True)
class Flow:
    """What stands above: the number of the last prompt, who spoke last, on which day, and the id of a prompt right above."""

    turn: int = 0
    speaker: str = ""
    day: str = ""
    prompt: str = ""

    def as_json(self) -> dict[str, Any]:
        """For the next run."""
        return dict(vars(self))

    def in_a_new_part(self) -> Flow:
        """A new file names speaker and day again."""
        return Flow(self.turn)


@dataclass(frozen=True)
class Names:
    """What the conversation is called, and where others are read: the file of each, relative to this one."""

    family: Family
    files: Mapping[str, str]
    own: Naming


def rendered(entry: Entry, flow: Flow, clean: Cleaner, names: Names) -> tuple[str, Flow]:
    """The Markdown of one message with what stands before it, ending in a blank line; and what is above the next one.

    Empty for what is no part of the conversation.
    """
    message = entry.message
    parts = [_mark(kind) for kind in entry.before]
    if message["kind"] == BOOKKEEPING:
        return _joined(parts), flow
    stamp = said_at(message)
    if day(stamp) and day(stamp) != flow.day:
        parts.append(f"<sub>📅 {day(stamp)}</sub>")
        flow = Flow(flow.turn, flow.speaker if not entry.before else "", day(stamp))
    body, flow = _message(message, stamp, flow, clean, names)
    return _joined([*parts, *body]), flow


def _joined(parts: list[str]) -> str:
    return "".join(f"{part}\n\n" for part in parts if part)


def _mark(kind: str) -> str:
    purged = purged_in(kind)
    if purged:
        return f"> [!NOTE]\n> 🗑️ **Purged.** {purged:,} {'message was' if purged == 1 else 'messages were'} removed here for good."
    alert, words = _MARKS[kind]
    return f"> [!{alert}]\n> {words}"


def _message(
    message: Mapping[str, Any], stamp: str, flow: Flow, clean: Cleaner, names: Names
) -> tuple[list[str], Flow]:
    kind = message["kind"]
    if kind == LOST:
        return ["> [!WARNING]\n> 💔 **Lost.** The log line of this message is damaged."], flow
    said = blocks_of(message, clean)
    if kind in (PROMPT, LOCAL_COMMAND):
        identity = part_of(message)
        if identity and identity == flow.prompt:  # an image that came with the words
            return [_quoted(said)], flow
        turn = flow.turn + 1
        return _prompt(message, said, turn, stamp), Flow(turn, PROMPT, flow.day, identity)
    flow = replace(flow, prompt="")
    if kind == TEXT:
        who = "🤖 **Assistant**" if message["role"] == ASSISTANT else "⚙️ **System prompt**"
        head = [] if flow.speaker == who else [f"{who}{_at(stamp)}"]
        return [*head, *map(_block, said.blocks)], Flow(flow.turn, who, flow.day)
    if kind == TOOL_CALL:
        return [_call(said)], flow
    if kind in (TOOL_RESULT, COMMAND_OUTPUT):
        return [_result(said, names)], flow
    title = {
        THINKING: "💭 Thinking",
        SUMMARY: "🗜️ What the client wrote down to go on from",
        NOTICE: "ℹ️ Notice",
        CONTEXT: "🧩 Context",
        UNKNOWN: "❔ Explained by no rule",
    }.get(kind, kind)
    if kind == NOTICE and len(said.blocks) == 1 and _is_short(said.blocks[0].text):
        return [f"<sub>ℹ️ {escaped_inline(said.blocks[0].text)}</sub>"], flow
    return [_folded(title, said, _RESULT_LINES * 10, _RESULT_CHARACTERS * 10)], flow


def _prompt(message: Mapping[str, Any], said: MessageBlocks, turn: int, stamp: str) -> list[str]:
    title = title_of(said)
    head = [f'<a id="m{message["index"]}"></a>', f"## 👤 {turn} · {escaped_inline(title) if title else 'Prompt'}"]
    when = f"<sub>{hour(stamp)}</sub>" if hour(stamp) else ""
    if len(said.blocks) == 1 and said.blocks[0].text.strip() == title:
        return [*head, when]  # the heading says it all
    return [*head, when, _quoted(said)]


def _quoted(said: MessageBlocks) -> str:
    blocks = [_block(block, hard=True) for block in said.blocks]
    return "\n>\n".join("\n".join(f"> {line}".rstrip() for line in block.split("\n")) for block in blocks)


def part_of(message: Mapping[str, Any]) -> str:
    """The id of the line of a transcript that several messages come from (text and image of a prompt); empty for others."""
    identity, colon, ordinal = str(message.get("uuid") or "").rpartition(":")
    return identity if colon and ordinal.isdecimal() else ""


def title_of(said: MessageBlocks) -> str:
    """The beginning of a prompt in one line, not escaped; empty where it has no text."""
    text = next((block.text for block in said.blocks if block.form != NOTE and block.text.strip()), "")
    words = " ".join(text[: 6 * _LONGEST_TITLE].split()).lstrip("#>* ")
    return words if len(words) <= _LONGEST_TITLE else words[: _LONGEST_TITLE - 1].rstrip() + "…"


def _at(stamp: str) -> str:
    return f" · {hour(stamp)}" if hour(stamp) else ""


def _block(block: Block, *, hard: bool = False) -> str:
    if block.form == MARKDOWN:
        return safe_markdown(_with_hard_breaks(block.text) if hard else block.text)
    if block.form == LAID_OUT:
        return layout_markdown(block.text)
    if block.form == CODE:
        return fenced(block.text.strip("\n"), block.language)
    return f"*{escaped_inline(block.text)}*"


def _with_hard_breaks(text: str) -> str:
    """Whoever types a prompt and presses return means it; Markdown would join the lines."""
    lines = text.split("\n")
    fence = False
    for number, line in enumerate(lines):
        if line.lstrip().startswith(("```", "~~~")):
            fence = not fence
        elif not fence and line.strip() and number + 1 < len(lines) and lines[number + 1].strip():
            lines[number] = line.rstrip() + "  "
    return "\n".join(lines)


def _call(said: MessageBlocks) -> str:
    tool = said.tool or "Tool"
    if any(block.text.strip() for block in said.blocks):
        about = f" <code>{_html(said.about)}</code>" if said.about else ""
        return _folded(f"🔧 <b>{_html(tool)}</b>{about}", said, _CALL_LINES, _CALL_CHARACTERS)
    return f"🔧 **{escaped_inline(tool)}**" + (f" {code_span(said.about)}" if said.about else "")


def _folded(title: str, said: MessageBlocks, lines: int, characters: int) -> str:
    """``title`` is HTML: a renderer of Markdown does not look into these two lines."""
    inside = "\n\n".join(_cut(block, lines, characters) for block in said.blocks if block.text.strip())
    return f"<details>\n<summary>{title}</summary>\n\n{inside}\n\n</details>"


def _cut(block: Block, lines: int, characters: int) -> str:
    if block.form != CODE:
        return _block(block)
    short = shortened(block.text.strip("\n"), lines, characters)
    if not short.left_out:
        return fenced(short.head, block.language)
    return "\n\n".join(
        [
            fenced(short.head, block.language),
            f"*{short.left_out}*",
            *([fenced(short.tail)] if short.tail.strip() else []),
        ]
    )


def _result(said: MessageBlocks, names: Names) -> str:
    text = "\n".join(block.text for block in said.blocks).strip("\n")
    agent = names.family.named_in(text)
    link = f"\n\n🤖 [The sub-agent's own conversation]({names.files[agent]})" if agent in names.files else ""
    if not text.strip():
        return f"↳ *nothing*{link}"
    if _is_short(text) and all(block.form == CODE for block in said.blocks):
        return f"↳ {code_span(text)}{link}"
    return _folded(f"↳ result, {length(text)}", said, _RESULT_LINES, _RESULT_CHARACTERS) + link


def _is_short(text: str) -> bool:
    return "\n" not in text.strip("\n") and len(text) <= _INLINE_RESULT


def _html(text: str) -> str:
    from html import escape

    return escape(" ".join(text.split()), quote=False)
