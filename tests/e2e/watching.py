"""What the tests with the real client wait for, and what an export looks like on its screen."""

from __future__ import annotations

import re
import time
from typing import Final

from e2e.client import PATIENCE

NOTICE: Final = "/compact is safe now · "
BANNER: Final = "NEW UNIQUE MESSAGES ADDED & BACKED UP:"
OURS: Final = (
    "🔐",
    "/compact is safe now",
    "UNIQUE MESSAGES",
    "export-dedup has",
    "export-dedup:",
    "Already done: the hook",
)
"""What stands in nothing but our own words."""
COUNTED_NOT: Final = ("bookkeeping", "notice")


def until(holds, what, seconds=PATIENCE):
    """Wait until ``holds()`` is true."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, what
        time.sleep(0.1)


def noticed(client, name):
    """Wait for the notice about the export ``name``; prints and returns the seconds since the client said where it went.

    In the first seconds of a session, and after another notice, the corner of the screen is taken: so the limit is wide.
    """
    told = re.compile(rf"{NOTICE}[\d,]+ new(?: \([^)]*\))? · {re.escape(name[:20])}")
    took = client.wait_until(lambda: told.search(" ".join(client.screen().split())), f"the notice about {name}")
    print(f"the notice came {took:.1f} s after /export {name}")
    return took


def export(client, name):
    """``/export NAME``, until the client has said where it went and the notice stands on the screen."""
    client.say(f"/export {name}")
    client.wait_for("Conversation exported to")
    return noticed(client, name.rpartition("/")[2])
