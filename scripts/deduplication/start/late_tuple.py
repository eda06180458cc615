"""``NamedTuple`` at little cost when a module is imported: a twentieth of what ``typing`` takes for one.

``typing.NamedTuple`` compiles the text of each annotation, then a ``__new__``, a tenth of a millisecond a class, and a run makes
tuples of few of the classes that it imports. Here one gets its ``__new__`` when it is first called; what all of them do alike is
shared. In all that this package asks of one they are named tuples: fields, defaults, ``_replace``, ``_asdict``, copies, pickles.
"""

from __future__ import annotations

from _collections import _tuplegetter  # type: ignore[import-not-found]

TYPE_CHECKING = False  # importing typing would take longer than most hooks
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

__all__ = ["NamedTuple"]


def _make(cls: Any, values: Iterable[Any]) -> Any:
    """A tuple of these values."""
    made = tuple.__new__(cls, values)
    if len(made) != len(cls._fields):
        raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(made)}")
    return made


def _replace(self: Any, /, **changes: Any) -> Any:
    """A copy with other values in some fields."""
    made = self._make(map(changes.pop, self._fields, self))
    if changes:
        raise ValueError(f"Got unexpected field names: {list(changes)!r}")
    return made


def _asdict(self: Any) -> dict[str, Any]:
    """The values by the names of their fields."""
    return dict(zip(self._fields, self))


def _repr(self: Any) -> str:
    shown = ", ".join([f"{name}={value!r}" for name, value in zip(self._fields, self)])
    return f"{self.__class__.__name__}({shown})"


def _getnewargs(self: Any) -> tuple[Any, ...]:
    return tuple(self)


def _late_new(cls: Any, *given: Any, **named: Any) -> Any:
    """The first call of a class, which has its ``__new__`` from then on."""
    owner = next(each for each in cls.__mro__ if "_field_defaults" in each.__dict__)
    owner.__new__ = staticmethod(_new_of(owner))
    return owner.__new__(cls, *given, **named)


def _new_of(owner: Any) -> Any:
    """``__new__`` of a class, compiled: called with too little or too much, it says so as every function does."""
    values = ", ".join(owner._fields)
    code = f"lambda _cls, {values}: _tuple_new(_cls, ({values}{',' if values else ''}))"
    new = eval(code, {"_tuple_new": tuple.__new__, "__name__": owner.__module__})  # noqa: S307 - the class's own names
    new.__name__, new.__qualname__ = "__new__", f"{owner.__name__}.__new__"
    new.__defaults__ = tuple(owner._field_defaults.values())
    new.__annotations__ = {**owner.__annotations__, "return": None}
    return new


_SHARED = {
    "__slots__": (),
    "__new__": _late_new,
    "__repr__": _repr,
    "__getnewargs__": _getnewargs,
    "_make": classmethod(_make),
    "_replace": _replace,
    "_asdict": _asdict,
}


class _Named(type):
    """Makes a class of tuples from annotations, as ``typing.NamedTuple`` does."""

    def __new__(cls, name: str, _bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        fields = tuple(namespace.setdefault("__annotations__", {}))
        defaults = {field: namespace.pop(field) for field in fields if field in namespace}
        if fields[len(fields) - len(defaults) :] != tuple(defaults):
            raise TypeError(f"{name}: a field without a default stands behind one that has one")
        getters = {field: _tuplegetter(at, "") for at, field in enumerate(fields)}
        said = {"_fields": fields, "_field_defaults": defaults, "__match_args__": fields}
        return type(name, (tuple,), {**_SHARED, **namespace, **said, **getters})


if TYPE_CHECKING:
    from typing import NamedTuple
else:
    NamedTuple = type.__new__(_Named, "NamedTuple", (), {})
