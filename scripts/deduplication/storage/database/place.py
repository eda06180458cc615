"""Where in which database a store lies. The address is read when it is needed: a hook of a hybrid store needs none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from ...start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .server.address import Address


class Place(NamedTuple):
    """``told``: the address as somebody named it; ``setting``: as the settings have it, for who named none.

    ``schema`` empty: what the address says. ``owner`` empty: whoever is connected; another one's store can only be read.
    """

    told: Optional[str] = None
    setting: str = ""
    schema: str = ""
    owner: str = ""

    def address(self) -> Address:
        """Raises ``DatabaseAddressInvalid`` where there is none, or where it cannot be used, ``PsycopgMissing``."""
        from .server import address_reader

        if self.told is None and self.setting:
            return address_reader.read(self.setting, "the setting database_url")
        return address_reader.find(self.told)

    def shown(self) -> str:
        """For people: nothing secret is in it. Raises as :meth:`address`."""
        more = [each for each in (self.schema and f"schema {self.schema}", self.owner and f"of {self.owner}") if each]
        return self.address().shown() + (f" ({', '.join(more)})" if more else "")


def place_of(connection_string: str | None, settings: Mapping[str, Any]) -> Place:
    """The place that somebody names, or that the settings say."""
    return Place(connection_string, settings["database_url"], settings["database_schema"])
