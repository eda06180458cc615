"""Contents as text for people."""

from __future__ import annotations

import pytest

from deduplication.alignment.plain_text import is_own_output, readable

CONTENTS = {
    "text": ("as it is", "as it is"),
    "a block of text": ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "a\nb"),
    "a call": (
        {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": "ls", "timeout": 5, "note": ""}},
        "name: Bash\ncommand: ls\ntimeout: 5",
    ),
    "nested": ([{"content": [{"text": "deep"}]}, None], "deep"),
    "a list of values": ({"paths": ["a", "b"]}, "paths: a\npaths: b"),
}


@pytest.mark.parametrize(("content", "text"), CONTENTS.values(), ids=CONTENTS)
def test_blocks_are_lines(content, text):
    """Texts stand as they were written, arguments with their names; ids and types are left out."""
    assert readable(content) == text


def test_what_a_person_says_is_never_our_output():
    """A pasted banner in a prompt or an answer is conversation."""
    banner = "🔐" * 40
    assert is_own_output("tool_result", banner)
    assert not is_own_output("prompt", banner)
    assert not is_own_output("text", banner)


@pytest.mark.parametrize(
    ("call", "ours"),
    [
        ("Bash(python3 '/x y/deduplicate_export.py' search harbour)", True),
        ("Bash(python3 deduplicate_export.py verify harbour)", False),
        ("Bash(export-dedup search harbour)", True),
        ("Bash('/x y/export-dedup' show harbour)", True),
        ("Bash(python3 -m deduplication search harbour)", True),
        ("Bash(export-dedup import harbour)", False),
        ("Bash(export-dedup showing.txt)", False),
        ("Bash(cat my-export-dedup/search/harbour)", False),
    ],
)
def test_a_call_that_looks_into_the_store_is_ours(call, ours):
    """By the entry script, by the command, and by the module; calls that do something are no search for themselves."""
    assert is_own_output("tool_call", call) is ours
