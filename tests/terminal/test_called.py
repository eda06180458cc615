"""What we advise to run is what whoever called us can run."""

from __future__ import annotations

import os

import pytest

from deduplication.start.child import main_module
from deduplication.terminal import called

SAID = {
    "Run 'deduplicate_export.py verify' to see": "Run 'export-dedup verify' to see",
    "deduplicate_export.py backup DIR --list": "export-dedup backup DIR --list",
    "'deduplicate_export.py session' without a name": "'export-dedup session' without a name",
    "deduplicate_export.py verify, then repair.": "export-dedup verify, then repair.",
    "deduplicate_export.py session.txt --stats": "export-dedup import session.txt --stats",
    "deduplicate_export.py MEMORY-CONTEXT/exports/": "export-dedup import MEMORY-CONTEXT/exports/",
    "deduplicate_export.py new/x": "export-dedup import new/x",
    "deduplicate_export.py": "export-dedup import",
    "Run export-dedup.py a.txt.": "Run export-dedup run a.txt.",
    "export-dedup-with-status.py": "export-dedup run",
    "run create-checkpoint.py again": "run export-dedup checkpoint again",
    "Run ./install.sh --project DIR": "Run export-dedup install --project DIR",
    "./install.sh --uninstall --project DIR": "export-dedup uninstall --project DIR",
    "./install.sh --demo": "export-dedup demo",
    "nothing of ours": "nothing of ours",
}


@pytest.fixture(autouse=True)
def afterwards():
    """A script was called, whatever a test says."""
    yield
    called.by_command(so=False)


@pytest.mark.parametrize(("text", "shown"), SAID.items(), ids=SAID)
def test_the_command_is_named_where_it_was_called(text, shown):
    """A subcommand by its word, exports as what is imported, the other scripts by what does the same; else as it is."""
    assert called.as_called(text) == text
    called.by_command()
    assert called.as_called(text) == shown
    assert called.titled(text) == shown


@pytest.mark.parametrize(
    ("program", "on_path", "typed"),
    [
        ("/usr/bin/export-dedup", True, "export-dedup"),
        ("../my venv/bin/export-dedup", False, '"../my venv/bin/export-dedup"'),
        (".venv/bin/export-dedup", False, ".venv/bin/export-dedup"),
        ("/x/$y/export-dedup", False, "'/x/$y/export-dedup'"),
        (main_module(), True, "export-dedup"),
        (main_module(), False, f"PYTHON {os.path.dirname(main_module())}"),
        (os.path.dirname(main_module()), False, f"PYTHON {os.path.dirname(main_module())}"),
        ("/usr/bin/pytest", False, "export-dedup"),
    ],
)
def test_what_a_person_types_is_what_is_there(program, on_path, typed, monkeypatch):
    """The command's name where the shell finds it; else its path as it was typed, or the interpreter with the package."""
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}" if on_path or name != called.COMMAND else None)
    monkeypatch.setattr("sys.argv", [program])
    monkeypatch.setattr("sys.executable", "/x/PYTHON")
    monkeypatch.setattr("sys.orig_argv", ["PYTHON", program], raising=False)
    called.by_command()
    assert called.typed().replace("/x/PYTHON", "PYTHON") == typed
    assert called.as_called("'deduplicate_export.py verify'").replace("/x/PYTHON", "PYTHON") == f"'{typed} verify'"
    assert called.titled("create-checkpoint.py") == "export-dedup checkpoint"


def test_a_child_says_what_was_typed_for_its_parent(monkeypatch):
    """It is started by the path of its main module, which nobody typed."""
    monkeypatch.setenv("EXPORT_DEDUP_TYPED", "")
    monkeypatch.setattr("shutil.which", lambda _name: None)
    monkeypatch.setattr("sys.argv", ["bin/export-dedup"])
    called.by_command()
    called.tell_children()
    called.by_command()
    monkeypatch.setattr("sys.argv", [main_module()])
    assert called.typed() == "bin/export-dedup"
