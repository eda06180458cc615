#!/usr/bin/env python3
"""Draw the pictures of the documentation from real runs: ``docs/make_pictures.py``. Needs rich, asks no network.

The conversation is the demonstration's: two of its exports are processed first, the picture shows the third. Fonts
are the viewer's own, so that a picture loads nothing from anywhere.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from html import unescape
from pathlib import Path
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

DOCS: Final = Path(__file__).resolve().parent
REPOSITORY: Final = DOCS.parent
SAMPLES: Final = sorted((REPOSITORY / ".coditect" / "demo").glob("*.txt"))
WIDTH: Final = 82

FRAME: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" class="rich-terminal" viewBox="0 0 {width} {height}">
<title>The banner of export-dedup after a run</title>
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
 font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g></g>
</svg>
"""
"""rich's own frame without its title and without the fonts that it would load from a server."""

_CELL: Final = 12.2
"""Width of a cell in rich's pictures."""
_TEXT: Final = re.compile(r'(<text [^>]*)textLength="[^"]*"([^>]*>)([^<]*)</text>')
_LINE_BREAK: Final = re.compile(r"<text [^>]*>\n</text>")


def report(folder: Path) -> str:
    """What the last of the sample exports makes the command print, in a scratch project below ``folder``."""
    project = folder / "tides"
    project.mkdir()
    command = [sys.executable, str(REPOSITORY / "scripts" / "export-dedup-with-status.py"), "--yes", "--no-checkpoint"]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    shown = ""
    for sample in SAMPLES:
        shutil.copyfile(sample, project / sample.name)
        done = subprocess.run(
            [*command, "--project", str(project)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment,
            check=True,
            encoding="utf-8",
        )
        shown = done.stdout
    return shown


def banner(shown: str) -> list[str]:
    """The lines of the banner in a report, from rule to rule."""
    lines = shown.splitlines()
    rules = [number for number, line in enumerate(lines) if line.startswith("🔐")]
    return lines[rules[0] : rules[-1] + 1]


def draw(lines: list[str]) -> str:
    """``lines`` as a terminal shows them, as SVG."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True, color_system="truecolor")
        for line in lines:
            console.print(Text(line, style="bold" if line.startswith(("🆕", "📊")) else ""), soft_wrap=True)
    picture = console.export_svg(title="", theme=MONOKAI, code_format=FRAME, unique_id="banner")
    return _LINE_BREAK.sub("", _TEXT.sub(_stretched, picture))


def _stretched(match: re.Match[str]) -> str:
    """A text element as long as its cells: rich counts characters, and an emoji takes two cells."""
    before, after, content = match.groups()
    return f'{before}textLength="{_CELL * cell_len(unescape(content)):.1f}"{after}{content}</text>'


def main() -> int:
    """Write ``docs/banner.svg``."""
    with tempfile.TemporaryDirectory(prefix="export-dedup-picture-") as folder:
        picture = draw(banner(report(Path(folder))))
    (DOCS / "banner.svg").write_text(picture, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
