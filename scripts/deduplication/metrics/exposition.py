"""Text for Prometheus, in its text format 0.0.4: what ``/metrics`` answers, and what node_exporter reads of a file.

Names and units follow its conventions: ``_total`` for what only grows, base units (seconds, bytes, ratios of one).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Union

from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Number = Union[int, float]
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
COUNTER: Final = "counter"
GAUGE: Final = "gauge"
HISTOGRAM: Final = "histogram"


class Sample(NamedTuple):
    """One value. ``suffix`` is what a histogram's samples have behind the name of their family."""

    value: Number
    labels: Mapping[str, str]
    suffix: str = ""


class Family(NamedTuple):
    """Samples of one name, whose labels tell them apart. One without samples is not told."""

    name: str
    kind: str
    help: str
    samples: tuple[Sample, ...]


def single(name: str, kind: str, told: str, value: Number | None) -> Family:
    """A family of one sample without labels; of none where there is no value."""
    return Family(name, kind, told, () if value is None else (Sample(value, {}),))


def labelled(name: str, kind: str, told: str, label: str, values: Mapping[str, Number | None]) -> Family:
    """A family of a sample for each value of one label."""
    return Family(name, kind, told, tuple(Sample(each, {label: of}) for of, each in values.items() if each is not None))


def histogram(name: str, told: str, values: Iterable[Number], bounds: Iterable[float]) -> Family:
    """How many of the values do not exceed each bound, all of them, and their sum."""
    found = [*values]
    counted = [Sample(sum(each <= bound for each in found), {"le": _spelt(bound)}, "_bucket") for bound in bounds]
    whole = (
        Sample(len(found), {"le": "+Inf"}, "_bucket"),
        Sample(sum(found), {}, "_sum"),
        Sample(len(found), {}, "_count"),
    )
    return Family(name, HISTOGRAM, told, (*counted, *whole))


def exposition(families: Iterable[Family], labels: Mapping[str, str]) -> str:
    """The text of these families; every sample has these ``labels``, too."""
    return "".join(f"{line}\n" for family in families if family.samples for line in _lines(family, labels))


def _lines(family: Family, labels: Mapping[str, str]) -> Iterator[str]:
    told = family.help.replace("\\", "\\\\").replace("\n", "\\n")
    yield f"# HELP {family.name} {told}"
    yield f"# TYPE {family.name} {family.kind}"
    for sample in family.samples:
        of = ",".join(f'{name}="{_escaped(value)}"' for name, value in {**labels, **sample.labels}.items())
        yield f"{family.name}{sample.suffix}{'{' + of + '}' if of else ''} {_spelt(sample.value)}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _spelt(value: Number) -> str:
    """As short as it can be read back: ``10``, ``0.25``."""
    return str(int(value)) if value == int(value) else repr(float(value))
