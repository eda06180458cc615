from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import exports
from deduplication.sessions import calls, content, fences
from deduplication.sessions.redaction import Cleaner
from hostile import ATTACKS
from transcript_lines import SESSION, answer, call, compacted, day, exported, identity, line, prompt, result


def written(told, *lines):
    """The session file of a transcript with these lines."""
    told.capture(*lines)
    told.update(SESSION)
    return told.markdown(SESSION)


def test_a_conversation_reads_from_top_to_bottom(told):
    """Prompts are headings, answers stand as they are, calls and long results are folded, short ones are not."""
    text = written(
        told,
        prompt("Fix the clock\nand its *tests*"),
        answer("I look first.\n\n```python\nx = 1\n```"),
        call("Bash", "a", command="ls", description="List files"),
        result("one\ntwo", "a"),
        call("Read", "b", file_path="/src/clock.py"),
        result("fine", "b"),
        answer("Done."),
        prompt("yes"),
    )
    body = text.split("\n---\n\n", 1)[1]
    assert body == (
        "<sub>📅 20 November 2026</sub>\n\n"
        '<a id="m0"></a>\n\n## 👤 1 · Fix the clock and its \\*tests\\*\n\n<sub>00:00</sub>\n\n'
        "> Fix the clock\n> and its *tests*\n\n"
        "🤖 **Assistant** · 00:00\n\nI look first.\n\n```python\nx = 1\n```\n\n"
        "<details>\n<summary>🔧 <b>Bash</b> <code>List files</code></summary>\n\n```bash\nls\n```\n\n</details>\n\n"
        "<details>\n<summary>↳ result, 2 lines, 7 B</summary>\n\n```\none\ntwo\n```\n\n</details>\n\n"
        "🔧 **Read** `/src/clock.py`\n\n↳ `fine`\n\nDone.\n\n"
        '<a id="m7"></a>\n\n## 👤 2 · yes\n\n<sub>00:00</sub>\n\n'
    )


def test_the_head_says_what_the_file_holds(told):
    """Session, first and last time, counts, sources and gaps."""
    text = written(told, day(2), call("Bash", "a", command="ls"), result("x", "a"))
    assert text.startswith("# Question number 0 about the harbour and its cranes, asked…\n")
    head = text.split("\n---\n")[0]
    assert f"| **Session** | {SESSION} |" in head
    assert "| **When** | 20 November 2026, 00:00 to 00:01 UTC |" in head
    assert "| **What** | 6 messages: 2 prompts, 2 answers, 1 tool call, 1 result |" in head
    assert re.search(r"\| \*\*From\*\* \| session.jsonl: transcript, \d+ \w+ \d{4}, \d\d:\d\d UTC \|", head)
    assert "| **May be missing** | nothing that is known of |" in head


def test_marks_stand_where_they_belong(told):
    """Compactions with their folded summary, rewinds and the client's own words; its bookkeeping is left out."""
    first = line("p1", "user", {"role": "user", "content": "First question, asked early"})
    said = line(
        "a1",
        "assistant",
        {"role": "assistant", "content": [{"type": "text", "text": "Taken back"}]},
        parentUuid=identity("p1"),
    )
    again = line("p2", "user", {"role": "user", "content": "Asked otherwise"}, parentUuid=identity("p1"))
    text = written(
        told, first, said, again, exported("/tmp/x"), compacted("Line one\nline two of the summary"), prompt("go on")
    )
    assert "Conversation exported" not in text
    marks = [
        text.index(words)
        for words in ("Taken back", "↩️ **Rewound.**", "Asked otherwise", "🗜️ **Conversation compacted.**")
    ]
    assert marks == sorted(marks)
    assert re.search(r"<details>\n<summary>🗜️ What the client wrote down[^\n]*</summary>\n\nLine one\nline two", text)


def test_gaps_and_damage_are_told(told):
    """Two runs that nothing connects have a gap between them, which the head counts."""
    told.add(exports.Story(1).show(0, 12), "one.txt", "story")
    told.add(exports.Story(2).show(0, 12, compacted=True), "two.txt", "story")
    told.update("story")
    text = told.markdown("story")
    assert text.count("🕳️ **Gap.**") == 1
    assert "1 place where messages may be missing; marked below" in text
    assert "noted when a source was read: the export begins after a compaction" in text


def test_every_kind_of_message_has_its_form(told):
    """Thinking is folded, notices and command outputs are told apart, images are named by type and size."""
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 4000}}
    text = written(
        told,
        line("p", "user", {"role": "user", "content": [{"type": "text", "text": "look"}, image]}),
        line(
            "t", "assistant", {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm.\nLet me see."}]}
        ),
        line("i", "user", {"role": "user", "content": "[Request interrupted by user]"}),
        line("b", "user", {"role": "user", "content": "<bash-input>seq 2</bash-input>"}),
        line("o", "user", {"role": "user", "content": "<bash-stdout>1\n2</bash-stdout><bash-stderr></bash-stderr>"}),
        call("Bash", "e", command="true"),
        result("", "e"),
        line("x", "assistant", {"role": "assistant", "content": [{"type": "odd", "data": 1}]}),
    )
    assert "*🖼 image/png (3.0 KB)*" in text
    assert "<summary>💭 Thinking</summary>\n\nHm.\nLet me see.\n\n</details>" in text
    assert "<sub>ℹ️ \\[Request interrupted by user\\]</sub>" in text
    assert "## 👤 2 · seq 2" in text
    assert "↳ *nothing*" in text
    assert '```json\n{\n  "type": "odd",\n  "data": 1\n}\n```' in text
    assert "```\n1\n2\n```" in text


def test_a_long_result_is_shortened_and_says_by_how_much(told):
    """The beginning and the end stand there, and what lies between is counted."""
    text = written(
        told, prompt("go"), call("Bash", "a", command="seq 1000"), result("\n".join(map(str, range(1000))), "a")
    )
    assert "↳ result, 1,000 lines, 3.9 KB" in text
    assert "*… 960 more lines (3.7 KB) …*" in text.replace("961", "960").replace("3.8 KB", "3.7 KB")
    assert "\n29\n```" in text
    assert "\n999\n```" in text
    assert "\n500\n" not in text


def test_hostile_messages_stay_in_their_place(told):
    """Whatever is said, a renderer that believes HTML finds only our own elements, each closed, and our headings."""
    lines = []
    for number, attack in enumerate(ATTACKS):
        lines += [
            prompt(attack, f"p{number}"),
            answer(attack, f"a{number}"),
            call(attack, f"c{number}", command=attack),
            result(f"{attack}\n{attack}", f"c{number}"),
            call("Read", f"r{number}", file_path=attack.split("\n")[0][:90]),
            result(attack[:70].replace("\n", " "), f"r{number}"),
        ]
    text = written(told, *lines)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]", text)
    tokens = [
        each
        for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
        for each in [token, *(token.children or [])]
    ]
    found = [token.content.strip() for token in tokens if token.type in ("html_block", "html_inline")]
    ours = r"<!-- generator: export-dedup -->|"
    ours += r'<sub>|</sub>|<br>|<a id="m\d+">|</a>|<a id="m\d+"></a>|</details>|<details>\n<summary>[^\n]*</summary>'
    assert [each for each in found if not re.fullmatch(ours, each)] == []
    summaries = [each for each in found if each.startswith("<details>")]
    assert len(summaries) == found.count("</details>")
    assert all(not re.search(r"<(?!/?(?:details|summary|b|code)>)", each) for each in summaries)
    assert [token.tag for token in tokens if token.type == "heading_open" and token.level == 0].count("h2") == len(
        ATTACKS
    )


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (
            {"name": "Bash", "input": {"command": "ls\npwd", "timeout": 5}},
            ("Bash", "ls pwd", [("ls\npwd", "bash"), ('{\n  "timeout": 5\n}', "json")]),
        ),
        (
            {"name": "Write", "input": {"file_path": "/a/b.py", "content": "x = 1\n"}},
            ("Write", "/a/b.py", [("x = 1\n", "python")]),
        ),
        (
            {"name": "Edit", "input": {"file_path": "b.rs", "old_string": "a\nb\nc", "new_string": "a\nB\nc"}},
            ("Edit", "b.rs", [(" a\n-b\n+B\n c", "diff")]),
        ),
        (
            {"name": "MultiEdit", "input": {"file_path": "b", "edits": [{"old_string": "a", "new_string": "b"}]}},
            ("MultiEdit", "b", [("-a\n+b", "diff")]),
        ),
        (
            {
                "name": "TodoWrite",
                "input": {
                    "todos": [
                        {"content": "one", "status": "completed"},
                        {"content": "two", "status": "in_progress"},
                        "x",
                    ]
                },
            },
            ("TodoWrite", "", [("☑ one\n◐ two\n☐ x".replace("☐ x", "x"), "")]),
        ),
        ({"name": "Grep", "input": {"pattern": "x+"}}, ("Grep", "x+", [])),
        (
            {"name": "Task", "input": {"description": "Look", "prompt": "Look\nhard"}},
            ("Task", "Look", [("Look\nhard", "")]),
        ),
        ({"name": "mcp__a__b", "input": {"deep": [1]}}, ("mcp__a__b", "", [('{\n  "deep": [\n    1\n  ]\n}', "json")])),
        ({"name": "Odd", "input": "text"}, ("Odd", "", [('"text"', "json")])),
        ({"type": "server_tool_use"}, ("server_tool_use", "", [])),
        ({"name": "Empty", "input": {}}, ("Empty", "", [])),
    ],
)
def test_calls(block, expected):
    """A call is told by its tool, by what it is about, and with its input in the form in which one reads such a thing."""
    found = calls.call_of(block)
    assert (found.tool, found.about, list(found.bodies)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bash(git status)", ("Bash", "git status", [])),
        ("Bash(git status\n--short)", ("Bash", "git status --short", [("git status\n--short", "bash")])),
        ("Update Todos", ("Update Todos", "", [])),
        ("Ran 2 commands (ctrl+o to expand)", ("Ran 2 commands", "ctrl+o to expand", [])),
        ("Odd thing\nwith more", ("Odd thing", "", [("with more", "")])),
    ],
)
def test_drawn_calls(text, expected):
    """The same for calls that a text export drew."""
    found = calls.call_of_text(text)
    assert (found.tool.strip(), found.about, list(found.bodies)) == expected


def test_long_edits_are_not_compared():
    """Comparing thousands of lines takes too long: they are shown whole, old before new."""
    old, new = "\n".join(f"a{n}" for n in range(300)), "\n".join(f"b{n}" for n in range(300))
    lines = calls.difference(old, new).split("\n")
    assert (lines[0], lines[299], lines[300], lines[599]) == ("-a0", "-a299", "+b0", "+b299")


@given(st.text(st.sampled_from("ab\n"), max_size=600), st.integers(4, 30), st.integers(40, 300))
def test_shortening_keeps_both_ends_and_counts_the_rest(text, lines, characters):
    """Head and tail are the text's own, in order; only where something is left out is it said."""
    short = fences.shortened(text, lines, characters)
    if not short.left_out:
        assert short.head == text
    else:
        assert text.startswith(short.head)
        assert text.endswith(short.tail)
        assert len(short.head) + len(short.tail) <= characters + 2


@given(st.text(st.sampled_from("`~a \n"), max_size=40))
def test_a_fence_holds_whatever_is_in_it(text):
    """A renderer reads back exactly the code."""
    (token,) = MarkdownIt("commonmark").parse(fences.fenced(text, "python"))
    assert (token.type, token.info, token.content) == ("fence", "python", f"{text}\n")


@given(st.text(st.sampled_from("`a *<"), min_size=1, max_size=20).filter(lambda text: text.strip()))
def test_a_code_span_holds_whatever_is_in_it(text):
    """A renderer reads back exactly the words."""
    (inline,) = [
        token for token in MarkdownIt("commonmark").parse("x " + fences.code_span(text)) if token.type == "inline"
    ]
    assert [child.content for child in inline.children if child.type == "code_inline"] == [" ".join(text.split())]


@pytest.mark.parametrize(
    ("message", "forms"),
    [
        ({"role": "user", "kind": "prompt", "content": {"type": "odd"}}, ["code"]),
        (
            {"role": "assistant", "kind": "text", "content": [{"type": "text", "text": "x", "citations": [1]}, "y"]},
            ["laid_out", "laid_out"],
        ),
        ({"role": "assistant", "kind": "thinking", "content": [{"type": "redacted_thinking", "data": "x"}]}, ["note"]),
        ({"role": "assistant", "kind": "thinking", "content": [{"type": "thinking", "thinking": "x"}]}, ["markdown"]),
        (
            {
                "role": "user",
                "kind": "prompt",
                "content": [{"type": "document", "title": "a.pdf", "source": {"type": "text", "data": "x"}}],
            },
            ["note"],
        ),
        ({"role": "user", "kind": "prompt", "content": [{"type": "image", "source": None}]}, ["note"]),
        (
            {
                "role": "system",
                "kind": "tool_result",
                "content": [{"type": "tool_result", "content": [{"type": "text", "text": "x"}]}],
            },
            ["code"],
        ),
        ({"role": "system", "kind": "tool_result", "content": [{"type": "tool_result", "content": None}]}, ["code"]),
        ({"role": "assistant", "kind": "tool_call", "content": [{"type": "a"}, {"type": "b"}]}, ["code", "code"]),
        ({"role": "user", "kind": "local_command", "content": "/model x"}, ["code"]),
        ({"role": "user", "kind": "local_command", "content": [1]}, ["code"]),
    ],
)
def test_blocks(message, forms):
    """Whatever a source's content is made of, it becomes blocks of a known form."""
    assert [block.form for block in content.blocks_of(message, Cleaner()).blocks] == forms


def test_times_need_not_stand_in_order(told):
    """First and last are the earliest and the latest time of all messages, whichever stands first."""
    head = written(told, prompt("b", at=7200), answer("a", at=60), prompt("c", at=3600)).split("\n---\n")[0]
    assert "20 November 2026, 00:01 to 02:00 UTC" in head
