"""What a regular expression can cost at most: steps of a backtracking matcher from one place of a window, whatever the text.

Told from the parsed pattern. ``ways`` counts how many ends a part can have from one beginning, which is how often the matcher may
come back to whatever follows; ``steps`` what it takes to go through all of them. A repeat has one end for each count, unless what
follows it begins with a character that the repeat itself cannot have: then only the longest goes on.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Final

from ..start.late_tuple import NamedTuple
from .character_sets import Characters, disjoint, of_item

if TYPE_CHECKING:
    from collections.abc import Sequence

TOO_MANY: Final = 1 << 40
"""Ways or steps from which on nobody counts further."""
_MOST_FIRST: Final = 30
"""Sets of first characters that are compared: what takes longer to judge counts as slow."""
_REPEATS: Final = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
_LOOKS: Final = ("ASSERT", "ASSERT_NOT")
_REFUSED: Final = ("GROUPREF", "GROUPREF_EXISTS")


class Cost(NamedTuple):
    """At most so many ends from one beginning, and so many steps to find them all."""

    ways: int
    steps: int


class _Reader:
    """Reads one parsed pattern that is applied to windows of so many characters."""

    def __init__(self, parsed: Any, window: int) -> None:
        self._parsed, self.window = parsed, window
        self.any_case = bool(parsed.state.flags & re.IGNORECASE)
        self.scoped = False

    def sequence(self, items: Sequence[Any], after: Sequence[Any], *, last: bool) -> Cost:
        """One part behind the other. ``after`` may follow them; ``last``: behind that is nothing, and the match is found."""
        flat = self._flat(items)
        ways, steps = 1, 0
        for at, item in enumerate(flat):
            following = [*flat[at + 1 :], *after]
            one = self._item(item, following, last=last)
            steps = _capped(steps + ways * one.steps)
            tried = self._ends_once(item, following, last=last) if one.ways > 1 else 0
            if tried:
                steps = _capped(steps + ways * one.ways * tried)
            ways = _capped(ways * (1 if tried else one.ways))
        return Cost(ways, steps)

    def _flat(self, items: Sequence[Any]) -> list[Any]:
        """With the parts of groups in the place of the groups: a bracket changes nothing of the way to match."""
        flat: list[Any] = []
        for item in items:
            name, argument = str(item[0]), item[1]
            if name == "SUBPATTERN":
                if len(argument) > 2 and (argument[1] or argument[2]):
                    self.scoped = self.any_case = True  # flags of its own: the careful reading, from here on
                flat += self._flat(argument[-1])
            else:
                flat.append(item)
        return flat

    def _item(self, item: Any, following: Sequence[Any], *, last: bool) -> Cost:
        name, argument = str(item[0]), item[1]
        if name in _REFUSED:
            return Cost(TOO_MANY, TOO_MANY)
        if name in _REPEATS:
            return self._repeat(name, *argument, following=following, last=last)
        if name == "BRANCH":
            costs = [self.sequence(branch, following, last=last) for branch in argument[1]]
            exclusive = self._exclusive(argument[1])
            ways = max(each.ways for each in costs) if exclusive else sum(each.ways for each in costs)
            return Cost(_capped(ways), _capped(sum(each.steps for each in costs) + len(costs)))
        if name in _LOOKS:
            return Cost(1, self.sequence(argument[1], (), last=True).steps + 1)
        if name == "ATOMIC_GROUP":
            return Cost(1, self.sequence(argument, (), last=True).steps + 1)
        return Cost(1, 1)

    def _repeat(self, name: str, least: Any, most: Any, body: Any, *, following: Sequence[Any], last: bool) -> Cost:
        width = body.getwidth()[0]
        if not width and int(most) > 1:
            return Cost(TOO_MANY, TOO_MANY)  # a repeat of what may be empty
        again = [("MAX_REPEAT", (0, most, body))] if int(most) > 1 else []
        inner = self.sequence(body, [*again, *following], last=last)
        count = min(int(most), self.window // max(width, 1) + 1)
        least = min(int(least), count)
        if inner.ways == 1:
            ways, steps = count - least + 1, count * (inner.steps + 1)
            if count > 1 and self._is_plain(body):
                # Each round takes the characters that it looks at, and all of them together not more than the window has.
                small = _Reader(self._parsed, self.window // count + 1)
                small.any_case, small.scoped = self.any_case, self.scoped
                steps = count * (small.sequence(body, [*again, *following], last=last).steps + 1) + inner.steps
        else:
            ways = steps = 0
            power = 1
            for number in range(count + 1):
                ways += power if number >= least else 0
                steps += power * (inner.steps + 1) if number < count else 0
                power *= inner.ways
                if max(ways, steps) > TOO_MANY:
                    return Cost(TOO_MANY, TOO_MANY)
        return Cost(1 if name == "POSSESSIVE_REPEAT" else _capped(ways), _capped(steps))

    def _is_plain(self, body: Any) -> bool:
        """True for characters, and repeats of single characters, behind each other."""
        return all(
            of_item(each, any_case=self.any_case) is not None
            or (str(each[0]) in _REPEATS and self._is_single(each[1][2]))
            for each in self._flat(body)
        )

    def _is_single(self, body: Any) -> bool:
        flat = self._flat(body)
        return len(flat) == 1 and of_item(flat[0], any_case=self.any_case) is not None

    def _ends_once(self, item: Any, following: Sequence[Any], *, last: bool) -> int:
        """How much is tried behind each end, where only one of the ends of a repeat can go on; 0 where more could.

        Behind single characters that cannot be those that follow only the longest goes on; before the end of the pattern the
        first end that comes is taken.
        """
        if str(item[0]) not in _REPEATS:
            return 0
        if last and all(str(each[0]) in _REPEATS and not each[1][0] for each in following):
            return 1
        body = self._flat(item[1][2])
        characters = of_item(body[0], any_case=self.any_case) if len(body) == 1 else None
        tried = 0
        for each in following if characters is not None else ():
            first, empty = self._first(each)
            if first is None or not all(disjoint(characters, one, mixed=self.scoped) for one in first):  # type: ignore[arg-type]
                return 0
            tried += len(first)
            if tried > _MOST_FIRST:
                return 0
            if not empty:
                return tried
        return 0

    def _first(self, item: Any) -> tuple[list[Characters] | None, bool]:
        """With what an item can begin (None where nobody can tell), and whether it can be empty."""
        name, argument = str(item[0]), item[1]
        single = of_item(item, any_case=self.any_case)
        if single is not None:
            return [single], False
        if name in _REPEATS:
            first, empty = self._first_of(self._flat(argument[2]))
            return first, empty or not argument[0]
        if name == "BRANCH":
            found = [self._first_of(self._flat(branch)) for branch in argument[1]]
            if any(first is None for first, _ in found):
                return None, True
            return [one for first, _ in found for one in first or ()], any(empty for _, empty in found)
        return None, True

    def _first_of(self, items: Sequence[Any]) -> tuple[list[Characters] | None, bool]:
        all_first: list[Characters] = []
        for item in items:
            first, empty = self._first(item)
            if first is None:
                return None, True
            all_first += first
            if not empty:
                return all_first, False
        return all_first, True

    def _exclusive(self, branches: Sequence[Any]) -> bool:
        """True where no text can begin as two of the branches do."""
        firsts = []
        for branch in branches:
            first, empty = self._first_of(self._flat(branch))
            if first is None or empty:
                return False
            firsts.append(first)
        if sum(map(len, firsts)) > _MOST_FIRST:
            return False
        return all(
            disjoint(one, other, mixed=self.scoped)
            for at, first in enumerate(firsts)
            for later in firsts[at + 1 :]
            for one in first
            for other in later
        )


def steps(parsed: Any, window: int) -> int:
    """The most steps that a matcher takes from one place in a window of so many characters; :data:`TOO_MANY` is a great many."""
    reader = _Reader(parsed, window)
    found = reader.sequence(parsed, (), last=True)
    if reader.scoped:  # what stood before those flags was read as if there were none
        found = reader.sequence(parsed, (), last=True)
    return found.steps


def parse(text: str) -> Any:
    """The pattern as Python's own parser sees it. Raises ``re.error``, ``RecursionError``, ``OverflowError``."""
    import importlib

    return importlib.import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse").parse(text)


def _capped(number: int) -> int:
    return min(number, TOO_MANY)
