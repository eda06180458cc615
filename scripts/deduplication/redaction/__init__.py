"""The rules behind ``redaction/redact.py``: one room for each kind of thing that must not be shared.

- match: a place in a text that must not be shared, with its rule and why (``matches``)
- detector: what finds matches (``detectors``): keys of known formats, named values, arguments of commands, sentences, files
- trigger: a word at which a rule looks (``triggers``); ``telling_names`` says which names tell of a secret
- policy: a level, a detector, the user's own patterns and exceptions (``redact``, ``user_patterns``)
- allowance: the time that patterns may take (``allowance``, ``pattern_cost``)
"""

from __future__ import annotations

from typing import Final

MOST_PATTERNS: Final = 100
"""Patterns that are applied together, and exceptions from them."""
