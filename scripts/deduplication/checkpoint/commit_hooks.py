"""The repository's commit hooks, for whoever wants them to run (the setting ``commit_hooks``): programs of the repository.

They see what ``git commit --only`` would show them: an index of HEAD and our files, in ``GIT_INDEX_FILE``. Each may refuse and
may take its time, not for ever; whatever it does, the branch has not moved yet.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ..git.plumbing import GitFailed
from ..start.late_dataclass import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..git.repository import Repository

TIMEOUT: Final = 120.0
"""Seconds that one hook may take; then it is ended, with everything it started."""
_SWITCHES: Final = ("gc.auto=0", "maintenance.auto=false")


def before(repository: Repository, message: str, index: Mapping[str, str]) -> str:
    """Run what runs before a commit; the message as the hooks left it. Raises :class:`GitFailed` where one refuses."""
    file = index["GIT_INDEX_FILE"] + ".message"
    with open(file, "w", encoding="utf-8", newline="\n") as opened:
        opened.write(message)
    _run(repository, "pre-commit", index)
    _run(repository, "prepare-commit-msg", index, file, "message")
    _run(repository, "commit-msg", index, file)
    with open(file, encoding="utf-8", errors="replace", newline="") as opened:
        said = opened.read()
    if not said.strip():
        raise GitFailed("a hook left the commit without a message")
    return said


def after(repository: Repository) -> list[str]:
    """Run what runs after a commit; its failure undoes nothing and is a note."""
    try:
        _run(repository, "post-commit", {})
    except GitFailed as error:
        return [error.said]
    return []


def _run(repository: Repository, name: str, index: Mapping[str, str], *arguments: str) -> None:
    harmless_no_more = replace(repository.git, switches=_SWITCHES)
    # What keeps git harmless in our own calls would change what the hook's calls mean.
    usual = {
        "GIT_LITERAL_PATHSPECS": "0",
        "GIT_OPTIONAL_LOCKS": "1",
        "GIT_NO_LAZY_FETCH": "0",
        "GIT_ALLOW_PROTOCOL": _PROTOCOLS,
    }
    usual["LC_ALL"] = os.environ.get("LC_ALL", "")
    try:
        harmless_no_more.run(
            *("hook", "run", "--ignore-missing", name, "--", *arguments), extra={**usual, **index}, timeout=TIMEOUT
        )
    except GitFailed as error:
        if "is not a git command" in error.said:
            raise GitFailed("this git is too old to run hooks by itself: version 2.36 or newer is needed") from error
        took_too_long = error.code < 0
        said = error.said.replace("git hook", "it", 1) if took_too_long else error.said.replace("git hook: ", "", 1)
        raise GitFailed(f"the {name} hook did not agree: {said}", code=error.code) from error


_PROTOCOLS: Final = "file:git:http:https:ssh"
