"""Which word of a command line is the subcommand: options of it may stand before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .table import module_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Container, Sequence


def chosen(
    arguments: Sequence[str], names: Container[str], otherwise: Callable[[str, Sequence[str]], bool] = lambda *_: False
) -> tuple[str, list[str]]:
    """The subcommand and all other words; an empty name where there is none.

    Before it stand options of its own, each with its value. Of others ``otherwise(name, before)`` says whether they may.
    """
    for at, word in enumerate(arguments):
        if word == "--":
            break
        before = arguments[:at]
        if word in names and (
            not before or is_all_options(module_of(word).parser(), before) or otherwise(word, before)
        ):
            return word, [*before, *arguments[at + 1 :]]
    return "", list(arguments)


def is_all_options(parser: argparse.ArgumentParser, words: Sequence[str]) -> bool:
    """Whether ``words`` are options of the parser, each with its value, and nothing besides: an argument may follow them."""
    rest = iter(words)
    options: dict[str, Any] = parser._option_string_actions  # noqa: SLF001 - nothing public tells of them
    for word in rest:
        name, given, _ = word.partition("=")
        action = options.get(name)
        if action is None or (given and action.nargs == 0):
            return False
        wanted = 1 if action.nargs is None and not given else action.nargs
        if not isinstance(wanted or 0, int) or any(next(rest, None) is None for _ in range(int(wanted or 0))):
            return False
    return True
