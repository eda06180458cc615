"""What a match of a shown message with a stored one rests on; ``explain`` tells it."""

from __future__ import annotations

from typing import Final

PREFIX: Final = "proven prefix"
"""From the first message on both say the same, hash by hash, until one of them ends."""
HASH: Final = "content hash"
KEY: Final = "alignment key"
"""The same words, drawn another way."""
ID: Final = "id"
"""The source gives both the same id."""
GREW: Final = "grown"
"""One of the two is the beginning of the other."""
SEAM: Final = "seam"
"""The end of one sequence stands at the beginning of the other."""
BETWEEN: Final = "between anchors"
"""Its neighbours are matched, and it has the same kind."""
WHOLE: Final = "whole run"
"""All of one sequence stands inside the other."""
REASONS: Final = (PREFIX, HASH, KEY, ID, GREW, SEAM, BETWEEN, WHOLE)
