"""Words and phrases: how they are read, and what they match."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.words.terms import has, terms
from search_reference import Reference

READ = {
    "words": (["harbour", "Crane"], ["harbour*", "crane*"]),
    "an argument with a blank is a phrase": (["tide clock"], ["tide clock"]),
    "that phrase, only begun": (["tide clo*"], ["tide clo*"]),
    "quotes inside one argument": (['the "tide  clock" ticks'], ["the*", "tide clock", "ticks*"]),
    "a quoted word": (['"tide"'], ["tide"]),
    "stars": (["tide*", '"tide clo*"', '"tide cl"*'], ["tide*", "tide clo*", "tide cl*"]),
    "a quote that is not closed": (['"tide clock'], ["tide clock"]),
    "the same twice": (["a", "A", '"a"'], ["a*", "a"]),
    "nothing": (["", "  ", '""', "→ *"], []),
    "an apostrophe separates": (["don't"], ["don t*"]),
    "a path": (["src/tide_clock.py"], ["src tide clock py*"]),
    "a name is one word": (["TideClock"], ["tideclock*"]),
    "composed": (["cafe\u0301"], ["café*"]),
    "sharp s": (["Straße"], ["strasse*"]),
    "no blanks in the script": (["潮汐", '"潮"', "a潮"], ["潮 + 汐*", "潮", "a + 潮*"]),
}


@pytest.mark.parametrize(("arguments", "expected"), READ.values(), ids=READ)
def test_a_query_is_words_and_phrases(arguments, expected):
    """White space separates words unless an argument or quotes hold them together; a star says that the last one may go on."""
    assert [term.row.strip() + "*" * term.begun for term in terms(arguments)] == expected


def test_a_query_is_shown_as_it_was_asked():
    """In its own spelling, phrases in quotes."""
    assert [term.shown for term in terms(["Tide", "src/A.py", "the  tide", '"Tide"', "go*"])] == [
        "Tide",
        "src/A.py",
        '"the tide"',
        '"Tide"',
        "go*",
    ]


LINE = "x" * 30
MATCHES = {
    "case": ("HARBOUR", "the harbour", True),
    "the beginning of a word": ("deploy", "deployment", True),
    "inside a word": ("deploy", "redeployment", False),
    "a whole word": ('"deploy"', "deployment", False),
    "a whole word, followed by a sign": ('"deploy"', "(deploy!)", True),
    "every word": ("crane harbour", "only a harbour", False),
    "a phrase over a line break": ('"tide clock"', "the tide\n   clock", True),
    "a phrase over a sign": ('"tide clock"', "the tide-clock", True),
    "a phrase needs a border": ('"tide clock"', "tideclock", False),
    "a phrase is in order": ('"tide clock"', "clock tide", False),
    "a phrase's last word is whole": ('"tide clo"', "tide clock", False),
    "a phrase that is only begun": ('"tide clo*"', "tide clock", True),
    "a phrase's first word is whole": ('"ide clock"', "tide clock", False),
    "part of a name": ("deduplicator", "class ClaudeConversationDeduplicator:", True),
    "some parts of a name": ("conversationDedup", "class ClaudeConversationDeduplicator:", True),
    "a whole name": ('"ClaudeConversationDeduplicator"', "class ClaudeConversationDeduplicator:", True),
    "a phrase of a name": ('"conversation deduplicator"', "class ClaudeConversationDeduplicator:", True),
    "a name's parts in snakes": ("tide_clock", "def tideClock", True),
    "a long word that a line's end cut": ("harbourmaster/index", f"{LINE} harbourmas\n  ter/index.html", True),
    "a word that a line's end cut": ("tide", f"{LINE} ti\nde", True),
    "the halves of it": ("de", f"{LINE} ti\nde", True),
    "a word of three letters is not put together": ("set", f"{LINE} se\nt", False),
    "a short line cuts nothing": ("tide", "ti\nde", False),
    "two words at a line's end": ('"the tide clock"', f"{LINE} the\ntide clock", True),
    "cut and named at once": ("tideclocktower", f"{LINE} tideClo\nckTower", True),
    "cut, and a phrase goes on": ('"the tide clock"', f"{LINE} the ti\nde clock", True),
    "a script without blanks": ("潮汐时钟", "潮汐\n时钟", True),
    "a character inside": ("汐", "潮汐时钟", True),
    "characters in order": ("汐潮", "潮汐", False),
    "characters with a border between them": ("潮汐", "潮。汐", False),
    "characters as a phrase": ('"潮 汐"', "潮。汐", True),
    "beside a word": ("汐时", "潮汐时clock", True),
    "a word beside a character": ("clock", "潮汐时clock", True),
    "both": ("汐clo", "潮汐clock", True),
    "decomposed": ("café", "cafe\u0301", True),
    "another letter": ("cafe", "café", False),
    "sharp s": ("STRASSE", "straße", True),
    "ligature": ("file", "\ufb01le", True),
    "Kelvin sign": ("300k", "300\u212a", True),
    "full width": ("abc12", "ＡＢＣ１２", True),
    "a soft hyphen": ("verwaltung", "Ver\u00adwaltung", True),
}


@pytest.mark.parametrize(("query", "text", "found"), MATCHES.values(), ids=MATCHES)
def test_what_matches(query, text, found):
    """Case, composition, layout and signs do not matter; letters, order and the beginnings of words do."""
    arguments = [query] if '"' in query else query.split()
    assert has(text, terms(arguments)) is found
    assert (Reference([text]).find(*arguments) == {text}) is found


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
            "ß",
            "潮",
            "汐",
            "か\u3099",
            " ",
            " ",
            ".",
            "\n",
            "\n  ",
        ),
        *("x" * 20, "\u00ad", "│"),
    )
)
queries = st.lists(pieces, min_size=1, max_size=6).map("".join)
forms = st.sampled_from(["{}", '"{}"', '"{}*"', "{}*"])


@given(st.lists(pieces, max_size=30).map("".join), queries, forms, st.data())
def test_a_text_has_what_the_rules_say(text, query, form, data):
    """What is taken out of a text and what is made up, as words and as phrases: the same as the slow form finds."""
    if text and data.draw(st.booleans()):
        start = data.draw(st.integers(0, len(text) - 1))
        query = text[start : data.draw(st.integers(start + 1, len(text)))]
    argument = form.format(query)
    assert has(text, terms([argument])) is (Reference([text]).find(argument) == {text})
