"""salvage: the same pieces, all at once or those of one file after another."""

from __future__ import annotations

import pytest

from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.storage import indexed_log
from deduplication.storage.log import log_pack, sealed
from deduplication.storage.log.salvage import pieces_of, salvage


@pytest.mark.parametrize("damage", ["none", "a file is missing", "a file is garbage"])
def test_the_pieces_of_each_file_are_those_of_the_log(tmp_path, monkeypatch, damage):
    """Sound, damaged or missing: read file by file the log has the same pieces, and never those of two files are held."""
    monkeypatch.setattr(indexed_log, "OPEN", 600)
    monkeypatch.setattr(log_pack, "BLOCK", 1500)
    monkeypatch.setattr(sealed, "MOST", 3000)
    dedup = ClaudeConversationDeduplicator(tmp_path / "state")
    for run in range(4):
        text = "".join(f"❯ tide {run} {n}\n\n● level {run} {n}\n\n" for n in range(15))
        dedup.ingest(text.encode(), name="tide.txt", conversation_id="tide")
    log = dedup.store.log
    files = sorted((tmp_path / "state" / "sealed").iterdir())
    assert len(files) > 3
    if damage == "a file is missing":
        files[1].unlink()
    elif damage == "a file is garbage":
        files[1].write_bytes(b"no pack")
    whole = [(piece.where, piece.data, piece.record, piece.fault) for piece in salvage(log).pieces]
    assert [(piece.where, piece.data, piece.record, piece.fault) for piece in pieces_of(log)] == whole
    assert any(fault for *_, fault in whole) == (damage != "none")
    found = [piece.place for piece in pieces_of(log)]
    assert found == sorted(found)
