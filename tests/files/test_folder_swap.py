"""One folder in the place of another: at every instant one of them counts, whole."""

from __future__ import annotations

import os

import pytest

from deduplication.files import folder_swap


@pytest.fixture
def folder(tmp_path):
    """A folder with a file in it."""
    made = tmp_path / "packs"
    made.mkdir()
    (made / "a").write_text("old")
    return made


def fill(new):
    """What is to be there."""
    with open(os.path.join(new, "b"), "w", encoding="utf-8") as file:
        file.write("new")


def names(folder):
    """What lies in the folder that counts."""
    return sorted(os.listdir(folder_swap.current(str(folder))))


@pytest.mark.parametrize("call", [1, 2], ids=["before the old one is renamed", "before the new one has its name"])
def test_one_of_both_counts_whenever_it_stops(folder, monkeypatch, call):
    """Stopped before a rename: the old folder counts, or the new one, and the next writer finishes it."""
    count = []
    real = os.rename

    def rename(*arguments, **folders):
        count.append(arguments)
        if len(count) == call:
            raise KeyboardInterrupt
        real(*arguments, **folders)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", rename)
        with pytest.raises(KeyboardInterrupt):
            folder_swap.replace(str(folder), fill)
    assert names(folder) == (["a"] if call == 1 else ["b"])
    folder_swap.recover(str(folder))
    assert names(folder) == (["a"] if call == 1 else ["b"])
    assert [path.name for path in folder.parent.iterdir()] == ["packs"]


def test_what_cannot_be_filled_changes_nothing(folder):
    """An error while the new folder is written leaves the old one, and the next try is not in its way."""

    def fails(new):
        fill(new)
        raise ValueError(new)

    with pytest.raises(ValueError, match="packs"):
        folder_swap.replace(str(folder), fails)
    assert names(folder) == ["a"]
    folder_swap.replace(str(folder), fill)
    assert names(folder) == ["b"]


def test_where_there_was_none_there_is_one(tmp_path):
    """A missing folder is replaced as well."""
    folder_swap.replace(str(tmp_path / "packs"), fill)
    assert names(tmp_path / "packs") == ["b"]


def test_a_file_system_without_links_gets_a_copy(folder, monkeypatch):
    """The same bytes, and the same time."""

    def link(*_arguments, **_options):
        raise OSError(1, "not here")

    monkeypatch.setattr(os, "link", link)
    os.utime(folder / "a", ns=(5, 5))
    folder_swap.keep_copy(str(folder / "a"), str(folder / "c"))
    assert (folder / "c").read_text() == "old"
    assert (folder / "c").stat().st_mtime_ns == 5
