"""The package's front door: what it names, what importing it costs, and that the standard library is enough for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import archive_scenes
import deduplication
import exports

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "scripts"
OPTIONAL = {"rich", "filelock"}
HEAVY = OPTIONAL | {"argparse", "asyncio", "logging", "sqlite3", "subprocess", "tempfile", "typing_extensions"}


def python(program, *flags):
    """What a fresh interpreter prints for ``program`` with the package on its path."""
    code = f"import sys; sys.path.insert(0, {str(SCRIPTS)!r})\n{program}"
    done = subprocess.run(
        [sys.executable, *flags, "-c", code], capture_output=True, encoding="utf-8", check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def imported(statement):
    """The modules that ``statement`` brings in, beside those that Python brings itself."""
    program = f"before = set(sys.modules)\n{statement}\nprint(*sorted(set(sys.modules) - before))"
    return set(python(program, "-S", "-E").split())


def test_the_table_of_contents_is_the_public_interface():
    """These names and no others are promised."""
    assert sorted(deduplication.__all__) == [
        "ClaudeConversationDeduplicator",
        "DedupError",
        "Export",
        "Ingest",
        "Message",
        "PostgreSQLDeduplicator",
        "SessionExportManager",
        "__version__",
    ]


@pytest.mark.parametrize("name", deduplication.__all__)
def test_every_public_name_is_there_and_explained(name):
    """Each is found where the table says, under its own name, with a docstring."""
    found = getattr(deduplication, name)
    if name != "__version__":
        assert found.__name__ == name
        assert found.__doc__


def test_a_name_that_is_not_promised_is_an_attribute_error():
    """A slip of the pen is told in Python's own words."""
    with pytest.raises(AttributeError, match="module 'deduplication' has no attribute 'Deduplicator'"):
        _ = deduplication.Deduplicator
    assert not hasattr(deduplication, "Deduplicator")


def test_importing_everything_by_star_works():
    """``from deduplication import *`` gives the table of contents."""
    shown = python("from deduplication import *\nprint(ClaudeConversationDeduplicator.__name__, DedupError.__name__)")
    assert shown == "ClaudeConversationDeduplicator DedupError\n"


def test_importing_the_package_imports_nothing_of_it():
    """The front door alone costs one module."""
    ours = {name for name in imported("import deduplication") if name.startswith("deduplication")}
    assert ours == {"deduplication"}


@pytest.mark.parametrize(
    "statement",
    [
        "import deduplication",
        "from deduplication import ClaudeConversationDeduplicator",
        "from deduplication import Message",
    ],
)
def test_importing_brings_in_nothing_heavy(statement):
    """Start-up is a budget: no argument parser, no optional package, no child processes before they are needed."""
    assert not imported(statement) & HEAVY


def test_opening_a_deduplicator_brings_in_nothing_heavy_and_writes_nothing(tmp_path):
    """What a hook does first."""
    statement = "from deduplication import ClaudeConversationDeduplicator as C\nC(storage_dir='store')"
    assert not imported(statement) & HEAVY
    assert list(tmp_path.iterdir()) == []


@pytest.mark.e2e
def test_the_standard_library_runs_the_whole_core_job(tmp_path):
    """An interpreter without site-packages finds, stores, archives, reads back, verifies and rebuilds."""
    project = tmp_path / "project"
    drop = project / "MEMORY-CONTEXT" / "exports"
    drop.mkdir(parents=True)
    story = exports.Story(7, 8)
    for file in story.exports(4):
        (drop / file.name).write_bytes(file.data)
    bare = [sys.executable, "-S", "-E"]

    def run(script, *arguments):
        command = [*bare, "-W", "error", str(SCRIPTS / script), *arguments, "--project", str(project)]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    assert "NEW UNIQUE MESSAGES ADDED & BACKED UP" in run("export-dedup-with-status.py", "--yes")
    assert sorted(path.name for path in drop.iterdir()) == []
    archive = project / "MEMORY-CONTEXT" / "exports-archive"
    assert archive_scenes.archived(deduplication.project.paths.Project(project)) == {
        f.name: f.data for f in story.exports(4)
    }
    run("deduplicate_export.py", "restore", "--all", str(archive / "back"))
    assert run("deduplicate_export.py", "verify").startswith("✅ Verified")
    assert run("deduplicate_export.py", "rebuild").endswith("and the store verifies.\n")
    again = json.loads(run("deduplicate_export.py", str(archive / "back"), "--batch", "--json"))
    assert (again["new_messages"], again["total_messages"] > 0) == (0, True)
    state = str(project / "MEMORY-CONTEXT" / "dedup_state")
    program = (
        "import json\nfrom deduplication import ClaudeConversationDeduplicator\n"
        f"dedup = ClaudeConversationDeduplicator({state!r})\n"
        "(name,) = dedup.conversations()\nprint(json.dumps(dedup.get_full_conversation(name)))\n"
        f"assert not {OPTIONAL!r} & set(sys.modules)"
    )
    assert exports.kept(json.loads(python(program, "-S", "-E"))) == story.truth()
