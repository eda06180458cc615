"""The schemas in ``docs/schemas``: whatever a command prints under ``--json`` in any test is held against its own."""

from __future__ import annotations

import functools
import json

from conftest import REPOSITORY
from deduplication.commands import create_checkpoint, deduplicate, deduplicate_export, export_dedup, stats
from deduplication.commands.database import verify_database
from deduplication.commands.setup import install, uninstall
from deduplication.commands.shell import one_command, table

FOLDER = REPOSITORY / "docs" / "schemas"
_ALONE = {
    export_dedup.main: "run",
    create_checkpoint.main: "checkpoint",
    deduplicate.batch: "import",
    stats.of_session: "stats",
    verify_database.main: "verify",
    install.main: "install",
    uninstall.main: "uninstall",
}


@functools.cache
def validator(name):
    """That of a subcommand; None where there is no jsonschema."""
    try:
        import jsonschema
    except ImportError:
        return None
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)


def subcommand_of(main, arguments):
    """The subcommand whose object is printed; empty where nobody says."""
    if main in _ALONE:
        return _ALONE[main]
    if main not in (deduplicate_export.main, one_command.main):
        return ""
    return next(
        (word for word in arguments if word in table.SUBCOMMANDS), "import" if main is deduplicate_export.main else ""
    )


def hold(main, arguments, printed):
    """Raise where a command printed another object than its schema says."""
    if "--json" not in arguments or not printed.startswith('{"generator"'):
        return
    name = subcommand_of(main, arguments)
    if name in ("", "show") or validator(name) is None:
        return
    check(name, json.loads(printed))


def check(name, answer):
    """Raise for an object that is not as the schema of ``name`` says."""
    wrong = [
        f"{'/'.join(map(str, each.absolute_path))}: {each.message}" for each in validator(name).iter_errors(answer)
    ]
    assert wrong == [], f"{name}: {wrong}\n{json.dumps(answer)[:2000]}"
