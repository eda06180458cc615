"""Excerpts: what was found stands in them as it was written, and nothing else is marked."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from deduplication.words.excerpts import Text
from deduplication.words.prepared import prepared, prepared_query
from deduplication.words.terms import has, terms


def joined(excerpt):
    """An excerpt with its marks as brackets."""
    return "".join(f"[{piece}]" if found else piece for piece, found in excerpt)


def test_an_excerpt_marks_the_words_on_one_line():
    """White space is collapsed, each occurrence is marked, the text's own spelling stays."""
    (excerpt,) = Text("The Tide\n   clock, the tide").excerpts(terms(["tide"]))
    assert joined(excerpt) == "The [Tide] clock, the [tide]"


def test_an_excerpt_of_a_long_text_is_cut_between_words():
    """What was left out shows as an ellipsis; no word is cut in two."""
    text = "before " * 50 + "harbour " + "after " * 50
    (excerpt,) = Text(text).excerpts(terms(["harbour"]))
    shown = joined(excerpt)
    assert shown.startswith("…before before")
    assert shown.endswith("after…")
    assert len(shown) < 200


def test_words_far_apart_have_excerpts_of_their_own():
    """Each word can be seen, the first three of them at least."""
    text = (" filler" * 80 + " ").join(["alpha", "beta", "gamma", "delta"])
    shown = [joined(excerpt) for excerpt in Text(text).excerpts(terms(["alpha", "beta", "gamma", "delta"]))]
    assert [next(word for word in ("alpha", "beta", "gamma") if f"[{word}]" in each) for each in shown] == [
        "alpha",
        "beta",
        "gamma",
    ]


def test_marks_stand_where_the_words_are_when_folding_changes_lengths():
    """After a sharp s and a ligature every position is still the right one."""
    (excerpt,) = Text("Großer \ufb03 Fuß: Maß").excerpts(terms(["mass"]))
    assert joined(excerpt) == "Großer \ufb03 Fuß: [Maß]"


def marked(text, *query):
    """The marked pieces of the excerpts."""
    return [piece for excerpt in Text(text).excerpts(terms(query)) for piece, found in excerpt if found]


def test_marks_pass_over_what_is_not_seen():
    """Lines that cut a word, capitals in names, marks and what is invisible are inside what is marked, blanks around it are not."""
    assert marked("x" * 30 + " dedup\n   lication.", "deduplication") == ["dedup lication"]
    assert marked("the ClaudeConversationDeduplicator2", "conversationdedup") == ["ConversationDedup"]
    assert marked("潮汐\n时钟、", "汐时") == ["汐 时"]
    assert marked("a cafe\u0301s", "café") == ["cafe\u0301"]
    assert marked("Ver\u00adwaltung ｶﾞ", "verw", "ガ") == ["Ver\u00adw", "ｶﾞ"]
    assert marked("re\u00ad\u0301sume\u200d\u0301 tide", "résu", "tide") == ["re\u00ad\u0301su", "tide"]
    assert marked("yes yes", '"yes"') == ["yes", "yes"]


pieces = st.sampled_from(
    (
        *(
            "a",
            "b",
            "T",
            "ti",
            "de",
            "Clock",
            "HTTP",
            "7",
            "é",
            "e\u0301",
            "\u0327",
            "ß",
            "e",
            "e\u00ad\u0301",
            "İ",
            "ﬃ",
            "潮",
            "か\u3099",
            "ｶﾞ",
        ),
        *("\u1112", "\u1161", "\u11ab", " ", " ", ".", "\n", "\n  ", "x" * 20, "\u00ad", "│", "\x01", "\u0345", "½"),
    )
)


@given(
    st.one_of(st.lists(pieces, max_size=30).map("".join), st.text(max_size=30)), st.integers(0, 30), st.integers(1, 30)
)
def test_what_is_marked_is_what_was_sought(text, start, length):
    """Where a text has a term, it is marked somewhere, and every mark has its letters; the pieces are the text on one line."""
    wanted = terms(['"' + text[start : start + length].replace('"', " ") + '*"'])
    prepared_text = Text(text)
    assert bool(prepared_text.spans(wanted)) == bool(wanted and has(text, wanted))
    if not (wanted and has(text, wanted)):
        return
    (excerpt,) = prepared_text.excerpts(wanted)
    sought = "".join(wanted[0].words)
    for piece, found in excerpt:
        if found:
            assert sought[0] in prepared_query(piece)
    for begin, end in prepared_text.spans(wanted):
        assert sought in re.sub(r"[ ^/%+]", "", prepared(text[begin:end]))
    whole = "".join(piece for piece, _ in excerpt)
    assert whole.strip("…").split() == text.split() or "…" in whole
