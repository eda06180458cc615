"""How far an index accounts for the audit file."""

from __future__ import annotations

import zlib

from ...start.late_tuple import NamedTuple


class AuditMark(NamedTuple):
    """How far the audit file goes: its size in bytes and its CRC-32."""

    size: int = 0
    crc32: int = 0

    def plus(self, data: bytes) -> AuditMark:
        """Behind these bytes."""
        return AuditMark(self.size + len(data), zlib.crc32(data, self.crc32))
