"""One file of settings, read as what it is: input that anybody may have written. Bounded in size and time, whatever lies there."""

from __future__ import annotations

import json
import os
from typing import Any, Final

from ..files import atomic
from ..start.late_tuple import NamedTuple

MOST_BYTES: Final = 256 * 1024
"""Bytes of a file of settings; a larger one is not read."""
_DEEPEST: Final = 4
"""Levels of objects and lists in each other; no setting has more than two."""
_LONGEST_NUMBER: Final = 40
"""Digits; a longer number fits no setting, and an old Python takes seconds to make one of a million digits."""


class SettingsFile(NamedTuple):
    """What a file says: ``values`` by name, None where there is no file or where it cannot be read; ``fault`` says why not.

    ``data`` are the bytes that were judged: who approves them, approves these.
    """

    values: dict[str, Any] | None = None
    fault: str = ""
    data: bytes = b""


class _Invalid(ValueError):
    """What the parser accepts, and what no file of settings may say."""


def read(path: str) -> SettingsFile:
    """The file at ``path``; nothing is raised. A link is followed, a pipe or a device is neither read nor waited for."""
    try:
        with atomic.open_regular(path, follow=True) as file:
            data = file.read(MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return SettingsFile()
    except (OSError, ValueError) as error:
        return SettingsFile(fault=getattr(error, "strerror", None) or str(error))
    if len(data) > MOST_BYTES:
        return SettingsFile(fault=f"it has more than {MOST_BYTES:,} bytes")
    try:
        found = json.loads(
            data.decode("utf-8-sig"),
            parse_int=_whole_number,
            parse_float=_number,
            parse_constant=_no_number,
            object_pairs_hook=_members,
        )
    except RecursionError:
        return SettingsFile(fault="it is nested too deeply", data=data)
    except ValueError as error:
        return SettingsFile(fault=str(error), data=data)
    if not isinstance(found, dict):
        return SettingsFile(fault="it is no JSON object", data=data)
    if _is_deep(found):
        return SettingsFile(fault="it is nested too deeply", data=data)
    return SettingsFile(found, data=data)


def leads_out(root: str, path: str) -> bool:
    """True where ``path`` leads out of the folder ``root`` through a link."""
    real, inside = os.path.realpath(path), os.path.realpath(root)
    return not os.path.join(real, "").startswith(os.path.join(inside, ""))


def _is_deep(found: dict[str, Any]) -> bool:
    """Told before anything else touches it: comparing two such values could exhaust the stack."""
    level: list[Any] = [found]
    for _ in range(_DEEPEST):
        inner = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, (dict, list))]
        level = [each for values in inner for each in values]
    return any(isinstance(each, (dict, list)) for each in level)


def _whole_number(text: str) -> int | None:
    return int(text) if len(text) <= _LONGEST_NUMBER else None


def _number(text: str) -> float | None:
    return float(text) if len(text) <= _LONGEST_NUMBER else None


def _no_number(_text: str) -> None:
    """``NaN`` and ``Infinity``, which are no JSON: they fit no setting."""


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names stand once each: of two that differ nobody can tell which one its author meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Invalid("a name stands in it twice")
    return found
