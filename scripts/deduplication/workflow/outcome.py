"""How a run ended: as what its command goes on with, and as JSON, for a run that another one made."""

from __future__ import annotations

from typing import Any, Final, Optional

from .. import errors
from ..accounting.last_run import Earlier
from ..errors import EXIT_OK, DedupError
from ..figures.run_result import ExportResult, RunResult
from ..figures.savings import Savings, Seen
from ..start.late_dataclass import asdict, dataclass

_LISTS: Final = ("gaps", "warnings", "conversations")
UNLIKE: Final = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""What JSON that is something else may raise while it is read."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended. ``problems`` are the failures that belong to no single export.

    ``unexpected`` is a defect of ours that one file brought to light; the other files were processed all the same.
    """

    result: RunResult
    exit_code: int = EXIT_OK
    earlier: Optional[Earlier] = None
    """What a hook had done before, where there was nothing left to do."""
    problems: tuple[DedupError, ...] = ()
    unexpected: Optional[Exception] = None


def told(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON. What is ``unexpected`` is not told: it is for the process that met it."""
    problems = [[type(each).__name__, each.detail, each.hint] for each in outcome.problems]
    return {**asdict(outcome), "problems": problems, "unexpected": None}


def read(said: Any) -> Outcome | None:
    """The outcome that :func:`told` told; None for anything else, which may stand in a file."""
    try:
        result, earlier = said["result"], said["earlier"]
        storage = result["storage"]
        savings = Savings(**{**storage, "seen": Seen(**storage["seen"]), "damage": tuple(storage["damage"])})
        run = RunResult(**{**result, "exports": tuple(map(export_result, result["exports"])), "storage": savings})
        run.as_dict()  # every figure is one
        return Outcome(
            run,
            int(said["exit_code"]),
            Earlier(**earlier) if earlier is not None else None,
            tuple(_problem(*each) for each in said["problems"]),
        )
    except UNLIKE:
        return None


def export_result(said: Any) -> ExportResult:
    """One export's result from its fields as JSON. Raises one of :data:`UNLIKE`."""
    return ExportResult(**{**said, **{name: tuple(said[name]) for name in _LISTS}})


def _problem(name: str, detail: str, hint: str) -> DedupError:
    kind = getattr(errors, name, None)
    if kind is None:
        from ..storage.database import errors as of_databases

        kind = getattr(of_databases, name)
    if not issubclass(kind, DedupError):
        raise TypeError(name)
    found: DedupError = kind(detail, hint=hint)
    return found
