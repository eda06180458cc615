"""What the site has besides the files of this folder: pages of the repository's root, the list of schemas, the Python interface.

A hook of MkDocs. Links to code and tests become their path: the site stands by itself, wherever it lies.
"""

from __future__ import annotations

import ast
import json
import re
import textwrap
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
PAGES = {"index.md": "README.md", **{name: name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")}}
"""Pages of the site, and the files of the root that they are."""
_LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
_PICTURE = re.compile(r'(?<=src=")docs/|(?<=srcset=")docs/')
_OUT = ("http://", "https://", "mailto:", "#")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are no files here."""
    for name, path in PAGES.items():
        files.append(File.generated(config, name, content=(ROOT / path).read_text(encoding="utf-8")))
    files.append(File.generated(config, "schemas.md", content=schemas()))
    files.append(File.generated(config, "python-api.md", content=python_api()))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Links as the site has them."""
    root = page.file.src_uri in PAGES
    return _LINK.sub(lambda found: _link(found, root=root), _PICTURE.sub("", markdown) if root else markdown)


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """The one script that the theme has from elsewhere, which searches where the pages lie on a disk, lies here."""
    return _here(output, "../" * page.file.dest_uri.count("/"))


def on_post_template(output_content: str, **_: Any) -> str:
    """The same where there is no such page."""
    return _here(output_content, "")


def _here(html: str, up: str) -> str:
    return html.replace("https://unpkg.com/iframe-worker/shim", f"{up}site/iframe-worker.js")


def _link(found: re.Match[str], *, root: bool) -> str:
    text, target = found[1], found[2]
    if target.startswith(_OUT):
        return found[0]
    path, _, anchor = target.partition("#")
    where = ROOT / path if root else (ROOT / "docs" / path)
    inside = where.resolve().relative_to(ROOT).as_posix()
    anchor = f"#{anchor}" if anchor else ""
    pages = {source: name for name, source in PAGES.items()}
    if inside in pages:
        return f"[{text}]({pages[inside]}{anchor})"
    if inside == "docs/schemas":
        return f"[{text}](schemas.md)"
    if inside.startswith("docs/") and where.is_file():
        return f"[{text}]({inside[len('docs/') :]}{anchor})"
    return text if text.strip("`").endswith(where.name) else f"{text} (`{inside}`)"


def schemas() -> str:
    """The page of the schemas: what each command prints with ``--json``."""
    lines = ["# JSON schemas", "", "What each command prints with `--json`, as JSON Schema 2020-12.", ""]
    lines += ["| schema | of |", "|---|---|"]
    for path in sorted((ROOT / "docs" / "schemas").glob("*.json")):
        title = json.loads(path.read_text(encoding="utf-8")).get("title", "")
        lines.append(f"| [{path.stem.partition('.')[0]}](schemas/{path.name}) | {title} |")
    lines.append("| [session](session.schema.json) | a session's own JSON file |")
    return "\n".join(lines) + "\n"


def python_api() -> str:
    """The page of the Python interface: the public names with their signatures and what their docstrings say."""
    package = ROOT / "scripts" / "deduplication"
    front = ast.parse((package / "__init__.py").read_text(encoding="utf-8"))
    homes = next(
        ast.literal_eval(node.value)
        for node in front.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_HOMES"
    )
    lines = ["# Python", "", "```python", "from deduplication import ClaudeConversationDeduplicator", "```", ""]
    for name, home in sorted(homes.items()):
        found = _class(package, name)
        lines += [f"## {name}", "", f"`deduplication.{home}`", "", *_told(found)]
        for each in found.body:
            if isinstance(each, ast.FunctionDef) and (not each.name.startswith("_") or each.name == "__init__"):
                shown = name if each.name == "__init__" else f"{name}.{each.name}"
                lines += [f"### {shown}({_arguments(each)})", "", *_told(each)]
    return "\n".join(lines) + "\n"


def _class(package: Path, name: str) -> ast.ClassDef:
    """The class of this name, wherever in the package it is written."""
    wanted = re.compile(rf"^class {name}\b", re.MULTILINE)
    for path in sorted(package.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if wanted.search(text):
            return next(node for node in ast.parse(text).body if isinstance(node, ast.ClassDef) and node.name == name)
    raise LookupError(name)


def _told(node: Any) -> list[str]:
    text = ast.get_docstring(node) or ""
    return [re.sub(r"``([^`]+)``|:\w+:`~?([^`]+)`", lambda m: f"`{m[1] or m[2]}`", textwrap.dedent(text)), ""]


def _arguments(function: ast.FunctionDef) -> str:
    return ast.unparse(function.args).removeprefix("self").removeprefix("cls").lstrip(", ").replace("|", "\\|")
