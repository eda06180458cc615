"""How two renderings of one message relate: the same and longer, only a part, the same call seen from elsewhere.

The client cuts long results to three lines, shows paths relative to the directory of the moment, and writes an
answer that is still growing. These rules may only be asked about messages whose neighbours are known to agree.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ..model import BOOKKEEPING, EXACT, PROMPT, TEXT, THINKING, TOOL_CALL, UNKNOWN
from ..start.late_pattern import late_pattern
from .fingerprint import GROWING_KINDS, REDRAWN_KINDS, plain_text

if TYPE_CHECKING:
    from ..model import Content

GROWN: Final = "grown"
"""The stored body is the beginning of the shown one."""
PART: Final = "part"
"""The shown body is the beginning of the stored one."""
REDRAWN: Final = "redrawn"
"""The same message, printed differently."""
MOVED: Final = "moved"
"""The same call: only the directory differs from which its paths are shown, or where its arguments were cut."""
DIFFERENT: Final = "different"

_CUT: Final = late_pattern(r"…\+[\d,.]+(?:lines?|moretooluses?|tooluses?)\(?[^)]{0,60}\)?\Z")
_CALL_NAME: Final = late_pattern(r"[^(\n]{1,80}(?=\()")
_MARK: Final = late_pattern(
    r"(?:(?:…|\.\.\.)\s*\+\d[\d,.]*\s*(?:more\s+)?(?:lines?|tool\s+uses?)(?:\s*\([^()]{0,60}\))?"
    r"|\+\d[\d,.]*\s+more\s+tool\s+uses?(?:\s*\([^()]{0,60}\))?)\s*\Z"
)
"""What the client writes below a result that it cut, before its white space is taken out."""
_MARK_LENGTH: Final = 200
_LINES_LEFT_OUT: Final = late_pattern(r"\D*?\+(\d[\d,.]{0,12})\s*(?:more\s+)?lines?\b")
"""What such a mark says of lines, and not of uses of tools."""
_CUT_ARGUMENTS: Final = 20
"""Characters of a call's arguments that must be left for a cut to be recognised."""
_TRANSIENT: Final = late_pattern(r"(?:Running|Waiting|Initializing|Retrying)(?:…|\.\.\.)")
_OF_THE_CLIENT: Final = frozenset({BOOKKEEPING, UNKNOWN})
_UPWARDS: Final = late_pattern(r"(?:\.{1,2}/)*")
_LINK: Final = late_pattern(r"\[([^\[\]\n]*)\]\([^()\s]*\)")
_TABLE_ROW: Final = late_pattern(r"^[ \t]*\|.*", re.MULTILINE)
_TABLE_RULE: Final = late_pattern(r"[|:\s-]+")
_MARKUP: Final = late_pattern(
    r"[*`#~_▎│┌┐└┘├┤┬┴┼─]+|^[ \t]*>+|\(?https?://\S+\)?|(?:^|(?<=\s))link(?=\s)|\s+", re.MULTILINE
)
"""What one version of the client draws of Markdown and another leaves out."""


def relation(kind: str, stored: Content, shown: Content) -> str:
    """What ``shown`` is to ``stored``, both of the same ``kind``, from one kind of source and in the same place.

    Prompts and texts must agree in letters and digits, and in punctuation and symbols as well: ``a+b`` is not ``a-b``.
    Where one was laid out and the other written exactly, see ``across``.
    """
    if kind == TOOL_CALL:
        return _calls(plain_text(stored), plain_text(shown))
    before, after = _squeezed(stored), _squeezed(shown)
    if (kind in GROWING_KINDS or kind in _OF_THE_CLIENT) and before and after:
        if len(after) > len(before) and after.startswith(before):
            return REDRAWN if is_cut(stored) else GROWN
        if before.startswith(after):
            return REDRAWN if is_cut(shown) else PART
    if kind in REDRAWN_KINDS:
        return REDRAWN
    if kind in _OF_THE_CLIENT:
        return MOVED if _seen_from_elsewhere(plain_text(stored), plain_text(shown)) else DIFFERENT
    if kind in (PROMPT, TEXT, THINKING):
        bones = _bare(plain_text(stored)), _bare(plain_text(shown))
        # Of "👍" or "***" nothing is left to compare: such a message is only itself.
        if before == after or (bones[0] and bones[0] == bones[1]):
            return REDRAWN
    return DIFFERENT


def wins(stored: Content, stored_fidelity: str, shown: Content, shown_fidelity: str) -> bool:
    """Does ``shown`` take the place of ``stored``, another drawing of the same message?

    A total order, so that of two drawings the same one is read whichever came first: what was written before what
    a screen drew, what is finished before what was still running, more before less, whole before cut.
    """
    return _rank(shown, shown_fidelity) > _rank(stored, stored_fidelity)


def _rank(content: Content, fidelity: str) -> tuple[bool, bool, int, bool, str]:
    whole = "".join(plain_text(content).split())
    kept = _CUT.sub("", whole)
    return fidelity == EXACT, _TRANSIENT.match(whole) is None, len(kept), kept == whole, whole


def is_cut(content: Content) -> bool:
    """True where the client says itself that it left out the end: ``… +57 lines (ctrl+o to expand)``."""
    return _CUT.search("".join(plain_text(content).split())) is not None


def _seen_from_elsewhere(one: str, other: str) -> bool:
    """Do two lines of the client differ in nothing but the folder from which their paths are shown?"""
    words, others = one.split(), other.split()
    return len(words) == len(others) > 1 and all(
        ours == theirs or _same_path(ours, theirs) for ours, theirs in zip(words, others)
    )


def _same_path(one: str, other: str) -> bool:
    shorter, longer = sorted((_UPWARDS.sub("", one, count=1), _UPWARDS.sub("", other, count=1)), key=len)
    return bool(shorter) and (shorter == longer or longer.endswith(f"/{shorter}"))


def _bare(text: str) -> str:
    """Without Markdown; ``a > b``, ``a | b`` and ``a[0]`` keep their symbols: only at a line's beginning are they marks."""
    text = _TABLE_ROW.sub(lambda row: "" if _TABLE_RULE.fullmatch(row[0]) else row[0].replace("|", ""), text)
    return _MARKUP.sub("", _LINK.sub(r"\1", text))


def call_name(text: str) -> str:
    """The name of the tool that a call names before its arguments; empty where it names none."""
    found = _CALL_NAME.match(text)
    return found.group() if found else ""


def without_mark(text: str) -> tuple[str, bool]:
    """A result as it is shown without the mark by which the client says that it was cut, and whether there is one."""
    found = _MARK.search(text, max(0, len(text) - _MARK_LENGTH))
    return (text[: found.start()], True) if found else (text, False)


def hidden_lines(text: str) -> int:
    """How many lines the client says that it left out below this result; 0 where it left out none, or other things than lines."""
    mark = _MARK.search(text, max(0, len(text) - _MARK_LENGTH))
    found = _LINES_LEFT_OUT.match(mark.group()) if mark else None
    return int("".join(filter(str.isdigit, found.group(1)))) if found else 0


def _squeezed(content: Content) -> str:
    return _CUT.sub("", "".join(plain_text(content).split()))


def _calls(stored: str, shown: str) -> str:
    names = _CALL_NAME.match(stored), _CALL_NAME.match(shown)
    if not (names[0] and names[1] and names[0].group() == names[1].group()):
        return DIFFERENT
    one, other = (_squeezed(text)[len("".join(names[0].group().split())) + 1 :].rstrip(")") for text in (stored, shown))
    shorter, longer = sorted((one, other), key=len)
    seen_from_elsewhere = longer.endswith((f"/{shorter}", f"({shorter}", f":{shorter}")) if shorter else False
    cut = shorter.endswith("…") and len(shorter) > _CUT_ARGUMENTS and longer.startswith(shorter[:-1])
    return MOVED if one == other or seen_from_elsewhere or cut else REDRAWN
