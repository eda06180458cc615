"""atomic: a file is replaced whole or not at all, an append that failed leaves nothing, everything is private."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.errors import StoreNotWritable
from deduplication.files import atomic


def mode(path):
    """The permission bits."""
    return stat.S_IMODE(path.lstat().st_mode)


def fail_with(number):
    """A function that raises this error of the operating system."""

    def fail(*_arguments, **_options):
        raise OSError(number, os.strerror(number))

    return fail


@pytest.fixture
def calls(monkeypatch):
    """The names of the writing calls, in order."""
    seen = []
    for name in ("open", "write", "fsync", "replace", "ftruncate", "close", "unlink"):
        real = getattr(os, name)

        def watched(*arguments, real=real, name=name, **options):
            seen.append(name)
            return real(*arguments, **options)

        monkeypatch.setattr(os, name, watched)
    return seen


def test_replace_writes_syncs_and_renames_in_this_order(tmp_path, calls):
    """New content is on the disk before it gets its name, and the name is on the disk before replace returns."""
    path = tmp_path / "file"
    atomic.replace(str(path), b"content")
    assert path.read_bytes() == b"content"
    assert [c for c in calls if c != "unlink"][:8] == [
        "open",
        "write",
        "fsync",
        "close",
        "replace",
        "open",
        "fsync",
        "close",
    ]


def test_replace_that_need_not_be_durable_waits_for_no_disk(tmp_path, calls):
    """An index is replaced without fsync."""
    atomic.replace(str(tmp_path / "file"), b"content", durable=False)
    assert "fsync" not in calls


def test_replace_that_has_to_be_whole_syncs_the_content_and_not_the_name(tmp_path, calls):
    """After a power cut the old file may be there, or the new one, and nothing between them."""
    atomic.replace(str(tmp_path / "file"), b"content", durable=False, whole=True)
    assert [c for c in calls if c in ("write", "fsync", "replace")] == ["write", "fsync", "replace"]


@pytest.mark.parametrize("call", ["open", "fchmod", "write", "fsync", "replace"])
def test_replace_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, call):
    """Whatever call fails: the old content, no temporary file, and an error with the file's name."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, call, fail_with(errno.ENOSPC))
    with pytest.raises(StoreNotWritable, match="file: No space left"):
        atomic.replace(str(path), b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_replace_replaces_a_link_and_not_what_it_leads_to(tmp_path):
    """A link in the file's place is replaced; its target keeps its content."""
    (tmp_path / "target").write_bytes(b"theirs")
    (tmp_path / "file").symlink_to(tmp_path / "target")
    atomic.replace(str(tmp_path / "file"), b"ours")
    assert (tmp_path / "target").read_bytes() == b"theirs"
    assert not (tmp_path / "file").is_symlink()


def test_replace_is_not_led_astray_by_a_temporary_file_that_is_there(tmp_path):
    """A leftover, or a trap, under the temporary name is removed first, never written through."""
    (tmp_path / "target").write_bytes(b"theirs")
    (tmp_path / f"file.{os.getpid()}.tmp").symlink_to(tmp_path / "target")
    atomic.replace(str(tmp_path / "file"), b"ours")
    assert (tmp_path / "target").read_bytes() == b"theirs"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "target"]


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_what_is_written_is_private_whatever_the_umask(tmp_path, umask):
    """Files 0600 and folders 0700, missing parents included; a mode that is asked for is given exactly."""
    before = os.umask(umask)
    try:
        atomic.make_private_directory(str(tmp_path / "a" / "b" / "c"))
        atomic.replace(str(tmp_path / "a" / "file"), b"x")
        atomic.replace(str(tmp_path / "a" / "shared"), b"x", mode=atomic.SHARED_FILE)
        atomic.append(str(tmp_path / "a" / "log"), b"x")
    finally:
        os.umask(before)
    assert [mode(tmp_path / p) for p in ("a", "a/b", "a/b/c")] == [0o700] * 3
    assert [mode(tmp_path / "a" / p) for p in ("file", "log", "shared")] == [0o600, 0o600, 0o644]


def test_a_private_directory_that_was_open_to_others_is_closed(tmp_path, monkeypatch):
    """The folder itself is made private; its parents, which others may need, are left as they are. Relative paths work."""
    (tmp_path / "parent" / "state").mkdir(parents=True)
    (tmp_path / "parent").chmod(0o755)
    (tmp_path / "parent" / "state").chmod(0o755)
    atomic.make_private_directory(str(tmp_path / "parent" / "state"))
    assert mode(tmp_path / "parent" / "state") == 0o700
    assert mode(tmp_path / "parent") == 0o755
    monkeypatch.chdir(tmp_path)
    atomic.make_private_directory("x/y/")
    assert mode(tmp_path / "x") == mode(tmp_path / "x" / "y") == 0o700


def test_a_file_in_the_place_of_a_private_directory_is_an_error(tmp_path):
    """Where a folder should be is a file: an error of the operating system, and the file stays."""
    (tmp_path / "state").write_bytes(b"x")
    with pytest.raises(StoreNotWritable), atomic.write_errors("state"):
        atomic.make_private_directory(str(tmp_path / "state" / "inner"))
    assert (tmp_path / "state").read_bytes() == b"x"


def test_append_adds_at_the_end_and_closes_what_others_could_read(tmp_path, calls):
    """Append creates, adds, syncs, syncs the folder of a new file, and takes back permissions of others."""
    path = tmp_path / "log"
    atomic.append(str(path), b"one\n")
    assert calls.count("fsync") == 2
    path.chmod(0o666)
    atomic.append(str(path), b"two\n")
    assert calls.count("fsync") == 3
    assert path.read_bytes() == b"one\ntwo\n"
    assert mode(path) == 0o600
    atomic.append(str(path), b"three\n", durable=False)
    assert calls.count("fsync") == 3


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])
def test_append_that_fails_half_way_is_cut_back(tmp_path, monkeypatch, number):
    """A part was written, then the disk refused: the file is as before, and the error has its name."""
    path = tmp_path / "log"
    path.write_bytes(b"before\n")
    real, done = os.write, []

    def half(descriptor, data):
        if done:
            raise OSError(number, os.strerror(number))
        done.append(1)
        return real(descriptor, bytes(data)[:3])

    monkeypatch.setattr(os, "write", half)
    with pytest.raises(StoreNotWritable, match="log: "):
        atomic.append(str(path), b"after\n")
    assert done
    assert path.read_bytes() == b"before\n"


def test_append_whose_fsync_fails_is_cut_back(tmp_path, monkeypatch):
    """What may not have reached the disk is not left in the file."""
    path = tmp_path / "log"
    path.write_bytes(b"before\n")
    monkeypatch.setattr(os, "fsync", fail_with(errno.EIO))
    with pytest.raises(StoreNotWritable):
        atomic.append(str(path), b"after\n")
    assert path.read_bytes() == b"before\n"


def test_append_follows_no_link(tmp_path):
    """A link in the log's place: refused, its target untouched."""
    (tmp_path / "target").write_bytes(b"theirs")
    (tmp_path / "log").symlink_to(tmp_path / "target")
    with pytest.raises(StoreNotWritable):
        atomic.append(str(tmp_path / "log"), b"ours")
    assert (tmp_path / "target").read_bytes() == b"theirs"


def test_short_writes_are_continued_and_a_disk_that_takes_nothing_is_an_error(tmp_path, monkeypatch):
    """write may take a part: the rest follows; a write of no bytes is no endless loop."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(data)[:2]))
    atomic.replace(str(tmp_path / "file"), b"seven b")
    assert (tmp_path / "file").read_bytes() == b"seven b"
    monkeypatch.setattr(os, "write", lambda descriptor, data: 0)
    with pytest.raises(StoreNotWritable, match="accepted no bytes"):
        atomic.replace(str(tmp_path / "file"), b"other")
    assert (tmp_path / "file").read_bytes() == b"seven b"


def test_truncate_cuts_and_syncs(tmp_path, calls):
    """A file is cut to its size and the cut is on the disk; a missing file is a named error."""
    path = tmp_path / "log"
    path.write_bytes(b"0123456789")
    atomic.truncate(str(path), 4)
    assert path.read_bytes() == b"0123"
    assert calls[-3:] == ["ftruncate", "fsync", "close"]
    with pytest.raises(StoreNotWritable):
        atomic.truncate(str(tmp_path / "missing"), 0)


def test_open_regular_opens_files_only(tmp_path):
    """A file is opened; a link, a pipe and a folder are errors, and none of them is waited for or followed."""
    (tmp_path / "file").write_bytes(b"x")
    with atomic.open_regular(str(tmp_path / "file")) as file:
        assert file.read() == b"x"
    (tmp_path / "link").symlink_to(tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("link", "pipe", "folder"):
        with pytest.raises(OSError, match=r"regular|symbolic|directory"):
            atomic.open_regular(str(tmp_path / name))
    with pytest.raises(FileNotFoundError):
        atomic.open_regular(str(tmp_path / "missing"))


def test_temporaries_of_the_dead_are_removed_and_nothing_else(tmp_path):
    """Only names that replace gives are removed; a folder that cannot be read is no failure."""
    for name in ("a.json.123.tmp", "b.jsonl.7.tmp", "notes.tmp", "x.tmp.json", "a.json"):
        (tmp_path / name).touch()
    atomic.remove_temporaries(str(tmp_path))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "notes.tmp", "x.tmp.json"]
    atomic.remove_temporaries(str(tmp_path / "missing"))


@given(st.one_of(st.text(min_size=1).map(lambda name: name.encode("utf-8", "replace")), st.binary(min_size=1)))
def test_a_temporary_name_is_never_too_long_and_always_known(name):
    """Whatever the name: in characters of any width, or bytes that are no UTF-8."""
    name = os.fsdecode(name[:255])
    made = atomic.temporary_name(name)
    assert len(os.fsencode(made)) <= atomic.MAX_NAME_BYTES
    assert atomic.is_temporary(made)
    assert len(os.fsencode(name)) > 200 or made.startswith(name)


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
@pytest.mark.parametrize("name", [b"n" * 255, b"n" * 246, "é".encode() * 127, b"\xff" * 255, b"a\nb" * 85], ids=repr)
def test_the_longest_names_are_written_like_any_other(tmp_path, name):
    """255 bytes are allowed, so 255 bytes work; nothing else is left beside the file."""
    path = os.path.join(str(tmp_path), os.fsdecode(name))
    atomic.replace(path, b"one")
    with atomic.replacing(path) as descriptor:
        os.write(descriptor, b"two")
    assert os.listdir(os.fsencode(str(tmp_path))) == [name]
    assert Path(path).read_bytes() == b"two"
