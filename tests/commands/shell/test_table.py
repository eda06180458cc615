"""One table of all that the command does."""

from __future__ import annotations

import inspect

import pytest

from conftest import REPOSITORY
from deduplication.commands.deduplicate_export import SUBCOMMANDS as OF_THE_TOOL
from deduplication.commands.shell import table
from deduplication.errors import UsageError

COMMANDS = REPOSITORY / "scripts" / "deduplication" / "commands"
NO_SUBCOMMAND = {
    *("arguments", "entry"),  # what all of them go through
    *("deduplicate_export", "export_dedup", "with_status"),  # entry scripts, behind ``run`` and ``import``
    *("setup.install_script", "setup.into_project"),
    *("backups.choices", "backups.sealed"),
    *("database.migrate_json", "database.original_state", "database.verify_database", "database.waiting"),
}


def test_every_module_of_the_room_is_in_the_table():
    """A subcommand that was written and not listed would be found by nobody."""
    found = {
        path.relative_to(COMMANDS).with_suffix("").as_posix().replace("/", ".")
        for path in COMMANDS.rglob("*.py")
        if path.name != "__init__.py" and "shell" not in path.parts
    }
    assert found - NO_SUBCOMMAND == {each.module for each in table.SUBCOMMANDS.values()}
    assert found >= NO_SUBCOMMAND


def test_nothing_is_listed_twice():
    """Each name, each module and each line of help once."""
    every = [each for group in table.GROUPS for each in group.subcommands]
    for field in ("name", "module", "help"):
        values = [getattr(each, field) for each in every]
        assert len(values) == len(set(values))


@pytest.mark.parametrize("name", table.SUBCOMMANDS)
def test_each_has_what_is_asked_of_it(name):
    """``main`` takes the arguments, ``parser`` knows them; the line of help is one line."""
    module = table.module_of(name)
    assert next(iter(inspect.signature(module.main).parameters)) == "arguments"
    assert module.parser().parse_args
    assert len(table.SUBCOMMANDS[name].help) <= 64


def test_the_tool_has_those_of_the_store():
    """``deduplicate_export.py`` has a subset, in the same order; what has an entry script of its own is not in it."""
    assert set(OF_THE_TOOL) < set(table.SUBCOMMANDS)
    assert not {"run", "import", "checkpoint", "install", "uninstall", "demo", "completion"} & set(OF_THE_TOOL)


def test_a_copy_in_a_project_says_that_it_has_no_installer(monkeypatch):
    """Its modules are not there; any other module that is missing is a defect, and told as one."""

    def missing(name):
        raise ModuleNotFoundError(name=missing.name)

    monkeypatch.setattr("importlib.import_module", missing)
    missing.name = "deduplication.commands.setup"
    with pytest.raises(UsageError, match="lies in a project, and has no 'demo'"):
        table.module_of("demo")
    with pytest.raises(ModuleNotFoundError):
        table.module_of("search")
    missing.name = "json"
    with pytest.raises(ModuleNotFoundError):
        table.module_of("demo")
