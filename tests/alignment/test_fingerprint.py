"""Content hash and alignment key: what makes two messages one, and what does not."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deduplication.alignment.fingerprint import (
    DISTINCTIVE,
    canonical,
    content_hash,
    encoded,
    fingerprint,
    fingerprints,
    skeleton,
)
from deduplication.model import (
    ASSISTANT,
    BOOKKEEPING,
    EXACT,
    KINDS,
    LAYOUT,
    PROMPT,
    ROLES,
    TEXT,
    TOOL_CALL,
    TOOL_RESULT,
    USER,
    Message,
)

ANY_TEXT = st.text(
    st.one_of(st.characters(), st.sampled_from("|`~<!->/(]:\n \t#_ßİ"), st.characters(categories=["Cs"]))
)
BLANKS = st.text(" \n\t\r\x0b\x0c\u00a0", min_size=1)


def identity(content, fidelity=LAYOUT):
    """The content hash of a prompt."""
    return content_hash(USER, PROMPT, content, fidelity)


@given(st.lists(st.text(min_size=1), min_size=1), st.data())
def test_layout_does_not_count_where_a_screen_made_it(words, data):
    """A wrap may cut a word or swallow a blank: with any white space between the same characters the hash is the same."""
    spread = "".join(word + data.draw(BLANKS) for word in words)
    assert identity(spread) == identity("".join(words))


def test_a_known_hash_stays_what_it_is():
    """A changed hash would make every stored message new, and sealed lines other ones: these are fixed for good."""
    assert identity("Hello, wörld") == "c0d56066a022bcdb5457b126998cde07c82f782a49672f7ed0a22aa6319f015e"
    assert identity("\udc80 x") == "467059de8956a112d0bba6285ff6999f010c882d1c1b7159e96b5fe1171650e0"
    assert identity("Hello, wörld\n", EXACT) == "6fdbd2edd3e3da8e2191538427d062b0f8ab5768f8c05aa64baf6b5f15723164"
    blocks = {"name": "Bash", "input": {"command": "ls", "é": [1, None, True]}}
    assert (
        content_hash("assistant", "tool_call", blocks, EXACT)
        == "210b328f99972d7b1814583ef8ce99fc63a275beb50c2ea5a9fcec55a71bca36"
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a+b", "a-b"),
        ("Yes", "yes"),
        ("wait.", "wait"),
        ("don't", "dont"),
        ("é", "e\u0301"),
        ("a_b", "ab"),
        ("👍", "👎"),
        ("", "-"),
    ],
    ids=ascii,
)
def test_everything_but_white_space_counts(one, other):
    """Punctuation, case, accents and symbols are content."""
    assert identity(one) != identity(other)


def test_role_kind_and_fidelity_are_part_of_the_identity():
    """The same text is another message from another role, of another kind, or written instead of laid out."""
    hashes = {
        content_hash(role, kind, "same", fidelity) for role in ROLES for kind in KINDS for fidelity in (LAYOUT, EXACT)
    }
    assert len(hashes) == len(ROLES) * len(KINDS) * 2


def test_exact_content_keeps_its_white_space():
    """What was written is hashed character for character."""
    assert identity("a b", EXACT) != identity("ab", EXACT)
    assert identity("a\u00a0b", EXACT) != identity("a b", EXACT)


@given(ANY_TEXT, ANY_TEXT)
def test_exact_and_laid_out_never_meet(one, other):
    """The two kinds of identity have prefixes of their own."""
    assert identity(one, EXACT) != identity(other, LAYOUT)


def test_blocks_are_hashed_in_one_spelling():
    """The order of an object's keys says nothing, the order of a list does."""
    assert canonical({"b": 1, "a": [1, "ß"]}) == '{"a":[1,"\\u00df"],"b":1}'
    assert identity({"b": 1, "a": 2}, EXACT) == identity({"a": 2, "b": 1}, EXACT)
    assert identity([1, 2], EXACT) != identity([2, 1], EXACT)


def test_lone_surrogates_are_kept_apart():
    """Broken JSON escapes and undecodable bytes are content too, each its own."""
    assert len({identity("\ud83d"), identity("\ude00"), identity("\ud83d\ude00"), identity("\U0001f600")}) == 4
    assert encoded("a\udcff") == b"a\xed\xb3\xbf"


@pytest.mark.parametrize(
    ("content", "bones"),
    [
        ("Hello, World 42!", b"helloworld42"),
        ("a_b-c", b"abc"),
        ("Größe", "grösse".encode()),
        ("e\u0301", "é".encode()),
        ("日本 語", "日本語".encode()),
        ("a\u00a0\u2028b", b"ab"),
        ("👍 ***", b""),
        ("x\n| a | b |\n|---|---|\ny", b"xy"),
        ("x\n  ┌──┐\n  │a │\n  ├──┤\n  └──┘\ny", b"xy"),
        ("a | b", b"ab"),
        ("see\n```python\ncode\n```\nend", b"seecodeend"),
        ("~~~sh\ncode\n  ~~~", b"code"),
        ("| a |\n```py\n| b |\nc", b"c"),
        ("[text](https://a.b/c)d", b"textd"),
        ("at https://a.b/c?d=e now", b"atnow"),
        ("a<!-- gone\nhere -->b", b"ab"),
        ("a<!-- open", b"aopen"),
        ("a<!--x-->b<!-- open", b"abopen"),
        ("a-->b<!--x-->c-->d<!--e", b"abcde"),
        ({"type": "image", "data": "QQ"}, b"dataqqtypeimage"),
        ("a\udcffb\ud83d", b"ab"),
    ],
    ids=ascii,
)
def test_skeleton(content, bones):
    """Letters and digits, folded: no tables, fence lines, link targets or comments; text in a fence stays."""
    assert skeleton(content) == bones


def slow_skeleton(text):
    """The definition, one step after the other, without any of the short cuts."""
    text = re.sub(r"(?m)^[ \t]*[│┌├└|].*$", "", text)
    text = re.sub(r"(?m)^[ \t]*(?:```|~~~).*$", "", text)
    text = re.sub(r"(?s)<!--.*?-->", "", text)
    text = re.sub(r"\]\([^()\s]*\)|https?://\S+", "", text)
    text = "".join(c for c in unicodedata.normalize("NFC", text) if c.isalnum())
    return text.casefold().encode("utf-8", "surrogatepass")


@given(ANY_TEXT)
@example("|a\n```b")
@example("\n|a")
@example("İ|ß")
@example("-->a<!--b")
def test_the_short_cuts_of_the_skeleton_change_nothing(text):
    """Plain text and the rest, with or without tables and comments: all ways give what the definition gives."""
    assert skeleton(text) == slow_skeleton(text)
    assert skeleton(text + "ß") == slow_skeleton(text + "ß")


def test_many_open_comments_are_no_trap():
    """A million characters of beginnings of comments are searched once, not once for each of them."""
    assert skeleton("<!--" * 250_000) == b""
    assert skeleton("a-->" + "<!--" * 250_000) == b"a"


def message(content, role=ASSISTANT, kind=TEXT, **more):
    """A message of this content."""
    return Message(role, kind, content, **more)


def test_the_key_is_blind_where_renderings_differ_and_sees_the_role():
    """Another case, other symbols, another kind: the same key. Another role or other letters: another key."""
    one = fingerprint(message("**Plan**: a+b"))
    assert fingerprint(message("Plan a-b")).key == one.key
    assert fingerprint(message("Plan a-b")).content_hash != one.content_hash
    assert fingerprint(message("Plan a+b", USER, PROMPT)).key != one.key
    assert fingerprint(message("Plan a+c")).key != one.key


def test_a_message_without_letters_is_known_by_its_exact_text():
    """An emoji has no skeleton: its key is its content hash's beginning, so that two of them differ."""
    one, other = fingerprint(message("👍")), fingerprint(message("👎"))
    assert one.key == one.content_hash[:16]
    assert one.key != other.key
    assert one.weight == 0


def test_bookkeeping_has_no_weight():
    """``/export`` is no evidence of anything."""
    item = fingerprint(message("/export " + "x" * 100, USER, BOOKKEEPING))
    assert (item.weight, item.distinctive, item.key) == (0, False, item.content_hash[:16])


@pytest.mark.parametrize(
    ("content", "kind", "distinctive"),
    [
        ("x" * DISTINCTIVE, TEXT, True),
        ("x" * (DISTINCTIVE - 1), TEXT, False),
        ("x" * DISTINCTIVE, PROMPT, True),
        ("日" * 14, TEXT, True),
        ("x" * DISTINCTIVE, TOOL_CALL, False),
        ("x" * DISTINCTIVE, TOOL_RESULT, False),
        ("-" * 100, TEXT, False),
    ],
    ids=["forty", "thirty-nine", "prompt", "bytes-count", "call", "result", "symbols"],
)
def test_distinctive(content, kind, distinctive):
    """Forty bytes of letters and digits in what people or the assistant said may anchor; calls and results may not."""
    assert fingerprint(message(content, ASSISTANT, kind)).distinctive is distinctive


def test_fingerprints_keep_the_order_and_the_source_s_ids():
    """One fingerprint a message, in order; a missing id is an empty string."""
    items = fingerprints([message("a", uuid="u-1"), message("b")])
    assert [(item.uuid, item.kind, item.role) for item in items] == [("u-1", TEXT, ASSISTANT), ("", TEXT, ASSISTANT)]
    assert items == [fingerprint(message("a", uuid="u-1")), fingerprint(message("b"))]
