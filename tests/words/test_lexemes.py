"""Lexemes and queries of PostgreSQL: what it reads is what was meant, and its index names every text that has the terms."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deduplication.words.letters import is_word
from deduplication.words.lexemes import tsquery_of, tsvector_of
from deduplication.words.prepared import LONGEST
from deduplication.words.terms import has, terms

LEXEMES = {
    "words, each once": ("The tide, the Tide!", "the tide"),
    "nothing": ("→ …", ""),
    "a name and its parts": ("tideClockTower", "tideclocktower tideclock tide clocktower clock tower"),
    "a word that a line's end cut": ("x" * 20 + " dedup\nlication", "x" * 20 + " deduplication dedup lication"),
    "characters": ("潮汐时 潮", "潮 潮汐 汐时 时"),
    "characters beside words": ("ab潮汐c", "ab 潮汐 汐 c"),
    "characters over a line's end": ("潮\n汐", "潮汐 汐"),
    "a long word": ("k" * 500, "k" * LONGEST),
}


@pytest.mark.parametrize(("text", "expected"), LEXEMES.values(), ids=LEXEMES)
def test_the_lexemes_of_a_text(text, expected):
    """Words, those with seams in each way in which they can be read, and pairs of characters."""
    literal, cut = tsvector_of(text)
    assert (sorted(literal.split()), cut) == (sorted(expected.split()), False)


ASKED = {
    "a beginning": (["Tide"], "'tide':*"),
    "words": (["tide", '"clock"'], "'tide':* & 'clock'"),
    "a phrase": (['"tide clock"', "tide"], "'tide' & 'clock' & 'tide':*"),
    "a phrase that is begun": (["src/mod_1"], "'src' & 'mod' & '1':*"),
    "a pair of characters": (["潮汐时"], "'潮汐' & '汐时'"),
    "one character": (["潮"], "'潮':*"),
    "characters and words": (["ab潮汐c潮"], "'ab' & '潮汐' & 'c' & '潮':*"),
    "a long word": (["k" * 500], f"'{'k' * LONGEST}':*"),
}


@pytest.mark.parametrize(("query", "expected"), ASKED.values(), ids=ASKED)
def test_the_query_of_terms(query, expected):
    """All words of all terms, the last one of each as a beginning where it is none but begun."""
    assert tsquery_of(terms(query)) == expected


MATCHES = """
SELECT count(*) FROM unnest(%s::text[]) AS word WHERE array_to_tsvector(ARRAY[word]) @@ ('''' || word || ''':*')::tsquery
"""


def test_every_letter_is_read_as_itself(postgres):
    """No letter, digit or mark of any script means anything to PostgreSQL, in a vector or in a query."""
    letters = [chr(code) for code in range(0x110000) if is_word(chr(code)) and code > 3]
    words = [f"{letter}a{letter}" for letter in letters]
    with postgres.connect() as connection:
        for start in range(0, len(words), 10_000):
            some = words[start : start + 10_000]
            (read,) = connection.execute("SELECT tsvector_to_array(%s::tsvector)", [" ".join(some)]).fetchone()
            assert sorted(read) == sorted(set(some))
            assert connection.execute(MATCHES, [some]).fetchone() == (len(some),)


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
            "한",
            " ",
            " ",
            ".",
            "\n",
            "\n  ",
        ),
        *(
            "x" * 20,
            "\u00ad",
            "│",
            "'",
            '"',
            "\\",
            ":",
            "*",
            "&",
            "|",
            "!",
            "<->",
            "(",
            ")",
            "\x00",
            "\ud83d",
            "k" * 90,
        ),
    )
)
texts = st.one_of(st.lists(pieces, max_size=25).map("".join), st.text(max_size=40))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(texts, texts, st.sampled_from(["{}", '"{}"', '"{}*"']), st.data())
def test_the_index_names_every_text_that_has_the_terms(postgres, text, query, form, data):
    """Whatever stands in text and query, the server takes both, and a text that has the terms fulfils the query."""
    if text and data.draw(st.booleans()):
        start = data.draw(st.integers(0, len(text) - 1))
        query = text[start : data.draw(st.integers(start + 1, len(text)))]
    wanted = terms([form.format(query)])
    if not wanted:
        return
    connection = _connected(postgres)
    literal, cut = tsvector_of(text)
    lexemes, matches = connection.execute(
        "SELECT tsvector_to_array(%(words)s::tsvector), %(words)s::tsvector @@ %(query)s::tsquery",
        {"words": literal, "query": tsquery_of(wanted)},
    ).fetchone()
    assert not cut
    assert sorted(lexemes) == sorted(literal.split())
    assert matches or not has(text, wanted)


_OPEN = {}


def _connected(server):
    """One connection for all examples."""
    if server.port not in _OPEN or _OPEN[server.port].closed:
        _OPEN[server.port] = server.connect()
    return _OPEN[server.port]


@pytest.fixture(scope="module", autouse=True)
def _closed():
    """The connections are ended with the module."""
    yield
    while _OPEN:
        _OPEN.popitem()[1].close()
