"""The user's own patterns: regular expressions from the settings. A pattern is code: what it can cost is told beforehand.

A pattern is applied line by line, in windows of 512 characters: what it matches must fit into 256. The time it takes grows with
the text and not faster: from its form it is proven how many steps it can take in a window at most (``pattern_cost.py``), and one
that could take many is matched by RE2, where that is installed, or refused. An allowance of time stands behind the proof.
"""

from __future__ import annotations

import functools
import re
import warnings
from typing import TYPE_CHECKING, Any, Final

from ..errors import PrivacySettingInvalid
from ..start.late_pattern import late_pattern
from ..start.late_tuple import NamedTuple
from . import MOST_PATTERNS, linear_engine, pattern_cost
from .allowance import Allowance
from .matches import Match

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WINDOW: Final = 512
"""Characters that a pattern is shown at a time; the windows overlap by half."""
MOST_STEPS: Final = 16 * WINDOW
"""Steps from one place of a window up to which a pattern is taken for linear: it has as many for each character of a text."""
LONGEST: Final = 1_000
"""Characters of a pattern."""
_LONGEST_ALLOWED: Final = 8 * WINDOW
"""Characters of a found text up to which an exception is looked for; a longer one is none."""
_CHECKED: Final = 2_000_000
"""Steps, as many as there can be, from one look at the clock to the next: some hundredths of a second."""
_COMPILING: Final = 0.5
"""Seconds of processor time for reading all patterns of a setting."""
_NAME: Final = late_pattern(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_WIDE: Final = 0x300
_MOST_WIDE: Final = 2
"""Ranges of more than ``_WIDE`` characters in a pattern of any case: Python goes through them one by one when it compiles."""


class OwnPattern(NamedTuple):
    """A regular expression that can be used, and how many steps it takes from one place of a window at most."""

    expression: Any
    steps: int

    def is_whole(self, text: str) -> bool:
        """True where it matches all of ``text``."""
        return len(text) <= _LONGEST_ALLOWED and self.expression.fullmatch(text) is not None


def compiled(patterns: object) -> dict[str, OwnPattern]:
    """The setting ``privacy_patterns``: an object of names and regular expressions. Raises ``PrivacySettingInvalid``."""
    if not isinstance(patterns, dict):
        raise PrivacySettingInvalid("privacy_patterns is no object of names and regular expressions")
    _refuse_many("privacy_patterns", len(patterns))
    return dict(_each("privacy_patterns", [(str(name), text) for name, text in patterns.items()]))


def allowed(entries: object) -> tuple[frozenset[str], tuple[OwnPattern, ...]]:
    """The setting ``privacy_allow``: rules that are off (``rule:email``), and what a found text may be as a whole."""
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise PrivacySettingInvalid("privacy_allow is no list of regular expressions")
    _refuse_many("privacy_allow", len(entries))
    rules = frozenset(entry[5:] for entry in entries if entry.startswith("rule:"))
    named = [("entry", entry) for entry in entries if not entry.startswith("rule:")]
    return rules, tuple(pattern for _, pattern in _each("privacy_allow", named))


def find(text: str, patterns: Mapping[str, OwnPattern], allowance: Allowance) -> Iterator[Match]:
    """What the user's own patterns match; nothing empty. Raises ``RedactionTooSlow`` where the allowance is used up."""
    if not patterns:
        return
    allowance.begin(len(text))
    steps = 0
    for start, end in windows(text):
        part = text[start:end]
        for name, pattern in patterns.items():
            for found in pattern.expression.finditer(part):
                if found.end() > found.start():
                    yield Match(start + found.start(), start + found.end(), name, "a pattern of your own")
            steps += pattern.steps * len(part)
            if steps > _CHECKED:
                steps = 0
                allowance.check()
    allowance.check()


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


def _refuse_many(setting: str, count: int) -> None:
    if count > MOST_PATTERNS:
        raise PrivacySettingInvalid(f"{setting} has {count:,} entries, and at most {MOST_PATTERNS} can be used")


def _each(setting: str, named: list[tuple[str, Any]]) -> Iterator[tuple[str, OwnPattern]]:
    allowance = Allowance(_COMPILING)
    allowance.begin(0)
    for name, text in named:
        yield name, _compiled(setting, name, text)
        allowance.check()


def _compiled(setting: str, name: str, text: object) -> OwnPattern:
    if not _NAME.fullmatch(name):
        raise PrivacySettingInvalid(f"{setting}: the name {name[:60]!r} is not made of a-z, 0-9 and hyphens")
    if not isinstance(text, str) or not text:
        raise PrivacySettingInvalid(f"{setting}: {name} is no regular expression")
    if len(text) > LONGEST:
        raise PrivacySettingInvalid(f"{setting}: {name} has more than {LONGEST:,} characters")
    try:
        found = _judged(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise PrivacySettingInvalid(f"{setting}: {name} is no regular expression: {error}") from error
    if found is None:
        raise PrivacySettingInvalid(
            f"{setting}: {name} could take too long ({text[:60]!r})",
            hint="Say how long each repeat may be, and let none stand beside another that matches the same characters; "
            "or install google-re2. Until then nothing is shared.",
        )
    return found


@functools.lru_cache(maxsize=4 * MOST_PATTERNS)
def _judged(text: str) -> OwnPattern | None:
    """The pattern, matched by Python where it is proven that this is fast, else by RE2; None where neither can be."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parsed = pattern_cost.parse(text)
        steps = pattern_cost.steps(parsed, WINDOW)
        if steps <= MOST_STEPS and not _is_slow_to_compile(parsed):
            return OwnPattern(re.compile(text), steps)
    expression = linear_engine.compiled(text)
    return OwnPattern(expression, len(text)) if expression is not None else None


def _is_slow_to_compile(parsed: Any) -> bool:
    """True for many wide ranges in a pattern that takes any case, or may do so in a part."""
    wide = 0
    waiting: list[Any] = [parsed]
    any_case = False
    while waiting:
        for operation, argument in waiting.pop():
            name = str(operation)
            if name == "IN":
                wide += sum(str(kind) == "RANGE" and what[1] - what[0] > _WIDE for kind, what in argument)
            any_case = any_case or (name == "SUBPATTERN" and bool(argument[1]))
            waiting.extend(_parts(name, argument))
    return wide > _MOST_WIDE and (any_case or bool(parsed.state.flags & re.IGNORECASE))


def _parts(name: str, argument: Any) -> list[Any]:
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT", "SUBPATTERN"):
        return [argument[-1]]
    if name == "BRANCH":
        return list(argument[1])
    if name in ("ASSERT", "ASSERT_NOT"):
        return [argument[1]]
    return [argument] if name == "ATOMIC_GROUP" else []
