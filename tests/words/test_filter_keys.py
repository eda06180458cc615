"""Whatever a text has by the words of a query, a filter of its words has what the query asks of it."""

from __future__ import annotations

import query_set
from deduplication.words.filter_keys import asked_keys, keys_of
from deduplication.words.lexemes import lexemes_of
from deduplication.words.terms import has, terms


def test_every_text_that_is_found_has_what_is_asked():
    """Of made-up texts and a hundred queries none is lost; most others are told apart."""
    texts = query_set.texts(150)
    keys = [keys_of(lexemes_of(text)) for text in texts]
    found = named = 0
    for query in query_set.ALL:
        wanted = terms(query)
        asked = set(asked_keys(wanted))
        for text, own in zip(texts, keys):
            is_hit, may_be = has(text, wanted), asked <= own
            assert may_be or not is_hit, (query, text)
            found += is_hit
            named += may_be
    assert found > 500
    assert named < 3 * found


def test_beginnings_of_words_are_looked_for_by_the_longest_that_is_kept():
    """A word of which more may follow is found by three, five, eight and twelve of its letters; of two letters nothing is told."""
    assert asked_keys(terms(["dedupl"])) == ["ded*", "dedup*"]
    assert asked_keys(terms(['"dedupl"'])) == ["dedupl", "ded*", "dedup*"]
    assert asked_keys(terms(["de"])) == []
    assert asked_keys(terms(["潮"])) == ["潮*"]
    assert asked_keys(terms(["潮汐"])) == ["潮汐"]
