"""Nothing secret in what is committed or shared: texts with placeholders where secrets were, and what was found.

The private log and the archive keep every byte; whatever leaves them for a file that others read goes through
:func:`redact` first. Redacting twice changes nothing, line breaks stay where they are, and time grows with the text only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..errors import PrivacySettingInvalid
from ..start.late_dataclass import dataclass, field
from ..start.late_pattern import late_pattern
from . import personal, user_patterns
from .allowance import RULES_BASE, RULES_EACH_CHARACTER, Allowance
from .detectors import Detector, OwnRules, detector
from .matches import PLACEHOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .matches import Match
    from .user_patterns import OwnPattern

RULES: Final = 2
"""Raised whenever the rules find more, or less, so that what was written under others is written anew."""
PRIVATE: Final = "private"
TEAM: Final = "team"
PUBLIC: Final = "public"
LEVELS: Final = (PRIVATE, TEAM, PUBLIC)
"""Each one redacts what those before it do. ``private``: secrets. ``team``: also payment cards and social security numbers.
``public``: also mail addresses, owners of home folders, the user's name, telephone numbers and public IP addresses."""
_SHOWN: Final = 4
_LINE_BREAK: Final = late_pattern(r"\r?\n|\r")
_COMMON_NAMES: Final = frozenset(
    ("root", "user", "admin", "ubuntu", "debian", "runner", "nobody", "test", "guest", "home")
)


@dataclass(frozen=True)
class Finding:
    """Something that was redacted: the rule, why, its line (from 1), how it begins, its length in characters.

    ``begins`` are the first four characters at most, and never more than a fifth of it.
    """

    rule: str
    why: str
    line: int
    begins: str
    length: int


@dataclass(frozen=True)
class Policy:
    """What is redacted: a level, a detector, the user's own patterns and exceptions, names of people."""

    level: str = TEAM
    detector: Detector = field(default_factory=OwnRules)
    patterns: Mapping[str, OwnPattern] = field(default_factory=dict)
    rules_off: frozenset[str] = frozenset()
    allowed: Sequence[OwnPattern] = ()
    names: Sequence[str] = ()
    allowance: Allowance = field(default_factory=Allowance, compare=False)
    """The time that the user's own patterns have, for all texts together."""

    def matches(self, text: str) -> list[Match]:
        """Places that must not be shared, from left to right; where some overlap, the first and longest stands for all."""
        found = sorted(self._found(text), key=lambda match: (match.start, -match.end))
        merged: list[Match] = []
        for match in found:
            if match.rule in self.rules_off or any(
                each.is_whole(text[match.start : match.end]) for each in self.allowed
            ):
                continue
            if merged and match.start < merged[-1].end:
                if match.end > merged[-1].end:
                    merged[-1] = type(match)(merged[-1].start, match.end, merged[-1].rule, merged[-1].why)
            else:
                merged.append(match)
        return merged

    def _found(self, text: str) -> Iterator[Match]:
        yield from self.detector.find(text)
        yield from user_patterns.find(text, self.patterns, self.allowance)
        if self.level != PRIVATE:
            yield from personal.numbers(text)
        if self.level == PUBLIC:
            yield from personal.people(text, self.names)


def policy(settings: Mapping[str, Any], level: str | None = None) -> Policy:
    """The policy that the settings ask for (``config.load``); ``level`` instead of theirs.

    Raises ``PrivacySettingInvalid`` for a pattern that cannot be used: nothing is shared under half a policy.
    """
    if settings.get("privacy_fault"):
        raise PrivacySettingInvalid(str(settings["privacy_fault"]))
    chosen = level if level is not None else settings.get("privacy_level", TEAM)
    rules_off, allowed = user_patterns.allowed(settings.get("privacy_allow", []))
    return Policy(
        level=chosen if chosen in LEVELS else PUBLIC,
        detector=detector(use_detect_secrets=bool(settings.get("privacy_detect_secrets", True))),
        patterns=user_patterns.compiled(settings.get("privacy_patterns", {})),
        rules_off=rules_off,
        allowed=allowed,
        names=_names() if chosen == PUBLIC else (),
    )


def redact(text: str, level: str | Policy = TEAM) -> tuple[str, list[Finding]]:
    """``text`` with a placeholder (``[REDACTED:aws-access-key]``) for each secret, and what was found, line by line.

    ``level`` is one of :data:`LEVELS`, or a :class:`Policy`. Lines stay lines: a secret over several of them leaves as many.
    Raises ``RedactionTooSlow``: then nobody can tell what of the text may be shared.
    """
    allowance = Allowance(RULES_BASE, RULES_EACH_CHARACTER)
    allowance.begin(len(text))
    rules = level if isinstance(level, Policy) else policy({}, level)
    findings: list[Finding] = []
    clean: set[str] = set()
    while True:
        # A placeholder may lay open what was hidden before (a word that now begins a line): until nothing is left.
        parts, line, found = [], 1, False
        for part in _split(text):
            if part not in clean and not PLACEHOLDER.fullmatch(part):
                matches = rules.matches(part)
                allowance.check()
                if matches:
                    found = True
                    findings += _findings(part, matches, line)
                    part = _replaced(part, matches)  # noqa: PLW2901 - what stands in its place
                else:
                    clean.add(part)
            line += part.count("\n")
            parts.append(part)
        text = "".join(parts)
        if not found:
            return text, sorted(findings, key=lambda finding: finding.line)


def _split(text: str) -> list[str]:
    """``text`` in parts: each placeholder, and each text between two of them, by itself."""
    if "[REDACTED:" not in text:
        return [text]
    parts, at = [], 0
    for held in PLACEHOLDER.finditer(text):
        parts += [text[at : held.start()], held[0]]
        at = held.end()
    return [*parts, text[at:]]


def _replaced(text: str, matches: Sequence[Match]) -> str:
    parts, at = [], 0
    for match in matches:
        breaks = "".join(_LINE_BREAK.findall(text[match.start : match.end]))
        parts += [text[at : match.start], f"[REDACTED:{match.rule}]", breaks]
        at = match.end
    return "".join([*parts, text[at:]])


def _findings(text: str, matches: Sequence[Match], line: int) -> Iterator[Finding]:
    at = 0
    for match in matches:
        line += text.count("\n", at, match.start)
        at = match.start
        length = match.end - match.start
        begins = text[match.start : match.start + min(_SHOWN, length // 5)]
        yield Finding(match.rule, match.why, line, begins.split("\n", 1)[0], length)


def _names() -> list[str]:
    """The user's login name, where it tells who it is."""
    import os

    found = {os.environ.get(variable, "") for variable in ("USER", "LOGNAME", "USERNAME")}
    found.add(os.path.basename(os.path.expanduser("~")))
    return sorted(name for name in found if len(name) >= 4 and name.lower() not in _COMMON_NAMES)
