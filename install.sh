#!/usr/bin/env bash
# Finds a Python and hands over: everything else is in scripts/deduplication/commands/setup/install_script.py.
# Runs with bash 3.2 (macOS) and needs nothing but Python 3.9 or newer.
set -euo pipefail

self=${BASH_SOURCE[0]}
while [ -L "$self" ]; do # somebody may call it through a link
    target=$(readlink -- "$self")
    case $target in
    /*) self=$target ;;
    *) self=$(dirname -- "$self")/$target ;;
    esac
done
here=$(CDPATH='' cd -P -- "$(dirname -- "$self")" && pwd)

# Trying is the only proof: "python3" may be a stub that opens a shop (Windows) or a version that was never installed.
suits() {
    "$@" -c 'import sys; sys.exit(sys.version_info < (3, 9))' >/dev/null 2>&1
}

if [ -n "${PYTHON:-}" ]; then
    if ! suits "$PYTHON"; then
        printf '%s\n' "❌ ERROR: PYTHON=$PYTHON is no Python 3.9 or newer" >&2
        exit 1
    fi
    python=("$PYTHON")
else
    python=()
    for name in python3 python python3.14 python3.13 python3.12 python3.11 python3.10 python3.9; do
        if suits "$name"; then
            python=("$name")
            break
        fi
    done
    if [ ${#python[@]} -eq 0 ] && suits py -3; then
        python=(py -3)
    fi
    if [ ${#python[@]} -eq 0 ]; then
        printf '%s\n' "❌ ERROR: no Python 3.9 or newer was found" \
            "   → Install Python, or name one: PYTHON=/path/to/python ./install.sh" >&2
        exit 1
    fi
fi

# -I: a "json.py" in the current folder, or a PYTHONPATH made for another Python, is none of ours.
# -B: a checkout that only installs stays as it was cloned.
exec "${python[@]}" -I -B -c '
import sys
sys.path.insert(0, sys.argv.pop(1))
from deduplication.commands import entry
from deduplication.commands.setup import install_script
sys.exit(entry.run(install_script.main))
' "$here/scripts" "$@"
