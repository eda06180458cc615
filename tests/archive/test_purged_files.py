"""The notes of files that are not what was exported: each is a line, and one that was torn costs no other."""

from __future__ import annotations

import pytest

from deduplication.archive.purged_files import PurgedFile, add, encoded, load
from deduplication.project.paths import PURGED_FILES

FIRST, SECOND = PurgedFile("a" * 64, 3), PurgedFile("b" * 64, 0, gone=True)


@pytest.mark.parametrize("written", range(len(encoded([FIRST])) + 1))
def test_a_note_that_was_torn_costs_no_other(tmp_path, written):
    """Somebody was killed within the first note: the second one is read all the same, and the first can be noted again."""
    (tmp_path / PURGED_FILES).write_bytes(encoded([FIRST])[:written])
    add(str(tmp_path), SECOND)
    assert load(str(tmp_path))[SECOND.sha256] == SECOND
    add(str(tmp_path), FIRST, SECOND)
    assert load(str(tmp_path)) == {each.sha256: each for each in (FIRST, SECOND)}


def test_nothing_is_written_where_nothing_is_to_be_noted(tmp_path):
    """No note, no file; the same note again, no second line."""
    add(str(tmp_path))
    assert not (tmp_path / PURGED_FILES).exists()
    add(str(tmp_path), FIRST)
    before = (tmp_path / PURGED_FILES).read_bytes()
    add(str(tmp_path), FIRST)
    assert (tmp_path / PURGED_FILES).read_bytes() == before
