"""Where alerts are sent, what waits, and what became of a test: as data, in which no address and no secret is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..errors import DedupError
from ..files import clock
from . import book, delivery, outgoing, targets

if TYPE_CHECKING:
    from .place import Place


def targets_of(place: Place) -> list[dict[str, Any]]:
    """The targets by ``name`` and ``scheme``, the kind of address; ``problem``: why nothing can be sent to one, else empty."""
    found = []
    for name, address in targets.addresses(place.settings).items():
        problem = ""
        try:
            delivery.require()
            targets.resolved(name, address)
        except DedupError as error:
            problem = " ".join(filter(None, [f"{error.detail}.", error.hint]))
        found.append({"name": name, "scheme": targets.scheme_of(address), "problem": problem})
    return found


def waiting(folder: str) -> list[dict[str, Any]]:
    """The deliveries that wait, without their texts: these stand in the alerts."""
    return [
        {
            "id": each.id,
            "target": each.target,
            "alert": each.alert,
            "kind": each.kind,
            "tries": each.tries,
            "due": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(each.due)),
            "error": each.error,
        }
        for each in book.load(folder).queue
    ]


def test(place: Place) -> dict[str, str]:
    """Send a test to each target, at once: why it failed, empty where it did not, by the target's name."""
    found = outgoing.tests(place, clock.timestamp())
    return {each.target: delivery.send(place.settings, each) for each in found}
