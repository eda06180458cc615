"""``detect-secrets``, where it is installed: its detectors beside our rules.

Its detectors of random text and of telling names are left out: they take hashes and plain code for secrets, and our
own rules do that work. It is shown one line at a time, long ones in parts, so that its time grows with the text only.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final

from ..start.late_pattern import late_pattern
from .matches import Match, dull, occurrences
from .user_patterns import windows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LEFT_OUT: Final = frozenset(
    (
        *("Base64HighEntropyString", "HexHighEntropyString", "KeywordDetector", "IPPublicDetector"),
        *("PrivateKeyDetector", "BasicAuthDetector"),
    )
)
"""The last two take the line that begins a private key for the key, and "user:password@" for a password."""
_SHORTEST: Final = 8
"""Some give the beginning of what they found, or the place of it in an example."""
_SUSPICIOUS: Final = late_pattern(r"[\w/+=-]{16}|://")
"""What a line needs to be looked at: none of the detectors has a shorter secret outside of an address."""


def installed() -> bool:
    """Whether it can be used."""
    return bool(_detectors())


def find(text: str) -> Iterator[Match]:
    """What its detectors find."""
    detectors = _detectors()
    for start, end in windows(text):
        part = text[start:end]
        if not _SUSPICIOUS.search(part):
            continue
        for detector in detectors:
            for value in detector.analyze_string(part):
                if isinstance(value, str) and len(value) >= _SHORTEST and not dull(value):
                    for at in occurrences(part, value):
                        yield Match(
                            start + at,
                            start + at + len(value),
                            _rule(detector),
                            f"detect-secrets: {detector.secret_type}",
                        )


def _rule(detector: Any) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", str(detector.secret_type).lower()).strip("-")
    return name[:40].strip("-") or "secret"


@functools.lru_cache(maxsize=1)
def _detectors() -> Sequence[Any]:
    import importlib

    try:
        plugins = importlib.import_module("detect_secrets.core.plugins.util")
        settings = importlib.import_module("detect_secrets.settings")
    except ImportError:
        return ()
    with settings.default_settings():
        classes = plugins.get_mapping_from_secret_type_to_class().values()
    return tuple(found() for found in classes if found.__name__ not in _LEFT_OUT)
