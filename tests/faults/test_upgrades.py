"""Stores of version 0.1 go on in this version, killed in between, with the same messages, orders, counts and files."""

from __future__ import annotations

import pytest

from faults.upgrades import REVISION, checkout, upgrades

pytestmark = [pytest.mark.faults, pytest.mark.parametrize("backend", ["json"], indirect=True)]
"""Each store has the index that its number says."""


def test_nothing_of_a_store_of_version_0_1_is_different(disk, backend, full):
    """Exports, transcripts, packs, plain files, sealed lines, images, purges, killed runs; and what comes afterwards."""
    del backend
    of_0_1 = disk / "of-0.1"
    if not checkout(of_0_1):
        pytest.skip(f"the history of this checkout does not have {REVISION}")
    done = upgrades(disk, of_0_1, range(1, 201 if full else 3))
    assert done.bad == []
    assert any("killed" in name for name in done.ran)
    assert done.had["sealed files"]
    assert done.had["packs"]
