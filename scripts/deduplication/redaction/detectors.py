"""What finds secrets in a text: our own rules, which need nothing installed, and ``detect-secrets`` where that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from ..start.late_dataclass import dataclass
from . import (
    addresses,
    command_options,
    cut_words,
    detect_secrets,
    encoded,
    key_blocks,
    key_formats,
    known_files,
    line_wrapped,
    named_values,
    sentences,
    triggers,
)
from .matches import lowered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .matches import Match

_WORDS: Final = triggers.Index(
    (*named_values.TRIGGERS, *command_options.TRIGGERS, *known_files.TRIGGERS, *sentences.TRIGGERS)
)
"""Every word that tells of a secret, each with its rule."""


class Detector(Protocol):
    """Something that finds secrets in a text."""

    def find(self, text: str) -> Iterable[Match]:
        """Which places of ``text`` must not be shared? In any order; they may overlap."""


@dataclass(frozen=True)
class OwnRules:
    """Our own rules, which need nothing installed."""

    def find(self, text: str) -> Iterator[Match]:
        """Keys of known formats, private keys, credentials in addresses, values beside telling names."""
        yield from key_blocks.find(text)
        lower = lowered(text)
        known = list(_on_a_line(text, lower))
        yield from known
        yield from line_wrapped.find(text, _on_a_line, known)
        met = list(_WORDS.met(text, lower))
        for word in met:
            yield from word.trigger.matches(text, word.start, word.end)
        yield from cut_words.find(text, _WORDS, met)


def _on_a_line(text: str, lower: str | None = None) -> Iterator[Match]:
    runs = list(dict.fromkeys(key_formats.runs_in(text)))
    yield from _recognisable(text, runs, lower)
    yield from encoded.find(runs, text, _decoded)


def _recognisable(text: str, runs: Sequence[str], lower: str | None = None) -> Iterator[Match]:
    yield from key_formats.find(text, runs)
    yield from addresses.find(text, lower)
    yield from known_files.without_words(text, runs)


def _decoded(text: str) -> Iterator[Match]:
    yield from key_blocks.find(text)
    yield from _recognisable(text, key_formats.runs_in(text))
    for word in _WORDS.met(text):
        yield from word.trigger.matches(text, word.start, word.end)


@dataclass(frozen=True)
class WithDetectSecrets:
    """Our own rules together with ``detect-secrets``; only where that is installed."""

    def find(self, text: str) -> Iterator[Match]:
        """What either of both finds."""
        yield from OwnRules().find(text)
        yield from detect_secrets.find(text)


def detector(*, use_detect_secrets: bool = True) -> Detector:
    """The best detector that can be had here."""
    return WithDetectSecrets() if use_detect_secrets and detect_secrets.installed() else OwnRules()
