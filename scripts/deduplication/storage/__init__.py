"""The storage backends, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import UsageError

if TYPE_CHECKING:
    from .base import Store

BACKENDS: Final = ("json",)


def open_store(backend: str, folder: str, connection_string: str | None = None) -> Store:
    """The store of this kind in ``folder``. Raises :class:`UsageError` for a backend that does not exist."""
    if backend not in BACKENDS:
        raise UsageError(f"no storage backend is called '{backend}'", hint=f"Use one of: {', '.join(BACKENDS)}.")
    if connection_string:
        raise UsageError("the json backend takes no database URL")
    from .json_store import JsonStore

    return JsonStore(folder)
