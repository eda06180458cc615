"""Who may look. The first address has a token, which a browser exchanges for a cookie; a program sends the token with each request.

The cookie has a secret of its own, so that neither is told by the other: ``HttpOnly``, ``SameSite=Strict``, gone with the process.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Optional

from ..errors import UsageError
from ..files import atomic
from ..start.late_tuple import NamedTuple
from .rates import Rate, RateLimit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

COOKIE: Final = "export_dedup"
LONGEST: Final = 12 * 3600
"""Seconds for which a cookie is good, counted from when it was last used."""
SHORTEST_TOKEN: Final = 20
"""Characters that a token of one's own must have."""
_LONGEST_LINE: Final = 4096
_SESSIONS: Final = 1_000
_BEARER: Final = "Bearer "
REQUESTS: Final = Rate(120, 30)
SEARCHES: Final = Rate(15, 5)
FAILURES: Final = Rate(10, 0.2)
"""Wrong tokens of one address."""


class Caller(NamedTuple):
    """Who asks: a name to count requests by, and whether it was let in by a cookie."""

    name: str
    by_cookie: bool = False


class Access:
    """The token of one process and the cookies that were given for it."""

    def __init__(self, token: str = "", now: Callable[[], float] = time.monotonic) -> None:
        self.token = token or secrets.token_urlsafe(32)
        self._now = now
        self._sessions: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()
        self.requests = RateLimit(REQUESTS, now)
        self.searches = RateLimit(SEARCHES, now)
        self.failures = RateLimit(FAILURES, now)

    def fits(self, token: str) -> bool:
        """Whether this is the token; takes as long for every other one."""
        return hmac.compare_digest(token.encode(errors="replace"), self.token.encode())

    def begin(self) -> str:
        """A new cookie."""
        cookie = secrets.token_urlsafe(32)
        with self._lock:
            self._sessions[cookie] = self._now()
            while len(self._sessions) > _SESSIONS:
                self._sessions.popitem(last=False)
        return cookie

    def end(self, cookie: str) -> None:
        """It is good for nothing any more."""
        with self._lock:
            self._sessions.pop(cookie, None)

    def caller(self, cookie: str, headers: Mapping[str, str], address: str) -> Optional[Caller]:
        """Who asks; None for somebody who may not."""
        with self._lock:
            used = self._sessions.pop(cookie, None) if cookie else None
            if used is not None and self._now() - used < LONGEST:
                self._sessions[cookie] = self._now()
                return Caller(cookie, by_cookie=True)
        given = headers.get("Authorization", "")
        if given.startswith(_BEARER) and self.fits(given[len(_BEARER) :].strip()):
            return Caller(f"bearer {address}")
        return None


def token_in(path: str) -> str:
    """The token that a file has, in its first line. Raises :class:`UsageError` for one that is missing or too short."""
    try:
        with atomic.open_regular(path) as file:
            token = file.read(_LONGEST_LINE).decode("utf-8", "replace").split("\n")[0].strip()
    except OSError as error:
        raise UsageError(f"--token-file {path}: {error.strerror or error}") from error
    return checked(token, f"--token-file {path}")


def checked(token: str, where: str) -> str:
    """A token of one's own. Raises :class:`UsageError` for one that could be guessed."""
    if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        hint = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))' makes one."
        raise UsageError(f"{where} has no token of {SHORTEST_TOKEN} characters at least", hint=hint)
    return token
