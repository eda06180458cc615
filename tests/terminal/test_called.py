"""What we advise to run is what whoever called us can run."""

from __future__ import annotations

import pytest

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
