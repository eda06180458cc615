#!/usr/bin/env python3
"""One hook of Claude Code: ``run.py EVENT`` with the event's JSON on standard input. Always exits 0."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "scripts"))

from deduplication.hooks import entry  # the package lies beside this folder

if __name__ == "__main__":
    entry.run(sys.argv[1:])
