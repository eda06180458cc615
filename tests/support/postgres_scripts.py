"""The SQL scripts that people run by hand, run by ``psql`` as they do it."""

from __future__ import annotations

import os
import subprocess

from conftest import REPOSITORY

SCRIPTS = REPOSITORY / "scripts" / "database"


def psql(server, database, script, *, user="postgres", path=None, check=True, **variables):
    """Run a script of ours; what it said. ``path`` is the search path, ``variables`` are those of psql."""
    command = [server.installation.path("psql"), "-X", "-q", server.dsn(database, user)]
    for name, value in {"ON_ERROR_STOP": 1, **variables}.items():
        command += ["-v", f"{name}={value}"]
    options = {"PGOPTIONS": f"-c search_path={path}"} if path else {}
    done = subprocess.run(
        [*command, "-f", str(SCRIPTS / script)],
        env={**os.environ, "LC_ALL": "C", "PSQL_HISTORY": os.devnull, **options},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert not check or done.returncode == 0, done.stderr
    return done
