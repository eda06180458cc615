"""workflow: how a run ended, told to another process."""

from __future__ import annotations

import json

import pytest

from deduplication.errors import StoreDamaged
from deduplication.figures.run_result import RunResult
from deduplication.storage.database.errors import DatabaseAddressInvalid, DatabaseBusy
from deduplication.workflow.outcome import Outcome, read, told


@pytest.mark.parametrize("kind", [StoreDamaged, DatabaseBusy, DatabaseAddressInvalid])
def test_a_problem_keeps_its_name(kind):
    """Wherever its class is: what the other process raises has the same message, hint and exit code."""
    outcome = Outcome(RunResult(), kind.exit_code, None, (kind("a detail", hint="do that"),))
    (problem,) = read(json.loads(json.dumps(told(outcome)))).problems
    assert type(problem) is kind
    assert str(problem) == str(outcome.problems[0])
    assert problem.hint == "do that"


@pytest.mark.parametrize("name", ["NoSuchError", "UsageError.__init__", "annotations", "StoreError2"])
def test_a_problem_without_a_class_is_none(name):
    """What a file says that no version of ours wrote."""
    said = told(Outcome(RunResult(), 1, None, (StoreDamaged("x"),)))
    said["problems"] = [[name, "x", "y"]]
    assert read(said) is None
