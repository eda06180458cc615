"""What belongs to a person and not to a secret: payment cards and numbers of persons; mail addresses, home folders, names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..start.late_pattern import late_pattern
from .matches import Match, occurrences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CARD: Final = late_pattern(r"[3-6](?<![\w.-][3-6])\d{3}([ -]?)\d{4}\1\d{4}\1\d{3,4}(?![\w-])")
_SOCIAL: Final = late_pattern(r"\d(?<![\w-]\d)\d{2}(?<!000)(?<!666)(?<!9\d\d)-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")
_LOCAL: Final = late_pattern(r"[\w.+-]{1,64}\Z")
_DOMAIN: Final = late_pattern(r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8}\.[A-Za-z]{2,24}(?![\w-])")
_HOMES: Final = ("/home/", "/Users/", ":\\Users\\", ":\\\\Users\\\\", ":/Users/", "-home-", "-Users-")
_OWNER: Final = late_pattern(r"[\w.+]{1,64}")
_OWNER_IN_PATH: Final = late_pattern(r"[\w.+-]{1,64}")
_NOBODY: Final = frozenset(("shared", "public", "default", "runner", "user", "username", "you", "me"))
_ADDRESS: Final = late_pattern(r"\d(?<![\w.-]\d)\d{0,2}\.(?:\d{1,3}\.){2}\d{1,3}(?![\w.-])")
_PHONE: Final = late_pattern(
    r"(?<![\w.+-])(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,4}\)[ .-]?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w.-])"
    r"|(?<![\w.+-])\+\d{1,3}(?:[ .-]?\d{2,4}){3,5}(?![\w.-])"
)
_DIALLED: Final = late_pattern(r"\d\d\d[ .-]\d\d\d\d|\+\d")
"""What no telephone number is without. Nothing here begins with a look behind: an expression is as fast as its first character."""


def numbers(text: str) -> Iterator[Match]:
    """Payment cards (their check digit is right) and social security numbers."""
    for card in _CARD.finditer(text):
        if _luhn(card[0]):
            yield Match(*card.span(), "card-number", "a payment card's number, with the right check digit")
    for social in _SOCIAL.finditer(text):
        yield Match(*social.span(), "social-security-number", "the form of a social security number")


def people(text: str, names: Sequence[str]) -> Iterator[Match]:
    """Mail addresses, owners of home folders, telephone numbers, public IP addresses; ``names``, as whole words."""
    yield from _mail(text)
    for home in _HOMES:
        for at in occurrences(text, home):
            dashed = home.startswith("-")
            owner = (_OWNER if dashed else _OWNER_IN_PATH).match(text, at + len(home))
            if dashed and at and (text[at - 1].isalnum() or text[at - 1] == "-"):
                continue
            if owner and owner[0].lower() not in _NOBODY:
                yield Match(*owner.span(), "user", "the owner of a home folder")
    for name in names:
        for at in occurrences(text, name):
            end = at + len(name)
            if not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum()):
                yield Match(at, end, "user", "the name of this machine's user")
    for phone in _PHONE.finditer(text) if _DIALLED.search(text) else ():
        yield Match(*phone.span(), "phone-number", "the form of a telephone number")
    for address in _ADDRESS.finditer(text):
        if _public(address[0]):
            yield Match(*address.span(), "ip-address", "a public IP address")


def _mail(text: str) -> Iterator[Match]:
    for at in occurrences(text, "@"):
        local = _LOCAL.search(text[max(0, at - 64) : at])
        domain = _DOMAIN.match(text, at + 1) if local else None
        if local and domain and local[0] != "git":
            yield Match(at - len(local[0]), domain.end(), "email", "a mail address")


def _luhn(number: str) -> bool:
    digits = [int(c) for c in reversed(number) if c.isdigit()]
    doubled = (n if place % 2 == 0 else n * 2 - 9 * (n > 4) for place, n in enumerate(digits))
    return len(set(digits)) > 3 and sum(doubled) % 10 == 0


def _public(address: str) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False
