"""Whether the thorough size was asked for: every kind of day, every real file, more examples and faults; else a few of each."""

from __future__ import annotations

import os

THOROUGH = os.environ.get("EXPORT_DEDUP_THOROUGH") == "1"
"""``EXPORT_DEDUP_THOROUGH=1``, as ``.ci/run --thorough`` sets it."""
