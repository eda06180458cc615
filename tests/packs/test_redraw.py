"""Text drawn at another width: any text with the same ink can be told, the same way for ever, and the rule guesses most of it."""

from __future__ import annotations

import hashlib
import random
import re
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deduplication.packs import recipe, redraw, segmenter
from deduplication.packs.recipe import Drawn, Encoded, Gap, Recipe, Run, Widths
from document_readers import reader_of
from exports import Story

_INK = ["a", "word", "x" * 30, "well-known", "- ", "> ", "● ", "  ⎿  ", "漢字" * 9, "⚠️", "e\u0301", "—", "\udcff", "\t"]
texts = st.lists(st.sampled_from([*_INK, " ", " ", "  ", "\n", "\n  ", "\n\n", " \n     "]), max_size=60).map("".join)
gaps = st.sampled_from(["", "", "", " ", "\n", "\n  ", "  \n\n ", "\n      ", " " * 5000])
widths = st.builds(Widths, st.integers(0, 60), st.integers(0, 60), st.integers(0, 7), st.booleans())


def data_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


@st.composite
def pairs(draw):
    """Two texts with the same ink: the second has other gaps, most of them where the first has some."""
    source = draw(texts)
    pieces = re.split(r"([ \n]+)", source)
    kept = [draw(gaps) if n % 2 and draw(st.integers(0, 3)) == 0 else piece for n, piece in enumerate(pieces)]
    at = draw(st.integers(0, len(kept) - 1))
    cut = draw(st.integers(0, len(kept[at])))
    kept[at] = kept[at][:cut] + draw(gaps) + kept[at][cut:]
    return data_of(source), data_of("".join(kept))


@given(pairs(), widths)
@settings(max_examples=400)
def test_any_text_with_the_same_ink_can_be_told(pair, how):
    """Whatever the widths: the gaps that are found make the one text of the other; other ink is refused."""
    source, target = pair
    found = redraw.differences(source, target, how, 10**9)
    if how.before == how.after:
        assert found == ([] if source == target else None)
    else:
        assert redraw.redrawn(source, how, found) == target
    assert redraw.differences(source, target + b"x", how, 10**9) is None
    if found:
        assert redraw.differences(source, target, how, len(found) - 1) is None


@given(texts, widths, st.lists(st.tuples(st.integers(0, 40), gaps), max_size=4))
def test_the_document_says_the_same_rule(source, how, given_gaps):
    """A reader that shares no code with the product draws the same, whatever the gaps."""
    told = dict(sorted(given_gaps))
    drawn = redraw.redrawn(data_of(source), how, [Gap(*each) for each in told.items()])
    before, after, narrower, hyphens = how
    assert drawn == reader_of("archive").drawn(data_of(source), before, after, narrower * 2 + hyphens, told)


def test_the_rule_never_changes():
    """What was archived with it is put together by it: the drawings of some made-up days, by their hashes."""
    digest = hashlib.sha256()
    for seed in range(4):
        story = Story(seed, exchanges=12)
        shown = story.show(0, len(story.turns), width=53) + data_of("".join(_INK) + "\n  ".join(_INK))
        for how in (Widths(53, 80), Widths(53, 30, 1), Widths(80, 53, 2, hyphens=True), Widths(40, 9)):
            digest.update(redraw.redrawn(shown, how, [Gap(9, ""), Gap(50, "\n "), Gap(10**6, " ")]))
    assert digest.hexdigest() == "fc3e9620f0313f8f995a293eb3d905bd75fd0f8c97b38d4af2e0dad0a1cef7f2"


def wrapped(head: str, text: str, width: int, *, padded: bool = False) -> str:
    """A turn as a window of this width shows it."""
    lines = (head + ("\n" + " " * len(head)).join(textwrap.wrap(text, width - len(head)))).split("\n")
    return "\n".join(line.ljust(width) if padded else line for line in lines) + "\n\n"


def day(width: int, vocabulary: list[str], *, narrower: int = 0) -> bytes:
    """Prompts, which are padded, answers and results, each of some lines."""
    source = random.Random(7)
    parts = []
    for _ in range(40):
        prompt, answer, result = (" ".join(source.choices(vocabulary, k=source.randrange(9, 90))) for _ in range(3))
        parts += [wrapped("❯ ", prompt, width, padded=True), wrapped("● ", answer, width)]
        parts += [wrapped("  ⎿  ", result, width - narrower)]
    return data_of("".join(parts))


PLAIN = ["violin", "harbour", "the", "a", "413985", "ledger,", "says."]


@pytest.mark.parametrize(("before", "after"), [(53, 80), (80, 53), (80, 120), (120, 40)])
def test_of_a_window_of_another_width_nothing_need_be_told(before, after):
    """Words without hyphens, wrapped at blanks: the rule guesses every line end, and what fills the lines of prompts."""
    assert _told(day(before, PLAIN), day(after, PLAIN), Widths(before, after)) == 0


def test_a_line_that_was_broken_by_its_writer_stays_broken():
    """No line end is undone behind which the next word would have had room."""
    shown = data_of("● One\n  Two\n\n  - three\n  - four\n\n")
    assert redraw.redrawn(shown, Widths(80, 120), ()) == shown
    assert redraw.redrawn(shown, Widths(6, 120), ()) != shown


def test_later_lines_are_indented_as_the_second_one():
    """A line that the writer indented keeps its place, and where it is broken the later lines stand as they stood."""
    one = data_of("● Say:\n  - this is wide\n    than thats\n   was\n\n")
    assert redraw.redrawn(one, Widths(16, 18), ()) == data_of("● Say:\n  - this is wide\n    than thats was\n\n")
    assert redraw.redrawn(data_of("● one two three"), Widths(40, 7), ()) == data_of("● one\n  two\n  three")


def test_words_that_are_broken_at_hyphens_are_guessed():
    """``hyphens``: a line may end behind one between letters, and such a line end is undone."""
    vocabulary = [*PLAIN, "well-known", "re-entry"]
    one, other = day(60, vocabulary), day(90, vocabulary)
    assert _told(one, other, Widths(60, 90, hyphens=True)) == 0 < _told(one, other, Widths(60, 90))


def test_a_result_may_be_narrower():
    """``narrower``: columns that a tool's result has less, up to the next turn."""
    one, other = day(70, PLAIN, narrower=3), day(101, PLAIN, narrower=3)
    assert _told(one, other, Widths(70, 101, 3)) == 0 < _told(one, other, Widths(70, 101))


def test_columns_are_those_of_a_terminal():
    """Ideographs and pictures take two columns, marks that combine none."""
    assert [redraw.cells(text) for text in ("abc", "漢字", "e\u0301", "⚠\ufe0f", "é—", "🚢")] == [3, 4, 1, 1, 2, 2]
    one, other = (data_of("● " + "\n  ".join(["漢" * columns] * 3) + "\n") for columns in (15, 30))
    assert _told(one, data_of("● " + "漢" * 30 + "\n  " + "漢" * 15 + "\n"), Widths(32, 62)) == 0
    assert redraw.redrawn(other, Widths(62, 32), ()).count(data_of("漢" * 15 + "\n")) == 6


def _told(source: bytes, target: bytes, how: Widths) -> int:
    found = redraw.differences(source, target, how, 10**9)
    assert redraw.redrawn(source, how, found) == target
    return len(found)


def test_real_windows_of_other_widths_take_few_gaps(corpus):
    """Turns that real exports show twice, in windows of two widths: a gap tells at least twenty bytes, taken together."""
    known: dict[bytes, bytes] = {}
    size = told = 0
    for path in sorted(corpus.glob("real-2025/*.txt")):
        data = path.read_bytes()
        for start, end, drawn, *_ in segmenter.turns(data, 0, len(data)):
            turn = data[start:end]
            first = known.setdefault(redraw.ink(turn), turn) if not drawn else turn
            if first != turn:
                size += len(turn)
                told += min(
                    _told(first, turn, Widths(a, b)) for a in (76, 78, 106, 109) for b in (76, 78, 106, 109) if a != b
                )
    assert size > 20_000
    assert told < size / 20


items = st.one_of(
    st.binary(min_size=1, max_size=5),
    st.builds(Encoded, st.integers(0, 2**40), st.integers(0, 2**24)),
    st.builds(Run, st.integers(0, 2**40), st.integers(1, 2**20)),
    st.builds(
        Drawn,
        *(st.integers(0, 2**20) for _ in range(4)),
        st.builds(Widths, st.integers(0, 300), st.integers(0, 300), st.integers(0, 31), st.booleans()),
        st.dictionaries(st.integers(0, 10**6), gaps, max_size=4).map(
            lambda told: tuple(Gap(*each) for each in sorted(told.items()))
        ),
    ),
)


@given(st.lists(items, max_size=6).map(tuple), st.integers(0, 100))
def test_a_recipe_comes_back(found, expected):
    """Runs, Base64, drawings and bytes in any order."""
    made = Recipe(-1, 0, found)
    assert recipe.decode(made.encode(7, expected), 7, expected) == made


def test_a_drawing_by_a_rule_that_is_not_known_is_refused():
    """What a later version draws otherwise is no recipe here, and no wrong bytes."""
    made = Recipe(-1, 0, (Drawn(0, 0, 9, 9, Widths(80, 100, 1), ()),)).encode(0, 0)
    newer = made.replace(bytes([80, 100, 2]), bytes([80, 100, 66]))
    assert recipe.decode(made, 0, 0) != made != newer
    with pytest.raises(ValueError, match="newer version"):
        recipe.decode(newer, 0, 0)
