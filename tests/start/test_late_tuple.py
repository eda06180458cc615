"""The package's own ``NamedTuple`` gives what the one of ``typing`` gives, and takes little at import."""

from __future__ import annotations

import ast
import copy
import pickle
import typing

import pytest

from conftest import REPOSITORY
from deduplication.start import late_tuple

PACKAGE = REPOSITORY / "scripts" / "deduplication"
KINDS = (late_tuple, typing)


class Kept(late_tuple.NamedTuple):
    """One that pickle finds by its name."""

    first: int
    second: str = "two"


class Child(Kept):
    """One that is derived, with an attribute."""

    def __init__(self, *_: object) -> None:
        self.more = 1


def point(of):
    """A class with defaults, a method, a property and a text of its own."""

    class Point(of.NamedTuple):
        """Where something is."""

        x: int
        y: int = 7
        parts: typing.Optional[list[int]] = None

        @property
        def both(self) -> tuple[int, int]:
            return self.x, self.y

        def moved(self, by: int) -> Point:
            return self._replace(x=self.x + by)

    return Point


def empty(of):
    """One without fields."""

    class Nothing(of.NamedTuple):
        pass

    return Nothing


CALLS = [
    ((), {}),
    ((1,), {}),
    ((1, 2, [3]), {}),
    ((), {"x": 1, "parts": []}),
    ((1,), {"x": 2}),
    ((1,), {"z": 2}),
    ((1, 2, 3, 4), {}),
]


def outcome(cls, given, named):
    """What a call comes to."""
    try:
        made = cls(*given, **named)
    except TypeError:
        return TypeError
    return tuple(made), repr(made), made._asdict(), hash(made[:1]), made == tuple(made), isinstance(made, tuple)


@pytest.mark.parametrize(("given", "named"), CALLS)
@pytest.mark.parametrize("build", [point, empty])
def test_a_call_comes_to_the_same(build, given, named):
    """At the first call of a class, and later."""
    ours, real = build(late_tuple), build(typing)
    for _ in range(2):
        assert outcome(ours, given, named) == outcome(real, given, named)


def test_it_has_what_a_named_tuple_has():
    """Fields, defaults, copies with changes, its own methods, and what it is said to be."""
    for of in KINDS:
        cls = point(of)
        assert (cls._fields, cls._field_defaults, cls.__doc__) == (
            ("x", "y", "parts"),
            {"y": 7, "parts": None},
            "Where something is.",
        )
        one = cls._make([1, 2, None])
        assert (one.both, one.moved(4), one._replace(y=3)) == ((1, 2), (5, 2, None), (1, 3, None))
        assert type(one.moved(1)) is cls
        with pytest.raises(TypeError):
            cls._make([1])
        with pytest.raises((ValueError, TypeError)):
            one._replace(other=1)
        with pytest.raises(AttributeError):
            one.x = 2
        with pytest.raises(AttributeError):
            one.other = 2


def test_copies_and_pickles_are_equal():
    """Of one, and of one that is derived from it."""
    for one in (Kept(1), Child(2, "three")):
        for other in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
            assert (other, type(other), other.second) == (one, type(one), one.second)


def test_a_field_without_a_default_stands_first():
    """As a function's arguments do."""
    for of in KINDS:
        with pytest.raises(TypeError):

            class Wrong(of.NamedTuple):
                first: int = 1
                second: int


def test_nothing_is_compiled_before_the_first_call(monkeypatch):
    """Most classes that a run imports are never called."""
    compiled = []
    new_of = late_tuple._new_of
    monkeypatch.setattr(late_tuple, "_new_of", lambda owner: compiled.append(owner) or new_of(owner))
    cls = point(late_tuple)
    assert compiled == []
    assert [cls(1), cls(2)] == [(1, 7, None), (2, 7, None)]
    assert compiled == [cls]


def test_what_every_run_imports_takes_them_from_here():
    """No module that a repeated export imports makes one of ``typing``."""
    told = {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8")) for path in PACKAGE.rglob("*.py")}
    real = {
        name
        for name, tree in told.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "typing" and "NamedTuple" in {a.name for a in node.names}
    }
    assert not {name for name in real if name.startswith(("alignment/", "storage/index/", "ingest/", "reports/"))}
