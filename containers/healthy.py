"""Whether the dashboard of this container answers: exit code 0 or 1. That a key is needed is an answer."""

from __future__ import annotations

import http.client
import sys

PORT = 8377
"""As the Dockerfile has it."""


def main(port: int = PORT) -> int:
    """Ask for the first page, without a key."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        asked.request("GET", "/")
        return int(asked.getresponse().status >= 500)
    except (OSError, http.client.HTTPException):
        return 1
    finally:
        asked.close()


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
