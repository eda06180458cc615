"""Secrets in base64, hexadecimal or percent signs: decoded once, and what comes out is looked at as any other text.

Only what decodes to plain text is read: hashes, images and identifiers do not.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Callable, Final

from ..start.late_pattern import late_pattern
from . import secret_values
from .matches import Match, later, mixed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_BASE64: Final = later(r"[A-Za-z0-9+/_-]{16,8192}={0,2}")
_HEX: Final = later(r"(?:[0-9a-f]{2}){16,2048}|(?:[0-9A-F]{2}){16,2048}")
_HEX_WITHIN: Final = later(r"[0-9a-f]{32}")
_HEAD: Final = 16
_PRINTABLE: Final = late_pattern(rb"[\x09\x0a\x0d\x20-\x7e]*")
_USER: Final = later(r"[A-Za-z0-9][\w.@+-]{0,63}:(?P<value>[!-~]{6,256})\s*")
_LETTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def find(runs: Sequence[str], text: str, rules: Callable[[str], Iterable[Match]]) -> Iterator[Match]:
    """Every one of ``runs`` of ``text`` (long runs of the characters of keys) in which ``rules`` find something once decoded."""
    for run in runs:
        if run.islower() and not _HEX_WITHIN.search(run):
            continue  # a path, a name: base64 has capitals
        for word in _words(run):
            plain = _decoded(word)
            if plain is None:
                continue
            held = next(iter(rules(plain)), None)
            why = held.why if held else "a user and a password" if _credentials(plain) else None
            if why is None:
                continue
            at = text.find(word)
            while at >= 0:
                yield Match(at, at + len(word), held.rule if held else "basic-credentials", f"encoded: {why}")
                at = text.find(word, at + len(word))


def _words(run: str) -> Iterator[str]:
    """The parts of a run that may be encoded: the value without what stands before it and a mark."""
    for part in re.split(r"[:,$@~%]|=(?=[^=])", run):
        word = part.strip(".")
        if len(word) >= _HEAD and not word.isdigit():
            yield word


def _decoded(word: str) -> str | None:
    if _HEX.fullmatch(word):
        return _text(bytes.fromhex(word))
    if _LETTERS.isdisjoint(word) or not _BASE64.fullmatch(word):
        return None
    standard = word.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        # Most words fail at once: their first twelve bytes are no text.
        if _text(base64.b64decode(standard[:_HEAD])) is None:
            return None
        return _text(base64.b64decode(standard + "=" * (-len(standard) % 4)))
    except (binascii.Error, ValueError):
        return None


def _text(data: bytes) -> str | None:
    return data.decode("ascii") if _PRINTABLE.fullmatch(data) else None


def _credentials(plain: str) -> bool:
    found = _USER.fullmatch(plain)
    return found is not None and mixed(found["value"]) and secret_values.secret(found["value"], secret_values.RANDOM)
