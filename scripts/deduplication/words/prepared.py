"""A text as a row of words, in the one form in which every search compares.

Case is folded, Unicode composed (NFKC); what is neither letter nor digit is a border. A word has a blank before it and one after
it: ``" the tide clock "``. Between words that are no more than neighbours, and inside words, stand signs:

- ``+`` no border: characters that are words by themselves ``" 潮 + 汐 "``, or such a one beside another word
- ``^`` a capital inside a name, which is one word and two: ``" tide ^ clock "`` of TideClock
- ``/`` the end of a full line, which may have cut a word: ``" dedup / lication "``
- ``%`` the same between characters that are words by themselves: no border, or one

Of a word of more than LONGEST characters, or with more than a few seams (a key, an image as text), seams are not kept.
"""

from __future__ import annotations

from typing import Final

from ..start.late_pattern import late_pattern
from .letters import ANY_ALONE, BESIDE, CAPITAL, CUT, LETTERS, composed, folded, is_alone, is_word

AT_CAPITAL: Final = " ^ "
AT_CUT: Final = " / "
AT_CUT_BESIDE: Final = " % "
NO_BORDER: Final = " + "
NARROWEST: Final = 20
"""Characters of a line that a screen may have cut: no screen is narrower."""
LONGEST: Final = 80
"""Characters of a word, seams included, up to which it may have seams."""
_MOST_SEAMS: Final = 7

_OF_ASCII: Final = "".join(
    chr(code).lower() if chr(code).isalnum() or chr(code) in (CUT, CAPITAL) else " " for code in range(128)
)
_OF_BYTES: Final = bytes(ord(BESIDE) if code == ord(BESIDE) else ord(_OF_ASCII[code]) for code in range(128)) + bytes(
    range(128, 256)
)
_STRETCH: Final = late_pattern("[^\x00-\x7f]+")
_NOT_ASCII: Final = late_pattern("[^\x00-\x7f]")
_FEW: Final = 16
_INSIDE: Final = late_pattern("[A-Z](?:(?<=[a-z0-9].)(?=[A-Za-z])|(?<=[A-Z].)(?=[a-z]))")
"""A capital that begins a part of a name: the C of tideClock, the S of HTTPServer."""


def prepared(text: str) -> str:
    """The text's row of words; ``" "`` where it has none."""
    if not text.isascii():
        text = _without_borders(composed(text))
    return _prepared(_with_seams(text))


def prepared_query(text: str) -> str:
    """The row of words that is looked for: names are one word each, and no line was cut."""
    return _prepared(composed(text).replace(CUT, " ").replace(BESIDE, " ").replace(CAPITAL, " "))


def _prepared(text: str) -> str:
    if text.isascii():
        row = _row(text.translate(_OF_ASCII))
    else:
        text = _letters(folded(text))
        row = _row(_with_neighbours(text) if BESIDE in text else text)
    if CUT in row:
        row = row.replace(CUT, AT_CUT)
    return row.replace(CAPITAL, AT_CAPITAL) if CAPITAL in row else row


def _without_borders(text: str) -> str:
    """Stops in place of signs, lines of frames and the like, where they are of few kinds: most texts are ASCII then."""
    borders = [kind for kind in set(_NOT_ASCII.findall(text)) if LETTERS[ord(kind)] == " "]
    for kind in borders if len(borders) <= _FEW else ():
        text = text.replace(kind, ".")
    return text


def _letters(text: str) -> str:
    """The text's letters, what is a word by itself marked, and blanks; by bytes, which is three times as fast as by characters."""
    kinds = [kind for kind in set(_NOT_ASCII.findall(text)) if LETTERS[ord(kind)] != kind]
    if len(kinds) <= _FEW:
        for kind in kinds:
            text = text.replace(kind, LETTERS[ord(kind)] or "")
    else:
        text = _STRETCH.sub(lambda found: found[0].translate(LETTERS), text)
    return text.encode().translate(_OF_BYTES).decode()


def _row(text: str) -> str:
    words = text.split()
    if not words:
        return " "
    seams = text.count(CAPITAL) + text.count(CUT)
    if seams > _MOST_SEAMS or (seams and max(map(len, words)) > LONGEST):
        words = [word if len(word) <= _MOST_SEAMS or _may_have_seams(word) else _without_seams(word) for word in words]
    return f" {' '.join(words)} "


def _may_have_seams(word: str) -> bool:
    return len(word) <= LONGEST and word.count(CAPITAL) + word.count(CUT) <= _MOST_SEAMS


def _without_seams(word: str) -> str:
    return word.replace(CAPITAL, "").replace(CUT, " ")


def _with_neighbours(text: str) -> str:
    """The text with signs in place of what the table put around characters that are words by themselves."""
    text = " ".join(text.split())
    for seam in (f"{BESIDE}{CUT}{BESIDE}", f"{BESIDE}{CUT}", f"{CUT}{BESIDE}"):
        text = text.replace(seam, AT_CUT_BESIDE)
    text = text.replace(BESIDE * 2, BESIDE).replace(f" {BESIDE}", " ").replace(f"{BESIDE} ", " ")
    return text.strip(BESIDE).replace(BESIDE, NO_BORDER)


def _with_seams(text: str) -> str:
    """The text with a sign for each line's end that may have cut a word, and one before each capital inside a name."""
    if CUT in text or BESIDE in text or CAPITAL in text:
        text = text.replace(CUT, " ").replace(BESIDE, " ").replace(CAPITAL, " ")
    if "\n" in text:
        text = _with_cuts(text)
    found = [match.start() for match in _INSIDE.finditer(text)]
    return CAPITAL.join([text[start:end] for start, end in zip([0, *found], [*found, None])]) if found else text


def _with_cuts(text: str) -> str:
    """A sign in place of each line's end, and of the next line's indentation, where it may stand inside a word.

    A word is cut where the screen ends: such a line is no shorter than its neighbours. In scripts without blanks any line may end
    inside a word.
    """
    lines = text.split("\n")
    lengths = list(map(len, lines))
    bounds = zip(lengths, [0, *lengths], lengths[1:])
    full = [n for n, (length, before, after) in enumerate(bounds) if before <= length >= after and length >= NARROWEST]
    if ANY_ALONE.search(text):
        full = sorted({*full, *(n for n in range(len(lines) - 1) if _ends_alone(lines[n], lines[n + 1]))})
    found = False
    for number in full:
        after = lines[number + 1].lstrip(" \t")
        if after and is_word(after[0]) and is_word(lines[number][-1]):
            lines[number + 1] = CUT + after
            found = True
    return "\n".join(lines).replace(f"\n{CUT}", CUT) if found else text


def _ends_alone(line: str, after: str) -> bool:
    return line != "" and (is_alone(line[-1]) or is_alone(after.lstrip(" \t")[:1]))
