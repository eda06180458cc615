"""The packages of the extra ``dashboard``: they are imported when a dashboard is asked for, and nowhere else."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from ..errors import PackageMissing

_HINT: Final = "Install them: python3 -m pip install flask waitress (extra: dashboard)."


def flask() -> Any:
    """The package Flask. Raises :class:`PackageMissing`."""
    return _required("flask")


def waitress() -> Any:
    """The server. Raises :class:`PackageMissing`."""
    return _required("waitress.server")


def waitress_loop() -> Any:
    """What it waits for sockets with. Raises :class:`PackageMissing`."""
    return _required("waitress.wasyncore")


def jinja() -> Any:
    """What fills templates. Raises :class:`PackageMissing`."""
    return _required("jinja2")


def _required(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise PackageMissing(f"{name.partition('.')[0]}, for the dashboard ({error})", hint=_HINT) from None
