"""What a damaged line still says, and when it proves itself."""

from __future__ import annotations

import pytest

from deduplication.alignment.fingerprint import content_hash
from deduplication.repair import partial_lines
from deduplication.storage.log.lines import encode_line
from deduplication.storage.state.blobs import Blobs

IDENTITY = content_hash("user", "prompt", "which way?")
RECORD = {
    "conversation_id": "tide-clock",
    "index": 7,
    "timestamp": "2026-11-22T23:17:20.929Z",
    "content_hash": IDENTITY,
    "extends": 3,
    "message": {"role": "user", "kind": "prompt", "content": "which way?"},
    "source": {"export": "7ec70086862fdd42", "clock": "capture"},
}
COMMIT = {
    "conversation_id": "tide-clock",
    "timestamp": "2026-11-22T23:17:22.526Z",
    "export": {"name": "a.txt", "sha256": "5" * 64, "bytes": 3, "format": "claude-code-text", "total": 2, "new": 1},
    "window": [[0, 1]],
    "processing_time_ms": 12,
}
BLOBS = Blobs("/nowhere")


def test_a_line_whose_end_is_gone_still_says_what_it_was():
    """Conversation, number, hash, time and what it extends stand at its beginning."""
    told = partial_lines.parse_partial(encode_line(RECORD)[:330])
    assert told == partial_lines.PartialLine("tide-clock", 7, IDENTITY, RECORD["timestamp"], 3, "", None)


def test_a_damaged_commit_record_still_says_whose_it_was():
    """The export's SHA-256 and how long the run took."""
    told = partial_lines.parse_partial(encode_line(COMMIT).replace(b'"window"', b'"wondow"'))
    assert (told.export, told.took, told.number) == ("5" * 64, 12, -1)


@pytest.mark.parametrize("data", [b"", b"\0\0\0", b'{"conversation_id":"\\x"', b'{"conv'])
def test_garbage_says_nothing(data):
    """Nothing is made up."""
    assert partial_lines.parse_partial(data) == partial_lines.PartialLine()


def test_damage_beside_the_message_leaves_a_line_that_proves_itself():
    """The checksum is wrong, the content still has its content hash."""
    line = encode_line(RECORD).replace(b"7ec70086862fdd42", b"7ec70086862fdd43")
    assert partial_lines.proven(line, BLOBS) == {**RECORD, "source": {"export": "7ec70086862fdd43", "clock": "capture"}}


@pytest.mark.parametrize(
    "wrong",
    [
        {"message": {"role": "user", "kind": "prompt", "content": "which day?"}},
        {"message": {"role": "user", "kind": "nothing", "content": "which way?"}},
        {"message": 3},
        {"index": "7"},
        {"content_hash": None},
        {"conversation_id": 5},
        {"source": {}},
        {"timestamp": 8},
    ],
    ids=str,
)
def test_a_line_that_proves_nothing_is_not_believed(wrong):
    """Another content, or a member of another form."""
    assert partial_lines.proven(encode_line({**RECORD, **wrong}), BLOBS) is None


@pytest.mark.parametrize("data", [b"{", b"[]", b"7", encode_line(COMMIT)])
def test_what_is_no_occurrence_proves_nothing(data):
    """Not JSON, no object, or no message."""
    assert partial_lines.proven(data, BLOBS) is None


def test_a_commit_record_is_known_by_its_form():
    """The record without its checksum; None for a line of another form."""
    assert partial_lines.commit(encode_line(COMMIT)) == COMMIT
    assert partial_lines.commit(encode_line(RECORD)) is None
    assert partial_lines.commit(b"{") is None
