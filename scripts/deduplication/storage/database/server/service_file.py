"""What a service of libpq's connection service file names, so that none of our defaults stands above it."""

from __future__ import annotations

import os
from typing import Optional


def of_service(name: Optional[str]) -> dict[str, str]:
    """The words of a service (default: that of ``PGSERVICE``) in the user's file; none where the file or the service is not there.

    libpq says by itself that a service does not exist, once it is to connect.
    """
    wanted = name or os.environ.get("PGSERVICE")
    if not wanted:
        return {}
    path = os.environ.get("PGSERVICEFILE") or os.path.expanduser("~/.pg_service.conf")
    found: dict[str, str] = {}
    section = None
    try:
        with open(path, encoding="utf-8", errors="replace") as lines:
            for line in map(str.strip, lines):
                if line.startswith("["):
                    section = line.strip("[]")
                elif section == wanted and "=" in line and not line.startswith("#"):
                    key, _, value = line.partition("=")
                    found.setdefault(key.strip(), value.strip())
    except OSError:
        pass
    return found
