"""The names of locks that several rooms take. It imports nothing, so that to know a name costs nothing."""

from __future__ import annotations

from typing import Final

LOCK: Final = ".lock"
"""The lock of a store, of an archive, of a backup, each in its folder."""
STATUS_LOCK: Final = "status.lock"
"""In a store's folder: held by whoever writes the status log."""
EXCHANGE_LOCK: Final = "exchange.lock"
"""In a store's folder: held by whoever brings it and a database together."""
