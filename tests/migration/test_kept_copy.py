"""The copy of a folder that is kept: every byte, private, made once."""

from __future__ import annotations

import os

from deduplication.migration import kept_copy
from migration_scenes import files_of


def folder_in(tmp_path):
    """A folder with files, a lock, something unfinished and a link."""
    folder = tmp_path / "state"
    (folder / "sealed").mkdir(parents=True)
    for name in ("conversation_log.jsonl", "watermarks.json", "sealed/a.pack", ".lock", f"x.{os.getpid()}.tmp"):
        (folder / name).write_text(f"what {name} says")
    (folder / "link").symlink_to(folder / "watermarks.json")
    return folder


def test_it_has_every_byte_and_is_private(tmp_path):
    """Beside the folder, which is what it was; git does not see it."""
    folder = folder_in(tmp_path)
    before = files_of(folder)
    place, made = kept_copy.keep(str(folder))
    assert made
    assert os.path.dirname(place) == str(tmp_path)
    assert sorted(name for name in os.listdir(place)) == [
        ".gitignore",
        "conversation_log.jsonl",
        "sealed",
        "watermarks.json",
    ]
    for name in ("conversation_log.jsonl", "watermarks.json", "sealed/a.pack"):
        assert (tmp_path / place / name).read_bytes() == (folder / name).read_bytes()
        assert os.stat(os.path.join(place, name)).st_mode & 0o077 == 0
    assert os.stat(place).st_mode & 0o077 == 0
    assert files_of(folder) == before


def test_one_that_is_there_is_found_again(tmp_path):
    """After a migration that was stopped; not where the folder has other bytes by now."""
    folder = folder_in(tmp_path)
    place, _ = kept_copy.keep(str(folder))
    assert kept_copy.keep(str(folder)) == (place, False)
    (folder / "watermarks.json").write_text("others")
    other, made = kept_copy.keep(str(folder))
    assert (made, other != place) == (True, True)


def test_one_that_was_begun_is_no_copy(tmp_path):
    """Killed in between: what is there has the name of something unfinished, and a whole one is made."""
    folder = folder_in(tmp_path)
    unfinished = tmp_path / f"state{kept_copy.MARK}20260101T000000Z.77.tmp"
    unfinished.mkdir()
    place, made = kept_copy.keep(str(folder))
    assert (made, place != str(unfinished)) == (True, True)
