"""The index as Markdown, as a page that asks no network and runs no script, and the README beside them. Pure."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from ...project.own_output import COMMENT, META
from ..layout import escaped_inline
from ..redaction import printable_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .rows import Row

README: Final = f"""\
# MEMORY-CONTEXT

{COMMENT}

What export-dedup keeps of the conversations in this project.

| | |
|:--|:--|
| `index.md`, `index.html` | all sessions, with links to their files |
| `sessions/` | sessions as files that people read; committed; they can be made again |
| `checkpoints/` | a document for each checkpoint; committed |
| `exports/` | where exports wait to be processed; private |
| `exports-archive/` | exports as they were written, compressed; private |
| `dedup_state/` | the store: every message once; private; the truth of all of this |
| `export-dedup-status.txt` | what runs said |

`export-dedup search WORD` finds messages, `export-dedup show` reads them, `export-dedup doctor` says whether all is in order.
"""
_STYLE: Final = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{max-width:70rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.5rem .6rem;
border-bottom:1px solid color-mix(in srgb,currentColor 20%,transparent);overflow-wrap:anywhere}
a{color:inherit;text-underline-offset:.18em}
td:nth-child(1){white-space:nowrap}td:nth-child(3),th:nth-child(3){text-align:right}small{opacity:.75}
@media (max-width:40rem){tr{display:block;padding:.5rem 0}th{display:none}td{display:inline-block;border:0;
padding:.1rem .5rem .1rem 0}}
"""


def markdown(rows: Sequence[Row], files: Mapping[str, str]) -> str:
    """The index; ``files`` are those in ``sessions/``, by session."""
    lines = ["# Sessions", "", COMMENT, "", f"{_counted(rows)}, the newest first.", ""]
    lines += ["| began | session | messages | first prompt |", "|:--|:--|--:|:--|"]
    for row in rows:
        title = _cell(row.shown)
        named = f"[{title}](sessions/{quote(files[row.session])})" if row.session in files else title
        tags = "".join(f" `#{tag}`" for tag in row.tags)
        prompt = _cell(row.prompt) if row.prompt != row.title else ""
        lines.append(f"| {row.day or '—'} | {named}{tags} | {row.messages:,} | {prompt} |")
    return "\n".join(lines) + "\n"


def page(rows: Sequence[Row], files: Mapping[str, str]) -> str:
    """The same as a page."""
    policy = b64encode(sha256(_STYLE.encode()).digest()).decode()
    heads = "".join(f"<th scope=col>{name}</th>" for name in ("began", "session", "messages", "first prompt"))
    head = (
        f"<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n{META}\n"
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{policy}'; "
        "base-uri 'none'; form-action 'none'\">\n<meta name=referrer content=no-referrer>\n"
        '<meta name=viewport content="width=device-width,initial-scale=1">\n<title>Sessions</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>Sessions</h1>\n<p>{_counted(rows)}, the newest first.</p>\n"
        f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n"
    )
    lines = []
    for row in rows:
        title = escape(printable_text(row.shown))
        if row.session in files:
            title = f'<a href="sessions/{quote(files[row.session])}">{title}</a>'
        tags = "".join(f" <small>#{escape(tag)}</small>" for tag in row.tags)
        prompt = escape(printable_text(row.prompt)) if row.prompt != row.title else ""
        cells = "".join(
            f"<td>{cell}</td>" for cell in (escape(row.day) or "—", title + tags, f"{row.messages:,}", prompt)
        )
        lines.append(f"<tr>{cells}</tr>\n")
    return f"{head}{''.join(lines)}</tbody>\n</table>\n</main>\n</body>\n</html>\n"


def _counted(rows: Sequence[Row]) -> str:
    return f"{len(rows):,} {'session' if len(rows) == 1 else 'sessions'}"


def _cell(text: str) -> str:
    return escaped_inline(printable_text(text)).replace("|", "\\|").replace("\n", " ")
