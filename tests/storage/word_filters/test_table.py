"""A table of keys: each is found in its parts and in no other, by all of it or its beginning; a damaged page may have every key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import query_set
from deduplication.storage.word_filters import table
from deduplication.storage.word_filters.table import EVERYWHERE, Key, Table, key_bytes
from deduplication.words.lexemes import asked_of, lexemes_of
from deduplication.words.terms import has, terms

WORDS = st.text(alphabet="abé潮", min_size=1, max_size=5)
KEYS = st.dictionaries(WORDS, st.sets(st.integers(0, table.PARTS - 1), min_size=1, max_size=20), max_size=60)


def read_again(keys):
    """The table of these keys, as it is read."""
    directory, pages = table.made({key_bytes(key): sorted(parts) for key, parts in keys.items()})
    return Table(directory, lambda at, size: pages[at : at + size])


def bits(parts):
    """Parts as bits."""
    return sum(1 << part for part in set(parts))


@pytest.fixture(params=[1, 3, 512])
def page(request, monkeypatch):
    """Pages of few keys, and of many."""
    monkeypatch.setattr(table, "KEYS", request.param)


@pytest.mark.usefixtures("page")
def test_a_key_is_in_its_parts_and_in_no_other():
    """All of it, or its beginning, across pages; what is not there has no parts."""

    @given(keys=KEYS, asked=WORDS)
    def check(keys, asked):
        made = read_again(keys)
        for key in (asked, *keys):
            assert Key(key).parts_in(made) == bits(keys.get(key, ()))
            begun = [part for each, parts in keys.items() if each.startswith(key) for part in parts]
            assert Key(key, begun=True).parts_in(made) == bits(begun)
        assert made.all_keys() == {key_bytes(key): sorted(parts) for key, parts in keys.items()}
        assert made.is_sound()

    check()


def test_a_key_that_is_everywhere():
    """All parts there can be."""
    made = read_again({"tide": range(table.PARTS), "tides": [3]})
    assert Key("tide").parts_in(made) == Key("t", begun=True).parts_in(made) == EVERYWHERE
    assert Key("tides").parts_in(made) == 8


def test_a_damaged_page_may_have_every_key():
    """Whichever byte is another one: nothing that was there is hidden, and whoever asks looks into all parts."""
    keys = {key_bytes(f"word{number}"): [number % table.PARTS] for number in range(1_500)}
    directory, pages = table.made(keys)
    for at in range(0, len(pages), 7):
        damaged = pages[:at] + bytes([pages[at] ^ 16]) + pages[at + 1 :]
        made = Table(directory, lambda start, size, data=damaged: data[start : start + size])
        for number in (0, 700, 1_499):
            assert Key(f"word{number}").parts_in(made) in (1 << number % table.PARTS, EVERYWHERE)
        assert not made.is_sound()
        with pytest.raises(ValueError, match="not what was written"):
            made.all_keys()


def test_every_text_that_is_found_has_what_is_asked():
    """Of made-up texts and a hundred queries none is lost; most others are told apart."""
    texts = query_set.texts(150)
    keys = {}
    for number, text in enumerate(texts):
        for lexeme in lexemes_of(text):
            keys.setdefault(lexeme, set()).add(number)
    made = read_again(keys)
    found = named = 0
    for query in query_set.ALL:
        wanted = terms(query)
        may_be = EVERYWHERE
        for lexeme, begun in asked_of(wanted):
            may_be &= Key(lexeme, begun=begun).parts_in(made)
        for number, text in enumerate(texts):
            is_hit = has(text, wanted)
            assert may_be >> number & 1 or not is_hit, (query, text)
            found += is_hit
            named += may_be >> number & 1
    assert found > 500
    assert named < 2 * found
