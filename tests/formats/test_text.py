"""Text exports: every version's marks, the bytes they can be made of, and the laws that hold for any of them."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deduplication.alignment.fingerprint import content_hash
from deduplication.errors import DedupError, ExportUnreadable
from deduplication.formats import text
from deduplication.model import (
    ASSISTANT,
    BANNER,
    BOOKKEEPING,
    COMMAND_OUTPUT,
    COMPACTION,
    LOCAL_COMMAND,
    NOTICE,
    PROMPT,
    SYSTEM,
    TEXT,
    THINKING,
    TOOL_CALL,
    TOOL_RESULT,
    TRUNCATION,
    UNKNOWN,
    USER,
    Mark,
)

BANNERS = {
    "1.0-box": "╭──────────────────────╮\n│ ✻ Welcome to Claude Code! │\n│   cwd: /home/ann/acme │\n╰──────────────────────╯\n\n",
    "2.0-logo": " ▐▛███▜▌   Claude Code v2.0.8\n▝▜█████▛▘  Sonnet 4.5 · Plan\n  ▘▘ ▝▝    ~/acme\n\n",
    "2.0.42-box": "╭─── Claude Code v2.0.42 ─────╮\n│ Welcome back │ Tips │\n│ ~/acme │ none │\n╰─────────────────╯\n\n",
    "2.1-logo": " ▐▛███▜▌   Claude Code v2.1.197\n▝▜█████▛▘  Opus · API Usage Billing\n  ▘▘ ▝▝    ~/acme\n\n\n",
    "2.1.330-logo": " ▐▛███▛█   Claude Code v2.1.330\n▝▜█████▛▘  Opus · API Usage Billing\n ▝▀▘  ▘▘   ~/acme\n\n\n",
    "christmas-logo": "* ▐▛███▜▌ * Claude Code v2.0.76\n*▝▜█████▛▘* Opus · Plan\n * ▘▘ ▝▝ *  ~/acme\n\n",
}
DIVIDERS = {
    "1.0": "=== Previous Conversation Compacted ===\n\n",
    "1.0-summary": "● Compact summary (ctrl+r to expand)\n\n",
    "1.0-summary-mac": "⏺ Compact summary (ctrl+o to expand)\n\n",
    "2.0-full-width": "═" * 40 + " Conversation compacted · ctrl+o for history " + "═" * 40 + "\n",
    "2.1": "✻ Conversation compacted (ctrl+o for history)\n\n",
}
FAMILIES = {"linux-2.0": (">", "●"), "mac-2.0": (">", "⏺"), "linux-2.1": ("❯", "●"), "mac-2.1": ("❯", "⏺")}

U, A, S = USER, ASSISTANT, SYSTEM


def whole(data):
    """The parsed file, after proving that its spans are the file and that messages stand in their spans in order."""
    export = text.parse(data)
    assert b"".join(data[span.start : span.end] for span in export.spans) == data
    assert all(span.start < span.end for span in export.spans)
    where = {(span.start, span.end): span.label for span in export.spans}
    assert all(where[message.start, message.end] == message.kind for message in export.messages)
    assert [message.start for message in export.messages] == sorted({message.start for message in export.messages})
    assert all(0 <= mark.before <= len(export.messages) for mark in export.marks)
    return export


def told(source):
    """Role, kind and content of every message of a text."""
    data = source if isinstance(source, bytes) else source.encode()
    return [(message.role, message.kind, message.content) for message in whole(data).messages]


def padded(lines, width=80):
    """A prompt as versions from 2.1.3 draw it: every line filled with blanks to one width."""
    return "".join(line.ljust(width) + "\n" for line in lines)


GOLDEN = {
    "one-turn": ("> hello\n\n● Hi.\n", [(U, PROMPT, "hello"), (A, TEXT, "Hi.")]),
    "no-final-newline": ("❯ hello\n\n● Hi.", [(U, PROMPT, "hello"), (A, TEXT, "Hi.")]),
    "padded-single-prompt": (padded(["❯ hello"]) + "\n● Hi.\n", [(U, PROMPT, "hello"), (A, TEXT, "Hi.")]),
    "prompt-continues-at-column-0": (
        "> first \n  kept indent\nsecond \n\n● Hi.\n",
        [(U, PROMPT, "first\n  kept indent\nsecond"), (A, TEXT, "Hi.")],
    ),
    "prompt-continues-at-column-2": (
        padded(["❯ first", "  second", "    deeper"]) + "\n● Hi.\n",
        [(U, PROMPT, "first\nsecond\n  deeper"), (A, TEXT, "Hi.")],
    ),
    "indented-answer-with-code-and-markers": (
        "> x\n\n● Look:\n\n  def f():\n      return 1\n\n  > no prompt\n  ● no answer\n    ⎿  no result\n  ! no\n",
        [
            (U, PROMPT, "x"),
            (A, TEXT, "Look:\n\ndef f():\n    return 1\n\n> no prompt\n● no answer\n  ⎿  no result\n! no"),
        ],
    ),
    "call-with-result": (
        "● Bash(seq 1 9)\n  ⎿ \u00a01\n     2\n     … +7 lines (ctrl+o to expand)\n\n● Done.\n",
        [
            (A, TOOL_CALL, "Bash(seq 1 9)"),
            (S, TOOL_RESULT, "1\n2\n… +7 lines (ctrl+o to expand)"),
            (A, TEXT, "Done."),
        ],
    ),
    "long-command-wraps": (
        "● Bash(printf one two three\n      four)\n  ⎿  ok\n",
        [(A, TOOL_CALL, "Bash(printf one two three\nfour)"), (S, TOOL_RESULT, "ok")],
    ),
    "mcp-call": (
        "⏺ github - get_issue (MCP)(owner: “a”)\n  ⎿  {}\n",
        [(A, TOOL_CALL, "github - get_issue (MCP)(owner: “a”)"), (S, TOOL_RESULT, "{}")],
    ),
    "agents-own-name-with-result": (
        "● backend-reviewer(Check the routes)\n  ⎿  Done (3 tool uses)\n",
        [(A, TOOL_CALL, "backend-reviewer(Check the routes)"), (S, TOOL_RESULT, "Done (3 tool uses)")],
    ),
    "prose-with-brackets-is-no-call": (
        "● backend-reviewer(Check) looks good\n",
        [(A, TEXT, "backend-reviewer(Check) looks good")],
    ),
    "todos": (
        "⏺ Update Todos\n  ⎿  ☒ one\n     ☐ two\n",
        [(A, TOOL_CALL, "Update Todos"), (S, TOOL_RESULT, "☒ one\n☐ two")],
    ),
    "agents-finished": (
        "● 2 agents finished (ctrl+o to expand)\n  ├ a\n  └ b\n",
        [(A, TOOL_CALL, "2 agents finished (ctrl+o to expand)\n├ a\n└ b")],
    ),
    "glued-result": (
        "● Update(a.c)  ⎿ \u00a0Added 2 lines\n       3 + x\n\n● Ok.  ⎿  Stop says: enough\n",
        [(A, TOOL_CALL, "Update(a.c)"), (S, TOOL_RESULT, "Added 2 lines\n  3 + x"), (A, TEXT, "Ok.")],
    ),
    "glued-result-after-a-wrapped-call": (
        "● Bash(one\n      two)  ⎿  out\n",
        [(A, TOOL_CALL, "Bash(one\ntwo)"), (S, TOOL_RESULT, "out")],
    ),
    "glue-in-prose-further-down-is-prose": (
        "● It draws\n  results as x  ⎿  y\n",
        [(A, TEXT, "It draws\nresults as x  ⎿  y")],
    ),
    "a-wrapped-call-pasted-into-a-prompt-is-not-split": (
        "> Bash(one\n  two)  ⎿  out\n",
        [(U, PROMPT, "Bash(one\ntwo)  ⎿  out")],
    ),
    "a-result-s-mark-behind-more-blanks-is-text": ("● a   ⎿  b\n", [(A, TEXT, "a   ⎿  b")]),
    "result-at-any-small-indent": (
        "● Bash(ls)\n⎿  a\n ⎿  b\n   ⎿  c\n    ⎿  d\n",
        [(A, TOOL_CALL, "Bash(ls)"), (S, TOOL_RESULT, "a"), (S, TOOL_RESULT, "b"), (S, TOOL_RESULT, "c\n⎿  d")],
    ),
    "no-blank-line-between-turns": (
        "> a\n● b\n> c\n● d\n",
        [(U, PROMPT, "a"), (A, TEXT, "b"), (U, PROMPT, "c"), (A, TEXT, "d")],
    ),
    "collapsed-tools": (
        "● Look.\n\n  Ran 2 shell commands · 1 failed (ctrl+o to expand)\n\n● Done.\n",
        [(A, TEXT, "Look."), (A, TOOL_CALL, "Ran 2 shell commands · 1 failed (ctrl+o to expand)"), (A, TEXT, "Done.")],
    ),
    "collapsed-with-bullet": (
        "● Searched for 1 pattern, read 2 files (ctrl+o to expand)\n",
        [(A, TOOL_CALL, "Searched for 1 pattern, read 2 files (ctrl+o to expand)")],
    ),
    "collapsed-without-an-empty-line-above": (
        "● It says so.\n  Read 3 files (ctrl+o to expand)\n",
        [(A, TEXT, "It says so."), (A, TOOL_CALL, "Read 3 files (ctrl+o to expand)")],
    ),
    "a-hint-at-the-end-of-a-wrapped-paragraph-is-text": (
        f"● {'w' * 74}\n  Read 3 files (ctrl+o to expand)\n",
        [(A, TEXT, f"{'w' * 74}\nRead 3 files (ctrl+o to expand)")],
    ),
    "thought-without-text": (
        "❯ x\n\n  Thought for 3s (ctrl+o to expand)\n\n∴ Thought for 3s (ctrl+o to show thinking)\n\n● y\n",
        [(U, PROMPT, "x"), (A, TEXT, "y")],
    ),
    "thinking-with-text": (
        "> x\n\n✻ Thinking…\n\n  Let me see.\n\n● y\n",
        [(U, PROMPT, "x"), (A, THINKING, "Let me see."), (A, TEXT, "y")],
    ),
    "spinner-is-no-message": (
        "> x\n\n● y\n\n✻ Baked for 3s · done 8:32 PM\n\n· Simmering… (3s · esc to interrupt)\n\n※ recap: we did x\n",
        [(U, PROMPT, "x"), (A, TEXT, "y")],
    ),
    "hooks-are-no-messages": (
        (
            "● Bash(ls)\n  ⎿  a\n  ⎿  PostToolUse:Bash hook returned blocking error\n  ⎿  [check.sh]: no\n\n"
            "● Done.\n  ⎿  Stop says: enough\n"
        ),
        [(A, TOOL_CALL, "Bash(ls)"), (S, TOOL_RESULT, "a"), (A, TEXT, "Done.")],
    ),
    "second-result-after-a-hook": (
        "● Bash(ls)\n  ⎿  PreToolUse:Bash says: go\n  ⎿  a\n",
        [(A, TOOL_CALL, "Bash(ls)"), (S, TOOL_RESULT, "a")],
    ),
    "files-read-for-a-prompt": (
        "> see @a.txt\n  ⎿  Read a.txt (14 lines)\n\n● Ok.\n",
        [(U, PROMPT, "see @a.txt"), (S, NOTICE, "Read a.txt (14 lines)"), (A, TEXT, "Ok.")],
    ),
    "interrupted": (
        "● I was\n  ⎿ \u00a0Interrupted · What should Claude do instead?\n",
        [(A, TEXT, "I was"), (S, NOTICE, "Interrupted · What should Claude do instead?")],
    ),
    "local-command": (
        "❯ /model sonnet\n  ⎿  Set model to sonnet\n\n❯ /plugin\n\n● Text.\n",
        [
            (U, LOCAL_COMMAND, "/model sonnet"),
            (S, COMMAND_OUTPUT, "Set model to sonnet"),
            (U, PROMPT, "/plugin"),
            (A, TEXT, "Text."),
        ],
    ),
    "bookkeeping": (
        (
            "❯ /export a.txt\n  ⎿  Conversation exported to: /a.txt\n\n"
            "❯ /compact\n  ⎿  Compacted (ctrl+o to see full summary)\n\n"
            "> /export-dedup is running…\n\n> /exported things\n"
        ),
        [
            (U, BOOKKEEPING, "/export a.txt"),
            (S, BOOKKEEPING, "Conversation exported to: /a.txt"),
            (U, BOOKKEEPING, "/compact"),
            (S, BOOKKEEPING, "Compacted (ctrl+o to see full summary)"),
            (U, BOOKKEEPING, "/export-dedup is running…"),
            (U, PROMPT, "/exported things"),
        ],
    ),
    "shell": (
        "! ls -la\n  ⎿  total 0\n     drwx a\n\n● Ok.\n",
        [(U, LOCAL_COMMAND, "ls -la"), (S, COMMAND_OUTPUT, "total 0\ndrwx a"), (A, TEXT, "Ok.")],
    ),
    "task-event": (
        "> x\n\n✔ Task #1 created: write it\n\n● Ok.\n",
        [(U, PROMPT, "x"), (S, NOTICE, "✔ Task #1 created: write it"), (A, TEXT, "Ok.")],
    ),
    "input-box-of-a-scrollback": (
        "> x\n\n● y\n\n" + "─" * 30 + "\n>\u00a0\n" + "─" * 30 + "\n  ? for shortcuts\n",
        [(U, PROMPT, "x"), (A, TEXT, "y")],
    ),
    "a-spinner-does-not-part-a-call-from-its-result": (
        "● Bash(ls)\n\n✻ Baking… (3s)\n\n  ⎿  a\n",
        [(A, TOOL_CALL, "Bash(ls)"), (S, TOOL_RESULT, "a")],
    ),
    "text-below-a-spinner-is-kept": (
        "> x\n\n● y\n\n✻ Baked for 3s\n  a line that strayed\n",
        [(U, PROMPT, "x"), (A, TEXT, "y"), (S, UNKNOWN, "a line that strayed")],
    ),
    "text-below-an-input-box-is-kept": (
        "> x\n\n● y\n\n" + "─" * 30 + "\n>\u00a0\n" + "─" * 30 + "\n  ? for shortcuts\nBye.\n",
        [(U, PROMPT, "x"), (A, TEXT, "y"), (S, UNKNOWN, "Bye.")],
    ),
    "empty-prompt-is-no-message": ("> \n\n● y\n\n>\n\n❯ z\n", [(A, TEXT, "y"), (U, PROMPT, "z")]),
    "repeats": ("> yes\n\n● Ok.\n\n> yes\n\n● Ok.\n", [(U, PROMPT, "yes"), (A, TEXT, "Ok.")] * 2),
    "prompt-right-after-prompt": ("> a\n\n> b\n", [(U, PROMPT, "a"), (U, PROMPT, "b")]),
    "answer-without-text": ("> a\n\n●\n\n● b\n", [(U, PROMPT, "a"), (A, TEXT, ""), (A, TEXT, "b")]),
    "text-above-the-first-turn": (
        "A saved screen\n\n> a\n\n● b\n",
        [(S, UNKNOWN, "A saved screen"), (U, PROMPT, "a"), (A, TEXT, "b")],
    ),
    "glyph-without-blank-is-text": ("> a\n>b\n●c\n!d\n", [(U, PROMPT, "a\n>b\n●c\n!d")]),
}


@pytest.mark.parametrize(("source", "expected"), GOLDEN.values(), ids=GOLDEN.keys())
def test_golden(source, expected):
    """Each drawing of the client gives these messages and no others, and every byte lies in exactly one span."""
    assert told(source) == expected


@pytest.mark.parametrize(("source", "expected"), GOLDEN.values(), ids=GOLDEN.keys())
def test_golden_with_carriage_returns(source, expected):
    """An export that git or an editor gave Windows line ends says the same."""
    assert told(source.replace("\n", "\r\n")) == expected


PASTED = ["see this log:", "❯ please", "● Answer", "  ⎿  result", "> old", "and say why"]


def test_markers_pasted_into_a_padded_prompt_are_its_text():
    """From 2.1.3 on a prompt is padded to one width: marker lines of that width do not end it."""
    source = padded(["❯ " + PASTED[0], *PASTED[1:]], 76) + "\n● Because.\n"
    assert told(source) == [(U, PROMPT, "\n".join(PASTED)), (A, TEXT, "Because.")]


def test_wide_characters_count_two_cells_in_padding():
    """The padded width is in cells, so that a line of CJK text has fewer characters than its neighbours."""
    lines = ["❯ first line".ljust(40), "● 日本語です".ljust(40 - 5), "❯ last".ljust(40)]
    assert told("\n".join(lines) + "\n\n● Ok.\n") == [
        (U, PROMPT, "first line\n● 日本語です\n❯ last"),
        (A, TEXT, "Ok."),
    ]


def test_terminals_disagree_about_emoji():
    """A padded line with an emoji may be a few cells off; without one it must fit exactly."""
    source = "❯ first".ljust(40) + "\n" + "● 👩‍👧 done".ljust(38) + "\n" + "❯ last".ljust(40) + "\n\n● Ok.\n"
    assert told(source) == [(U, PROMPT, "first\n● 👩‍👧 done\n❯ last"), (A, TEXT, "Ok.")]
    source = "❯ first".ljust(40) + "\n" + "> done".ljust(38) + "\n\n● Ok.\n"
    assert [content for _, _, content in told(source)] == ["first", "done", "Ok."]


def test_a_result_as_wide_as_the_prompt_above_it_is_a_result():
    """A result line that was wrapped leaves one blank at its end; by chance it is as wide as the padded prompt."""
    result = "  ⎿ \u00a0" + "x" * 74 + " "
    assert len(result) == 80
    source = padded(["❯ first"]) + result + "\n     more\n\n● Ok.\n"
    assert told(source) == [(U, PROMPT, "first"), (S, NOTICE, "x" * 74 + "\nmore"), (A, TEXT, "Ok.")]


def test_an_answer_right_below_a_padded_prompt_is_an_answer():
    """A real answer is never padded, not even where the blank line above it was forgotten."""
    source = padded(["❯ first", "  second"]) + "● Answer\n"
    assert told(source) == [(U, PROMPT, "first\nsecond"), (A, TEXT, "Answer")]


def test_markers_pasted_into_a_prompt_that_ends_with_a_blank_are_its_text():
    """Up to 2.0.76 a prompt ends with one blank: a marker before that blank, without an empty line above, is pasted."""
    source = "> one \n\n● First.\n\n> look:\n> old prompt\n● old answer\nwhy? \n\n● Second.\n\n> three \n\n● Third.\n"
    assert told(source) == [
        (U, PROMPT, "one"),
        (A, TEXT, "First."),
        (U, PROMPT, "look:\n> old prompt\n● old answer\nwhy?"),
        (A, TEXT, "Second."),
        (U, PROMPT, "three"),
        (A, TEXT, "Third."),
    ]


def test_one_prompt_that_ends_with_a_blank_is_no_rule():
    """A single prompt with a blank at its end may have been typed so: markers start turns as ever."""
    source = "> one \n\n● First.\n\n> two\n● Second. \n\n● Third.\n"
    assert [content for _, _, content in told(source)] == ["one", "First.", "two", "Second.", "Third."]


def test_some_prompts_that_end_with_a_blank_are_no_rule():
    """Two of four were typed so: the client does not add the blank, and it says nothing."""
    source = "> one \n\n> two \n\n> three\n\n> four\n\n● First.\n\n> five\n● Second. \n\n● Third.\n"
    assert [content for _, _, content in told(source)][4:] == ["First.", "five", "Second.", "Third."]


def test_a_prompt_with_pasted_markers_may_be_the_last_thing_said():
    """The end of the file is an end too."""
    source = "> one \n\n● First.\n\n> two \n\n● Second.\n\n> look:\n● old answer \n"
    assert told(source)[4:] == [(U, PROMPT, "look:\n● old answer")]
    source = "> one \n\n● First.\n\n> two \n\n● Second.\n\n> three\n● Third.\n"
    assert told(source)[4:] == [(U, PROMPT, "three"), (A, TEXT, "Third.")]


def test_a_prompt_without_the_blank_ends_at_the_empty_line_below_it():
    """Where prompts end with a blank, one that lost it still ends where a turn begins below an empty line."""
    source = "> one \n\n● First.\n\n> two\n\n● Second.\n\n> three \n\n● x\n\n> 4 \n\n> 5 \n\n> 6 \n\n● Third.\n"
    expected = ["one", "First.", "two", "Second.", "three", "x", "4", "5", "6", "Third."]
    assert [content for _, _, content in told(source)] == expected
    assert [content for _, _, content in told(source.replace("\n", "\r\n"))] == expected


def test_where_prompts_do_not_end_with_a_blank_every_marker_starts_a_turn():
    """The one blank is a sign only where most prompts have it."""
    source = "> one\n\n● First.\n\n> two\n> three\n● Second.\n"
    assert [content for _, _, content in told(source)] == ["one", "First.", "two", "three", "Second."]


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())
@pytest.mark.parametrize("banner", BANNERS.values(), ids=BANNERS.keys())
def test_a_banner_is_a_mark_and_no_message(banner, family):
    """Every banner with every pair of glyphs frames the same two messages; its text, which names people, is in none."""
    user, assistant = family
    source = f"{banner}{user} hello\n\n{assistant} Hi.\n".encode()
    export = whole(source)
    assert [(message.role, message.kind, message.content) for message in export.messages] == [
        (U, PROMPT, "hello"),
        (A, TEXT, "Hi."),
    ]
    assert export.marks == (Mark(BANNER, 0),)
    assert text.recognises(source, strict=True)


@pytest.mark.parametrize("banner", BANNERS.values(), ids=BANNERS.keys())
def test_a_file_with_a_banner_only_is_an_export_without_messages(banner):
    """A session in which nothing was said gives a banner: no message, no error."""
    export = whole(banner.encode())
    assert export.messages == ()
    assert export.marks == (Mark(BANNER, 0),)


def test_a_second_banner_is_marked_where_it_stands():
    """Versions 2.1.15 to 2.1.19 wrote the conversation twice: the second banner stands before message 2."""
    export = whole((BANNERS["2.1-logo"] + "❯ a\n\n● b\n\n" + BANNERS["2.1-logo"] + "❯ a\n\n● b\n").encode())
    assert export.marks == (Mark(BANNER, 0), Mark(BANNER, 2))
    assert len(export.messages) == 4


@pytest.mark.parametrize("divider", DIVIDERS.values(), ids=DIVIDERS.keys())
def test_a_divider_is_a_mark_and_what_hangs_below_is_bookkeeping(divider):
    """Every way to say "compacted" stands between messages, and the files listed below it are no conversation."""
    source = f"> a\n\n● b\n\n{divider}  ⎿  Read a.txt (3 lines)\n\n> c\n"
    export = whole(source.encode())
    assert export.marks == (Mark(COMPACTION, 2),)
    assert [(message.kind, message.content) for message in export.messages] == [
        (PROMPT, "a"),
        (TEXT, "b"),
        (BOOKKEEPING, "Read a.txt (3 lines)"),
        (PROMPT, "c"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "───────── Ctrl+e to show 314 previous messages ─────────",
        "[Restored contents truncated]",
        "  [Restored contents truncated]",
    ],
    ids=["show-previous", "restored", "restored-indented"],
)
def test_what_the_source_left_out_is_a_mark(line):
    """A terminal that drops earlier messages says so in a line: a truncation, no message."""
    export = whole(f"{line}\n\n> a\n\n● b\n".encode())
    assert export.marks == (Mark(TRUNCATION, 0),)
    assert [message.content for message in export.messages] == ["a", "b"]


# -- bytes -----------------------------------------------------------------------------------------------------------

PLAIN = "> größe?\n\n● Bash(ls)\n  ⎿  a\n     b\n\n● Done 日本 👩‍👧.\n"
PLAIN_TOLD = [
    (U, PROMPT, "größe?"),
    (A, TOOL_CALL, "Bash(ls)"),
    (S, TOOL_RESULT, "a\nb"),
    (A, TEXT, "Done 日本 👩‍👧."),
]


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r\n", 3).encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        b"\xff\xfe" + PLAIN.encode("utf-16-le"),
        b"\xfe\xff" + PLAIN.encode("utf-16-be"),
        b"\xff\xfe" + PLAIN.replace("\n", "\r\n").encode("utf-16-le"),
    ],
    ids=["utf-8", "crlf", "mixed-line-ends", "byte-order-mark", "utf-16-le", "utf-16-be", "utf-16-le-crlf"],
)
def test_encodings_and_line_ends_say_nothing(data):
    """The same text in another encoding or with other line ends gives the same messages, and spans of its own bytes."""
    assert told(data) == PLAIN_TOLD
    assert text.recognises(data, strict=False)


def test_a_byte_order_mark_is_a_span_of_its_own():
    """The three bytes before the text belong to no message."""
    export = whole(b"\xef\xbb\xbf> a\n")
    assert (export.spans[0].start, export.spans[0].end, export.spans[0].label) == (0, 3, "byte-order-mark")
    assert export.messages[0].start == 3


def test_invalid_utf_8_is_kept_and_said():
    """Bytes that are no UTF-8 are part of their message, distinct from each other, and the export warns of them."""
    one, two = whole(b"> a\xff\n\n\xe2\x97\x8f b\n"), whole(b"> a\xfe\n\n\xe2\x97\x8f b\n")
    assert one.messages[0].content == "a\udcff"
    assert one.warnings == ("byte 3 is not UTF-8; it is kept as it is",)
    hashes = {content_hash(m.role, m.kind, m.content) for m in (one.messages[0], two.messages[0])}
    assert len(hashes) == 2


@pytest.mark.parametrize("inside", ["\0", "\r", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1b[1m"], ids=ascii)
def test_only_a_line_feed_ends_a_line(inside):
    """NUL, a lone carriage return, Unicode's separators and escapes are text: no marker behind them starts a turn."""
    assert told(f"> a{inside}● b\n\n● c\n") == [(U, PROMPT, f"a{inside}● b"), (A, TEXT, "c")]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"nothing here\n", b"\xff\xfe", b"\xef\xbb\xbf"], ids=ascii)
def test_a_file_without_a_turn_is_refused(data):
    """Nothing to keep is an error with a name, not an empty conversation (stray text alone is no turn)."""
    if data == b"nothing here\n":
        assert [message.kind for message in whole(data).messages] == [UNKNOWN]
        return
    with pytest.raises(ExportUnreadable):
        text.parse(data)


def test_twenty_megabytes_in_one_line_are_one_message():
    """A line has no length limit."""
    export = whole(b"> " + b"x" * 20_000_000 + b"\n")
    assert [len(message.content) for message in export.messages] == [20_000_000]


def test_deep_indentation_is_kept():
    """Only the client's two blanks are taken from an answer's lines; 10,000 more are the author's."""
    assert told("● a\n  b\n" + " " * 10_002 + "c\n") == [(A, TEXT, "a\nb\n" + " " * 10_000 + "c")]


class Counting(str):
    """A text that counts the characters that are sliced out of it: the parser's work, without a clock."""

    __slots__ = ("work",)

    def __getitem__(self, index):
        """The slice, counted."""
        part = super().__getitem__(index)
        self.work = getattr(self, "work", 0) + len(part)
        return part


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    "line",
    [
        "> > > > >\n",
        "> \n",
        "● x \n",
        "> q\n● b\n",
        "> a \n● b\n",
        "  ⎿ \n",
        "❯ a    \n● b    \n",
        "! x\n> y \n",
        "●" * 30 + "\n",
        "  Read 3 x\n",
    ],
    ids=ascii,
)
def test_work_grows_with_the_file_not_with_its_square(line):
    """Twice the lines cost at most a little more than twice the characters looked at, for hostile lines too."""
    from deduplication.formats.text_blocks import split_blocks

    work = []
    for lines in (2_000, 4_000, 8_000):
        source = Counting("> a \n\n> a \n\n" + line * lines)
        blocks = list(split_blocks(source))
        assert blocks[-1].end == len(source)
        work.append(max(source.work if hasattr(source, "work") else 0, 1))
    assert work[2] <= 2.5 * work[1] + 1000


@pytest.mark.unmeasured
def test_fifty_thousand_quoted_lines_are_read():
    """A file of nothing but ``> > >`` is one message a line, losslessly."""
    data = b"> > >\n" * 50_000
    assert len(whole(data).messages) == 50_000


# -- recognising -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "strict", "loose"),
    [
        (BANNERS["2.1-logo"] + "❯ a\n", True, True),
        (DIVIDERS["2.1"] + "● a\n", True, True),
        ("● Bash(ls)\n  ⎿  a\n", True, True),
        ("> a\n\n● b\n", False, True),
        (BANNERS["2.1-logo"], False, True),
        ("# How exports look\n\nThey\n\nbegin\n\nlike this:\n\n" + BANNERS["2.1-logo"] + "❯ a\n\n● b\n", False, True),
        ("> a quotation\n> goes on\n", False, False),
        ("● a list\n● of bullets\n", False, False),
        ('{"messages": "> a\\n● b"}\n> a\n\n● b\n', False, False),
        ("", False, False),
        ("   \n", False, False),
        ("> a\n\n● b\n\0", False, False),
    ],
    ids=[
        "banner",
        "divider",
        "call-and-result",
        "turns-only",
        "banner-only",
        "document-about-exports",
        "quotation",
        "bullets",
        "json",
        "empty",
        "blank",
        "binary",
    ],
)
def test_recognition(source, strict, loose):
    """A found file must begin like an export; of a named one a prompt and an answer are enough; the rest is none."""
    data = source.encode()
    assert (text.recognises(data, strict=True), text.recognises(data, strict=False)) == (strict, loose)


def test_recognition_reads_the_beginning_only():
    """The sample may end inside a character: nothing is refused for that."""
    data = (BANNERS["2.1-logo"] + "❯ a\n\n● ").encode()
    for shift in range(3):
        assert text.recognises(data + b"x" * shift + "日".encode() * 200_000, strict=True)
        wide = data.decode() + "x" * shift + "👩" * 200_000
        assert text.recognises(b"\xff\xfe" + wide.encode("utf-16-le"), strict=True)


# -- laws ------------------------------------------------------------------------------------------------------------

FRAGMENTS = st.sampled_from(
    [
        "> ",
        "❯ ",
        "● ",
        "⏺ ",
        "  ⎿  ",
        "  ⎿ \u00a0",
        "! ls",
        "\n",
        "\n\n",
        "\r\n",
        "\r",
        " ",
        "   ",
        "     ",
        "x",
        "Bash(ls)",
        "/export",
        "✻ Baked for 3s",
        "✻ Thinking…",
        "∴ Thought for 3s",
        "  Ran 2 things (ctrl+o to expand)",
        "═══ Conversation compacted ═══",
        "✻ Conversation compacted (ctrl+o for history)",
        " ▐▛███▜▌   Claude Code v2.1.197",
        "─" * 20,
        "✔ Task #1",
        "│",
        "日本",
        "\u2028",
        "\0",
        "…",
        "● Compact summary (ctrl+r to expand)",
        "Stop says: x",
        "[Restored contents truncated]",
        "\udcff",
        "\u00a0",
    ]
)


@given(
    st.one_of(
        st.binary(),
        st.lists(FRAGMENTS, max_size=40).map(lambda parts: "".join(parts).encode("utf-8", "surrogateescape")),
    )
)
def test_any_bytes_are_refused_by_name_or_kept_whole(data):
    """Whatever the bytes: a named error, or spans that are the file and messages in order within them."""
    try:
        whole(data)
    except DedupError:
        return


@given(st.lists(FRAGMENTS, max_size=30), st.sampled_from(["utf-16-le", "utf-16-be"]))
def test_utf_16_gives_what_utf_8_gives(parts, codec):
    """The encoding changes offsets and nothing else."""
    source = "".join(parts).encode("utf-8", "ignore").decode()
    mark = b"\xff\xfe" if codec == "utf-16-le" else b"\xfe\xff"
    try:
        expected = told(source)
    except ExportUnreadable:
        with pytest.raises(ExportUnreadable):
            text.parse(mark + source.encode(codec))
        return
    assert told(mark + source.encode(codec)) == expected


WORD = st.text("abcdefghijklmnopqrstuvwxyzäß日本01.,:-/", min_size=1, max_size=12)
SENTENCE = st.lists(WORD, min_size=1, max_size=40).map(lambda words: "w" + " ".join(words))
TURN = st.one_of(
    st.tuples(st.just(PROMPT), SENTENCE),
    st.tuples(st.just(TEXT), SENTENCE),
    st.tuples(st.just(TOOL_RESULT), SENTENCE),
)
ROLE_OF = {PROMPT: USER, TEXT: ASSISTANT, TOOL_CALL: ASSISTANT, TOOL_RESULT: SYSTEM}


def draw(turns, width, family, style):
    """Turns as a client of one style draws them at a width: prompts at column 0, at column 2, or padded."""
    user, assistant = family
    lines = []
    for kind, body in turns:
        rows = textwrap.wrap(body, width - 6, break_on_hyphens=False) or [body]
        if kind == PROMPT:
            indent = "" if style == "column-0" else "  "
            drawn = [f"{user} {rows[0]}", *(indent + row for row in rows[1:])]
            if style == "padded":
                drawn = [row.ljust(width) for row in drawn]
            elif style == "column-0":
                drawn[-1] += " "
            lines += [*drawn, ""]
        elif kind == TEXT:
            lines += [f"{assistant} {rows[0]}", *("  " + row for row in rows[1:]), ""]
        else:
            lines += [f"{assistant} Bash(ls)", f"  ⎿  {rows[0]}", *("     " + row for row in rows[1:]), ""]
    return "\n".join(lines).encode()


@given(
    st.lists(TURN, min_size=1, max_size=12),
    st.integers(53, 217),
    st.sampled_from(list(FAMILIES.values())),
    st.sampled_from(["column-0", "column-2", "padded"]),
)
@settings(deadline=None)
def test_every_turn_comes_back_whatever_the_width(turns, width, family, style):
    """A drawn conversation gives its turns in order with their roles, and at every width the same content hashes."""
    expected = []
    for kind, body in turns:
        if kind == TOOL_RESULT:
            expected.append((ASSISTANT, TOOL_CALL, content_hash(ASSISTANT, TOOL_CALL, "Bash(ls)")))
        expected.append((ROLE_OF[kind], kind, content_hash(ROLE_OF[kind], kind, body)))
    messages = whole(draw(turns, width, family, style)).messages
    assert [(m.role, m.kind, content_hash(m.role, m.kind, m.content, m.fidelity)) for m in messages] == expected
