"""Copies of packs, read as packs behind one another."""

from __future__ import annotations

import contextlib
import random

import pytest

from archive_scenes import added
from deduplication.packs import merge_policy
from deduplication.packs.pack_copies import CopiedPacks


@pytest.fixture
def four(tmp_path, monkeypatch):
    """Four files of as many bytes, by name, each in a pack of its own; all packs but the first one are copies."""
    monkeypatch.setattr(merge_policy, "TIERS", ((0, 0),))
    chance = random.Random(1)
    files = {f"{name}.bin": chance.randbytes(20_000) for name in ("alder", "birch", "cedar", "rowan")}
    for name, data in files.items():
        added(tmp_path, {name: data})
    packs = sorted(tmp_path.glob("*.pack"))
    assert [path.stat().st_size for path in packs] == [packs[0].stat().st_size] * 4
    for path in packs[1:]:
        path.rename(tmp_path / f"{path.stem} (copy).pack")
    return files


def opened(folder):
    """The packs in a folder."""
    return contextlib.closing(CopiedPacks(str(folder), str(folder / "aside")))


def test_files_at_one_byte_of_two_copies_are_two_files(tmp_path, four):
    """No copy has a number of its own: what is kept of one at a byte is not taken for what another one has there."""
    with opened(tmp_path) as copied:
        held = list(copied.files())
        assert {each.record.name: each.data() for each in held} == {name: four[name] for name in list(four)[1:]}
        assert [held[-1].row.record(number).name for number in range(4)] == list(four)


def test_what_needs_no_pack_that_is_missing_comes_back(tmp_path, four):
    """Behind a gap stands what rests on a pack before it: it is had."""
    grown = four["alder.bin"] + bytes(range(256))
    for path in tmp_path.glob("*copy*"):
        path.rename(tmp_path / path.name.replace(" (copy)", ""))
    added(tmp_path, {"grown.bin": grown})
    for path in sorted(tmp_path.glob("*.pack"))[1:]:
        path.rename(tmp_path / f"{path.stem} (copy).pack")
    (tmp_path / "pack-0003 (copy).pack").unlink()
    with opened(tmp_path) as copied:
        assert {each.record.name: each.data() for each in copied.files()}["grown.bin"] == grown
        assert copied.incomplete() == []
