"""The import path without what lies in the current folder: a ``json.py`` of the project's is not Python's own.

``PYTHONPATH`` may name that folder, in any spelling. The entry scripts import this first and by its bare name, from its own
folder, which leaves the path again; it imports only what the interpreter has loaded by then (so no ``__future__`` either).
It also puts off the search for cycles, which costs a short-lived process full of small records a quarter of its time.
What the interpreter itself loads at its start (``sitecustomize``, ``usercustomize``, ``os``, ``site``, ``encodings``) comes
from ``PYTHONPATH`` before any line of ours runs: against that helps ``python3 -E`` alone, which is how hooks are started.
"""

import gc
import os
import sys


def without(folder: str, path: "list[str]", python: "tuple[str, ...]") -> "list[str]":
    """The entries of ``path`` but those that lie in ``folder``; what lies in one of the folders ``python`` stays."""
    return [
        entry for entry in path if not _in(os.path.realpath(entry), folder) or any(_in(entry, own) for own in python)
    ]


def _in(path: str, folder: str) -> bool:
    return os.path.join(path, "").startswith(os.path.join(folder, ""))


def _current() -> str:
    try:
        return os.getcwd()
    except OSError:
        return os.sep  # the folder was removed: nobody knows what lies in it


def leave_current_folder() -> None:
    """The same where the package lies among others that pip installed: nothing of them comes before Python's own."""
    gc.set_threshold(200_000, 20, 20)
    sys.path[:] = without(_current(), sys.path, (sys.prefix, sys.base_prefix, sys.exec_prefix))


_START = os.path.dirname(os.path.realpath(__file__))
if __name__ == "import_path":  # as an entry script imports it, and not a test
    _SCRIPTS = os.path.dirname(os.path.dirname(_START))
    _REST = [entry for entry in sys.path if os.path.realpath(entry) not in (_START, _SCRIPTS)]
    gc.set_threshold(200_000, 20, 20)
    sys.path[:] = [_SCRIPTS, *without(_current(), _REST, (sys.prefix, sys.base_prefix, sys.exec_prefix))]
