"""Where alerts are sent: addresses of the user's own settings or environment, whose secrets stand in the environment alone.

A target is a name and an address as ``apprise`` has them (``mailtos://``, ``slack://``, ``json://``); ``${NAME}`` in it stands for
what the environment has. What a project's settings say of targets never counts, approved or not.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final

from ..errors import UsageError
from ..project.config import ALERT_TARGETS
from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTING: Final = "alert_targets"
_VARIABLE: Final = late_pattern(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NAMED: Final = late_pattern(r"([A-Za-z][\w-]{0,39})=(?=[A-Za-z])", re.ASCII)
_SCHEME: Final = late_pattern(r"([A-Za-z][A-Za-z0-9+.-]{0,29})://")
_PASSWORD: Final = late_pattern(r"://[^/?#@\s]*:(?P<password>[^/?#@\s]+)@")


class TargetUnusable(UsageError):
    """A target of alerts cannot be used"""


def names_of(settings: Mapping[str, Any]) -> list[str]:
    """The names of the targets."""
    return list(addresses(settings))


def addresses(settings: Mapping[str, Any]) -> dict[str, str]:
    """The targets' addresses by name, as they were written: with the names of variables, not with what these hold."""
    found: dict[str, str] = {}
    named = settings.get(SETTING, {})
    if isinstance(named, dict):
        found.update({str(name): text for name, text in named.items() if isinstance(text, str) and text.strip()})
    for word in os.environ.get(ALERT_TARGETS, "").split():
        match = _NAMED.match(word)
        found[match[1] if match else f"environment-{len(found) + 1}"] = word[match.end() :] if match else word
    return found


def scheme_of(address: str) -> str:
    """The kind of a target, which is all of its address that is ever shown: ``mailtos``; empty where it has none."""
    match = _SCHEME.match(address)
    return match[1] if match else ""


def resolved(name: str, address: str) -> str:
    """The address with what the environment has in the place of variables. Raises :class:`TargetUnusable`, without a secret."""
    match = _PASSWORD.search(address)
    if match and not _VARIABLE.search(match["password"]):
        hint = "Put the password into an environment variable, and ${ITS_NAME} in its place."
        raise TargetUnusable(f"'{name}' has a password in the settings", hint=hint)
    missing = [each for each in _VARIABLE.findall(address) if not os.environ.get(each)]
    if missing:
        hint = f"Set {', '.join(missing)} where export-dedup and its hooks are started."
        raise TargetUnusable(f"'{name}' needs {', '.join(missing)}, which the environment does not have", hint=hint)
    whole = _VARIABLE.sub(lambda found: _quoted(os.environ[found[1]], address, found.start()), address)
    if not scheme_of(whole):
        raise TargetUnusable(f"'{name}' is no address", hint="An address begins as mailtos://, slack:// or json:// do.")
    return whole


def _quoted(value: str, address: str, at: int) -> str:
    """What stands inside an address is escaped; a variable that is the whole address, or its beginning, is one."""
    from urllib.parse import quote

    return value if at == 0 or "://" not in address[:at] else quote(value, safe="")
