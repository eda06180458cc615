"""The user's own patterns: what is taken is proven to be fast, the rest is matched by RE2 or refused; time is bounded."""

from __future__ import annotations

import re
import sys
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.errors import PrivacySettingInvalid, RedactionTooSlow
from deduplication.redaction import MOST_PATTERNS, allowance, character_sets, linear_engine, pattern_cost, user_patterns
from deduplication.redaction import redact as privacy
from deduplication.redaction.allowance import Allowance

SLOW = {
    "choices side by side": "(?:a|aa)" * 34 + "!",
    "small counts": "a{0,32}" * 6 + "b",
    "a repeat in a repeat": "(a+)+$",
    "a choice in a repeat": "(?:a|ab|b)*c",
    "overlapping branches": "(?:foo|foobar|fo)+x",
    "three that overlap": ".*foo.*bar.*x",
    "two that overlap": ".*foo.*bar",
    "optional, many times": "(?:a?){30}b",
    "what may be empty": "(a*)*b",
    "a reference": "(a+)b\\1",
    "a condition": "(a)?(?(1)b|c)",
    "in a lookahead": "(?=(?:a|aa){40}!)x",
    "any case": "(?i:a+)A+B+a+!",
    "side by side in a group": "(?:a+a+)a+!",
    "lazy": "a*?a*?a*?!",
    "two digits and words": r"\w*\d*\w*!",
}


@pytest.fixture
def without_re2(monkeypatch):
    """As where ``google-re2`` is not installed."""
    monkeypatch.setattr(linear_engine, "_engine", lambda: None)
    user_patterns._judged.cache_clear()
    yield
    user_patterns._judged.cache_clear()


@pytest.mark.parametrize("text", SLOW.values(), ids=SLOW)
@pytest.mark.parametrize("setting", ["privacy_patterns", "privacy_allow"])
def test_what_could_take_long_is_refused(without_re2, text, setting):
    """With the advice what to do instead."""
    with pytest.raises(PrivacySettingInvalid, match="could take too long") as refused:
        privacy.policy({setting: {"x": text} if setting == "privacy_patterns" else [text]})
    assert "google-re2" in refused.value.hint


MANY = {
    "patterns": {"privacy_patterns": {f"p{n}": "x" for n in range(MOST_PATTERNS + 1)}},
    "100,000 patterns": {"privacy_patterns": {f"p{n}": "x" for n in range(100_000)}},
    "exceptions": {"privacy_allow": ["x"] * (MOST_PATTERNS + 1)},
    "characters": {"privacy_patterns": {"x": "a" * (user_patterns.LONGEST + 1)}},
    "brackets": {"privacy_patterns": {"x": "(" * 400 + "a" + ")" * 400 + "{0,9}b*b*b*b*b*!"}},
    "wide ranges in any case": {"privacy_patterns": {"x": "(?i)" + "[\\0-\\U0010ffff]" * 50}},
}


@pytest.mark.parametrize("settings", MANY.values(), ids=MANY)
def test_there_are_bounds(without_re2, settings):
    """Of patterns, of their length, of what Python goes through when it compiles one."""
    with pytest.raises(PrivacySettingInvalid):
        privacy.policy(settings)


def tree():
    """Regular expressions of every form that is taken apart, over very few characters."""
    atoms = st.sampled_from(["a", "b", "[ab]", "[^a]", ".", r"\w", r"\d", "(?:ab|b)", "(?:a|aa)", r"\b", "(?=a)", "1"])
    repeat = st.sampled_from(["", "", "*", "+", "?", "{2}", "{0,3}", "{1,5}", "*?", "+?"])
    part = st.tuples(atoms, repeat).map(lambda two: two[0] if two[0] in (r"\b", "(?=a)") else "".join(two))
    inner = st.lists(part, min_size=1, max_size=3).map("".join)
    group = st.tuples(inner, repeat).map(lambda two: f"(?:{two[0]}){two[1]}")
    return st.lists(st.one_of(part, group), min_size=1, max_size=4).map("".join)


class Matcher:
    """A backtracking matcher in the plainest form, which counts each item that it tries; it shares nothing with the product."""

    def __init__(self, text: str) -> None:
        self.text, self.steps = text, 0

    def match(self, items, at, then):
        """Whether ``items`` match from ``at`` on, and ``then`` what follows."""
        if not items:
            return then(at)
        (name, argument), rest = (str(items[0][0]), items[0][1]), items[1:]
        self.steps += 1
        if self.steps > 3_000_000:
            raise OverflowError
        if name == "SUBPATTERN":
            return self.match(list(argument[-1]), at, lambda end: self.match(rest, end, then))
        if name == "BRANCH":
            return any(self.match(list(each), at, lambda end: self.match(rest, end, then)) for each in argument[1])
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            least, most, body = argument
            return self.repeat(list(body), int(least), int(most), at, lambda end: self.match(rest, end, then), name)
        if name == "ASSERT":
            return self.match(list(argument[1]), at, lambda _: True) and self.match(rest, at, then)
        if name == "AT":
            return self.edge(at) and self.match(rest, at, then)
        return at < len(self.text) and self.holds(name, argument, self.text[at]) and self.match(rest, at + 1, then)

    def repeat(self, body, least, most, at, then, name, count=0):
        """Greedy or not, one round more or what follows."""

        def more():
            return count < most and self.match(
                body, at, lambda end: end > at and self.repeat(body, least, most, end, then, name, count + 1)
            )

        def enough():
            return count >= least and then(at)

        return (more() or enough()) if name == "MAX_REPEAT" else (enough() or more())

    def edge(self, at):
        """A word begins or ends here."""
        words = [0 <= n < len(self.text) and bool(re.match(r"\w", self.text[n])) for n in (at - 1, at)]
        return words[0] != words[1]

    @staticmethod
    def holds(name, argument, character):
        """Whether a single item takes the character."""
        if name == "ANY":
            return True
        if name in ("LITERAL", "NOT_LITERAL"):
            return (ord(character) == argument) == (name == "LITERAL")
        kinds = {"CATEGORY_WORD": r"\w", "CATEGORY_DIGIT": r"\d"}
        found = False
        for kind, what in argument:
            if str(kind) == "LITERAL":
                found = found or ord(character) == what
            elif str(kind) == "RANGE":
                found = found or what[0] <= ord(character) <= what[1]
            elif str(kind) == "CATEGORY":
                found = found or bool(re.match(kinds[str(what)], character))
        return found != (str(argument[0][0]) == "NEGATE")


@given(tree(), st.text("ab1 ", max_size=24))
def test_no_text_takes_more_steps_than_were_told(pattern, text):
    """For every pattern, also those that are refused: a plain backtracking matcher stays below the bound, from every place."""
    parsed = pattern_cost.parse(pattern)
    bound = pattern_cost.steps(parsed, len(text))
    for at in range(len(text) + 1):
        matcher = Matcher(text)
        matcher.match(list(parsed), at, lambda _: True)
        assert matcher.steps <= 4 * (bound + 1)  # it counts groups and rounds, too


CHARACTERS = st.sampled_from(
    [
        r"\d",
        r"\D",
        r"\w",
        r"\W",
        r"\s",
        r"\S",
        ".",
        "a",
        "K",
        "ſ",
        "[a-f]",
        "[^a]",
        r"[^\s]",
        r"[\w-]",
        r"[^\w.]",
        "[0-9x]",
        "@",
    ]
)
FLAGS = st.sampled_from(["", "(?i)", "(?a)", "(?ai)"])


@given(CHARACTERS, CHARACTERS, FLAGS, st.characters())
def test_what_is_taken_for_disjoint_is(one, other, flags, character):
    """No character is in both, in any case that the flags allow."""
    items = [pattern_cost.parse(flags + each) for each in (one, other)]
    any_case = "i" in flags
    sets = [character_sets.of_item(each[0], any_case=any_case) for each in items]
    if character_sets.disjoint(sets[0], sets[1], mixed=False):
        for each in {character, "a", "A", "k", "K", "\u212a", "s", "ſ", "ü", "5", "٣", "_", "-", " ", "\x1f"}:
            assert not (re.fullmatch(flags + one, each, re.DOTALL) and re.fullmatch(flags + other, each, re.DOTALL))


# --- the deadline -------------------------------------------------------------------------------------------------


def test_patterns_that_take_their_time_end_with_an_error(monkeypatch):
    """Nothing half redacted comes back. The clock is one that goes fast."""
    rules = privacy.policy({"privacy_patterns": {"x": "tide"}})
    clock = iter(range(0, 1_000_000, 10))
    monkeypatch.setattr(allowance.time, "thread_time", lambda: float(next(clock)))
    with pytest.raises(RedactionTooSlow):
        list(user_patterns.find("the tide", rules.patterns, rules.allowance))
    with pytest.raises(RedactionTooSlow):
        privacy.redact("the tide " * 10)
    user_patterns._judged.cache_clear()
    with pytest.raises(RedactionTooSlow):
        privacy.policy({"privacy_patterns": {"x": "tide"}})


def test_the_allowance_grows_with_the_text(monkeypatch):
    """So much for any text, and so much for each character; what was used up is gone."""
    now = [0.0]
    monkeypatch.setattr(allowance.time, "thread_time", lambda: now[0])
    held = Allowance(1.0, 0.1)
    held.begin(10)
    now[0] = 1.9
    held.check()
    now[0] = 2.1
    with pytest.raises(RedactionTooSlow):
        held.check()


def test_a_look_at_the_clock_comes_while_a_long_text_is_matched(monkeypatch):
    """Not only when it is over."""
    looks = []
    monkeypatch.setattr(Allowance, "check", lambda self: looks.append(1))
    patterns = user_patterns.compiled({"x": ".*?secret"})
    assert list(user_patterns.find("a" * 512 * 20, patterns, Allowance())) == []
    assert len(looks) > 5


# --- what is matched ----------------------------------------------------------------------------------------------


def test_each_line_begins_and_ends_for_itself():
    """A pattern is applied line by line, so that both ends of a line can be named."""
    found = user_patterns.compiled({"x": "^tide$"})
    text = "tide\nebb tide\ntide"
    assert [(m.start, m.end) for m in user_patterns.find(text, found, Allowance())] == [(0, 4), (14, 18)]


def test_an_exception_is_not_looked_for_in_a_text_of_any_length():
    """What is too long is none."""
    (pattern,) = user_patterns.allowed(["a+"])[1]
    assert pattern.is_whole("a" * 4096)
    assert not pattern.is_whole("a" * 4097)


WRITTEN = {
    r"\w+x": r"[\p{L}\p{N}_]+x",
    r"[\d-]": r"[\p{Nd}-]",
    r"[]\w[a]": r"[\]\p{L}\p{N}_\[a]",
    r"[^]a]\[": r"[^\]a]\[",
    r"\\w": r"\\w",
    r"\bx": None,
    r"[^\W]": None,
    r"(a)\1": None,
    r"a\Z": None,
}


@pytest.mark.parametrize(("text", "expected"), WRITTEN.items(), ids=WRITTEN)
def test_a_pattern_means_the_same_to_the_other_engine(text, expected):
    """Classes are written out as Python's; what has no counterpart is not taken."""
    assert linear_engine.written_out(text) == expected


def test_the_other_engine_takes_what_is_slow(monkeypatch):
    """Only that: a pattern that is proven stays with Python's own."""
    asked = []

    def compiled(text, _options):
        asked.append(text)
        return re.compile(text.replace(r"\p{L}\p{N}_", r"\w"))

    engine = types.SimpleNamespace(compile=compiled, Options=types.SimpleNamespace, error=re.error)
    monkeypatch.setattr(linear_engine, "_engine", lambda: engine)
    user_patterns._judged.cache_clear()
    rules = privacy.policy({"privacy_patterns": {"slow": r"(?:\w|\wx)+!", "fast": "tide"}})
    assert asked == [r"(?:[\p{L}\p{N}_]|[\p{L}\p{N}_]x)+!"]
    assert privacy.redact("müx! tide", rules)[0] == "[REDACTED:slow] [REDACTED:fast]"
    user_patterns._judged.cache_clear()


def test_the_other_engine_is_asked_for_late(monkeypatch):
    """And one of another make with the same name is none."""
    linear_engine._engine.cache_clear()
    monkeypatch.setitem(sys.modules, "re2", types.ModuleType("re2"))
    assert linear_engine.compiled("a") is None
    linear_engine._engine.cache_clear()
    monkeypatch.setitem(sys.modules, "re2", None)
    assert linear_engine.compiled("a") is None
    linear_engine._engine.cache_clear()


@pytest.mark.skipif(linear_engine._engine() is None, reason="google-re2 is not installed")
def test_re2_matches_what_is_slow():
    """In one go, whatever the text."""
    rules = privacy.policy({"privacy_patterns": {"x": "(?:a|aa)" * 34 + "!"}})
    assert privacy.redact("a" * 70 + " " + "a" * 40 + "!", rules)[0] == "a" * 70 + " [REDACTED:x]"
