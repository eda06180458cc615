"""The argument parser of every command: errors in our own form, and what all of them take."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final, NoReturn, Optional

from ... import __version__
from ...errors import UsageError
from ...terminal.called import is_by_command, titled
from .nearest import guess

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION: Final = f"export-dedup {__version__}"
EXIT_CODES: Final = "Exit codes: 0 done, 1 a named failure, 2 usage, 3 unexpected (a log is named), 130 interrupted."


def _unseen(prog: str) -> argparse.HelpFormatter:
    """What argparse makes of each argument that is declared. Told a width it does not import ``shutil`` to find the terminal's."""
    return argparse.RawDescriptionHelpFormatter(prog, width=80)


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are :class:`UsageError`; every one of ours has ``--help`` and ``--version``."""

    def __init__(self, prog: str, description: str, epilog: str = EXIT_CODES) -> None:
        super().__init__(
            prog=titled(prog),
            description=titled(description),
            epilog=titled(epilog),
            allow_abbrev=False,
            formatter_class=_unseen,
        )
        self.add_argument("--version", action="version", version=VERSION, help="say which version this is, and exit")
        self.set_defaults(quiet=False, verbose=False)
        self._subcommand = self.prog.partition(" ")[2] if is_by_command() else ""
        if self._subcommand:
            from . import everywhere

            everywhere.add(self, self._subcommand)

    def format_help(self) -> str:
        """As wide as the terminal."""
        self.formatter_class = argparse.RawDescriptionHelpFormatter
        return super().format_help()

    def parse_args(  # type: ignore[override]
        self, args: Optional[Sequence[str]] = None, namespace: Optional[argparse.Namespace] = None
    ) -> argparse.Namespace:
        """As of every parser; with what was meant by an option that there is not."""
        asked, unknown = self.parse_known_args(args, namespace)
        if self._subcommand:
            from . import everywhere

            everywhere.refuse(self._subcommand, unknown)
        if unknown:
            meant = (f"{each}{guess(each.partition('=')[0], self._option_string_actions)}" for each in unknown)
            self.error(f"unrecognized arguments: {' '.join(meant)}")
        if self._subcommand:
            everywhere.begin(asked)
        return asked

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing: argparse would show an argument as it came, with what a terminal obeys in it."""
        raise UsageError(message)
