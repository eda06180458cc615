"""One text to one target, through ``apprise``: it has neither queue nor retry, and to several at once would send some twice."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from typing import TYPE_CHECKING, Any, Final

from ..errors import DedupError, PackageMissing
from . import alert, targets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .book import Delivery

MISSING: Final = "alerts cannot be sent: the package 'apprise' is not installed"
INSTALL: Final = "pip install 'export-dedup[alerts]', or pip install apprise"
PATIENCE: Final = 20
"""Seconds that a target may take to be reached, and to answer."""
_TYPES: Final = {alert.CRITICAL: "failure", alert.WARNING: "warning"}


def is_installed() -> bool:
    """Whether there is ``apprise``."""
    from importlib.util import find_spec

    return find_spec("apprise") is not None


def require() -> None:
    """Raise :class:`PackageMissing` where ``apprise`` is not installed."""
    if not is_installed():
        raise PackageMissing("apprise, which sends alerts", hint=f"Run {INSTALL}.")


def send(settings: Mapping[str, Any], delivery: Delivery) -> str:
    """Deliver it; why it could not be, empty where it was. No word of the answer has a secret in it: it is kept and shown."""
    address = targets.addresses(settings).get(delivery.target)
    if address is None:
        return "there is no such target any more"
    try:
        require()
        whole = targets.resolved(delivery.target, address)
    except DedupError as error:
        return str(error)
    return _notify(whole, delivery)


def _notify(address: str, delivery: Delivery) -> str:
    """One call of ``apprise``, which prints nothing. Whatever it raises is a failure: a target must not stop the others."""
    with contextlib.ExitStack() as stack:
        for each in (contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())):
            stack.enter_context(each)
        stack.enter_context(warnings.catch_warnings())
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        try:
            warnings.simplefilter("ignore")  # what others warn their authors of
            import apprise

            sender = apprise.Apprise()
            # The id lets a receiver tell what it has already: a process that is killed just behind an answer asks again.
            if not sender.add(_with_patience(address)):
                return f"its address is not one of those that apprise knows ({targets.scheme_of(address)}://)"
            kind = "success" if delivery.kind == "resolved" else _TYPES.get(delivery.level, "info")
            sent = sender.notify(
                title=delivery.title, body=f"{delivery.text}\nMessage: {delivery.id}", notify_type=kind
            )
        except Exception as error:  # noqa: BLE001 - a plugin's, of which there are 170; its text may name the address
            return f"apprise failed ({type(error).__name__})"
    return "" if sent else "it was refused, or could not be reached"


def _with_patience(address: str) -> str:
    """With a limit to how long connecting and answering may take, unless the address has its own."""
    more = [f"{name}={PATIENCE}" for name in ("cto", "rto") if f"{name}=" not in address]
    return address + ("&" if "?" in address else "?") + "&".join(more) if more else address
