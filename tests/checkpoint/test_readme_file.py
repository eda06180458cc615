"""Which README gets a checkpoint's line, and that nothing else of its folder is touched."""

from __future__ import annotations

import pytest

from deduplication.checkpoint import readme_file
from deduplication.project.paths import Project

LINE = "- [2026-03-04 10:00 UTC: x](MEMORY-CONTEXT/checkpoints/x.md)"


@pytest.mark.parametrize("made", ["nothing", "a link", "a folder", "no project"])
def test_what_is_no_readme_gets_no_line(tmp_path, made):
    """A link may lead anywhere."""
    root = tmp_path / "project"
    if made != "no project":
        root.mkdir()
    if made == "a link":
        (tmp_path / "elsewhere.md").write_text("# Elsewhere\n")
        (root / "README.md").symlink_to(tmp_path / "elsewhere.md")
    if made == "a folder":
        (root / "README.md").mkdir()
    assert readme_file.edits(Project(root), LINE) == []


def test_a_line_is_entered_once(tmp_path):
    """The second time there is nothing to do; who asks is told whether it is there."""
    path = tmp_path / "readme.md"
    assert not readme_file.has(path, LINE)
    path.write_text("# Tides\n")
    changes = readme_file.edits(Project(tmp_path), LINE)
    assert [readme_file.apply(changes, []), readme_file.apply(changes, [])] == [[path], []]
    assert readme_file.has(path, LINE)
    assert path.read_text().count(LINE) == 1
