"""The elements of a session's page, and whether there are any but ours."""

from __future__ import annotations

import re
from html.parser import HTMLParser

TAGS = frozenset(
    re.findall(
        r"\w+",
        """html head meta title style body i figure img figcaption header strong span div label input button output nav
        h1 h2 h3 h4 h5 h6 ol ul li a b main p dl dt dd section article time details summary pre code ins del table thead tbody tr
        th td em s blockquote hr br footer script""",
    )
)
VOID = frozenset(("meta", "input", "br", "hr", "img"))


class Seen(HTMLParser):
    """The elements of a page, and the text of each message."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text = set(), [], []
        self.open = []
        self.scripts = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.scripts += tag == "script"
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        if "script" not in self.open and "style" not in self.open:
            self.text.append(data)

    def unknown_decl(self, data):
        raise AssertionError(data)


def is_safe(text):
    """The page has no element, attribute or address that is not ours."""
    seen = Seen(text)
    assert seen.open == []
    assert seen.tags <= TAGS, seen.tags - TAGS
    assert seen.scripts == 1
    for tag, name, value in seen.attributes:
        assert not name.startswith("on"), (tag, name)
        assert name != "style"
        if name == "src":
            assert re.match(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+={0,2}\Z", value), (tag, value)
            assert tag == "img"
        elif name in ("href", "action"):
            assert value.startswith(("#", "https://", "http://", "mailto:")), (tag, name, value)
            assert tag == "a"
    return seen
