"""Markers of sessions that ended long ago go, and nothing else."""

from __future__ import annotations

import os

from deduplication.hooks import pruning

DAY = 86_400
NOW = 1_800_000_000.0


def lying(folder, **days):
    """Files as many days old."""
    folder.mkdir(exist_ok=True)
    for name, age in days.items():
        (folder / name).write_text("")
        os.utime(folder / name, (NOW - age * DAY, NOW - age * DAY))


def test_old_markers_go_and_younger_ones_stay(tmp_path):
    """After sixty days; what was said once and locks are no session's, links and folders are not ours."""
    lying(tmp_path, old=61, young=59)
    once = ("both-forms", "first-word", "left-behind")
    for name in ("old.notices", *once, ".exports.lock"):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (NOW - 300 * DAY,) * 2)
    (tmp_path / "folder").mkdir()
    os.utime(tmp_path / "folder", (0, 0))
    (tmp_path / "link").symlink_to(tmp_path / "young")
    os.utime(tmp_path / "link", (0, 0), follow_symlinks=False)
    assert pruning.prune(str(tmp_path), NOW) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *(".exports.lock", "both-forms", "first-word", "folder", "left-behind", "link", "young")
    ]
    assert pruning.prune(str(tmp_path), NOW) == 0


def test_no_folder_is_no_failure(tmp_path):
    """Before the first session there is nothing to prune."""
    assert pruning.prune(str(tmp_path / "live")) == 0
