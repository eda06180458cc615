"""The five steps of export-dedup: find, deduplicate, archive, checkpoint, summary.

An export leaves its place only after its messages are durable in the store, and a file that fails costs only itself.
When the store fails, the run ends there and no export is moved: the next run finds all of them again.

A run that has the turn takes those that wait along (:mod:`.other_runs`): the exports of each are stored for themselves, one
run after the other, and archive, session files and checkpoint are made once for all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import DedupError
from ..project import private_folder
from ..reports import workflow as report
from .options import Options
from .other_runs import OtherRuns
from .run_end import after_run, ending_noted
from .shared_run import Share
from .steps import Steps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Optional

    from ..accounting.last_run import Earlier
    from ..ingest.export_file import Deduplicator
    from ..project.paths import Project
    from .checkpoint_step import CheckpointStep
    from .outcome import Outcome

__all__ = ["Options", "run", "run_in_store"]
_ALONE: Final = Share()


def run(
    project: Project,
    options: Options,
    dedup: Deduplicator,
    out: Callable[[str], None],
    *,
    confirm: Callable[[str], bool] | None = None,
    make_checkpoint: Callable[..., Any] | None = None,
    earlier: Callable[[int], Optional[Earlier]] | None = None,
    share: Share = _ALONE,
) -> Outcome:
    """Take the exports of ``project`` through the five steps; ``out`` shows the user a text.

    ``confirm`` asks a yes-or-no question (None: nobody is asked); ``make_checkpoint`` stands in for
    :func:`checkpoint.create`; ``earlier`` tells, given the number of messages stored, what a hook has done already, to be
    shown where nothing is left to do; ``share``: what there is to share with other runs. Raises a ``StoreError`` where the store
    cannot be used.
    """
    for corrected in private_folder.secure(project.state):
        out(report.note(corrected))
    steps = Steps(project, options, dedup, out)
    with ending_noted(project, options, dedup, steps):
        is_begun = share.begun is not None and steps.go_on_from(share.begun)
        if not is_begun and steps.find(earlier if not options.paths else None, seen=share.seen):
            if confirm is not None and not steps.agreed(confirm):
                return steps.outcome()
            steps.deduplicate()
        with OtherRuns(project, options, dedup, share, earlier) as others:
            others.take([entry.candidate.path for entry in steps.entries])
            _last_steps(project, options, dedup, steps, others, make_checkpoint)
            others.answer()
        outcome = steps.finish()
    after_run(project, options, dedup, [steps, *others.steps], out)
    return outcome


def _last_steps(
    project: Project,
    options: Options,
    dedup: Deduplicator,
    steps: Steps,
    others: OtherRuns,
    make: Callable[..., Any] | None,
) -> None:
    """Archive and checkpoint for all of them."""
    everyone = [each for each in (steps, *others.steps) if each.entries]
    step = _checkpoint_step(project, options, dedup, everyone, make)
    if step is not None:
        step.write_session_files()
    archiving = [each for each in everyone if each.is_archiving()]
    if archiving:
        from .archive_step import ArchiveStep

        archive = ArchiveStep(project, dedup)
        archive.run(archiving)
        steps.failures += archive.failures
    for each in others.steps:
        each.storage = steps.result().storage
    checkpointing = [each for each in everyone if each.is_checkpointing()]
    if step is not None:
        _checkpoint(step, checkpointing, others)


def run_in_store(
    project: Project,
    options: Options,
    store: tuple[Optional[str], Optional[str]],
    out: Callable[[str], None],
    *,
    confirm: Callable[[str], bool] | None,
    share: Share,
) -> Outcome:
    """:func:`run` for a command: in the store that ``options`` name, of the backend and at the address that ``store`` says."""
    from functools import partial

    from ..accounting import last_run
    from ..ingest.deduplicator import ClaudeConversationDeduplicator

    dedup = ClaudeConversationDeduplicator(options.elsewhere or project.state, *store)
    earlier = None if options.elsewhere else partial(last_run.recent, project)
    return run(project, options, dedup, out, confirm=confirm, earlier=earlier, share=share)


def _checkpoint_step(
    project: Project,
    options: Options,
    dedup: Deduplicator,
    everyone: Sequence[Steps],
    make: Callable[..., Any] | None,
) -> CheckpointStep | None:
    """The step for those who want it; None where nobody does."""
    runs = [each for each in everyone if each.wants_checkpoint]
    if not runs:
        return None
    from .checkpoint_step import CheckpointStep

    return CheckpointStep(project, options, dedup, runs, make)


def _checkpoint(step: CheckpointStep, runs: Sequence[Steps], others: OtherRuns) -> None:
    """Step 4 of all of them. A failure is said, and undoes nothing."""
    try:
        made = step.run(others.of_checkpoint)
    except DedupError as error:
        others.without_checkpoint()
        for each in runs:
            each.checkpoint_failed(error)
    else:
        for each in runs:
            each.checkpointed = True
            each.out(report.checkpoint_created(made.commit, made.note))
