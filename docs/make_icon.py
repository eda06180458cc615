#!/usr/bin/env python3
"""Draw ``.claude-plugin/icon.png``, which the directory of plugins shows, from the dashboard's own: ``python docs/make_icon.py``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests" / "support")]

import browser  # noqa: E402 - it lies among the tests

DRAWING = ROOT / "scripts" / "deduplication" / "dashboard" / "static" / "favicon.svg"
SIDE = 512
"""Pixels; the directory takes squares of 512 to 2048."""


def main() -> int:
    """Draw it."""
    with tempfile.TemporaryDirectory() as name, browser.Browser() as chromium:
        page = Path(name) / "icon.html"
        svg = DRAWING.read_text(encoding="utf-8").replace("<svg ", f'<svg width="{SIDE}" height="{SIDE}" ', 1)
        page.write_text(f"<body style='margin:0;background:#0000'>{svg}", encoding="utf-8")
        chromium.go(page.as_uri()).sized(SIDE, SIDE)
        chromium.screenshot(ROOT / ".claude-plugin" / "icon.png", SIDE, SIDE, "png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
