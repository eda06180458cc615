"""The store that a dashboard looks at. A store is one thread's at a time: it is lent, and a few of them are kept open."""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import threading
from typing import TYPE_CHECKING, Callable, Final, Optional

from ..errors import SessionUnknown
from ..start.late_dataclass import dataclass, field
from ..start.late_pattern import late_pattern
from ..storage import open_store
from ..storage.log_backed import folder_of
from ..titles.naming import Naming, naming

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..gaps.client_side import ClientSide
    from ..project.paths import Project
    from ..sessions.redaction import Redact
    from ..storage.contract import Store

_NAMES: Final = 20_000
"""Titles that are remembered."""
KEPT: Final = 4
"""Stores that stay open while nobody needs them."""
_PLAIN: Final = late_pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_CODED: Final = "~"


class Stores:
    """The same store, opened as often as it is needed at once."""

    def __init__(self, folder: str, backend: Optional[str] = None, address: Optional[str] = None) -> None:
        self._named = (backend, folder, address)
        self._free: list[Store] = []
        self._lent = 0
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def lent(self) -> Iterator[Store]:
        """One for this thread alone; after a failure it is not kept."""
        with self._lock:
            store = self._free.pop() if self._free else None
            self._lent += 1
        kept = False
        try:
            if store is None:
                store = open_store(*self._named)
            yield store
            kept = True
        finally:
            with self._lock:
                self._lent -= 1
                kept = kept and len(self._free) < KEPT
                if kept and store is not None:
                    self._free.append(store)
            if not kept:
                _close(store)

    def counts(self) -> dict[str, int]:
        """How many are ``lent`` now, and how many are ``idle``."""
        with self._lock:
            return {"lent": self._lent, "idle": len(self._free)}

    def close(self) -> None:
        """Let go of those that nobody has."""
        with self._lock:
            free, self._free = self._free, []
        for store in free:
            _close(store)


def _close(opened: object) -> None:
    """End the connection to a database, where a store has one."""
    end = getattr(opened, "close", None)
    if end is not None:
        with contextlib.suppress(Exception):
            end()


def _nobody() -> None:
    """Of no client's sessions."""


@dataclass
class Subject:
    """What is looked at. ``state`` is the folder that stands for the store, ``project`` whose it is, if it is any project's.

    ``redact`` takes secrets out of all that is shown.
    """

    stores: Stores
    state: str
    project: Optional[Project]
    redact: Redact
    where: str = ""
    in_folder: bool = True
    client: Callable[[], Optional[ClientSide]] = _nobody
    """What the client keeps of the same sessions now; None where nobody knows whose they are."""
    _names: dict[tuple[str, str], Naming] = field(default_factory=dict)
    """What a conversation was called when something was last stored of it."""

    @property
    def title(self) -> str:
        """What it is called: the name of the project's folder, or of the store's."""
        return os.path.basename(os.fspath(self.project.root) if self.project is not None else self.state) or self.state

    def naming(self, store: Store, name: str, updated: str) -> Naming:
        """What a conversation is called that was told of at ``updated`` last. The store is held for one that is not known yet."""
        known = self._names.get((name, updated))
        if known is None:
            with store.transaction(write=False):
                known = naming(store, name, lambda text: self.redact(text)[0])
            if len(self._names) > _NAMES:
                self._names.clear()
            self._names[name, updated] = known
        return known


def subject_of(
    folder: str,
    backend: Optional[str],
    address: Optional[str],
    client: Callable[[], Optional[ClientSide]] = _nobody,
) -> Subject:
    """The store in ``folder``, or that it stands for. Raises the ``StoreError`` family, ``PrivacySettingInvalid``."""
    from ..accounting.storage_account import project_of
    from ..sessions.redaction import standard

    stores, project = Stores(folder, backend, address), project_of(folder)
    redact, _ = standard(project.root if project is not None else folder)
    with stores.lent() as store:
        return Subject(stores, folder, project, redact, store.where(), folder_of(store) is not None, client)


def key_of(conversation: str) -> str:
    """A conversation's id as one part of an address: itself where it is plain, else its bytes in letters."""
    if _PLAIN.fullmatch(conversation):
        return conversation
    return _CODED + base64.urlsafe_b64encode(conversation.encode(errors="surrogatepass")).decode().rstrip("=")


def conversation_of(key: str) -> str:
    """The id that :func:`key_of` made ``key`` of. Raises :class:`SessionUnknown` for what it never makes."""
    if not key.startswith(_CODED):
        return key
    try:
        data = base64.urlsafe_b64decode(key[1:] + "=" * (-len(key[1:]) % 4))
        return data.decode(errors="surrogatepass")
    except (binascii.Error, ValueError) as error:
        raise SessionUnknown(key) from error
