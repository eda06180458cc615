"""Which hosts and origins are ours. A page elsewhere may have its name lead here (DNS rebinding): it is told by that name."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ..errors import UsageError
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_WEB_PORTS: Final = {"http": 80, "https": 443}
_NAMES: Final = ("localhost", "127.0.0.1", "::1")


class Place(NamedTuple):
    """Where the dashboard is reached: the address it listens on, and the one that a reverse proxy gives it (empty: none)."""

    host: str
    port: int
    public: str = ""

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches the address."""
        return is_loopback(self.host)

    @property
    def prefix(self) -> str:
        """The path below which everything lies: that of the public address, ``/dedup``; empty for the root."""
        return urlsplit(self.public).path.rstrip("/")

    @property
    def first(self) -> str:
        """The address for a browser, without a slash at its end."""
        if self.public:
            return self.public.rstrip("/")
        host = "127.0.0.1" if self.host in ("", "0.0.0.0") else "::1" if self.host == "::" else self.host  # noqa: S104
        return f"http://{_bracketed(host)}:{self.port}"

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach it by TLS, so that the cookie may be bound to that."""
        return self.public.startswith("https:")

    def allows_host(self, header: str) -> bool:
        """Whether a ``Host`` is one of ours: by name those we know; by number any, where others may reach us by several."""
        if self.public and _netloc(header, self.public) == _netloc(urlsplit(self.public).netloc, self.public):
            return True
        return self._is_local_name(header)

    def _is_local_name(self, header: str) -> bool:
        host, port = _split(header, "http")
        if port != self.port:
            return False
        if host in _NAMES or host == self.host.lower():
            return True
        return not self.is_local and _is_number(host)

    def allows_origin(self, headers: Mapping[str, str]) -> bool:
        """Whether a request comes from a page of ours, or from no page at all."""
        origin = headers.get("Origin", "")
        if origin:
            return self._is_ours(origin)
        site, mode = headers.get("Sec-Fetch-Site", "none"), headers.get("Sec-Fetch-Mode", "navigate")
        return site in ("none", "same-origin") or mode == "navigate"

    def allows_change(self, headers: Mapping[str, str]) -> bool:
        """Whether a request that changes something comes from a page of ours: it must say so."""
        origin = headers.get("Origin", "")
        return bool(origin) and self._is_ours(origin) and headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"

    def _is_ours(self, origin: str) -> bool:
        parts = urlsplit(origin)
        if self.public and (parts.scheme, _netloc(parts.netloc, origin)) == (
            urlsplit(self.public).scheme,
            _netloc(urlsplit(self.public).netloc, self.public),
        ):
            return True
        return parts.scheme == "http" and self._is_local_name(parts.netloc)


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is this machine's alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def public_address(text: str) -> str:
    """An address as ``--public-url`` takes it. Raises :class:`UsageError` for what is none."""
    parts = urlsplit(text)
    if parts.scheme not in _WEB_PORTS or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise UsageError(
            f"--public-url {text!r} is no address", hint="Pass what browsers call: https://dedup.example.org"
        )
    return text


def _netloc(netloc: str, address: str) -> tuple[str, int]:
    return _split(netloc, urlsplit(address).scheme)


def _split(netloc: str, scheme: str) -> tuple[str, int]:
    """Host and port of a ``Host``; a host of no name that any of ours has where it cannot be read."""
    try:
        parts = urlsplit(f"//{netloc}")
        if parts.path or parts.query or parts.fragment or parts.username is not None:
            return "", -1
        return (parts.hostname or "").lower(), parts.port or _WEB_PORTS.get(scheme, 80)
    except ValueError:
        return "", -1


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
