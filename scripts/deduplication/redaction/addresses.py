"""Passwords and tokens in addresses: ``scheme://user:password@host``, signed links, headers with credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..start.late_pattern import late_pattern
from .matches import Match, begins, dull, lowered, mixed, occurrences

if TYPE_CHECKING:
    from collections.abc import Iterator

_PASSWORD: Final = late_pattern(r"[^\s/:@\"'<>?#\\`]{0,128}:([^\s/\"'<>\\`]{1,256})@(?=[A-Za-z0-9.\[$_{-])")
_LONE: Final = late_pattern(r"([A-Za-z0-9_.~-]{20,256})(?::x-oauth-basic)?@(?=[A-Za-z0-9])")
_SIGNED: Final = late_pattern(r"([A-Za-z0-9%+/=_.~-]{16,2048})")
_SIGNATURES: Final = ("sig=", "signature=", "x-amz-security-token=", "x-amz-credential=", "key=", "auth=", "code=")
_HEADER: Final = late_pattern(r"[ \t]{1,4}([A-Za-z0-9._~+/=-]{16,4096})")
_STAND_INS: Final = frozenset(
    ("password", "pass", "passwd", "pwd", "secret", "token", "pw", "port", "user", "username", "p", "x")
)


def find(text: str, lower: str | None = None) -> Iterator[Match]:
    """Every secret that an address or a header carries; ``lower`` is ``text`` in small letters, where somebody has it."""
    for at in occurrences(text, "://"):
        userinfo = _PASSWORD.match(text, at + 3)
        if userinfo and not _stand_in(userinfo[1]):
            yield Match(*userinfo.span(1), "url-password", "a password in an address")
            continue
        lone = _LONE.match(text, at + 3)
        if lone and mixed(lone[1]) and not dull(lone[1]):
            yield Match(*lone.span(1), "url-token", "a token in an address")
    lower = lowered(text) if lower is None else lower
    for name in [name for name in _SIGNATURES if name in lower]:
        for at in occurrences(lower, name):
            if at and (text[at - 1] in "?&;" or lower[max(0, at - 6) : at] == "x-amz-"):
                value = _SIGNED.match(text, at + len(name))
                if value and mixed(value[1]) and not dull(value[1]):
                    yield Match(*value.span(1), "url-token", "a signature or a key in an address")
    for scheme in ("bearer", "basic"):
        for at in occurrences(lower, scheme):
            value = _HEADER.match(text, at + len(scheme)) if begins(text, at) else None
            if value and (mixed(value[1]) or len(value[1]) > 32) and not dull(value[1]):
                yield Match(*value.span(1), f"{scheme}-credentials", "credentials in a header")


def _stand_in(password: str) -> bool:
    return password.lower() in _STAND_INS or dull(password) or password.startswith(("$", "{", "%s", "["))
