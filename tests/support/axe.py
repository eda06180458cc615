"""The rules of axe-core on a page: what somebody who sees, hears or moves otherwise would run into."""

from __future__ import annotations

import os
from pathlib import Path

RULES = (
    "axe.run(document, {resultTypes: ['violations']}).then(done => done.violations.map("
    "each => `${each.impact}: ${each.id}: ${each.nodes.map(node => node.html.slice(0, 120)).slice(0, 3).join(' | ')}`))"
)


def script():
    """The file ``axe.min.js`` of the npm package ``axe-core``; None where there is none."""
    named = os.environ.get("EXPORT_DEDUP_AXE")
    beside = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
    return Path(named) if named else beside if beside.is_file() else None


def faults(page):
    """What axe finds on the page that is open, each as ``impact: rule: elements``."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(f"{script().read_text(encoding='utf-8')};0")
    return page.evaluate(RULES)


def everywhere(page):
    """What it finds in light and dark, on a wide screen and a phone's, folded and open, as a set."""
    found = set()
    for dark in (False, True):
        page.dark(dark=dark)
        for width in (1280, 390):
            page.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
            for opened in ("false", "true"):
                page.evaluate(f"document.querySelectorAll('details').forEach(each => {{ each.open = {opened}; }})")
                page.settled()
                found |= set(faults(page))
    page.send("Emulation.clearDeviceMetricsOverride")
    return found
