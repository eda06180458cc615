"""The user's own patterns: regular expressions from the settings, refused where they could take for ever.

A pattern is applied line by line, in windows of 512 characters: what it matches must fit into 256. So the time it takes
grows with the text and not faster, whatever it is; a pattern that could take exponential time in a window is refused.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any, Final

from ..errors import PrivacySettingInvalid
from .matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

WINDOW: Final = 512
"""Characters that a pattern is shown at a time; the windows overlap by half."""
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_MANY: Final = 2
"""Repeats without a fixed number that one pattern may have behind each other."""


def compiled(patterns: object) -> dict[str, re.Pattern[str]]:
    """The setting ``privacy_patterns``: an object of names and regular expressions. Raises ``PrivacySettingInvalid``."""
    if not isinstance(patterns, dict):
        raise PrivacySettingInvalid("privacy_patterns is no object of names and regular expressions")
    return {str(name): _compiled("privacy_patterns", str(name), text) for name, text in patterns.items()}


def allowed(entries: object) -> tuple[frozenset[str], tuple[re.Pattern[str], ...]]:
    """The setting ``privacy_allow``: rules that are off (``rule:email``), and what a found text may be as a whole."""
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise PrivacySettingInvalid("privacy_allow is no list of regular expressions")
    rules = frozenset(entry[5:] for entry in entries if entry.startswith("rule:"))
    return rules, tuple(
        _compiled("privacy_allow", "entry", entry) for entry in entries if not entry.startswith("rule:")
    )


def find(text: str, patterns: Mapping[str, re.Pattern[str]]) -> Iterator[Match]:
    """What the user's own patterns match; nothing empty."""
    if not patterns:
        return
    for start, end in windows(text):
        for name, pattern in patterns.items():
            for found in pattern.finditer(text, start, end):
                if found.end() > found.start():
                    yield Match(*found.span(), name, "a pattern of your own")


def windows(text: str) -> Iterator[tuple[int, int]]:
    """The lines of ``text``, long ones in overlapping parts."""
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        at = start
        while at < end:
            yield at, min(at + WINDOW, end)
            if at + WINDOW >= end:
                break
            at += WINDOW // 2
        start = end + 1


def _compiled(setting: str, name: str, text: object) -> re.Pattern[str]:
    if not _NAME.fullmatch(name):
        raise PrivacySettingInvalid(f"{setting}: the name {name[:60]!r} is not made of a-z, 0-9 and hyphens")
    if not isinstance(text, str) or not text:
        raise PrivacySettingInvalid(f"{setting}: {name} is no regular expression")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pattern = re.compile(text)
            parsed = _parser().parse(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise PrivacySettingInvalid(f"{setting}: {name} is no regular expression: {error}") from error
    if _slow(parsed):
        raise PrivacySettingInvalid(f"{setting}: {name} could take for ever ({text[:60]!r})")
    return pattern


def _parser() -> Any:
    import importlib
    import sys

    return importlib.import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")


def _slow(parsed: Any) -> bool:
    """True for repeats in repeats, choices in repeats, references, and too many open repeats in one pattern."""
    open_repeats = 0
    waiting: list[tuple[Any, bool]] = [(parsed, False)]
    while waiting:
        items, repeated = waiting.pop()
        for operation, argument in items:
            name = str(operation)
            if name in ("GROUPREF", "GROUPREF_EXISTS"):
                return True
            if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
                least, most, body = argument
                if repeated and least != most:
                    return True
                open_repeats += int(most) - int(least) > 32
                waiting.append((body, repeated or int(most) > 1))
            elif name == "BRANCH":
                if repeated:
                    return True
                waiting.extend((branch, repeated) for branch in argument[1])
            else:
                waiting.extend((part, repeated) for part in _parts(name, argument))
    return open_repeats > _MANY


def _parts(name: str, argument: Any) -> Sequence[Any]:
    if name == "SUBPATTERN":
        return [argument[-1]]
    if name in ("ASSERT", "ASSERT_NOT"):
        return [argument[1]]
    return [argument] if name == "ATOMIC_GROUP" else []
