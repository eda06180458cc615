"""Which text in the place of a secret is one: not what holds its place, refers to it, or is a plain word.

The surer the place, the less the value must prove: after ``sshpass -p`` stands a password whatever it looks like, in
``password: …`` of some code a type as often.
"""

from __future__ import annotations

import re
from typing import Final

from .matches import entropy, later, mixed, monotonous
from .vocabulary import words

ANY: Final = 0
"""The place holds nothing but secrets: all goes that is no variable and no stand-in."""
NO_WORD: Final = 1
"""The place holds names and words, too."""
RANDOM: Final = 2
"""The place holds everything: only what nobody would write or say but as a secret."""

_LOOKED_AT: Final = 160
"""Characters of a value that are looked at: what is longer is no word, whatever follows."""
_HOLDS_A_PLACE: Final = later(
    r"(?:^|[^a-z])(?:your|my|the|some|new|old)[-_ ]|your|example|change[-_]?(?:me|it|this)|placeholder|dummy|redacted"
    r"|insert|replace|(?:^|[^a-z])todo|[-_ ]here$|^<.*>$|^<[a-z _-]+$|^\[.*\]$|\$\{|\$\(|\{\{|\}\}|\.\.\.|…|\*\*\*|xxxx|•",
    re.IGNORECASE,
)
_REFERS: Final = later(
    r"\$[A-Za-z_{(]|\{|%[A-Za-z_]\w*%|%[sdrq(]|#\{|@[\w./-]*[./]|!(?:vault|ref|sub|secret|env)\b|https?:|file:|data:|sha\d{3}[-:]"
    r"|(?:process|os|env|self|this|config|settings|vault|secrets?|ctx|request|req|args|opts|options|params|data|local|var)\.\w"
    r"|[A-Za-z]:\\|(?:op|env|ref|keyring|ssm|vault)://",
    re.IGNORECASE,
)
_NOTHING: Final = words(
    "true false yes no on off none null nil undefined empty unset void blank default disabled enabled optional",
    "required string str bytes int integer number bool boolean text any object varchar char unknown self auto",
    "password passwd pass pwd pw secret token key user username admin root login email auth name value prompt",
    "invalid wrong incorrect missing expired valid correct weak strong hidden stored needed changed protected",
    "basic bearer digest negotiate stdin stdout ask file read write type redacted sensitive confidential",
    "generated encrypted hashed masked unchanged random plaintext cleartext identical different",
)
_STEMS: Final = later(
    r"passw|pwd|secret|token|credential|api_?key|auth|username|prompt|passphrase|input|field", re.IGNORECASE
)
"""What is called like a secret is its name."""
_WORDS: Final = later(r"[A-Za-z_$@][A-Za-z_]*(?:[.:/_-]{1,2}[A-Za-z_]+)*[?!]?")
"""Plain words, dotted names, words with hyphens: what stands in code where a secret would in a setting."""
_IDENTIFIER: Final = later(r"[A-Za-z]+\d{0,2}(?:[._-]{1,2}[A-Za-z]*\d{0,3})*")
_PATH: Final = later(r"~?\.{0,2}/[\w.-]*(?:/|$)")
_CODE: Final = later(r"^[A-Za-z_][\w.]*[(\[]|^[A-Za-z_]\w*=(?:[A-Z][a-z]+|[a-z_]+|\d+)$|->|::")
"""What a sentence about code holds and no password."""
_HUMPS: Final = later(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_CONSONANTS: Final = later(
    r"[bcdfghjklmnpqrstvwxz]{5}|q[^u]|[jvzq][bcdfgjkmpqvxz]|[bdfgkpv][qxz]|[fgkpv]j", re.IGNORECASE
)
_BLANK: Final = later(r"\s")
_KINDS: Final = (later("[a-z]"), later("[A-Z]"), later("[0-9]"), later("[!@#$%^&*+?~]"))
_RUNS: Final = later(r"[A-Za-z]{6,}")
_NO_VOWEL: Final = later(r"[B-DF-HJ-NP-TV-XZb-df-hj-np-tv-xz][b-df-hj-np-tv-xz]{4,}")
_HARD_WORDS: Final = frozenset(("lengths", "strengths", "https", "xhtml"))
_NUMBER: Final = later(r"[-+]?[\d.,:/x_-]+(?:[kKMG]i?[bB]?|ms|s|m|h|d|px|%)?")
_METHOD: Final = later(
    r"(?:sha|md|utf|base|aes|rsa|argon|pbkdf|oauth|http|ipv|ed|x|py|python|step|item|test|level|part|phase)-?\d{1,5}",
    re.IGNORECASE,
)
_UUID: Final = later(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_BARE: Final = later(r"[^\s\"'`<>\\│]{1,512}")
_ENDS: Final = later(r"[,;&|(){}\[\]]")
_SHELL_ENDS: Final = later(r"[;&|]|[,)}\]]+(?=$|[^,)}\]]*[=:])")
_REST: Final = later(r"[!#-&(-;=?-\[\]-_a-~<>]{1,8192}")
"""Printable signs without quotes, blanks and backslashes."""
_OTHERS: Final = later(r"[,;&|?)}\]]+[\w.-]{0,40}[=:]|</|[,.;:!?)}\]>*|]+$|^[(@/]|\[REDACTED")
"""Where something else begins: the next setting, the end of an element, a call, the end of the sentence."""
_PUNCTUATION: Final = ".,:!?*%。，、；！？"
_CJK: Final = later(r"[\u3000-\u9fff\uac00-\ud7af\uff00-\uffef]")


def value_end(text: str, start: int, quote: str, *, whole: bool = False) -> tuple[int, bool]:
    """Where the value ends that begins at ``start``, and whether its quote is closed. Never after its line.

    Without a quote it ends where a list, a call or an address would go on, and before a sentence's mark; with ``whole`` only
    where a shell's word would.
    """
    if quote:
        end = text.find(quote, start, start + 2048)
        line = text.find("\n", start, end if end >= 0 else start + 2048)
        if end >= 0 and line < 0:
            return end, True
    found = _BARE.match(text, start)
    if found is None:
        return start, False
    value = found[0] if found[0].isascii() else _CJK.split(found[0], maxsplit=1)[0]
    value = (_SHELL_ENDS if whole else _ENDS).split(value, maxsplit=1)[0]
    stripped = value.rstrip(_PUNCTUATION)
    if text[start + len(value) : start + len(value) + 1].strip() and not _ENDS.match(text, start + len(value)):
        stripped = value  # it goes on behind the mark
    if whole and len(value) - len(stripped) == 1 and value[-1] in "!*%?" and len(value) > 7:
        stripped = value
    return start + len(stripped), False


def extended(text: str, end: int) -> int:
    """Where the secret really ends that ends at ``end`` by the marks that may also go on: a password may hold any of them."""
    rest = _REST.match(text, end)
    if rest is None:
        return end
    goes_on = _OTHERS.search(rest[0])
    return end + (goes_on.start() if goes_on else len(rest[0]))


def secret(value: str, need: int, *, quoted: bool = False, least: int = 6) -> bool:
    """Whether ``value`` is a secret in a place that asks for ``need``; ``least`` is the smallest length in characters."""
    value = value[:_LOOKED_AT]
    if len(value) < least or stands_in(value) or refers(value):
        return False
    if need == ANY:
        return True
    if _NUMBER.fullmatch(value) or spaced(value):
        return False
    if need == NO_WORD:
        return not plain(value, digits=not quoted)
    return (
        not plain(value, digits=True)
        and not _CODE.search(value)
        and (mixed(value) or _scrambled(value) or _kinds(value) >= 3)
    )


def made_up(value: str) -> bool:
    """Whether ``value`` is what people make up for a password: a word and a number."""
    return (
        mixed(value)
        and value[0].isalpha()
        and secret(value, NO_WORD, quoted=True)
        and not _METHOD.fullmatch(value)
        and not _CODE.search(value)
        and ("_" not in value or value[0].isupper())
        and not called_like_one(value)
    )


def number(value: str) -> bool:
    """Whether ``value`` is a number, a version, a date, an address."""
    return _NUMBER.fullmatch(value) is not None


def random_key(value: str, least: int) -> bool:
    """Whether ``value`` is random as keys of machines are: letters and digits, many of them different."""
    value = value[:_LOOKED_AT]
    if len(value) < least or stands_in(value) or refers(value) or spaced(value):
        return False
    if not mixed(value):
        return len(value) >= 16 and _scrambled(value) and value.isalpha()
    if _CODE.search(value):
        return False
    return not plain(value, digits=True) and not _NUMBER.fullmatch(value) and entropy(value) >= 2.7


def spaced(value: str) -> bool:
    """Whether there is a blank in ``value``."""
    return _BLANK.search(value) is not None


def uuid(value: str) -> bool:
    """Whether ``value`` is a UUID, and nothing else."""
    return _UUID.fullmatch(value) is not None


def refers(value: str) -> bool:
    """True for a variable, an expression, a path: what is elsewhere."""
    if _REFERS.match(value):
        return True
    return _PATH.match(value) is not None and not (_scrambled(value) or _kinds(value.rsplit(".", 1)[0]) >= 3)


def stands_in(value: str) -> bool:
    """True for what holds a secret's place, or says that there is none."""
    value = value[:_LOOKED_AT]
    return value.lower() in _NOTHING or monotonous(value) or _HOLDS_A_PLACE.search(value) is not None


def called_like_one(value: str) -> bool:
    """True for a name of a secret: what a form or a message calls it."""
    return _STEMS.search(value, 0, _LOOKED_AT) is not None


def plain(value: str, *, digits: bool = False) -> bool:
    """True for words and names of code; with ``digits`` also where they end in numbers."""
    value = value[:_LOOKED_AT]
    if _WORDS.fullmatch(value):
        return not _scrambled(value)
    return digits and _IDENTIFIER.fullmatch(value) is not None and not _scrambled(value)


def _scrambled(value: str) -> bool:
    """True for letters that nobody can pronounce: capitals in the midst, consonants in a row."""
    return any(_unspeakable(run) for run in _RUNS.findall(value))


def _unspeakable(run: str) -> bool:
    if run.isupper():
        return len(run) >= 16 and _CONSONANTS.search(run) is not None
    humps = _HUMPS.findall(run)
    if len(humps) >= 3 and (len(run) < 3 * len(humps) or (len(humps) >= 4 and len(run) <= 3.2 * len(humps))):
        return True
    if any((len(hump) >= 6 and hump.isupper()) or _NO_VOWEL.fullmatch(hump) for hump in humps):
        return True
    return _CONSONANTS.search(run) is not None and run not in _HARD_WORDS


def _kinds(value: str) -> int:
    return sum(kind.search(value) is not None for kind in _KINDS)
