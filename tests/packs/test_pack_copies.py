"""Copies of packs, read as packs behind one another."""

from __future__ import annotations

import contextlib
import random

from archive_scenes import added
from deduplication.packs import merge_policy
from deduplication.packs.pack_copies import CopiedPacks


def test_files_at_one_byte_of_two_copies_are_two_files(tmp_path, monkeypatch):
    """No copy has a number of its own: what is kept of one at a byte is not taken for what another one has there."""
    monkeypatch.setattr(merge_policy, "TIERS", ((0, 0),))
    chance = random.Random(1)
    files = {f"{name}.bin": chance.randbytes(1000) for name in ("alder", "birch", "cedar", "rowan")}
    for name, data in files.items():
        added(tmp_path, {name: data})
    packs = sorted(tmp_path.glob("*.pack"))
    assert [path.stat().st_size for path in packs] == [packs[0].stat().st_size] * 4
    for path in packs[1:]:
        path.rename(tmp_path / f"{path.stem} (copy).pack")
    with contextlib.closing(CopiedPacks(str(tmp_path), str(tmp_path / "aside"))) as copied:
        held = list(copied.files())
        assert {each.record.name: each.data() for each in held} == {name: files[name] for name in list(files)[1:]}
        assert [held[-1].row.record(number).name for number in range(4)] == list(files)
