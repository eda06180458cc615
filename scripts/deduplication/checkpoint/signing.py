"""A checkpoint commit is signed where git is to sign (``commit.gpgSign``): with the user's program, never one of the repository's.

``commit-tree`` signs only when told to. Whether, in which format and with which key may be said by any configuration; the
*program* comes from the user's own (global or system) or is the usual one, found on an absolute entry of ``PATH``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ..git.plumbing import GitFailed, find_executable
from ..terminal.console import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..git.repository import Repository

TIMEOUT: Final = 30.0
"""Seconds for the program, and for whoever has to enter a passphrase or touch a key; then there is no commit."""
_OWN_SCOPES: Final = frozenset({"system", "global"})
_OPENPGP: Final = "openpgp"
_PROGRAMS: Final = {
    _OPENPGP: (("gpg.program", "gpg.openpgp.program"), "gpg"),
    "x509": (("gpg.x509.program",), "gpgsm"),
    "ssh": (("gpg.ssh.program",), "ssh-keygen"),
}
"""By format: the settings that name its program, the last of them counts; the usual one."""
_KEY_COMMAND: Final = "gpg.ssh.defaultkeycommand"


def switches(repository: Repository) -> tuple[str, ...]:
    """Options for ``git -c`` by which ``commit-tree -S`` runs nothing that the repository names.

    Raises :class:`GitFailed` where there is no program, or where git is too old to say whose a setting is.
    """
    settings = list(_settings(repository))
    form = next((value.lower() for _, key, value in reversed(settings) if key == "gpg.format"), _OPENPGP)
    keys, usual = _PROGRAMS.get(form, ((), ""))
    if not keys:
        raise GitFailed(f"commits are to be signed in a format that is not known: {printable(form)}")
    own = [value for scope, key, value in settings if key in keys and scope in _OWN_SCOPES]
    program = own[-1] if own else usual
    if os.path.basename(program) == program:
        found = find_executable(program)
        if found is None:
            raise GitFailed(f"commits are to be signed, and {printable(program)} is not installed")
        program = found
    commands = [(scope, value) for scope, key, value in settings if key == _KEY_COMMAND]
    theirs = [value for scope, value in commands if scope in _OWN_SCOPES]
    named = (f"{_KEY_COMMAND}={theirs[-1] if theirs else 'false'}",) if commands else ()
    return (f"{keys[0]}={program}", *named)


def _settings(repository: Repository) -> Iterator[tuple[str, str, str]]:
    """Scope, key and value of everything that is said about signing, in git's order."""
    try:
        output = repository.git.run("config", "-z", "--show-scope", "--get-regexp", r"^gpg\.")
    except GitFailed as error:
        if error.code == 1:
            return
        if error.code == 129:
            raise GitFailed(
                "this git is too old to sign with the user's own program: version 2.26 is needed"
            ) from error
        raise
    fields = os.fsdecode(output).split("\0")
    for scope, entry in zip(fields[::2], fields[1::2]):
        key, _, value = entry.partition("\n")
        yield scope, key, value
