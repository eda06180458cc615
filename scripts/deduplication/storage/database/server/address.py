"""Where a database is and how it is talked to; never shown with a password.

``told`` are libpq's words. What libpq will take from the service file and from the environment counts as decided, too: our defaults
are for what nobody decided.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from .service_file import of_service

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE: Final = "EXPORT_DEDUP_DATABASE_URL"
OPTION: Final = "--db-url"
SECRET: Final = frozenset({"password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"})
"""Words whose values nobody is shown."""
_DEFAULTS: Final = {
    "connect_timeout": "3",  # seconds a host
    "tcp_user_timeout": "10000",  # ms until a line that is cut while something is sent is an error
    "keepalives_idle": "10",  # s: the same while nothing is sent
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "fallback_application_name": "export-dedup",
}
_VARIABLES: Final = {
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}
_OF_A_READER: Final = frozenset({"any", "read-only", "standby", "prefer-standby"})
"""What ``target_session_attrs`` may ask for that is no use to a writer."""
_SHORT: Final = 3
"""Letters up to which a password is found in any text, and is none."""


class Address:
    """A database, and where it was told: ``origin``."""

    __slots__ = ("_service", "_told", "origin")

    def __init__(self, told: Mapping[str, str], origin: str = OPTION) -> None:
        self._told = {key: value for key, value in told.items() if value}
        self._service = of_service(self._told.get("service"))
        self.origin = origin

    def __repr__(self) -> str:
        return f"<Address {self.shown()}>"

    @property
    def has_secret(self) -> bool:
        """Whether a password stands in the address itself: whoever sees where it was told sees that, too."""
        return not SECRET.isdisjoint(self._told)

    def shown(self) -> str:
        """The address as a URL, without anything secret."""
        told = {key: value for key, value in self._told.items() if key not in SECRET}
        user, hosts, ports, database = (told.pop(key, "") for key in ("user", "host", "port", "dbname"))
        place = _place(hosts, ports)
        if place is None:
            told = {**{key: value for key, value in (("host", hosts), ("port", ports)) if value}, **told}
        known = f"{quote(user, safe='')}@" if user else ""
        rest = f"?{urlencode(told, safe='/:,', quote_via=quote)}" if told else ""
        return f"postgresql://{known}{place or ''}/{quote(database, safe='')}{rest}"

    def without_secrets(self, text: str) -> str:
        """A text in which no password of this address stands, neither as it is nor as a URL has it."""
        open_to_all = {value for key, value in self._told.items() if key not in SECRET}
        secrets = {self._told.get(key, "") for key in SECRET} | {self._service.get("password", "")}
        secrets = {secret for secret in secrets if len(secret) > _SHORT} - open_to_all
        for secret in sorted(secrets | {quote(secret, safe="") for secret in secrets}, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    def parameters(self, *, reading: bool = False) -> dict[str, str]:
        """What psycopg is told, the password included.

        Of several hosts whoever writes gets the primary; a reader the first one that answers, or the one that the address asks for
        with ``target_session_attrs``.
        """
        given = {key: value for key, value in _DEFAULTS.items() if self._decided(key) is None}
        given.update(self._told)
        given["client_encoding"] = "UTF8"
        if self.has_several_hosts:
            asked = self._decided("target_session_attrs") or "any"
            given["target_session_attrs"] = "read-write" if asked in _OF_A_READER and not reading else asked
        return given

    @property
    def has_several_hosts(self) -> bool:
        """Whether another server may answer when one does not."""
        return any("," in (self._decided(key) or "") for key in ("host", "hostaddr"))

    def _decided(self, key: str) -> str | None:
        """What libpq takes for a word without us: the address's, its service's, or the environment's."""
        variable = _VARIABLES.get(key)
        return self._told.get(key) or self._service.get(key) or (os.environ.get(variable) if variable else None)


def _place(hosts: str, ports: str) -> str | None:
    """Hosts and ports as a URL has them; None where it cannot: a socket's folder, a port without a host."""
    named, numbers = hosts.split(","), ports.split(",")
    if len(numbers) == 1:
        numbers *= len(named)
    if any(host.startswith(("/", "@")) for host in named) or (ports and not hosts) or len(named) != len(numbers):
        return None
    bracketed = [f"[{host}]" if ":" in host else quote(host, safe="") for host in named]
    return ",".join(f"{host}:{port}" if port else host for host, port in zip(bracketed, numbers))
