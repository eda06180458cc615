"""Some hundred queries of eight kinds: the slow reference, the search of a folder and both kinds of index find the same."""

from __future__ import annotations

import pytest

import query_set
from deduplication import ClaudeConversationDeduplicator, formats
from deduplication.alignment.plain_text import readable
from deduplication.errors import NotAnExport
from deduplication.model import EXACT, Export, Message
from deduplication.search.hits import Wanted
from deduplication.search.scan import scan
from deduplication.storage.database.clean_text import cleaned
from deduplication.words.lexemes import MOST_BYTES, tsquery_of, tsvector_of
from deduplication.words.terms import has, terms
from search_reference import Reference
from thorough import THOROUGH

TABLE = "CREATE TEMPORARY TABLE texts (number INTEGER, content TEXT, words TSVECTOR, words_cut BOOLEAN)"
INSERT = "INSERT INTO texts SELECT * FROM unnest(%s::integer[], %s::text[], %s::tsvector[], %s::boolean[])"
SELECT = "SELECT number FROM texts WHERE words @@ %s::tsquery OR words_cut"


@pytest.fixture(scope="module")
def made():
    """Made-up texts."""
    return [*dict.fromkeys(query_set.texts())]


@pytest.fixture(scope="module")
def real(corpus):
    """What was said in real exports."""
    found = {}
    for path in sorted(corpus.rglob("*")):
        if path.suffix in {".txt", ".md", ".jsonl"}:
            try:
                messages = formats.parse(path.read_bytes()).messages
            except NotAnExport:
                continue
            found.update(dict.fromkeys(readable(message.content) for message in messages))
    return [*found][::2]


@pytest.fixture(params=["made", "real"])
def searched(request):
    """The texts, and which of them each query finds by the reference."""
    return answers(request.param, request.getfixturevalue(request.param))


_ANSWERS = {}


def answers(name, texts):
    """What the reference finds, once a process."""
    if name not in _ANSWERS:
        reference = Reference(texts)
        _ANSWERS[name] = texts, [reference.find(*query) for query in query_set.ALL]
    return _ANSWERS[name]


def test_most_queries_find_something(made):
    """A set that found nothing would prove nothing; some are to find nothing, and none finds all."""
    found = [len(texts) for texts in answers("made", made)[1]]
    assert sum(count > 0 for count in found) > 75
    assert sum(count == 0 for count in found) > 5
    assert max(found) < len(made)


def test_a_folder(searched, tmp_path):
    """Every query finds in a store in a folder what the reference finds."""
    texts, expected = searched
    messages = tuple(
        Message("user", "prompt", text, uuid=f"{n}", fidelity=EXACT) for n, text in enumerate(texts) if text
    )
    dedup = ClaudeConversationDeduplicator(tmp_path / "state")
    dedup.ingest_export(Export("test", messages, conversation_id="one"), name="x", sha256="0" * 64, raw_bytes=1)
    kept = {message["content"] for message in dedup.get_full_conversation("one")}
    for query, right in [*zip(query_set.ALL, expected)][:: 1 if THOROUGH else 4]:
        found = {hit.message["content"] for hit in scan(str(tmp_path / "state"), Wanted(tuple(terms(query)))).hits}
        assert found == right & kept, query


def test_an_index_of_words(searched, postgres):
    """Every query finds in PostgreSQL what the reference finds, by an index that names all of them and few others."""
    texts, expected = searched
    with postgres.connect() as connection:
        connection.execute(TABLE)
        vectors = [tsvector_of(text) for text in texts]
        columns = [[*range(len(texts))], [cleaned(text) for text in texts], *map(list, zip(*vectors))]
        connection.execute(INSERT, columns)
        connection.execute("CREATE INDEX ON texts USING GIN (words)")
        connection.execute("SET enable_seqscan = off")
        named = 0
        for query, right in zip(query_set.ALL, expected):
            wanted = terms(query)
            candidates = [texts[number] for (number,) in connection.execute(SELECT, [tsquery_of(wanted)])]
            assert {text for text in candidates if has(text, wanted)} == right, query
            named += len(candidates)
        assert named < 1.5 * sum(map(len, expected)) + 100


def test_a_text_of_very_many_words(postgres):
    """A tsvector is full at a megabyte: a text with more is said to be cut, is kept all the same, and found by any of its words."""
    text = " ".join(f"word{number}x" for number in range(200_000)) + " the last harbour"
    literal, cut = tsvector_of(text)
    assert cut
    assert MOST_BYTES - 100 < sum(map(len, literal.split())) <= MOST_BYTES
    with postgres.connect() as connection:
        connection.execute(TABLE)
        connection.execute(INSERT, [[0, 1], [text, "a crane"], [literal, tsvector_of("a crane")[0]], [cut, False]])
        for query, right in (["harbour"], [0]), (["word7x", "word199999x"], [0]), (["crane"], [0, 1]):
            assert sorted(number for (number,) in connection.execute(SELECT, [tsquery_of(terms(query))])) == right
