"""The rules behind ``redaction/redact.py``: one room for each kind of thing that must not be shared."""

from __future__ import annotations

from typing import Final

MOST_PATTERNS: Final = 100
"""Patterns that are applied together, and exceptions from them."""
