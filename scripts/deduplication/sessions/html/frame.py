"""What is around the conversation on a page: head, policy, the bar with the search. Nothing that was said goes through here.

The page's policy allows exactly one style and one script, by their hashes, and images that are in the page itself.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Final

from ...project.own_output import META
from ...start.late_tuple import NamedTuple
from .script import SCRIPT
from .style import STYLE


class Frame(NamedTuple):
    """Where a page has its style and its script: in itself, as a file has to, or at addresses beside it, for who serves pages.

    ``above`` and ``below`` are elements around the messages, escaped: the way to other pages.
    """

    style: str = ""
    script: str = ""
    above: str = ""
    below: str = ""

    def head(self, title: str) -> str:
        """The beginning of the document; ``title`` is escaped."""
        if self.style:
            return _SERVED.format(title=title, style=self.style)
        return _HEAD.format(meta=META, policy=_policy(), title=title, style=STYLE)

    @property
    def end(self) -> str:
        """The end of the document."""
        script = f'<script src="{self.script}">' if self.script else f"<script>{SCRIPT}"
        return f"{script}</script>\n</body>\n</html>\n"


STANDALONE: Final = Frame()


def bar(title: str) -> str:
    """The beginning of the body; ``title`` is escaped."""
    return _BAR.format(title=title)


def _policy() -> str:
    def hashed(text: str) -> str:
        return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; style-src {hashed(STYLE)}; script-src {hashed(SCRIPT)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


_HEAD: Final = """<!DOCTYPE html>
<html lang=en>
<head>
<meta charset=utf-8>
{meta}
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name=referrer content=no-referrer>
<meta name=viewport content="width=device-width,initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
"""
_SERVED: Final = """<!DOCTYPE html>
<html lang=en>
<head>
<meta charset=utf-8>
<meta name=viewport content="width=device-width,initial-scale=1">
<title>{title}</title>
<link rel=stylesheet href="{style}">
</head>
"""
_BAR: Final = """<body>
<header class=bar id=bar hidden>
<strong>{title}</strong><span class=space></span>
<div class=show>
<label><input type=checkbox id=tools checked>Tools</label>
<label><input type=checkbox id=thinking checked>Thinking</label>
</div>
<button type=button id=fold title="Open or close everything that is folded">Unfold</button>
<div class=find role=search>
<input id=find type=search placeholder="Search (press /)" aria-label="Search" autocomplete=off spellcheck=false>
<output id=count></output>
<button type=button id=previous aria-label="Previous hit">↑</button>
<button type=button id=next aria-label="Next hit">↓</button>
</div>
<button type=button id=theme title="Light or dark" aria-label="Light or dark">◐</button>
<span id=told class=quiet role=status></span>
</header>
"""
