"""beneath: links that stay below the anchor go on to work, those that lead out are refused, whenever they are put there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from deduplication.files import anchored, beneath
from deduplication.files.anchored import LeadsOut

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs links")
CALLS = {
    "open_file": lambda path: os.close(beneath.open_file(path, os.O_WRONLY | os.O_CREAT)),
    "unlink": beneath.unlink,
    "mkdir": lambda path: beneath.mkdir(f"{path}.new"),
    "rmdir": lambda path: beneath.rmdir(f"{path}.d"),
    "rename from": lambda path: beneath.rename(path, Path(path).parents[1] / "other"),
    "rename to": lambda path: beneath.rename(Path(path).parents[1] / "own", path),
    "replace to": lambda path: beneath.replace(Path(path).parents[1] / "own", path),
    "link to": lambda path: beneath.link(Path(path).parents[1] / "own", f"{path}.link"),
    "set_times": lambda path: beneath.set_times(path, 5),
    "chmod": lambda path: beneath.chmod(path, 0o640),
    "chmod of a folder": lambda path: beneath.chmod(f"{path}.d", 0o750),
    "make_folders": lambda path: beneath.make_folders(f"{path}.e/f"),
    "remove_tree": lambda path: beneath.remove_tree(f"{path}.d"),
    "sync": lambda path: anchored.sync(os.path.dirname(path)),
    "status": beneath.status,
}


@pytest.fixture
def root(tmp_path):
    """An anchored folder with a folder ``a`` in it, and one outside with the same files."""
    root = tmp_path.resolve() / "root"
    for folder in (root / "a", root.parent / "outside"):
        (folder / "file.d").mkdir(parents=True, mode=0o700)
        (folder / "file").write_text("x")
    (root / "own").write_text("own")
    anchored.anchor(root)
    return root


def seen(folder):
    """Names, modes, times and bytes."""
    found = {}
    for path in (folder, *sorted(folder.rglob("*"))):
        status = path.lstat()
        found[str(path)] = (status.st_mode, status.st_mtime_ns, path.read_bytes() if path.is_file() else b"")
    return found


@pytest.mark.parametrize("by_name", [False, True], ids=["by descriptor", "by name"])
@pytest.mark.parametrize("target", ["{outside}", "../outside", "b", "../root/../outside"])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_link_that_leads_out_is_refused_by_every_call(root, monkeypatch, call, target, by_name):
    """Absolute, relative, through another link, and where the system has no calls by descriptor, too."""
    if by_name:
        monkeypatch.setattr(anchored, "BY_DESCRIPTOR", False)
    outside = root.parent / "outside"
    (root / "a").rename(root / "away")
    (root / "a").symlink_to(target.format(outside=outside))
    (root / "b").symlink_to(outside)
    before = seen(outside)
    with pytest.raises(LeadsOut, match="leads out of"):
        call(str(root / "a" / "file"))
    assert seen(outside) == before
    assert (root / "own").exists()


@pytest.mark.parametrize(
    "target", ["inner/a", "{root}/inner/a", "inner/../inner/a", "b", "../root/inner/a", "{spelled}/inner/a"]
)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_link_of_the_users_own_that_stays_within_works(root, call, target):
    """The user may keep a folder elsewhere in the project, and call the project by another name."""
    (root.parent / "spelled").symlink_to(root)
    (root / "inner").mkdir()
    (root / "a").rename(root / "inner" / "a")
    (root / "a").symlink_to(target.format(root=root, spelled=root.parent / "spelled"))
    (root / "b").symlink_to("inner/a")
    call(str(root / "a" / "file"))
    assert (root / "a").is_symlink()


def test_what_lies_above_the_anchor_is_the_users(root):
    """A link above, and a path that no anchor has, are followed."""
    (root.parent / "up").symlink_to(root.parent)
    anchored.anchor(root.parent / "up" / "root")
    beneath.mkdir(root.parent / "up" / "root" / "new")
    assert (root / "new").is_dir()
    (root.parent / "outside" / "l").symlink_to(root / "a")
    beneath.unlink(root.parent / "outside" / "l" / "file")
    assert not (root / "a" / "file").exists()


def test_nothing_is_made_where_a_link_leads_to_nothing(root):
    """Missing folders on the way are made, with their mode; those behind a link are not ours to guess."""
    with anchored.directory(str(root / "c" / "d"), make=0o700):
        assert stat.S_IMODE((root / "c" / "d").stat().st_mode) == 0o700
    (root / "gone").symlink_to("nowhere")
    with pytest.raises(FileNotFoundError), anchored.directory(str(root / "gone" / "d"), make=0o700):
        pass
    assert not (root / "nowhere").exists()


def test_a_circle_of_links_ends(root):
    """An error with the whole path, as from the system."""
    (root / "l").symlink_to("m")
    (root / "m").symlink_to("l")
    with pytest.raises(OSError, match="Too many levels") as failed:
        beneath.unlink(root / "l" / "x")
    assert failed.value.filename == str(root / "l")


def test_errors_have_the_whole_path(root):
    """As if the call had been made by name."""
    with pytest.raises(FileNotFoundError) as failed:
        beneath.unlink(root / "a" / "none")
    assert failed.value.filename == str(root / "a" / "none")


def test_of_a_link_nothing_is_removed_or_changed(root):
    """Removing a tree stops at links in it, and refuses to begin at one; modes and times are those of the link or of nothing."""
    outside = root.parent / "outside"
    before = seen(outside)
    (root / "a" / "link").symlink_to(outside)
    (root / "link").symlink_to(outside)
    with pytest.raises(OSError, match="link"):
        beneath.remove_tree(root / "link")
    beneath.remove_tree(root / "link", ignore_errors=True)
    (root / "to").symlink_to(outside / "file")
    with pytest.raises(OSError, match="to"):
        beneath.chmod(root / "to", 0o777)
    beneath.set_times(root / "to", 7)
    beneath.remove_tree(root / "a")
    assert not (root / "a").exists()
    assert seen(outside) == before


def test_no_descriptor_is_left_open(root):
    """Whatever a call comes to."""
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("nobody tells which descriptors are open")
    before = os.listdir("/proc/self/fd")
    (root / "out").symlink_to(root.parent)
    for call in CALLS.values():
        for way in ("a", "out", "none"):
            try:
                call(str(root / way / "file"))
            except OSError:
                continue
    assert os.listdir("/proc/self/fd") == before
