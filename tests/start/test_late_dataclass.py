"""The package's own ``dataclass`` gives what the one of the standard library gives, and takes nothing at import."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import inspect
import pickle
import pkgutil
import subprocess
import sys
import threading
from typing import Any, NamedTuple, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

import deduplication
from conftest import REPOSITORY
from deduplication.start import late_dataclass as late

KINDS = (late, dataclasses)


@pytest.fixture(autouse=True, params=[0, 20], ids=["compiled", "few instances"])
def few(request, monkeypatch):
    """How many instances of a class are made before its ``__init__`` is compiled: both ways are the same."""
    monkeypatch.setattr(late, "_FEW", request.param)


class Pair(NamedTuple):
    """A tuple with names, as many fields hold one."""

    left: int
    right: object


def frozen(of):
    """A frozen class with fields of every sort that the package has."""

    @of.dataclass(frozen=True)
    class Thing:
        name: str
        size: int = -1
        parts: list[Any] = of.field(default_factory=list)
        note: str = of.field(default="none", compare=False)
        other: Optional[object] = None

        @property
        def double(self) -> int:
            return 2 * self.size

    return Thing


def mutable(of):
    """The same, to be changed."""

    @of.dataclass
    class Thing:
        name: str
        size: int = -1
        parts: list[Any] = of.field(default_factory=list)

    return Thing


def checked(of):
    """One that looks at what it was given, and says itself how it is shown and compared."""

    @of.dataclass(frozen=True)
    class Thing:
        size: int

        def __post_init__(self):
            if self.size < 0:
                raise ValueError(self.size)

        def __eq__(self, other):
            return isinstance(other, type(self)) and self.size % 10 == other.size % 10

        def __hash__(self):
            return 7

        def __repr__(self):
            return "<thing>"

    return Thing


def empty(of):
    """One without fields."""

    @of.dataclass(frozen=True)
    class Thing:
        pass

    return Thing


def one_list():
    """A factory of the package's own kind."""
    return [1]


def derived(of):
    """One that has fields of its base, one of them with another default, and a factory that is inherited."""

    @of.dataclass
    class Base:
        first: int = 1
        second: list[Any] = of.field(default_factory=one_list)

    @of.dataclass
    class Between(Base):
        pass

    @of.dataclass
    class Thing(Between):
        third: int = 3
        first: int = 11

    return Thing


def plain_child(of):
    """A class that is derived, and none itself."""

    class Thing(frozen(of)):
        def shout(self):
            return self.name.upper()

    return Thing


BUILT = [frozen, mutable, checked, empty, derived, plain_child]
CALLS = [
    ((), {}),
    (("a",), {}),
    (("a", 2, [3]), {}),
    ((5,), {}),
    ((-5,), {}),
    ((), {"name": "a", "note": "x"}),
    ((), {"size": 3}),
    (("a",), {"name": "b"}),
    (("a",), {"unknown": 1}),
    ((1, 2, 3, 4, 5, 6, 7), {}),
    ((), {"third": 5, "first": 4}),
]


def outcome(job):
    """What a call gave, or how it failed: kind and words, but for addresses and the module's name."""
    try:
        return job()
    except Exception as error:  # noqa: BLE001 - compared with the other kind's
        return type(error), str(error)


@pytest.mark.parametrize("build", BUILT)
@pytest.mark.parametrize(("arguments", "named"), CALLS, ids=str)
def test_a_call_gives_the_same_instance_or_the_same_error(build, arguments, named):
    """Arguments by place and by name, defaults, missing, doubled and unknown ones: fields, text and error are the same."""
    for look in (vars, repr):
        ours, theirs = (outcome(lambda of=of, look=look: look(build(of)(*arguments, **named))) for of in KINDS)
        assert ours == theirs


@pytest.mark.parametrize("build", [frozen, mutable, plain_child])
def test_comparing_hashing_and_changing_are_the_same(build):
    """Equality is by class and fields, a hash only where nothing changes, and what is frozen says so."""
    answers = []
    for of in KINDS:
        cls = build(of)
        one = cls("a", 2)
        answers.append(
            [
                one == cls("a", 2),
                one != cls("a", 2),
                one == cls("b", 2),
                one == ("a", 2, []),
                one.__eq__(("a", 2)),
                outcome(lambda one=one: hash(one)),
                outcome(lambda one=one, cls=cls: {cls("a", 2), cls("a", 2)} == {one}),
                outcome(lambda one=one: setattr(one, "size", 3)),
                outcome(lambda one=one: setattr(one, "more", 3)),
                outcome(lambda one=one: delattr(one, "size")),
                outcome(lambda one=one: delattr(one, "more")),
                outcome(lambda one=one: vars(one)),
                cls.size,
                outcome(lambda cls=cls: cls.parts),
                [str(each) for each in inspect.signature(cls).parameters.values()][:2],
                one.parts is not cls("a").parts,
            ]
        )
    assert answers[0] == answers[1]


def test_a_hash_is_that_of_the_fields():
    """Fields that are not compared do not count, and the hash is that of the standard library."""
    ours, theirs = (of.dataclass(frozen=True)(type("T", (), body(of))) for of in KINDS)
    assert hash(ours(1, 2)) == hash(theirs(1, 3)) == hash(ours(1, 3))


def body(of):
    """Of a class with a field that is not compared."""
    return {
        "__annotations__": {"a": "int", "b": "int"},
        "__module__": __name__,
        "b": of.field(default=0, compare=False),
    }


def test_what_frozen_ones_raise_is_the_error_of_the_standard_library():
    """Whoever catches it by name, or as an AttributeError, goes on doing so."""
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'size'"):
        frozen(late)("a").size = 1


@pytest.mark.parametrize("build", [frozen, mutable, derived, empty])
def test_the_standard_library_takes_them_for_dataclasses(build):
    """``is_dataclass``, ``fields``, ``asdict``, ``astuple`` and ``replace`` work on classes and instances."""
    ours, theirs = build(late), build(dataclasses)
    assert dataclasses.is_dataclass(ours)
    assert list(map(str, dataclasses.fields(ours))) == list(map(str, dataclasses.fields(theirs)))
    arguments = [1] * len(late.field_names(ours))
    one, other = ours(*arguments), theirs(*arguments)
    assert late.field_names(one) == tuple(each.name for each in dataclasses.fields(other))
    assert dataclasses.asdict(one) == dataclasses.asdict(other) == late.asdict(one)
    assert dataclasses.astuple(one) == dataclasses.astuple(other)
    assert dataclasses.replace(one) == late.replace(one) == one
    assert late.replace(one) is not one


def test_a_dataclass_may_be_derived_from_one():
    """A caller's own dataclass adds its fields to ours."""

    @dataclasses.dataclass(frozen=True)
    class More(frozen(late)):
        more: int = 5

    assert More("a", more=6) == More("a", more=6) != More("a")
    assert dataclasses.asdict(More("a"))["more"] == 5


def test_replace_changes_what_is_named():
    """A copy with other values; a name that is none is refused."""
    one = frozen(late)("a", 2, [1])
    assert late.replace(one, size=3) == frozen_like(one, "a", 3, [1])
    assert one.size == 2
    with pytest.raises(TypeError, match="unknown"):
        late.replace(one, unknown=3)


def frozen_like(one, *arguments):
    """Another of the same class."""
    return type(one)(*arguments)


VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3) | st.floats(allow_nan=False) | st.binary(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=2), inner, max_size=2)
        | st.builds(Pair, st.integers(), inner)
        | st.sets(st.integers(), max_size=2)
    ),
    max_leaves=8,
)
NAMES = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=6)


@given(NAMES, st.data())
def test_any_list_of_fields_is_what_a_dataclass_makes_of_it(names, data):
    """Fields with and without defaults in any order, of any values: instances, text, equality, hash and ``asdict`` agree."""
    plans = {name: data.draw(st.sampled_from(["none", "default", "factory", "silent"])) for name in names}
    is_frozen = data.draw(st.booleans())
    given_values = data.draw(st.lists(VALUES, max_size=len(names) + 1))
    results = []
    for of in KINDS:
        attributes = {"__annotations__": dict.fromkeys(names, "Any"), "__module__": __name__}
        for name, plan in plans.items():
            if plan != "none":
                made = {
                    "default": lambda: (1, 2),
                    "factory": lambda of=of: of.field(default_factory=dict),
                    "silent": lambda of=of: of.field(default="x", compare=False),
                }
                attributes[name] = made[plan]()

        def facts(of=of, attributes=attributes):
            cls = of.dataclass(frozen=is_frozen)(type("Thing", (), dict(attributes)))
            one = cls(*given_values)
            inner = cls(*([one] * len(given_values)))
            return [
                vars(one),
                repr(inner),
                one == cls(*copy.deepcopy(given_values)),
                outcome(lambda: hash(one))[:1] if outcome(lambda: hash(one)).__class__ is tuple else hash(one),
                of.asdict(inner),
            ]

        result = outcome(facts)
        results.append(result[0] if isinstance(result, tuple) else result)
    assert results[0] == results[1]


Kept = frozen(late)
Kept.__qualname__ = "Kept"
Kept.__name__ = "Kept"


@pytest.mark.parametrize(
    "through",
    [
        *[
            pytest.param(lambda one, n=n: pickle.loads(pickle.dumps(one, n)), id=f"pickle-{n}")
            for n in range(pickle.HIGHEST_PROTOCOL + 1)
        ],
        copy.copy,
        copy.deepcopy,
    ],
)
def test_copies_are_equal(through):
    """Pickled and copied at any protocol, frozen or not."""
    one = Kept("a", 2, [{"b": 1}])
    again = through(one)
    assert (again, again is one, vars(again)) == (one, False, vars(one))


def test_one_that_holds_itself_is_shown():
    """As a dataclass does it, and not without end."""
    one = mutable(late)("a")
    one.parts.append(one)
    assert repr(one).endswith("parts=[...])")


@pytest.mark.parametrize(
    ("attributes", "error"),
    [
        ({"__annotations__": {"a": "ClassVar[int]"}}, TypeError),
        ({"__annotations__": {"a": "typing.InitVar[int]"}}, TypeError),
        ({"__annotations__": {"a": "int"}, "a": []}, ValueError),
        ({"__annotations__": {"a": "int", "b": "int"}, "a": 1}, TypeError),
    ],
    ids=str,
)
def test_what_is_not_supported_is_refused(attributes, error):
    """A class that could not do what it says fails at its first call, with the names of class and field."""
    cls = late.dataclass(type("Odd", (), attributes))
    with pytest.raises(error, match=r"Odd\.[ab]: "):
        cls()


def test_frozen_and_not_frozen_do_not_mix():
    """As with dataclasses."""
    with pytest.raises(TypeError, match="frozen"):
        late.dataclass(type("Odd", (frozen(late),), {}))


def test_many_threads_may_call_a_class_for_the_first_time():
    """Each of them gets an instance, whoever makes the initializer."""
    for _ in range(50):
        cls, made = frozen(late), []
        gate = threading.Barrier(4)

        def work(cls=cls, made=made, gate=gate):
            gate.wait()
            made.append(cls("a", 2))

        threads = [threading.Thread(target=work) for _ in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert made == [cls("a", 2)] * 4


def every_class():
    """The classes of the package that were made so."""
    for module in pkgutil.walk_packages(deduplication.__path__, "deduplication."):
        for found in vars(importlib.import_module(module.name)).values():
            if isinstance(found, type) and found.__module__ == module.name and "__shape__" in vars(found):
                yield found


def test_every_class_of_the_package_is_a_dataclass():
    """What is looked at late is looked at here: fields, signature and defaults of each class, as ``dataclasses`` has them."""
    found = list(every_class())
    assert len(found) > 100
    for cls in found:
        names = [each.name for each in dataclasses.fields(cls)]
        parameters = inspect.signature(cls).parameters
        assert list(parameters) == names
        required = [
            each.name
            for each in dataclasses.fields(cls)
            if each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
        ]
        assert [name for name in names if parameters[name].default is inspect.Parameter.empty] == required


@pytest.mark.parametrize(
    "statement",
    [
        "from deduplication.hooks import entry, events, exports, work",
        "from deduplication.commands import entry, export_dedup; export_dedup.parser()",
        "from deduplication.commands import entry, deduplicate_export",
        "from deduplication.commands import entry, create_checkpoint; create_checkpoint.parser()",
        "from deduplication.commands import entry, with_status",
        "from deduplication import ClaudeConversationDeduplicator",
    ],
)
def test_no_start_pays_for_dataclasses(statement):
    """Neither a hook nor a command imports the standard library's module, or what that one needs."""
    program = f"import sys; sys.path.insert(0, {str(REPOSITORY / 'scripts')!r})\n{statement}\nprint(*sys.modules)"
    command = [sys.executable, "-S", "-E", "-c", program]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=60)
    assert not {"dataclasses", "inspect"} & set(done.stdout.split())


def test_no_module_takes_its_dataclasses_from_elsewhere():
    """One that did would pay for itself, and for the module, in every start."""
    package = REPOSITORY / "scripts" / "deduplication"
    others = [path for path in package.rglob("*.py") if "from dataclasses import" in path.read_text("utf-8")]
    assert [path.name for path in others] == ["late_dataclass.py"]
