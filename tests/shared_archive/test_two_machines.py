"""What one machine archived is restored on another one, byte for byte, through the database alone."""

from __future__ import annotations

import pytest

from archive_scenes import texts, transcripts
from archives import Archives


@pytest.fixture
def archives(tmp_path, database):
    """Machines on an empty database of each version of the server."""
    return Archives(tmp_path, database)


def test_packs_and_plain_files_are_restored_on_another_machine(archives):
    """Exports in packs, a plain one, and transcripts with images: all of them, the same bytes."""
    packed, plain = texts(4), texts(6)
    plain = {f"plain-{name}": data for name, data in plain.items() if name not in packed}
    files = {f"-home-x/{name}": data for name, data in transcripts(3).items()}
    archives.add("a", packed)
    archives.add_transcripts("a", files)
    archives.add("a", plain, pack=False)
    sent = archives.send("a")
    assert sent.files
    assert (sent.stays, sent.problems) == ([], [])
    found, lost = archives.restored("b")
    assert lost == []
    assert {name: found[name] for name in (*packed, *plain)} == {**packed, **plain}
    assert found == archives.restored("a")[0]
    assert archives.send("a").files == 0
