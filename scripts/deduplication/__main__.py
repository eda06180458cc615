"""The command ``export-dedup``: as pip installs it, as ``python -m deduplication``, or started by the path of this file."""

import os
import sys

if not __package__:  # by its path, and no other package of this name is taken instead
    _HERE = os.path.dirname(os.path.realpath(__file__))
    sys.path[:] = [os.path.dirname(_HERE), *(entry for entry in sys.path if os.path.realpath(entry) != _HERE)]
    import deduplication  # noqa: F401 - its modules are found in its own folder from now on

    del sys.path[0]

from deduplication.start import import_path

import_path.leave_current_folder()  # before anything else is imported

from deduplication.commands import entry  # noqa: E402
from deduplication.commands.shell import one_command  # noqa: E402


def main() -> None:
    """Run the command with this process's arguments, and end the process with its exit code."""
    entry.start(one_command.main)


if __name__ == "__main__":
    main()
