"""A message's Markdown as HTML that can do nothing: no HTML of the author's, no images, links into the web only.

``markdown-it-py`` does the work where it is installed (``rich`` brings it along). Without it, text is shown as it was written and
only fenced code is set apart: everything is there, it is just less pretty.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any, Final

from ...start.late_pattern import late_pattern
from ..fences import LANGUAGE
from ..prose import is_harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_FENCE: Final = late_pattern(
    r"^ {0,20}(`{3,}|~{3,})([^`\n]*)\n(.*?)(?:^ {0,20}\1[`~]*[ \t]*$\n?|\Z)", re.MULTILINE | re.DOTALL
)
_DEEPEST: Final = 20
"""Levels of nesting that Markdown is looked into; what lies deeper is text."""

Render = "Callable[[str], str]"


def renderer() -> Callable[[str], str]:
    """A function from Markdown to HTML."""
    try:
        from markdown_it import MarkdownIt
    except ImportError:
        return plain
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": _DEEPEST}).enable(["table", "strikethrough"])
    parser.validateLink = _may_lead  # type: ignore[method-assign]
    for name, rule in (
        ("image", _image),
        ("link_open", _link),
        ("link_close", _link_end),
        ("fence", _fence),
        ("heading_open", _heading),
        ("heading_close", _heading),
        ("table_open", _table),
        ("table_close", _table_end),
        ("th_open", _cell),
        ("td_open", _cell),
    ):
        parser.add_render_rule(name, rule)
    return lambda text: str(parser.render(text))


def plain(text: str) -> str:
    """The same without a library: fences as code, the rest with its own lines."""
    out: list[str] = []
    done = 0
    for match in _FENCE.finditer(text):
        out.append(_lines(text[done : match.start()]))
        out.append(code(match[3].rstrip("\n"), match[2].strip().split(" ")[0]))
        done = match.end()
    return "".join([*out, _lines(text[done:])])


def code(text: str, language: str = "") -> str:
    """Text as it is, in a box; of a difference, the lines that came and went are told apart."""
    name = language if LANGUAGE.match(language) else ""
    inside = _difference(text) if name == "diff" else escape(text)
    box = f"<pre><code>{inside}</code></pre>"
    return f'<div class=code data-language="{escape(name)}">{box}</div>\n' if name else f"{box}\n"


def _difference(text: str) -> str:
    tags = {"+": "ins", "-": "del"}
    lines = []
    for line in text.split("\n"):
        tag = tags.get(line[:1])
        lines.append(f"<{tag}>{escape(line)}</{tag}>" if tag else escape(line))
    return "\n".join(lines)


def _lines(text: str) -> str:
    return f'<p class="lines">{escape(text.strip())}</p>\n' if text.strip() else ""


def _may_lead(url: str) -> bool:
    """Only into the web or to a mailbox: a link without scheme would lead to a file beside the page."""
    return is_harmless(url) and url.lower().startswith(("http://", "https://", "mailto:"))


# The signature of markdown-it's rules: tokens, position, options, environment; those bound to a renderer get it first.


def _link(_: Any, tokens: Sequence[Any], position: int, *__: Any) -> str:
    target = str(tokens[position].attrGet("href") or "")
    return f'<a href="{escape(target)}" rel="noreferrer noopener nofollow" target="_blank">'


def _link_end(*_: Any) -> str:
    return "</a>"


def _image(_: Any, tokens: Sequence[Any], position: int, *__: Any) -> str:
    """An image would be fetched from somewhere: the page names it instead."""
    token = tokens[position]
    target, words = str(token.attrGet("src") or ""), escape(token.content or "image")
    return f'🖼 <a href="{escape(target)}" rel="noreferrer noopener nofollow" target="_blank">{words}</a>'


def _fence(_: Any, tokens: Sequence[Any], position: int, *__: Any) -> str:
    token = tokens[position]
    return code(token.content.rstrip("\n"), (token.info.strip().split(" ") or [""])[0])


def _heading(_: Any, tokens: Sequence[Any], position: int, *__: Any) -> str:
    """The page's own headings stand above those of a message."""
    token = tokens[position]
    slash = "/" if token.nesting < 0 else ""
    return f"<{slash}h{min(6, int(token.tag[1]) + 2)}>" + ("\n" if slash else "")


def _table(*_: Any) -> str:
    return '<div class="table"><table>\n'


def _table_end(*_: Any) -> str:
    return "</table></div>\n"


def _cell(_: Any, tokens: Sequence[Any], position: int, *__: Any) -> str:
    """Alignment comes as a style attribute, which the page's policy forbids."""
    style = str(tokens[position].attrGet("style") or "")
    side = style.rpartition(":")[2]
    return f'<{tokens[position].tag} class="{side}">' if side in ("right", "center") else f"<{tokens[position].tag}>"
