"""Where the user's own settings and approvals lie: outside of every project, so that no repository brings them."""

from __future__ import annotations

import os
from typing import Final

NAME: Final = "export-dedup"


def settings_folder() -> str:
    """``$XDG_CONFIG_HOME/export-dedup``, else ``%APPDATA%`` on Windows, else ``~/.config/export-dedup``."""
    return _folder("XDG_CONFIG_HOME", "APPDATA", ".config")


def data_folder() -> str:
    """``$XDG_DATA_HOME/export-dedup``, else ``%LOCALAPPDATA%`` on Windows, else ``~/.local/share/export-dedup``."""
    return _folder("XDG_DATA_HOME", "LOCALAPPDATA", os.path.join(".local", "share"))


def _folder(variable: str, windows: str, below_home: str) -> str:
    # A relative folder would lie in whatever project is the current one (and the XDG specification passes it over).
    named = os.environ.get(variable, "")
    if not os.path.isabs(named):
        named = os.environ.get(windows, "") if os.name == "nt" else ""
    if not os.path.isabs(named):
        named = os.path.join(os.path.expanduser("~"), below_home)
    return os.path.join(named, NAME)
