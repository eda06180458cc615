"""How the client runs a hook on Windows: by the bash of Git for Windows where there is one; without it, by our ``run.cmd``.

Without that bash the client gives commands to PowerShell, which reads a hook's standard input itself, as text of the console's
code page. So ``run.cmd`` is started by no shell (the entry has ``args``), and gets the bytes.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any, Final

from ..hooks.forms import TWIN
from ..project.client_version import WITHOUT_SHELL

if TYPE_CHECKING:
    from typing import Optional

    from ..project.client_version import Version

_BASHES: Final = (r"C:\Program Files\Git\bin\bash.exe", r"C:\Program Files (x86)\Git\bin\bash.exe")
"""Where the client looks before it asks where ``git`` is."""


def needs_twin(client: Optional[Version]) -> bool:
    """True where this is Windows without a bash that the client would find, and the client can start a program by itself."""
    return os.name == "nt" and client is not None and client >= WITHOUT_SHELL and not _has_bash()


def by_cmd(event: str) -> dict[str, Any]:
    """What an entry for ``event`` has where ``run.cmd`` is to be run."""
    # "call" comes first: where its first word is quoted, cmd takes the first and the last quote of the whole line away.
    path = "${CLAUDE_PROJECT_DIR}\\" + TWIN.replace("/", "\\")
    return {"command": "cmd.exe", "args": ["/d", "/c", "call", path, event]}


def _has_bash() -> bool:
    """As the client looks for it: its own variable, the usual places, beside ``git``. The one of WSL is none of them."""
    named = os.environ.get("CLAUDE_CODE_GIT_BASH_PATH")
    if named:
        return os.path.isfile(named)
    git = shutil.which("git")
    beside = [os.path.join(os.path.dirname(os.path.dirname(git)), "bin", "bash.exe")] if git else []
    return any(map(os.path.isfile, (*_BASHES, *beside)))
