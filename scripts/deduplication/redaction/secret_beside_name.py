"""Whether a value is a secret, given the telling name beside it: by the kind of the name, and by how the value is given to it."""

from __future__ import annotations

from typing import Final

from ..start.late_tuple import NamedTuple
from . import secret_values, telling_names
from .matches import later, mixed

APP_PASSWORD: Final = later(r"[a-z]{4}(?: [a-z]{4}){3}(?![a-z])")
_PHRASE: Final = later(r"[a-z]{2,12}(?:[ -][a-z]{2,12}){3,23}")
_IDENTIFIER: Final = later(r"[A-Za-z_][\w.:>?-]*")
LOWER_WORDS: Final = later(r"[a-z]+|[a-z]{3,}(?:-[a-z]{3,}){2,}")
DIGITS: Final = later(r"\d{4,8}")


class TellingName(NamedTuple):
    """A telling name in a text: where it lies, how it is written, what a value beside it is."""

    begin: int
    end: int
    name: str
    kind: str


def setting(value: str, name: TellingName, *, sure: bool, quoted: bool) -> bool:
    """Whether the value that the environment or a line of settings gives to a name in capitals is secret."""
    if name.kind == telling_names.PIN:
        return DIGITS.fullmatch(value) is not None
    if name.kind == telling_names.PASSWORD:
        return secret_values.secret(value, secret_values.ANY if sure or quoted else secret_values.NO_WORD, least=4)
    if secret_values.number(value) or not secret_values.secret(value, secret_values.ANY, least=8):
        return False
    return (sure and name.kind == telling_names.SECRET) or not secret_values.plain(value, digits=not quoted)


def telling(value: str, name: TellingName, *, quoted: bool, attached: bool) -> bool:
    """Whether a value beside a telling name is taken for a secret in code, prose and data."""
    if name.kind == telling_names.PIN:
        return DIGITS.fullmatch(value) is not None and len(set(value)) > 1
    if name.kind == telling_names.PASSWORD:
        if secret_values.called_like_one(value) and secret_values.plain(value, digits=True):
            return False
        if quoted and len(value) >= 8 and LOWER_WORDS.fullmatch(value):
            return secret_values.secret(value, secret_values.ANY)
        return secret_values.secret(value, secret_values.NO_WORD, quoted=True, least=4 if quoted else 6) and (
            quoted or attached or mixed(value) or secret_values.secret(value, secret_values.RANDOM)
        )
    if name.kind == telling_names.SECRET:
        if secret_values.uuid(value):
            return quoted or attached or telling_names.compound(name.name)
        return secret_values.random_key(
            value, 8 if quoted or secret_values.secret(value, secret_values.RANDOM, least=8) else 10
        )
    if quoted:
        return secret_values.random_key(value, 16)
    return telling_names.screaming(name.name) and attached and secret_values.random_key(value, 12)


def spaced(value: str, name: TellingName) -> bool:
    """Whether words in quotes beside a telling name are a passphrase, and no message."""
    if APP_PASSWORD.fullmatch(value):
        return True
    phrase = _PHRASE.fullmatch(value) is not None and not secret_values.called_like_one(value)
    return phrase and ("phrase" in name.name.lower() or "mnemonic" in name.name.lower())


def called(text: str, end: int, value: str, *, closed: bool) -> bool:
    """Whether the value is the name of a function that is called, or of a list that is looked into."""
    return not closed and text[end : end + 1] in ("(", "[", "{") and _IDENTIFIER.fullmatch(value) is not None
