"""The parts that messages on a page are put together from: who spoke, a box, a folded part, a row, an image."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from ..content import CODE, LAID_OUT, MARKDOWN
from ..fences import shortened
from ..layout import layout_markdown
from ..moments import hour, moment
from .blocks import render
from .text import code

if TYPE_CHECKING:
    from ..content import Block, MessageBlocks

_LINES: Final = 400
_CHARACTERS: Final = 20_000
ROW: Final = 100
"""Characters of a result that is one line and needs no folding."""
_LARGEST: Final = 6_000_000
_ROOM: Final = 24_000_000
"""Characters of one image, and of all images of a page, which is to open at once."""


def who(said_by: str, stamp: str) -> str:
    """The line above what somebody said."""
    when = (
        f'<time datetime="{escape(stamp)}" title="{escape(moment(stamp))} UTC">{hour(stamp)}</time>'
        if hour(stamp)
        else ""
    )
    return f"<div class=who>{said_by}{when}</div>"


def is_row(said: MessageBlocks) -> bool:
    """Whether all of it fits into one line."""
    if len(said.blocks) != 1 or said.blocks[0].picture:
        return False
    text = said.blocks[0].text
    return "\n" not in text.strip("\n") and len(text) <= ROW


def handles(number: int) -> str:
    """The link of a message, and the button that copies it."""
    return (
        f'<a class=no href="#m{number}" aria-label="Link to message {number}">#{number}</a>'
        f'<button class="copy i" aria-label="Copy message {number}"></button>'
    )


class Parts:
    """What blocks of messages are as HTML. ``pictures``: images are shown, as long as the page has room for them."""

    def __init__(self, *, pictures: bool) -> None:
        self._pictures, self._room = pictures, _ROOM

    def text(self, said: MessageBlocks) -> str:
        """All blocks, below one another."""
        return f'<div class="text" dir=auto>{"".join(map(self._block, said.blocks))}</div>'

    def folded(self, title: str, said: MessageBlocks) -> str:
        """A line that opens; open from the beginning where it has an image."""
        inside = "".join(self._block(block) for block in said.blocks if block.text.strip())
        if not inside:
            return f"<div class=row>{title}</div>"
        is_open = " open" if "<figure>" in inside else ""
        return f'<details{is_open}><summary>{title}</summary><div class="in text" dir=auto>{inside}</div></details>'

    def _block(self, block: Block) -> str:
        if block.form == MARKDOWN:
            return render(block.text)
        if block.form == LAID_OUT:
            return render(layout_markdown(block.text.expandtabs(4)), drawn=True)
        if block.form == CODE:
            return _cut(block)
        note = f"<p class=notice>{escape(block.text)}</p>"
        if not block.picture or not self._pictures:
            return note
        if len(block.picture) > min(_LARGEST, self._room):
            return note.replace("</p>", ", too large for this page</p>")
        self._room -= len(block.picture)
        told = escape(block.text.partition(" ")[2])
        image = f'<img src="{block.picture}" alt="{told}" loading=lazy decoding=async>'
        return f"<figure>{image}<figcaption>{told}</figcaption></figure>\n"


def _cut(block: Block) -> str:
    short = shortened(block.text.strip("\n"), _LINES, _CHARACTERS)
    if not short.left_out:
        return code(short.head, block.language)
    tail = code(short.tail, block.language) if short.tail.strip() else ""
    return f"{code(short.head, block.language)}<p class=more>{short.left_out}</p>{tail}"
