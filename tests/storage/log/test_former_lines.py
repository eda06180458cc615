"""What version 0.1 sealed: whatever a block of the log holds, it comes back byte for byte."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.storage.log.former_lines import whole
from log_lines import COMMIT, LINES, occurrence
from sealed_of_0_1 import lean


@given(st.lists(LINES, max_size=12))
def test_a_block_comes_back_byte_for_byte(lines):
    """Lines of every form, known ones again, and bytes that are no line at all."""
    data = b"".join(lines)
    assert whole(lean(data)) == data


def test_what_follows_from_the_rest_is_left_out():
    """Checksums, hashes of bodies and of repeats, and the beginnings of spans."""
    lines = [
        occurrence(0, "yes", span=[7, 12]),
        occurrence(1, "no", span=[12, 20], fidelity="exact", uuid="u-1"),
        occurrence(2, "yes", span=[20, 23], carries=False, extends=0),
        COMMIT,
    ]
    short = lean(b"".join(lines)).decode().splitlines()
    assert re.findall("crc32|[0-9a-f]{64}", "".join(short)) == []
    assert [json.loads(line).get("content_hash") for line in short] == [None, None, 2, None]
    assert [json.loads(line)["source"]["span"] for line in short[:3]] == [[7, 12], [8], [3]]


def test_a_hash_that_does_not_follow_stays():
    """The content hash of a body whose data lies in a blob, and of a repeat whose body stands in another block."""
    alone = [occurrence(0, "with a blob", identity="cd" * 32), occurrence(1, "elsewhere", carries=False)]
    assert len(re.findall(rb'"content_hash":"[0-9a-f]{64}"', lean(b"".join(alone)))) == 2


@pytest.mark.parametrize(
    "data", [b'{"conversation_id":"s","index":1,"timestamp":"t","content_hash":5,"x":1}\n', b"\xff\n"]
)
def test_what_was_not_made_here_gives_no_valid_line(data):
    """A repeat of a line that is not there: the line that comes out has an empty hash, which no index believes."""
    assert b'"content_hash":"' + b"0" not in whole(data)
