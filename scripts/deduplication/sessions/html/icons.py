"""The page's pictures: drawn with lines, so that they look the same wherever there are no emoji.

Each is a mask in the style, so that a message costs an empty element: 10,000 drawings would make a page a fifth slower to open.
"""

from __future__ import annotations

from typing import Final

_DRAWN: Final = {
    "user": '<circle cx="8" cy="5" r="2.8"/><path d="M2.6 14c.4-3 2.5-4.6 5.4-4.6s5 1.6 5.4 4.6"/>',
    "assistant": '<path d="M8 1.5c.6 3.6 2.3 5.4 6.5 6.5C10.3 9.100 8.600 10.900 8 14.500 7.400 10.900 5.700 9.100 1.500 8 '
    '5.700 6.900 7.400 5.100 8 1.500z"/>',
    "tool": '<path d="M2 4.500l3.600 3.500L2 11.500M8 12h6"/>',
    "result": '<path d="M3 2.500v5.200c0 1 .6 1.600 1.600 1.600H13M9.800 6l3.200 3.300-3.200 3.200"/>',
    "thinking": '<path d="M4.600 11.800a3.300 3.300 0 0 1-.5-6.500 4 4 0 0 1 7.500-.6 3.600 3.600 0 0 1 .3 7.100z"/>',
    "command": '<rect x="1.500" y="3" width="13" height="10" rx="2"/><path d="M4.500 6.500L6.500 8l-2 1.500M8.500 10h3"/>',
    "note": '<circle cx="8" cy="8" r="6.300"/><path d="M8 7.300v3.700M8 4.800v.2"/>',
    "compaction": '<path d="M8 1.500v4M6 4l2 1.800L10 4M8 14.500v-4M6 12l2-1.800 2 1.800M2 8h12"/>',
    "rewind": '<path d="M5.500 3L2 6.300l3.500 3.300M2.300 6.300h7.400a3.600 3.600 0 0 1 0 7.200H6"/>',
    "warning": '<path d="M8 2L1.600 13.300h12.800zM8 6.500v3.300M8 11.600v.1"/>',
    "copy": '<rect x="5.500" y="5.500" width="8.500" height="8.500" rx="1.500"/>'
    '<path d="M3.500 10.500H3A1 1 0 0 1 2 9.500V3a1 1 0 0 1 1-1h6.500a1 1 0 0 1 1 1v.5"/>',
    "done": '<path d="M2.500 8.500l3.500 3.500 7.500-8"/>',
    "restart": '<path d="M13.300 8A5.300 5.300 0 1 1 11.600 4.100M11.900 1.700v2.700H9.200"/>',
}


def _mask(name: str, lines: str) -> str:
    filled = "fill='%23000'" if name == "assistant" else "fill='none' stroke='%23000'"
    round_ = "stroke-width='1.5' stroke-linecap='round' stroke-linejoin='round'"
    drawn = lines.replace('"', "'").replace("<", "%3C").replace(">", "%3E")
    svg = f"%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16' {filled} {round_}%3E{drawn}%3C/svg%3E"
    return f'.{name}{{--i:url("data:image/svg+xml,{svg}")}}'


MASKS: Final = "\n".join(_mask(name, lines) for name, lines in _DRAWN.items())
"""The part of the style that has them."""


def icon(name: str) -> str:
    """One of the pictures."""
    return f'<i class="i {name}"></i>'
