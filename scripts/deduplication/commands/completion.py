"""``export-dedup completion``: the script with which a shell completes the command."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from ..errors import EXIT_OK
from . import arguments as shared
from .shell import completed_words
from .shell.completion_scripts import SHELLS

if TYPE_CHECKING:
    from collections.abc import Sequence

_DESCRIPTION: Final = """\
Print what a shell needs to complete subcommands, options and their values. Once:

  export-dedup completion bash > ~/.local/share/bash-completion/completions/export-dedup
  export-dedup completion zsh > ~/.zfunc/_export-dedup      (a folder of your fpath)
  export-dedup completion fish > ~/.config/fish/completions/export-dedup.fish

and again after an update."""


def main(arguments: Sequence[str]) -> int:
    """Print the script, which is for that shell and no terminal: as it is, in UTF-8."""
    asked = parser().parse_args(arguments)
    sys.stdout.write(SHELLS[asked.shell](list(completed_words.every())))
    return EXIT_OK


def parser() -> shared.Parser:
    """The arguments."""
    found = shared.Parser("export-dedup completion", _DESCRIPTION)
    found.add_argument("shell", choices=tuple(SHELLS), metavar="SHELL", help="bash, zsh or fish")
    return found
