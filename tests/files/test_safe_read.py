"""reading: every byte, or a named error."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from deduplication.errors import ExportChanged, ExportGone, ExportTooLarge, ExportUnreadable, UnsafePath
from deduplication.files import safe_read
from deduplication.files.safe_read import CHUNK, LARGEST_BY, open_regular, read, read_growing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

POSIX = pytest.mark.skipif(os.name == "nt", reason="needs POSIX file types")


def export(text: str) -> bytes:
    """Some bytes."""
    return f"> {text}\n".encode()


def test_read_gives_every_byte_and_the_state(tmp_path: Path) -> None:
    """More than one chunk is read whole, and the identity is that of the file."""
    data = os.urandom(CHUNK * 2 + 17)
    path = tmp_path / "x.txt"
    path.write_bytes(data)
    taken, identity = read(path)
    assert taken == data
    status = path.stat()
    assert identity == (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


@pytest.mark.parametrize("change", ["grown", "shrunk", "touched"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """A writer at work is noticed, whether it adds, cuts or rewrites."""
    path = tmp_path / "x.txt"
    path.write_bytes(export("x"))
    genuine = os.read

    def meanwhile(descriptor: int, size: int) -> bytes:
        monkeypatch.setattr(os, "read", genuine)
        if change == "touched":
            os.utime(path, (1, 1))
        else:
            os.truncate(path, 5 if change == "shrunk" else 5000)
        return genuine(descriptor, size)

    monkeypatch.setattr(os, "read", meanwhile)
    with pytest.raises(ExportChanged, match=r"x\.txt"):
        read(path)


@POSIX
def test_a_file_swapped_for_a_pipe_or_a_link_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at a file and its opening somebody puts a pipe or a link there: no hang, no secret read."""
    path = tmp_path / "x.txt"
    (tmp_path / "secret").write_bytes(b"secret")
    genuine = os.open

    def swap(kind: str) -> None:
        path.unlink(missing_ok=True)
        path.write_bytes(b"x")

        def opening(name: Path, *rest: int, **options: Any) -> int:
            path.unlink()
            os.mkfifo(path) if kind == "pipe" else path.symlink_to(tmp_path / "secret")
            return genuine(name, *rest, **options)

        with monkeypatch.context() as patch:
            patch.setattr(os, "open", opening)
            with pytest.raises((ExportChanged, ExportUnreadable)):
                read(path)

    swap("pipe")
    swap("link")


def test_a_disk_that_fails_is_a_named_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An I/O error in the middle of a file is no short file."""
    path = tmp_path / "x.txt"
    path.write_bytes(b"x")

    def failing(_descriptor: int, _size: int) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "read", failing)
    with pytest.raises(ExportUnreadable, match="Input/output error"):
        read(path)


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    """A folder is refused by its kind, a missing file by its name."""
    with pytest.raises(UnsafePath, match="a folder"):
        open_regular(tmp_path)
    with pytest.raises(ExportGone, match="nope"):
        open_regular(tmp_path / "nope")


@pytest.mark.parametrize("ask", [read, read_growing])
def test_a_sparse_file_of_8_gb_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Callable[[Path], object]
) -> None:
    """It takes no room on the disk; not one byte of it comes into memory, and the error says how large it is and what goes."""
    path = tmp_path / "x.txt"
    path.write_bytes(export("x"))
    os.truncate(path, 8 * 1024**3)
    monkeypatch.setattr(safe_read, "take", lambda *_: pytest.fail("it was read"))
    with pytest.raises(
        ExportTooLarge, match=r"x\.txt has 8,589,934,592 bytes, and 1,073,741,824 is the most"
    ) as caught:
        ask(path)
    assert LARGEST_BY in caught.value.hint


@pytest.mark.parametrize("said", ["5", "4", "many", "", "9" * 30])
def test_who_has_a_larger_one_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """The environment names another limit, up to which a file is read; what is no number changes nothing."""
    path = tmp_path / "x.txt"
    path.write_bytes(b"12345")
    monkeypatch.setattr(safe_read, "LARGEST", 5)
    monkeypatch.setenv(LARGEST_BY, said)
    if said == "4":
        with pytest.raises(ExportTooLarge):
            read(path)
    else:
        assert read(path)[0] == b"12345"
