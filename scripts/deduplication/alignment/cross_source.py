"""Is a message laid out for a screen the same as one that a structured source wrote down exactly?

A text export shows Markdown as it looks, not as it was written: marks are gone, tables are boxes, and of a link one version
shows label and target, another only one of the two, cut wherever the line ended. What stays are the words in their order.
These rules may only be asked about messages whose neighbours are known to agree.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from ..model import BOOKKEEPING, LOCAL_COMMAND, PROMPT, TEXT, THINKING
from ..start.late_pattern import late_pattern
from .fingerprint import A_FEW_WORDS, encoded, plain_text, skeleton
from .same_source import DIFFERENT, PART, REDRAWN

if TYPE_CHECKING:
    from ..model import Content

_SHORT: Final = 40
"""Letters and digits up to which every one of them must be found."""
_FOUND: Final = 0.9
"""The share of a longer exact message, without its tables and links, that must be found in the laid-out one, in order."""
_IN_TABLES: Final = 0.7
"""The share of the words in its tables that must be found: cells are cut wherever a column ended."""
_REACH: Final = 600
"""Letters that may lie before a short piece: what only the laid-out message shows, such as a link's target."""
_LETTERS: Final = late_pattern(r"[^\W_]+")
_WORD: Final = 4
_PASTED: Final = late_pattern(r"</?pasted_content\b[^<>\n]{0,100}>")
"""What versions from 2.1.330 on put around what was pasted into a prompt; the screen does not show it."""
_TABLE: Final = late_pattern(r"[ \t]*[|│┌├└]")
_LINK: Final = late_pattern(r"\[([^\[\]\n]*)\]\([^()\s]*\)|https?://\S+")


def relation_across(kind: str, exact: Content, laid_out: Content) -> str:
    """REDRAWN for the same message, PART where ``laid_out`` is only its beginning, else DIFFERENT; both of one ``kind``.

    Tool calls, their results, outputs and notices are redrawn beyond recognition: in the same place they are the same.
    """
    if kind not in (PROMPT, TEXT, THINKING, LOCAL_COMMAND, BOOKKEEPING):
        return REDRAWN
    text = _PASTED.sub("", exact) if kind == PROMPT and isinstance(exact, str) else exact
    if _squeezed(text) == _squeezed(laid_out):
        return REDRAWN
    written, shown = skeleton(text), skeleton(laid_out)
    # Without its tables a text has not been compared yet.
    if written and written == shown and (kind != TEXT or "|" not in plain_text(text)):
        return REDRAWN
    if kind in (LOCAL_COMMAND, BOOKKEEPING):
        return DIFFERENT
    if A_FEW_WORDS <= len(shown) < len(written) and written.startswith(shown):
        return PART
    return REDRAWN if _same_words(plain_text(text), plain_text(laid_out)) else DIFFERENT


def _same_words(exact: str, laid_out: str) -> bool:
    """True where all that was written is shown, in order, and nothing else but tables, which are drawn anew, and links."""
    shown = _letters(laid_out)
    pieces, rows, targets = _parts(exact)
    cells = len(_letters("".join(rows)))
    total = found = at = 0
    for piece in pieces:
        total += len(piece)
        end = len(shown) if len(piece) >= _SHORT else at + len(piece) + _REACH + cells
        place = shown.find(piece, at, end)
        if place >= 0:
            found += len(piece)
            at = place + len(piece)
    words = [word for word in _LETTERS.findall("\n".join(rows)) if len(word) >= _WORD]
    if sum(_letters(word) in shown for word in words) < _IN_TABLES * len(words):
        return False
    # A narrow table is shown as a list, with the heads of its columns before each cell.
    heads = len(_letters(rows[0])) * len(rows) if rows else 0
    explained = found + cells + heads + targets
    if total < _SHORT:
        return found == total and total + len(words) > 0 and _FOUND * len(shown) <= explained
    return found >= _FOUND * total and _FOUND * len(shown) <= explained


def _parts(exact: str) -> tuple[list[bytes], list[str], int]:
    """What stays together in every rendering, the rows of its tables, and how many letters its links may add.

    The pieces are the letters of each line, cut at links and at what stands in their brackets.
    """
    pieces: list[str] = []
    rows: list[str] = []
    targets = 0
    for line in exact.split("\n"):
        if _TABLE.match(line):
            rows.append(line)
            continue
        done = 0
        for match in _LINK.finditer(line):
            pieces += (line[done : match.start()], match.group(1) or "")
            targets += match.end() - match.start()
            done = match.end()
        pieces.append(line[done:])
    return [bones for bones in map(skeleton, pieces) if bones], rows, targets


def _letters(text: str) -> bytes:
    return encoded("".join(_LETTERS.findall(unicodedata.normalize("NFC", text))).casefold())


def _squeezed(content: Content) -> str:
    return "".join(plain_text(content).split())
