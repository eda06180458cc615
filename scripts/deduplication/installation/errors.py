"""What can go wrong with an installation, by name."""

from __future__ import annotations

from ..errors import DedupError


class InstallRefused(DedupError):
    """Nothing was changed"""

    usual_hint = "Run ./install.sh --help to see what it does."


class InstallFailed(DedupError):
    """The installation stopped half way"""

    usual_hint = "Correct the cause and run the same command again: it goes on where it stopped."
