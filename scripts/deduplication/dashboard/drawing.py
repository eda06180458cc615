"""Templates: everything is escaped on its way into them. What numbers, times and bytes look like to people."""

from __future__ import annotations

import calendar
import functools
import os
import time
from typing import TYPE_CHECKING, Any, Final, Optional

from ..files.clock import local
from ..sessions.redaction import printable_text
from . import extra

if TYPE_CHECKING:
    from collections.abc import Mapping

TEMPLATES: Final = os.path.join(os.path.dirname(__file__), "templates")
_UNITS: Final = ("bytes", "kB", "MB", "GB", "TB")


@functools.lru_cache(maxsize=1)
def environment() -> Any:
    """Where templates come from. Raises ``PackageMissing``."""
    jinja = extra.jinja()
    made = jinja.Environment(
        loader=jinja.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        number=number, size=size, moment=moment, shown=printable_text, percent=percent, took=took, epoch=epoch
    )
    return made


def panel(name: str, title: str, data: Mapping[str, Any], root: Optional[str] = "") -> str:
    """One panel's inside; nothing was gathered yet where ``data`` is empty. ``root`` None: it leads nowhere."""
    template = environment().get_template("panel.html")
    return str(template.render(name=name, title=title, data=data, root=root))


def number(value: Optional[float]) -> str:
    """A count: ``220,741``; a dash where there is none."""
    return "–" if value is None else f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def percent(value: Optional[float]) -> str:
    """A share in percent, with one digit."""
    return "–" if value is None else f"{value:.1f} %"


def size(value: Optional[float]) -> str:
    """Bytes: ``1.4 MB``."""
    if value is None:
        return "–"
    left, unit = float(value), 0
    while abs(left) >= 1000 and unit < len(_UNITS) - 1:
        left, unit = left / 1000, unit + 1
    return f"{left:,.0f} {_UNITS[unit]}" if not unit or abs(left) >= 100 else f"{left:,.1f} {_UNITS[unit]}"


def took(milliseconds: Optional[float]) -> str:
    """How long something took: ``91 ms``, ``2.4 s``."""
    if milliseconds is None:
        return "–"
    return f"{milliseconds:,.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:,.1f} s"


def moment(value: Any) -> str:
    """A time on this machine's clock; of a day the day."""
    if isinstance(value, (int, float)):
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(value))
    return local(value) if value and len(value) > len("2026-03-04") else str(value or "–")


def epoch(day: str) -> int:
    """The seconds at which a day begins, in UTC: where a chart has it."""
    return calendar.timegm(time.strptime(day, "%Y-%m-%d"))
