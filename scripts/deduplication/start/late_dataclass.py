"""``dataclass`` at no cost when a module is imported: what this package uses of it, without the module ``dataclasses``.

A class of ``dataclasses`` gets six functions compiled when its module is imported, a millisecond each, though most runs make no
instance of most classes; and the module itself imports ``inspect``. Here a class gets its ``__init__`` when it is first called;
the rest is shared, or made when it is asked for.

To ``dataclasses.fields``, ``asdict``, ``replace`` and ``is_dataclass``, to type checkers and to whoever makes an instance, these
are dataclasses. There is no ``order``, ``slots``, ``kw_only``, ``ClassVar`` or ``InitVar``: nothing here has them.
"""

from __future__ import annotations

from operator import attrgetter

TYPE_CHECKING = False  # importing typing would take longer than most hooks
if TYPE_CHECKING:
    from typing import Any, Callable

__all__ = ["asdict", "dataclass", "field", "field_names", "replace"]


class _Given:
    """Stands for what is not there, and for a default that is made for each instance."""

    def __repr__(self) -> str:
        return "<factory>"


_NOT_GIVEN = _Given()
_FEW = 20
"""Instances of a class that are made without compiling anything, which takes as long as some hundred of them."""


class _Field:
    """What is known of a field. One of :func:`field` stays on its class, where it answers as if it were its default."""

    def __init__(self, default: Any = _NOT_GIVEN, factory: Any = _NOT_GIVEN, *, compare: bool = True) -> None:
        self.default, self.factory, self.compare = default, factory, compare
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> Any:
        if self.default is _NOT_GIVEN:
            raise AttributeError(f"type object {owner.__name__!r} has no attribute {self._name!r}")
        return self.default

    @property
    def optional(self) -> bool:
        """Whether a caller may leave it out."""
        return self.default is not _NOT_GIVEN or self.factory is not _NOT_GIVEN


class _Shape:
    """The fields of a class in order, those of its bases first, and their values in an instance, by which it is compared."""

    def __init__(self, cls: Any) -> None:
        self.fields: dict[str, _Field] = {}
        self.types: dict[str, Any] = {}
        for base in reversed(cls.__mro__[1:]):
            if "__shape__" in base.__dict__:
                self.fields.update(base.__shape__.fields)
                self.types.update(base.__shape__.types)
        own = getattr(cls, "__annotations__", {})
        if not any(own is getattr(base, "__annotations__", None) for base in cls.__mro__[1:]):  # as Python 3.9 has it
            self.types.update(own)
            self.fields.update({name: self._field(cls, name, str(own[name])) for name in own})
        compared = [name for name, each in self.fields.items() if each.compare]
        self.values: Callable[[object], tuple[Any, ...]] = (
            attrgetter(*compared)
            if len(compared) > 1
            else lambda instance: tuple([getattr(instance, name) for name in compared])
        )

    @staticmethod
    def _field(owner: type, name: str, type_: str) -> _Field:
        if type_.rpartition("typing.")[2].startswith(("ClassVar", "InitVar")):
            raise TypeError(f"{owner.__qualname__}.{name}: there is no {type_} here")
        value = owner.__dict__[name] if name in owner.__dict__ else getattr(owner, name, _NOT_GIVEN)
        made = value if isinstance(value, _Field) else _Field(value)
        if type(made.default).__hash__ is None:
            raise ValueError(
                f"{owner.__qualname__}.{name}: all instances would share this default: use default_factory"
            )
        return made


class _Late:
    """An attribute of a class that is made when it is first asked for."""

    def __init__(self, name: str, make: Callable[[Any], Any]) -> None:
        self.name, self._make = name, make

    def __get__(self, instance: object, owner: type) -> Any:
        holder = instance if isinstance(instance, type) else owner  # inspect of Python 3.13 binds to the class itself
        for cls in holder.__mro__:
            if cls.__dict__.get(self.name) is self:  # else another thread has made it in between
                setattr(cls, self.name, self._make(cls))
                break
        made = getattr(holder, self.name)
        return made if instance is None or not hasattr(made, "__get__") else made.__get__(instance, owner)


class _LateInit(_Late):
    """``__init__``, compiled once a class has some instances: of most classes a run makes one or two."""

    def __get__(self, instance: object, owner: type) -> Any:
        if instance is not None:
            cls: Any = next((cls for cls in type(instance).__mro__ if cls.__dict__.get(self.name) is self), None)
            if cls is not None and cls.__made__ < _FEW:
                cls.__made__ += 1
                return lambda *given, **named: _initialize(cls, instance, given, named)
        return super().__get__(instance, owner)


def _initialize(cls: Any, instance: object, given: tuple[Any, ...], named: dict[str, Any]) -> None:
    """What the compiled ``__init__`` of ``cls`` does, which is left to complain of too little, too much, and of the class."""
    fields = cls.__shape__.fields
    values = {**dict(zip(fields, given)), **named}
    optional = [each.optional for each in fields.values()]
    if (
        optional != sorted(optional)
        or len(values) != len(given) + len(named)
        or not fields.keys() >= values.keys() >= {name for name, each in fields.items() if not each.optional}
    ):
        _initializer(cls)(instance, *given, **named)
        return
    for name, each in fields.items():
        if name not in values:
            values[name] = each.default if each.factory is _NOT_GIVEN else each.factory()
    put = object.__setattr__ if cls.__frozen__ else setattr
    for name in fields:
        put(instance, name, values[name])
    if hasattr(cls, "__post_init__"):
        instance.__post_init__()  # type: ignore[attr-defined]


def _initializer(cls: Any) -> Any:
    """``__init__`` of a class, compiled: called with too little or too much, it says so as every function does."""
    names: dict[str, Any] = {"__name__": cls.__module__, "_set": object.__setattr__, "_not_given": _NOT_GIVEN}
    head, body, defaults = ["self"], [], []
    for name, each in cls.__shape__.fields.items():
        value = name
        if each.factory is not _NOT_GIVEN:
            names[f"_make_{name}"] = each.factory
            value = f"_make_{name}() if {name} is _not_given else {name}"
        if each.optional:
            defaults.append(each.default)
        elif defaults:
            raise TypeError(f"{cls.__qualname__}.{name}: no default, and stands behind a field that has one")
        head.append(f"{name}=0" if each.optional else name)
        body.append(f"_set(self, {name!r}, {value})" if cls.__frozen__ else f"self.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    exec(f"def __init__({', '.join(head)}): {'; '.join(body) or 'pass'}", names)  # noqa: S102 - the class's own names
    made = names["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__defaults__ = tuple(defaults)
    made.__annotations__ = {**cls.__shape__.types, "return": None}
    return made


def _twin(cls: Any) -> Any:
    """The class of ``dataclasses`` that has the same fields."""
    import dataclasses

    body: dict[str, Any] = {"__annotations__": cls.__shape__.types, "__module__": cls.__module__}
    for name, each in cls.__shape__.fields.items():
        given = {"default": each.default, "default_factory": each.factory}
        known = {key: value for key, value in given.items() if value is not _NOT_GIVEN}
        body[name] = dataclasses.field(compare=each.compare, **known)
    return dataclasses.dataclass(frozen=cls.__frozen__)(type(cls.__name__, (), body))


def _equality(cls: Any) -> Any:
    values = cls.__shape__.values

    def __eq__(self: object, other: object) -> Any:  # noqa: N807 - what it becomes
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    return __eq__


def _hashing(cls: Any) -> Any:
    values = cls.__shape__.values
    return lambda self: hash(values(self))


_HASH = _Late("__hash__", _hashing)
_LATE = (
    _Late("__shape__", _Shape),
    _LateInit("__init__", _initializer),
    _Late("__eq__", _equality),
    _Late("__dataclass_fields__", lambda cls: _twin(cls).__dataclass_fields__),
    _Late("__dataclass_params__", lambda cls: _twin(cls).__dataclass_params__),
)


_BEING_SHOWN: set[tuple[int, int]] = set()


def _repr(self: Any) -> str:
    from _thread import get_ident

    key = id(self), get_ident()
    if key in _BEING_SHOWN:  # it holds itself
        return "..."
    _BEING_SHOWN.add(key)
    try:
        shown = ", ".join([f"{name}={getattr(self, name)!r}" for name in self.__shape__.fields])
    finally:
        _BEING_SHOWN.discard(key)
    return f"{self.__class__.__qualname__}({shown})"


def _assign(self: Any, name: str, value: object) -> None:
    _refuse(self, name, "assign to")
    object.__setattr__(self, name, value)


def _delete(self: Any, name: str) -> None:
    _refuse(self, name, "delete")
    object.__delattr__(self, name)


def _refuse(self: Any, name: str, verb: str) -> None:
    """A class that is derived from a frozen one, and none itself, may have attributes beside the fields."""
    if "__frozen__" in type(self).__dict__ or name in self.__shape__.fields:
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot {verb} field {name!r}")


def _dataclass(cls: Any = None, *, frozen: bool = False) -> Any:
    """What ``dataclasses.dataclass`` makes of a class, later."""
    if cls is None:
        return lambda cls: _dataclass(cls, frozen=frozen)
    if getattr(cls, "__frozen__", frozen) is not frozen:
        raise TypeError(f"{cls.__qualname__}: a class and its base are both frozen, or neither is")
    own = cls.__dict__
    if "__hash__" not in own or ("__eq__" in own and own["__hash__"] is None):
        cls.__hash__ = _HASH if frozen else None
    cls.__frozen__, cls.__made__ = frozen, 0
    for late in _LATE:
        if late.name not in own:
            setattr(cls, late.name, late)
    if "__repr__" not in own:
        cls.__repr__ = _repr
    if frozen:
        cls.__setattr__, cls.__delattr__ = _assign, _delete
    return cls


def _field(*, default: Any = _NOT_GIVEN, default_factory: Any = _NOT_GIVEN, compare: bool = True) -> Any:
    """A field whose default is made anew for each instance, or that says nothing of whether two are equal."""
    return _Field(default, default_factory, compare=compare)


def _replace(instance: Any, **changes: Any) -> Any:
    """A copy of ``instance`` with other values in some fields."""
    return type(instance)(**{**{name: getattr(instance, name) for name in instance.__shape__.fields}, **changes})


def _asdict(instance: Any) -> dict[str, Any]:
    """The fields of ``instance`` by name, copied at every depth; instances among them are dictionaries, too."""
    return {name: _copied(getattr(instance, name)) for name in instance.__shape__.fields}


def _copied(value: Any) -> Any:
    kind = type(value)
    if hasattr(kind, "__shape__"):
        return _asdict(value)
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return kind(*map(_copied, value))
    if isinstance(value, (list, tuple)):
        return kind(map(_copied, value))
    if isinstance(value, dict):
        return kind((_copied(key), _copied(each)) for key, each in value.items())
    if kind in (str, int, float, bool, bytes, type(None)):
        return value
    from copy import deepcopy

    return deepcopy(value)


def field_names(of: Any) -> tuple[str, ...]:
    """The names of the fields of an instance or a class, in order."""
    return tuple(of.__shape__.fields)


if TYPE_CHECKING:
    from dataclasses import asdict, dataclass, field, replace
else:
    asdict, dataclass, field, replace = _asdict, _dataclass, _field, _replace
