"""How a process of ours starts another one of ours: by the file that the command itself is, wherever the package lies."""

from __future__ import annotations

import os


def main_module() -> str:
    """The path of ``__main__.py``: ``python PATH SUBCOMMAND …`` is the command ``export-dedup``."""
    return os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "__main__.py")
