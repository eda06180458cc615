"""Reading from a safe place gives what reading the whole gives, and what may be drawn anew changes no message."""

from __future__ import annotations

import re

import pytest

from deduplication import formats
from deduplication.formats import text, transcript
from deduplication.ingest.ink import Ink
from deduplication.model import SafePlace
from export_chains import day_chain, lines_of
from truth_day import Happens
from truth_screen import ERAS
from truth_session import Session

BANNER = " ▐▛███▜▌   Claude Code v2.1.197\n▝▜█████▛▘  Example 1.0\n  ▘▘ ▝▝    ~/example\n\n"
OLD = BANNER.replace("2.1.197", "2.0.42")
BLANK_ENDED = ("1.0.88", "2.0.27", "2.0.42", "2.0.76", "2.1.17", "2.1.47")
"""Eras in which a prompt ends with one blank."""
TURNS = "❯ Does it tick?\n\n● It does.\n\n✻ Baked for 3m 2s\n\n❯ Louder, please.\n\n● It ticks louder now.\n"


def told(export, first=0, shift=0):
    """What an export shows from a message on: each with its bytes, the marks with their positions."""
    messages = [(m.role, m.kind, m.content, m.start, m.end, m.uuid, m.timestamp) for m in export.messages[first:]]
    return messages, [(mark.kind, mark.before + shift) for mark in export.marks if mark.before + shift >= first]


def assert_goes_on(format_, before, data):
    """From the safe place of ``before`` on ``data`` reads as it does as a whole; True where it has one that can be used."""
    above, whole = format_.parse(before), format_.parse(data)
    place = above.safe
    rest = format_.parse_rest(data, place) if place is not None and data.startswith(before[: place.at]) else None
    if rest is None:
        return False
    messages, marks = told(rest, 0, place.messages)
    assert [*told(above)[0][: place.messages], *messages] == told(whole)[0]
    assert [*told(above)[1], *marks] == told(whole)[1]
    assert (rest.warnings, rest.conversation_id) == (whole.warnings, whole.conversation_id)
    if whole.safe is not None:
        found = rest.safe
        assert found == SafePlace(whole.safe.at, whole.safe.messages - place.messages, whole.safe.state)
    return True


@pytest.mark.unmeasured
@pytest.mark.parametrize("version", ERAS)
def test_a_text_reads_from_every_safe_place_as_from_its_beginning(version):
    """In every era, cut at any line: a later export may go on from there."""
    (_, data), *_ = day_chain(1, Session("safe", turns=12), ERAS[version], Happens(), exports=1)
    ends = [match.end() for match in re.finditer(rb"\n", data)][30::3]
    used = sum(assert_goes_on(text, data[:end], data) for end in ends)
    assert (used > len(ends) // 2) == (version not in BLANK_ENDED)


def test_a_transcript_reads_from_the_end_of_each_line_as_from_its_beginning():
    """A session with compactions and rewinds, cut behind any line."""
    lines = lines_of(2, compacted=(3,), rewound=(6,))
    data = b"".join(lines)
    used = sum(assert_goes_on(transcript, b"".join(lines[:end]), data) for end in range(1, len(lines), 2))
    assert used > len(lines) // 6


@pytest.mark.parametrize(
    "more",
    [
        "\n❯ And a quoted\n\n● answer \n\n❯ of old \n\n❯ files \n\n❯ all \n\n❯ blank \n",
        "\n● nobody\n asked\n of it\n at\n all\n",
        f"\n{BANNER}❯ Again?\n\n● Yes.\n",
        "\n════ Conversation compacted ════\n\n❯ Go on.\n\n● Yes.\n",
        "\n❯ bytes \udcff that are none\n",
        "\n❯ x\n\nstray words\n\n  more\n",
        "\n❯ short\n  ⎿  done (ctrl+o to expand)\n",
    ],
    ids=["blank-ended", "no margin", "a second banner", "a compaction", "no text", "unexplained", "a hint"],
)
def test_what_comes_later_may_have_the_file_read_whole_but_never_otherwise(more):
    """What tells something of the whole file stands in its rest."""
    for head in (
        BANNER,
        OLD,
        f"{BANNER}❯ And?\n\n● It is\n\nwell.\n\n",
        f"{BANNER}❯ And?\n\n● A\n  b\n  c\n  d\n  e\n\ng\n\n",
    ):
        before = (head + TURNS).encode()
        assert_goes_on(text, before, before + more.encode("utf-8", "surrogateescape"))


def test_a_file_whose_prompts_end_with_a_blank_has_no_safe_place():
    """There a prompt may go on behind what looks like an answer, until something ends with a blank."""
    blank = "".join(f"❯ number {n} \n\n● Yes, {n}.\n\n" for n in range(5))
    assert text.parse((OLD + blank).encode()).safe is None
    assert text.parse((BANNER + TURNS).encode()).safe is not None


def test_a_prompt_that_follows_without_an_empty_line_is_no_safe_place():
    """It may be part of what somebody pasted above it."""
    data = (BANNER + "❯ Does it tick?\n\n● It does.\n❯ Louder.\n\n● Yes.\n").encode()
    assert text.parse(data).safe is None or data[: text.parse(data).safe.at].endswith(b"\n\n")


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("✻ Baked for 3m 2s", "✻ Sautéed for 1h 2m 3s · 2 shells running"),
        ("✻ Baked for 3m 2s", "✻ Churned"),
    ],
)
def test_what_a_closing_line_says_is_volatile(line, other):
    """The bytes without it are the same, and so is every message."""
    one, two = ((BANNER + TURNS.replace("✻ Baked for 3m 2s", each)).encode() for each in (line, other))
    assert ink(one) == ink(two)
    shown = [[(m.kind, m.content, m.end - m.start) for m in text.parse(each).messages] for each in (one, two)]
    assert shown[0] == shown[1]


@pytest.mark.parametrize(
    "line",
    [
        "✻ Thinking…",
        "✻ Thought for 3s",
        "✻ Conversation compacted",
        "✻ Baked for 3m (ctrl+o to expand)",
        "✻ Baked for 3m ",
        "✻ Baked for 3m  2s",
        "✽ Baked for 3m",
        "● Baked for 3m",
        "✻ Baked for 3m\n",
        "✻ Baked for 3m\n  and more",
    ],
)
def test_what_could_be_something_else_is_not_volatile(line):
    """It may be a message, a mark, or a line of a prompt."""
    data = (BANNER + TURNS.replace("✻ Baked for 3m 2s", line)).encode()
    assert list(text.volatile(data)) == []


def test_only_a_line_above_a_prompt_is_volatile():
    """Below the last answer, and above anything else, it stays what it is."""
    for end in ("", "\n\n● More.\n", "\n\n  stray\n"):
        data = (BANNER + "❯ Does it tick?\n\n● It does.\n\n✻ Baked for 3m 2s" + end).encode()
        assert list(text.volatile(data)) == []


def ink(data):
    """The SHA-256 of a text without what is volatile in it."""
    whole = Ink(data, text.volatile(data))
    whole.advance_to(len(data))
    return whole.digest()


def test_ink_is_the_bytes_without_the_volatile_ones():
    """Hashed step by step, by size or by place, and no byte twice."""
    import hashlib

    data, holes = bytes(range(100)), [(3, 7), (7, 8), (50, 60), (99, 100)]
    kept = b"".join(data[a:b] for a, b in ((0, 3), (8, 50), (60, 99)))
    for size in range(len(kept) + 1):
        part = Ink(data, holes)
        assert part.advance(size // 2)
        assert part.advance(size)
        assert part.digest() == hashlib.sha256(kept[:size]).hexdigest()
        again = Ink(data, holes)
        again.advance_to(part.at)
        assert (again.size, again.digest(), again.at) == (size, part.digest(), part.at)
    assert not Ink(data, holes).advance(len(kept) + 1)
    assert formats.cumulative(formats.client_export()) is text


def test_lines_that_depend_on_those_above_have_the_file_read_whole():
    """One that says again what stands above, one that a line above names, and a prompt that goes on from neither."""
    lines = [line for line in lines_of(2, turns=8) if b'"uuid":"' in line]
    half = len(lines) // 2
    prompt = next(n for n in range(half, len(lines)) if b'"role":"user","content":"' in lines[n])
    parent = re.search(rb'"parentUuid":"([^"]+)"', lines[prompt])[1]
    stranger = lines[prompt].replace(parent, b"01234567-89ab-4cde-8f01-23456789abcd", 1)
    for above, rest in (
        (lines[:half], [lines[half - 2]]),
        ([*lines[: half - 3], *lines[half - 2 : half]], [lines[half - 3]]),
        (lines[:prompt], [stranger]),
    ):
        place = transcript.parse(b"".join(above)).safe
        assert place is not None
        assert transcript.parse_rest(b"".join([*above, *rest]), place) is None
        assert transcript.parse_rest(
            b"".join([*lines[:half], *lines[half:]]), transcript.parse(b"".join(lines[:half])).safe
        )
