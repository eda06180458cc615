"""What the site has besides the files of docs/: the README as its first page, anchors as GitHub spells them, no link into the code."""

from __future__ import annotations

import json
import os
import posixpath
import re
from pathlib import Path
from typing import Any, Final

from mkdocs.structure.files import File

ROOT: Final = Path(__file__).resolve().parents[1]
PAGES: Final = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
"""Pages made of files beside docs/."""
_LINK: Final = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
_FENCE: Final = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_HTML: Final = re.compile(r'((?:src|srcset|href)=")docs/')
"""Of what lies beside docs/: a path in a tag."""
_WORDS: Final = re.compile(r"[^\w\- ]")


def on_config(config: Any) -> Any:
    """Anchors as the links of the documents have them."""
    config.mdx_configs.setdefault("toc", {})["slugify"] = lambda text, _: _WORDS.sub("", text.lower()).replace(" ", "-")
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that lie elsewhere, and the list of the schemas."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    files.append(File.generated(config, "json-schemas.md", content=schemas()))
    return files


def schemas() -> str:
    """A page with a link to each schema, and what it says of itself."""
    rows = ["# JSON schemas", "", "What each `--json` prints.", "", "| schema | is |", "|---|---|"]
    for path in sorted((ROOT / "docs" / "schemas").glob("*.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        about = " ".join(str(told.get("description") or told.get("title") or "").split()).replace("|", "\\|")
        rows.append(f"| [{path.name}](schemas/{path.name}) | {about} |")
    return "\n".join(rows) + "\n"


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links that lead out of docs/ go to the page made of that file, or are words where there is none."""
    inverse = {made: source for source, made in PAGES.items()}
    name = page.file.src_uri
    if name == "json-schemas.md":
        return markdown
    base = "" if name in inverse else "docs"

    def link(found: re.Match[str]) -> str:
        mark, text, target = found.groups()
        place, _, anchor = target.partition("#")
        if "://" in target or not place:
            return found[0]
        path = posixpath.normpath(posixpath.join(base, place))
        if path in PAGES:
            path = f"docs/{PAGES[path]}"
        elif path == "docs/schemas":
            path = "docs/json-schemas.md"
        elif not path.startswith("docs/") or path.endswith(".py") or not os.path.isfile(ROOT / path):
            return text
        there = path[len("docs/") :]
        return f"{mark}[{text}]({there}{'#' + anchor if anchor else ''})"

    if not base:
        markdown = _HTML.sub(r"\1", markdown)
    parts = _FENCE.split(markdown)
    return "".join(part if part.startswith("```") else _LINK.sub(link, part) for part in parts)
