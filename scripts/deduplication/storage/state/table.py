"""Values by name, as a log tells them: held in memory, or fetched from an index when they are first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Value = TypeVar("Value")


class Table(Generic[Value]):
    """``known`` is what is in memory; ``fetch`` and ``scan`` answer for the rest, one value or all of them in order.

    ``changed`` names what was set since it was last emptied: what an index on disk does not have yet.
    """

    def __init__(
        self,
        known: dict[str, Value] | None = None,
        fetch: Callable[[str], Value | None] | None = None,
        scan: Callable[[], Iterable[tuple[str, Value]]] | None = None,
    ) -> None:
        self._known: dict[str, Value] = known if known is not None else {}
        self._fetch, self._scan = fetch, scan
        self._listed = scan is None
        self.changed: dict[str, None] = {}

    def get(self, name: str) -> Value | None:
        """The value of this name, None where there is none."""
        value = self._known.get(name)
        if value is None and self._fetch is not None:
            value = self._fetch(name)
            if value is not None:
                self._known[name] = value
        return value

    def known(self, name: str) -> Value | None:
        """The value of this name where it is in memory."""
        return self._known.get(name)

    def __setitem__(self, name: str, value: Value) -> None:
        """Set a value, or say that the one of this name has changed."""
        self._known[name] = value
        self.changed[name] = None

    def values(self) -> list[Value]:
        """Every value, in the same order."""
        return [value for _, value in self.items()]

    def names(self) -> list[str]:
        """Every name, in the order in which they came."""
        return list(self._known) if self._listed else [name for name, _ in self.items()]

    def items(self) -> list[tuple[str, Value]]:
        """Everything, in the order in which it came."""
        if self._scan is not None and not self._listed:
            self._known = {**dict(self._scan()), **self._known}
            self._listed = True
        return list(self._known.items())

    def let_go(self) -> None:
        """Keep nothing in memory that an index has."""
        if self._fetch is not None and not self.changed:
            self._known, self._listed = {}, self._scan is None
