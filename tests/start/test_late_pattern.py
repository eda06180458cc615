"""A pattern of a module is compiled when it is first used, and then is what ``re.compile`` gives."""

from __future__ import annotations

import ast
import copy
import importlib
import pkgutil
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import deduplication
from conftest import REPOSITORY
from deduplication.start.late_pattern import late_pattern

PACKAGE = REPOSITORY / "scripts" / "deduplication"


def compiled_at_import(path):
    """The lines of a module on which ``re.compile`` is called when it is imported: outside all functions."""
    found = []
    waiting = [*ast.parse(path.read_text("utf-8")).body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "re.compile":
            found.append(node.lineno)
        if not isinstance(node, (ast.FunctionDef, ast.Lambda)):
            waiting += ast.iter_child_nodes(node)
    return found


def test_no_module_compiles_a_pattern_when_it_is_imported():
    """Every start would pay for it, whatever it uses."""
    assert {path.name: lines for path in PACKAGE.rglob("*.py") if (lines := compiled_at_import(path))} == {}


def test_every_pattern_of_the_package_can_be_compiled():
    """One that cannot would be found by the first who uses it."""
    seen = 0
    for each in pkgutil.walk_packages(deduplication.__path__, "deduplication."):
        module = importlib.import_module(each.name)
        for pattern in filter(lambda value: isinstance(value, late_pattern), vars(module).values()):
            assert isinstance(pattern.groups, int)
            seen += 1
    assert seen > 100


@given(st.text("ab\n", max_size=20))
def test_it_answers_as_the_compiled_one(text):
    """Every method and attribute, flags included, at the first use and later."""
    late, real = late_pattern(r"^(a+)(?P<then>b?)", re.MULTILINE), re.compile(r"^(a+)(?P<then>b?)", re.MULTILINE)
    for _ in range(2):
        assert late.findall(text) == real.findall(text)
        assert late.sub("x", text) == real.sub("x", text)
        assert (late.match(text) is None, late.search(text) is None) == (
            real.match(text) is None,
            real.search(text) is None,
        )
    assert (late.pattern, late.flags, late.groupindex) == (real.pattern, real.flags, real.groupindex)


def test_it_is_compiled_at_its_first_use(monkeypatch):
    """Not before, and each method is fetched once."""
    given, real = [], re.compile
    monkeypatch.setattr(re, "compile", lambda *arguments: given.append(arguments) or real(*arguments))
    late = late_pattern(rb"a|b", re.IGNORECASE)
    copied = copy.copy(late)
    assert given == []
    assert late.match(b"B")
    assert late.match(b"a")
    assert copied.match(b"A")
    assert given == [(rb"a|b", re.IGNORECASE)] * 2


def test_what_a_pattern_lacks_it_lacks_too():
    """With the error of every object."""
    with pytest.raises(AttributeError):
        late_pattern("a").nothing_of_the_kind  # noqa: B018 - asking is the test
