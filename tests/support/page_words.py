"""The letters of what was said, and those that a page shows of it."""

from __future__ import annotations

import re

from page_elements import Seen


class Words(Seen):
    """The letters of a page with those that elements stand for: a link's target, the language of code, an item's number."""

    def __init__(self, text):
        self.links, self.due = [], []
        super().__init__(text)

    def handle_starttag(self, tag, attrs):
        super().handle_starttag(tag, attrs)
        given = dict(attrs)
        if tag == "a":
            self.links.append((given["href"], given.get("title", ""), len(self.text)))
        if tag in ("ol", "ul"):
            self.due.append(int(given.get("start", 1)) if tag == "ol" else None)
        if tag == "li" and self.due[-1] is not None:
            self.due[-1] = int(given.get("value", self.due[-1])) + 1
            self.text.append(f"{self.due[-1] - 1}")
        self.text.append(given.get("data-language", ""))

    def handle_endtag(self, tag):
        super().handle_endtag(tag)
        if tag in ("ol", "ul"):
            self.due.pop()
        if tag == "a":
            target, title, at = self.links.pop()
            if "".join(self.text[at:]) not in (target, target[len("mailto:") :]):
                self.text += [target, title]


def letters(text):
    """What is left without signs and blanks."""
    return "".join(each for each in text if each.isalnum())


def shown(done):
    """The letters of what was rendered."""
    return letters("".join(Words(done).text))


def without_zeros(text):
    """``text`` without the zeros before a number that may be that of an item: a list does not show them."""
    return re.sub(r"(?<!\d)0+(?=\d+[.)])", "", text)
