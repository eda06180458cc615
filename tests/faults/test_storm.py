"""A storm of mixed commands with kills: nothing is lost or doubled, and after each calm nothing is wrong or left over."""

from __future__ import annotations

import pytest

from faults.children import run
from faults.storm import Storm

pytestmark = pytest.mark.faults


def test_a_storm_costs_nothing(disk, backend, full):
    """Imports, hooks, captures, packing, purges, repairs, backups, restores, checkpoints, up to three at once; in git and not."""
    git = backend == "json"  # the commands choose the index: this only makes two storms

    def job():
        done = [Storm(disk / str(seed), seed, git=git).blow(250 if full else 50) for seed in range(1, 5 if full else 2)]
        return [bad for each in done for bad in each.bad], sum(each.kills for each in done), [each.ran for each in done]

    outcome = run(job)
    assert outcome.trace == outcome.error == ""
    wrong, kills, ran = outcome.value
    assert wrong == []
    assert kills > 3
    assert len(ran[0]) > 8
