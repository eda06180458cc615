"""All panels as one file: style, scripts and figures in itself, allowed by their hashes and nothing else."""

from __future__ import annotations

import os
import time
from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from ..project.own_output import META
from .drawing import environment, moment
from .figures import Figures
from .serving import board_of

if TYPE_CHECKING:
    from .subject import Subject

_STATIC: Final = os.path.join(os.path.dirname(__file__), "static")
_STYLES: Final = ("uplot.css", "dashboard.css")
_SCRIPTS: Final = ("theme.js", "uplot.js", "dashboard.js")


def document(subject: Subject) -> str:
    """The page. What takes long is waited for. Raises ``PackageMissing``, and the ``StoreError`` family."""
    board = board_of(Figures(subject), None, at_once=True)
    shown = board.look()
    style = "\n".join(map(_read, _STYLES))
    scripts = [_read(name) for name in _SCRIPTS]
    policy = (
        f"default-src 'none'; style-src {_hashed(style)}; script-src {' '.join(map(_hashed, scripts))}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    template = environment().get_template("report.html")
    made = template.render(
        subject=subject, shown=shown, style=style, scripts=scripts, policy=policy, meta=META, when=moment(time.time())
    )
    return str(made)


def _read(name: str) -> str:
    with open(os.path.join(_STATIC, name), encoding="utf-8") as file:
        return file.read()


def _hashed(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
