"""What the recipes of files give: their bytes, in parts, from segments, drawings and bytes of their own."""

from __future__ import annotations

import binascii
import sys
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Optional

from ..errors import ArchiveDamaged
from .recipe import Encoded, Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .pack_set import Packs
    from .recipe import Drawn, Item

_KEPT: Final = 16 * 1024 * 1024
"""Bytes of drawings that are kept at hand: the exports of one width share them, and those of several widths take turns."""


class Assembly:
    """Puts files of ``packs`` together; whoever has one lets go of it with them."""

    def __init__(self, packs: Packs) -> None:
        self._packs = packs
        self._drawings: OrderedDict[Drawn, bytes] = OrderedDict()
        self._kept = 0

    def content(self, number: int) -> Iterator[memoryview]:
        """The bytes of a file, in parts, which nobody has checked."""
        chain = [self._packs.record(number).recipe]
        wanted: list[Optional[int]] = [None]
        while chain[-1].base >= 0:
            above, prefix = wanted[-1], chain[-1].prefix
            wanted.append(prefix if above is None else min(prefix, above))
            chain.append(self._packs.record(chain[-1].base).recipe)
        at = 0
        for recipe, limit in zip(reversed(chain), reversed(wanted)):
            for item in recipe.items:
                for part in self.piece(item):
                    if limit is not None and at + len(part) > limit:
                        part = part[: max(limit - at, 0)]  # noqa: PLW2901 - the rest of it is not wanted
                    at += len(part)
                    yield part

    def prove(self, number: int) -> None:
        """Raises :class:`ArchiveDamaged` where the file does not come back.

        Frames that are what they were when they gave its bytes back do it again, and need not be unpacked. Where one is not, the
        file is restored: parity may make it good.
        """
        try:
            self._look_at_frames(number)
        except ArchiveDamaged:
            for _ in self._packs.restore(number):
                pass

    def _look_at_frames(self, number: int) -> None:
        """Of a drawing, which says how many bytes its segments have and not how many segments, more than it stands on."""
        record = self._packs.record(number)
        sound: set[tuple[str, int]] = set()
        while True:
            for item in record.recipe.items:
                if isinstance(item, Run):
                    self._packs.prove_frames(item.first, item.length, 0, sound)
                elif isinstance(item, Encoded):
                    self._packs.prove_frames(item.first, 1, 0, sound)
                elif not isinstance(item, bytes):
                    self._packs.prove_frames(item.first, 1, item.skip + item.size, sound)
            if record.recipe.base < 0:
                return
            record = self._packs.record(record.recipe.base)

    def piece(self, item: Item) -> Iterator[memoryview]:
        """What an item of a recipe gives, in parts."""
        if isinstance(item, bytes):
            yield memoryview(item)
        elif isinstance(item, Run):
            yield from self._packs.run(item)
        elif isinstance(item, Encoded):
            yield memoryview(self.encoded(item, 0, item.length))
        else:
            yield memoryview(self._drawn(item))

    def encoded(self, item: Encoded, start: int, end: int) -> bytes:
        """Bytes ``start`` to ``end`` of the Base64 of a segment: no more of it is encoded than that."""
        segment = b"".join(self._packs.run(Run(item.first, 1)))
        if len(segment) != item.size:
            raise ArchiveDamaged(f"segment {item.first} has {len(segment):,} bytes instead of {item.size:,}")
        first = start // 4
        text = binascii.b2a_base64(segment[first * 3 : (end + 3) // 4 * 3], newline=False)
        return text[start - first * 4 : end - first * 4]

    def source(self, item: Drawn) -> bytes:
        """The text that a drawing is drawn from, as far as there are segments."""
        parts: list[memoryview] = []
        end = item.skip + item.size
        for part in self._packs.run(Run(item.first, sys.maxsize)):
            parts.append(part[:end])
            end -= len(part)
            if end <= 0:
                break
        return b"".join(parts)[item.skip :]

    def _drawn(self, item: Drawn) -> bytes:
        from .redraw import redrawn  # few files have a drawing

        if item in self._drawings:
            self._drawings.move_to_end(item)
            return self._drawings[item]
        data = self._drawings[item] = redrawn(self.source(item), item.widths, item.gaps)
        self._kept += len(data)
        while self._kept > _KEPT:
            self._kept -= len(self._drawings.popitem(last=False)[1])
        return data
