"""Session files of version 0.1, which were named by the session's id, are taken along."""

from __future__ import annotations

import pytest

from deduplication.sessions.names import stem
from told import Told
from transcript_lines import SESSION, day


@pytest.fixture
def told(tmp_path):
    """A conversation whose files are named as version 0.1 named them."""
    told = Told(tmp_path)
    told.capture(day(9))
    told.update(SESSION, part_bytes=2_000)
    for path in list(told.files.iterdir()):
        path.rename(path.with_name(path.name.replace(told.stem(SESSION), stem(SESSION))))
    return told


def test_they_are_renamed(told):
    """The same text under the new names, and nothing under the old ones."""
    before = told.contents()
    assert len(before) > 1
    told.update(SESSION, part_bytes=2_000)
    after = told.contents()
    assert sorted(after) == sorted(name.replace(stem(SESSION), told.stem(SESSION)) for name in before)


def test_one_that_was_edited_stays(told):
    """With what somebody wrote into it, and it is told of."""
    path = told.files / f"{stem(SESSION)}.md"
    path.write_bytes(path.read_bytes() + b"mine\n")
    done = told.update(SESSION, part_bytes=2_000)
    assert done.untouched == str(path)
    assert path.read_bytes().endswith(b"mine\n")
    assert told.stem(SESSION) in done.path
