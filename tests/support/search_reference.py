"""Search said a second time, slowly and straight from its rules: which texts have the words of a query.

Nothing of the product's rows, patterns and indexes is used, but for its table of what a letter is.
"""

from __future__ import annotations

import re

from deduplication.words.letters import LETTERS, composed, folded, is_alone, is_word

BORDER, BESIDE, CAPITAL, CUT, CUT_BESIDE = " +^/%"
NARROWEST, LONGEST, MOST_SEAMS, SHORTEST_CUT = 20, 80, 7, 4


def _cuts(text):
    """Of each line's end that may have cut a word: where the next line's text begins."""
    found = {}
    lines = text.split("\n")
    at = 0
    for number, line in enumerate(lines[:-1]):
        at += len(line)
        after = lines[number + 1]
        begins = at + 1 + len(after) - len(after.lstrip(" \t"))
        around = [len(lines[n]) for n in (number - 1, number + 1) if n >= 0]
        full = len(line) >= NARROWEST and len(line) >= max(around)
        beside = line[-1:] + after.lstrip(" \t")[:1]
        if len(beside) == 2 and line and all(map(is_word, beside)) and (full or any(map(is_alone, beside))):
            found[at] = begins
        at += 1
    return found


def _is_inner_capital(text, at):
    """Whether a part of a name begins here."""
    before, this, after = text[at - 1 : at], text[at], text[at + 1 : at + 2]
    if not re.fullmatch("[A-Z]", this):
        return False
    if re.fullmatch("[a-z0-9]", before):
        return bool(re.fullmatch("[A-Za-z]", after))
    return bool(re.fullmatch("[A-Z]", before) and re.fullmatch("[a-z]", after))


def words_of(text, *, seams=True):
    """The words of a text, each with what stands before it."""
    text = composed(re.sub("[\x01\x02\x03]", " ", text))
    text = "".join(character for character in text if LETTERS[ord(character)] is not None)
    cuts = _cuts(text) if seams else {}
    words, before, at = [], BORDER, 0
    while at < len(text):
        character = text[at]
        if at in cuts:
            before, at = CUT, cuts[at]
            continue
        at += 1
        if not is_word(character):
            before = BORDER
        elif is_alone(character):
            words.append((before, character))
            before = BESIDE
        elif words and before == "" and not (seams and _is_inner_capital(text, at - 1)):
            words[-1] = (words[-1][0], words[-1][1] + character)
        else:
            words.append((before or CAPITAL, character))
            before = ""
        if before == "" and at < len(text) and is_alone(text[at]):
            before = BESIDE
    for number in range(1, len(words)):
        if words[number][0] == CUT and (is_alone(words[number][1]) or is_alone(words[number - 1][1])):
            words[number] = (CUT_BESIDE, words[number][1])
    return [(before, folded(word)) for before, word in _without_long_ones(words)]


def _without_long_ones(words):
    """Words with their seams, but for those that are no names: keys, images as text."""
    found, number = [], 0
    while number < len(words):
        end = number + 1
        while end < len(words) and words[end][0] in (CAPITAL, CUT):
            end += 1
        name = words[number:end]
        if sum(len(word) + 1 for _, word in name) - 1 > LONGEST or len(name) - 1 > MOST_SEAMS:
            joined = [name[0]]
            for before, word in name[1:]:
                if before == CUT:
                    joined.append((BORDER, word))
                else:
                    joined[-1] = (joined[-1][0], joined[-1][1] + word)
            name = joined
        found += name
        number = end
    return found


def _follows(words, at, sought, whole):
    """Whether the words from ``at`` on are those sought, the first of which begins there."""
    wanted = sought[0][1]
    last = len(sought) == 1
    read = ""
    while at < len(words):
        read += words[at][1]
        at += 1
        ends = read == wanted
        if last and read.startswith(wanted) and (not whole or ends):
            return True
        if not last and ends and at < len(words):
            stands, asked = words[at][0], sought[1][0]
            fits = stands in (BESIDE, CUT_BESIDE) if asked == BESIDE else stands != BESIDE
            if fits and _follows(words, at, sought[1:], whole):
                return True
        passed = (CAPITAL, CUT) if len(wanted) >= SHORTEST_CUT else (CAPITAL,)
        if not wanted.startswith(read) or at == len(words) or words[at][0] not in passed:
            return False
    return False


def parts_of(argument):
    """The words and phrases of one argument of a query: text, and whether the last word must be whole."""
    if '"' not in argument:
        return [(argument, len(argument.split()) > 1 and not argument.rstrip().endswith("*"))]
    found = []
    for number, part in enumerate(argument.split('"')):
        if number % 2:
            found.append([part, not part.endswith("*")])
        else:
            if number and part.startswith("*"):
                found[-1][1], part = False, part[1:]  # noqa: PLW2901
            found += [[word, False] for word in part.split()]
    return [tuple(each) for each in found]


class Reference:
    """Texts to be searched."""

    def __init__(self, texts):
        self._words = {text: words_of(text) for text in texts}
        self._letters = {text: "".join(word for _, word in words) for text, words in self._words.items()}

    def find(self, *arguments):
        """The texts that have every word and phrase."""
        sought = [(words_of(text, seams=False), whole) for argument in arguments for text, whole in parts_of(argument)]
        sought = [(words, whole) for words, whole in sought if words]
        return {text for text in self._words if all(self._has(text, words, whole) for words, whole in sought)}

    def _has(self, text, sought, whole):
        if "".join(word for _, word in sought) not in self._letters[text]:
            return False
        words = self._words[text]
        return any(_follows(words, at, sought, whole) for at in range(len(words)))
