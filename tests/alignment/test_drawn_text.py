"""What a screen shows of Markdown, and what it does not leave out."""

from __future__ import annotations

import pytest

from deduplication.alignment.drawn_text import drawings
from deduplication.model import ASSISTANT, EXACT, TEXT, TOOL_CALL, Message


def written(text, kind=TEXT):
    """What may be shown of a text that was written."""
    return drawings(Message(ASSISTANT, kind, text, fidelity=EXACT))


def laid_out(text):
    """What is shown."""
    return drawings(Message(ASSISTANT, TEXT, text))[0]


@pytest.mark.parametrize(
    ("exact", "shown"),
    [
        ("**a** and *b* and `c` and ~~d~~ and _e_", "a and b and c and d and e"),
        ("**a *b* `c`** d", "a b c d"),
        ("***a***", "a"),
        ("# Head\n\n## And `more`\n", "Head\nAnd more"),
        ("* one\n+ two\n- three\n", "- one\n- two\n- three"),
        ("> said\n> again", "▎ said\n▎ again"),
        ("```sh\nx = 1\n```\n", "x = 1"),
        ("a\n\n---\n\nb", "a\n────\nb"),
        ("| a | b |\n|---|:-:|\n| c | d |\n", "┌───┬───┐\n│ a │ b │\n├───┼───┤\n│ c │ d │\n└───┴───┘"),
        ("See [it](https://a.example/x).", "See it (https://a.example/x)."),
        ("See [it](https://a.example/x).", "See https://a.example/x."),
        ("See [it](https://a.example/x).", "See it."),
        ("See [it](docs/x.md).", "See it (docs/x.md)."),
        ("one two", "one\ntwo"),
    ],
)
def test_a_screen_shows_it_like_this(exact, shown):
    """Marks in pairs, headings, fences and rules are left out, links shown in one of three ways, white space says nothing."""
    assert laid_out(shown) in written(exact)


@pytest.mark.parametrize(
    ("exact", "shown"),
    [
        ("a*b", "ab"),
        ("2 * 3 * 4", "2 3 4"),
        ("snake_case_name", "snakecasename"),
        ("**a", "a"),
        ("x > y", "x y"),
        ("a #1", "a 1"),
        ("12 | 3", "1 | 23"),
        ("| 12 | 3 |", "│ 1 │ 23 │"),
        ("A", "a"),
        ("a.", "a"),
        ("[it](https://a.example/x)", "it (https://a.example/y)"),
    ],
)
def test_nothing_else_is_left_out(exact, shown):
    """A character that stands alone is what was written."""
    assert laid_out(shown) not in written(exact)


def test_the_first_way_shows_all_of_it():
    """A link's label and its target."""
    assert written("[it](https://a.example/x)")[0] == "ithttps://a.example/x"
    assert written("no link") == ("nolink",)


def test_a_call_is_shown_as_its_name_with_an_argument():
    """Of several arguments a screen may show any that is text; what is no call shows none."""
    block = {"type": "tool_use", "name": "Grep", "input": {"pattern": "a b", "limit": 3, "path": "src"}}
    assert written([block], TOOL_CALL) == ("Grep(ab)", "Grep(src)")
    assert written([{"type": "tool_use", "name": "Grep"}, "x"], TOOL_CALL) == ()
    assert written({"type": "tool_use"}, TOOL_CALL) == ()


@pytest.mark.parametrize("mark", ["*a ", "_a_ ", "[x](y) ", "`", "> ", "[", "(https://", "- |", "** a", " \n", "~~"])
def test_hostile_text_is_read_to_its_end(mark):
    """However often a mark comes."""
    assert written(f"x{mark * 20_000}end")[0].endswith("end")
