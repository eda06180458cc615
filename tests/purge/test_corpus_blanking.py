"""Messages taken out of real exports and transcripts: the rest reads as before."""

from __future__ import annotations

import random

import pytest

from deduplication import formats
from deduplication.alignment.tombstone import is_marker
from deduplication.errors import DedupError
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.purge.archived import PurgedMessages, form_of

_LARGEST = 400_000


@pytest.mark.parametrize("ending", ["txt", "jsonl"])
def test_any_message_can_be_taken_out_of_a_real_file(corpus, tmp_path, ending):
    """Text exports and transcripts of all versions; a file from which nothing else would be left goes as a whole."""
    chance = random.Random(ending)
    store = ClaudeConversationDeduplicator(tmp_path / "store").store
    blanked = 0
    for path in sorted(corpus.rglob(f"*.{ending}"))[::2]:
        data = path.read_bytes()
        if len(data) > _LARGEST:
            continue
        try:
            messages = formats.parse(data).messages
        except DedupError:
            continue
        if len(messages) < 6:
            continue
        chosen = {said(message) for message in chance.sample(messages, 3)}
        gone = PurgedMessages(lambda *_: False, message=lambda m, _, chosen=chosen: said(m) in chosen)
        form = form_of(store, data, path.name, gone, lambda _: False)
        assert form is not None
        assert form.data is not None, (path, form.why)
        left = [m for m in formats.parse(form.data).messages if not is_marker(m.content)]
        assert [m.content for m in left] == [m.content for m in messages if said(m) not in chosen], path
        blanked += 1
    assert blanked > 10


def said(message):
    """What a message says, wherever it stands."""
    return message.role, message.kind, str(message.content)
