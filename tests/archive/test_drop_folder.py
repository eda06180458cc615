"""archiving: raw exports keep their bytes, and leave their place only once the archive has them."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deduplication.archive import drop_folder, places
from deduplication.archive.drop_folder import Archived, opened
from deduplication.errors import ExportChanged, ExportGone, StoreNotWritable, UnsafePath
from deduplication.files import atomic
from deduplication.files.safe_read import read
from deduplication.project.paths import Project

POSIX = pytest.mark.skipif(os.name == "nt", reason="needs POSIX links and permissions")
DATA = b"> hello\n\n\xe2\x8f\xba hi \x00\xff\r\n" * 100


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a drop folder and no archive yet."""
    made = Project(tmp_path.resolve() / "project")
    made.exports.mkdir(parents=True)
    return made


def put(path: Path, data: bytes = DATA) -> tuple[Path, Any, str]:
    """An export on disk with what processing it would have found out: path, identity, digest."""
    path.write_bytes(data)
    os.utime(path, ns=(1_700_000_000_123_456_700, 1_700_000_000_123_456_700))
    return path, read(path)[1], hashlib.sha256(data).hexdigest()


def add(project: Project, source: tuple[Path, Any, str], *, stays: bool = False) -> Archived:
    """Archive one file in a run of its own."""
    with opened(project) as archive:
        return archive.add(*source, stays=stays)


def kept(project: Project) -> dict[str, bytes]:
    """The archive's exports: name and bytes; what is ours there is left out."""
    return {
        path.name: path.read_bytes()
        for path in project.archive.iterdir()
        if path.name not in (".lock", ".gitignore", ".archived.jsonl")
    }


def test_an_export_is_moved_with_its_bytes_and_its_time(project: Project) -> None:
    """The archive has every byte and the time of the last write; the original is gone."""
    source = put(project.exports / "a.txt")
    assert add(project, source) == Archived(project.archive / "a.txt", known=False, moved=True)
    assert kept(project) == {"a.txt": DATA}
    assert (project.archive / "a.txt").stat().st_mtime_ns == source[1].mtime_ns
    assert not source[0].exists()


@POSIX
def test_the_archive_is_private(project: Project) -> None:
    """Whatever the umask and the original's mode: the folder 0700, the export 0600."""
    project.archive.mkdir(mode=0o755)
    source = put(project.exports / "a.txt")
    source[0].chmod(0o666)
    source = (source[0], read(source[0])[1], source[2])
    before = os.umask(0)
    try:
        add(project, source)
    finally:
        os.umask(before)
    assert stat.S_IMODE(project.archive.stat().st_mode) == 0o700
    assert stat.S_IMODE((project.archive / "a.txt").stat().st_mode) == 0o600
    assert stat.S_IMODE((project.archive / ".lock").stat().st_mode) == 0o600


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_git_ignores_the_archive(project: Project) -> None:
    """Raw exports cannot be committed by accident; a .gitignore that is there already is left alone."""
    subprocess.run(["git", "init", "-q", str(project.root)], check=True)
    add(project, put(project.exports / "a.txt"))
    status = subprocess.run(
        ["git", "-C", str(project.root), "status", "--porcelain", "-uall"], check=True, capture_output=True
    )
    assert status.stdout == b""
    (project.archive / ".gitignore").write_text("mine\n", encoding="utf-8")
    add(project, put(project.exports / "b.txt", b"b"))
    assert (project.archive / ".gitignore").read_text(encoding="utf-8") == "mine\n"


def test_an_original_that_stays_is_copied(project: Project) -> None:
    """A file outside the project is archived and left where it is."""
    source = put(project.root.parent / "outside.txt")
    assert add(project, source, stays=True) == Archived(project.archive / "outside.txt", known=False, moved=False)
    assert source[0].read_bytes() == DATA
    assert kept(project) == {"outside.txt": DATA}


TAKEN = {
    "ending": ("a.txt", ["a-2.txt", "a-3.txt"]),
    "no-ending": ("a", ["a-2", "a-3"]),
    "two-dots": ("a.b.txt", ["a.b-2.txt", "a.b-3.txt"]),
    "hidden": (".gitignore", [".gitignore-2", ".gitignore-3", ".gitignore-4"]),
    "our-lock": (".lock", [".lock-2", ".lock-3", ".lock-4"]),
}


@pytest.mark.parametrize(("name", "others"), TAKEN.values(), ids=TAKEN)
def test_a_name_that_exists_gets_a_suffix(project: Project, name: str, others: list[str]) -> None:
    """Nothing in the archive is ever overwritten, our own files there included."""
    for number in range(3):
        add(project, put(project.exports / name, b"%d" % number))
    expected = [name, *others][: 3 if len(others) == 2 else None][-3:]
    assert kept(project) == {shown: b"%d" % number for number, shown in enumerate(expected)}


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the file system does not take every name")
@pytest.mark.parametrize(
    "name",
    ["a\nb.txt", "\x1b[31m.txt", "-rf", os.fsdecode(b"\xe9.txt"), "x" + "検" * 83 + ".txt", "x." + "y" * 253],
    ids=["newline", "escape", "option", "undecodable", "255-bytes", "dot-in-a-sentence"],
)
def test_any_name_is_kept(project: Project, name: str) -> None:
    """A name is data; one of 255 bytes is cut between characters to make room for the suffix, an ending is not."""
    add(project, put(project.exports / name, b"1"))
    again = add(project, put(project.exports / name, b"2")).path.name
    assert kept(project) == {name: b"1", again: b"2"}
    assert again.endswith("-2.txt" if name.endswith(".txt") else "-2")
    if "検" in name:
        assert again == "x" + "検" * 82 + "-2.txt"


def test_an_identical_file_is_not_kept_twice(project: Project) -> None:
    """The same bytes under the same or another name are in the archive once; the originals go all the same."""
    for name in ("a.txt", "a.txt", "b.txt"):
        source = put(project.exports / name)
        result = add(project, source)
        assert result.path == project.archive / "a.txt"
        assert not source[0].exists()
    assert result.known
    assert kept(project) == {"a.txt": DATA}


def test_an_identical_file_in_one_run_is_not_kept_twice(project: Project) -> None:
    """What this run has just archived counts, too."""
    first, second = put(project.exports / "a.txt"), put(project.root / "a.txt")
    with opened(project) as archive:
        assert not archive.add(*first).known
        assert archive.add(*second).known
    assert kept(project) == {"a.txt": DATA}


def test_a_file_of_the_same_size_is_another_file(project: Project) -> None:
    """Sameness is judged by the archived bytes, not by size or name: a damaged copy does not cost the original."""
    add(project, put(project.exports / "a.txt"))
    (project.archive / "a.txt").write_bytes(b"\0" + DATA[1:])
    add(project, put(project.exports / "a.txt"))
    assert kept(project)["a-2.txt"] == DATA


def test_an_export_in_the_archive_stays_there(project: Project) -> None:
    """Processing an archived export again neither doubles nor removes it."""
    project.archive.mkdir()
    source = put(project.archive / "a.txt")
    assert add(project, source, stays=True) == Archived(source[0], known=True, moved=False)
    assert kept(project) == {"a.txt": DATA}


def replaced(path: Path) -> None:
    """Another file of the same size and time takes the name."""
    status = path.stat()
    path.rename(path.with_name("elsewhere"))
    path.write_bytes(DATA[::-1])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def rewritten(path: Path) -> None:
    """Other bytes in the same file, of the same size, at the same time: only the digest can tell."""
    status = path.stat()
    path.write_bytes(DATA[::-1])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def grown(path: Path) -> None:
    """The client appended something."""
    path.write_bytes(DATA + b"more")


def touched(path: Path) -> None:
    """Somebody wrote to it, if only the same: whether he is done cannot be known."""
    path.touch()


@pytest.mark.parametrize("known", [False, True], ids=["first", "already-archived"])
@pytest.mark.parametrize("change", [replaced, rewritten, grown, touched])
def test_a_file_that_changed_after_processing_stays(project: Project, change: Any, known: bool) -> None:
    """What is there now was never processed: it is left alone, whether or not the archive knows the old bytes."""
    if known:
        add(project, put(project.exports / "a.txt"))
    source = put(project.exports / "a.txt")
    change(source[0])
    now = source[0].read_bytes()
    with pytest.raises(ExportChanged):
        add(project, source)
    assert source[0].read_bytes() == now
    assert kept(project) == ({"a.txt": DATA} if known else {})


def test_a_file_that_changes_while_it_is_archived_stays(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that comes after the copy was made keeps the new content; the archive has what was processed."""
    source = put(project.exports / "a.txt")
    genuine = os.rename

    def rename(*names: str, **folders: Any) -> None:
        genuine(*names, **folders)
        grown(source[0])

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(ExportChanged):
        add(project, source)
    assert source[0].read_bytes() == DATA + b"more"
    assert kept(project) == {"a.txt": DATA}


def test_the_original_goes_only_after_the_copy_is_durable(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of the calls: write, sync the file, name it, sync the folder, sync its line in the list, unlink the original."""
    add(project, put(project.exports / "before.txt", b"there is a list from now on"))
    source = put(project.exports / "a.txt")
    calls: list[str] = []
    for name in ("fsync", "rename", "unlink"):
        genuine = getattr(os, name)

        def noted(*arguments: Any, _name: str = name, _genuine: Any = genuine, **folders: Any) -> Any:
            calls.append(_name)
            return _genuine(*arguments, **folders)

        monkeypatch.setattr(os, name, noted)
    with opened(project) as archive:
        calls.clear()
        archive.add(*source)
    durable = ["fsync", "rename", "fsync", "fsync", "unlink", "fsync"]
    assert calls == (durable if os.name != "nt" else ["fsync", "rename", "fsync", "unlink"])


@POSIX
def test_a_copy_that_was_found_is_made_durable_before_the_original_goes(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run killed after naming its copy may not have synced it: the next one does, and where it cannot, nothing goes."""
    add(project, put(project.exports / "a.txt"))
    source = put(project.exports / "a.txt")
    with opened(project) as archive:

        def failing(_descriptor: int) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", failing)
            with pytest.raises(StoreNotWritable):
                archive.add(*source)
        assert source[0].exists()
        synced: list[int] = []
        genuine = os.fsync

        def noted(descriptor: int) -> None:
            if source[0].exists():
                synced.append(os.fstat(descriptor).st_ino)
            genuine(descriptor)

        monkeypatch.setattr(os, "fsync", noted)
        assert archive.add(*source).known
    assert synced == [(project.archive / "a.txt").stat().st_ino, project.archive.stat().st_ino]


def test_another_file_system_makes_no_difference(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is renamed or linked from the original's folder into the archive, so EXDEV cannot happen."""
    source = put(project.exports / "a.txt")
    genuine = os.rename

    def rename(old: str, new: str, **folders: Any) -> None:
        places = [os.stat(each) for each in folders.values() if each is not None]
        if os.path.dirname(old) != os.path.dirname(new) or (places and not os.path.samestat(*places)):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        genuine(old, new, **folders)

    monkeypatch.setattr(os, "rename", rename)
    monkeypatch.delattr(os, "link", raising=False)
    assert add(project, source).moved
    assert kept(project) == {"a.txt": DATA}


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="needs a second file system")
def test_a_real_other_file_system(project: Project) -> None:
    """An export on a memory file system reaches the archive on disk."""
    folder = Path("/dev/shm") / f"export-dedup-{os.getpid()}"
    folder.mkdir()
    try:
        source = put(folder / "a.txt")
        assert add(project, source).moved
        assert not source[0].exists()
    finally:
        shutil.rmtree(folder)
    assert kept(project) == {"a.txt": DATA}


FAULTS = ("open", "write", "fsync", "utime", "rename", "unlink")


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EACCES], ids=errno.errorcode.get)
@pytest.mark.parametrize("call", FAULTS)
def test_each_call_may_fail_and_nothing_is_lost(
    project: Project, monkeypatch: pytest.MonkeyPatch, call: str, error: int
) -> None:
    """A named error, the original where it was, no half copy; once the fault is over the next run completes."""
    source = put(project.exports / "a.txt")
    genuine = getattr(os, call)

    def failing(*arguments: Any, **options: Any) -> Any:
        if call == "unlink" and Path(arguments[0]).name != source[0].name:
            return genuine(*arguments, **options)
        if call == "open" and not arguments[1] & os.O_CREAT:
            return genuine(*arguments, **options)
        raise OSError(error, os.strerror(error))

    with opened(project) as archive:
        with monkeypatch.context() as patch:
            patch.setattr(os, call, failing)
            with pytest.raises(StoreNotWritable, match=os.strerror(error)):
                archive.add(*source)
        assert source[0].read_bytes() == DATA
        assert kept(project) == ({"a.txt": DATA} if call == "unlink" else {})
        assert archive.add(*source).moved
    assert kept(project) == {"a.txt": DATA}


def test_a_short_write_is_continued(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that takes a few bytes at a time gets all of them."""
    source = put(project.exports / "a.txt")
    genuine = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: genuine(descriptor, bytes(data[:7])))
    add(project, source)
    assert kept(project) == {"a.txt": DATA}


def test_what_a_killed_run_left_is_cleared_away(project: Project) -> None:
    """A half copy of a run that is gone does not stay in the archive, and is never taken for an export."""
    project.archive.mkdir()
    (project.archive / ".incoming-4711.tmp").write_bytes(DATA)
    (project.archive / ".gitignore.4711.tmp").write_bytes(b"*\n")
    assert places.plain_files(project) == []
    source = put(project.exports / "a.txt")
    assert not add(project, source).known
    assert kept(project) == {"a.txt": DATA}
    assert not list(project.archive.glob("*.tmp"))


def test_a_file_that_changes_while_it_is_compared_stays(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even what is written while the original is read for the last time is not lost."""
    add(project, put(project.exports / "a.txt"))
    source = put(project.exports / "a.txt")
    genuine = drop_folder._digest

    def digest(*arguments: Any) -> str:
        found = genuine(*arguments)
        grown(source[0])
        return found

    monkeypatch.setattr(drop_folder, "_digest", digest)
    with pytest.raises(ExportChanged):
        add(project, source)
    assert source[0].read_bytes() == DATA + b"more"


def test_a_file_that_another_run_archived_first(project: Project) -> None:
    """Two runs over one file end as one: the bytes are in the archive, the original is gone, nobody complains."""
    source = put(project.exports / "a.txt")
    shutil.copy(source[0], project.root / "copy")
    add(project, source)
    assert add(project, source) == Archived(project.archive / "a.txt", known=True, moved=True)
    with pytest.raises(ExportGone):
        add(project, (source[0], source[1], "0" * 64))


def test_only_one_run_at_a_time_archives(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive is locked while it is open, so that two runs cannot choose the same name."""
    held: list[str] = []
    genuine = drop_folder.exclusive
    monkeypatch.setattr(drop_folder, "exclusive", lambda path: held.append(path) or genuine(path))
    with opened(project):
        pass
    assert held == [str(project.archive / ".lock")]


@POSIX
def test_an_archive_that_leads_out_of_the_project_is_refused(project: Project, tmp_path: Path) -> None:
    """A project from a stranger cannot make us write into a folder of its choice."""
    target = tmp_path / "target"
    target.mkdir(mode=0o755)
    project.archive.symlink_to(target)
    with pytest.raises(UnsafePath, match="leads to"), opened(project):
        pytest.fail("opened")
    assert list(target.iterdir()) == []
    assert stat.S_IMODE(target.stat().st_mode) == 0o755


@POSIX
def test_a_link_in_the_archive_is_never_followed(project: Project, tmp_path: Path) -> None:
    """A link of an export's name is a taken name, not a copy and not a target."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(DATA)
    project.archive.mkdir()
    (project.archive / "a.txt").symlink_to(elsewhere)
    assert add(project, put(project.exports / "a.txt")).path.name == "a-2.txt"
    assert (project.archive / "a.txt").is_symlink()
    assert elsewhere.read_bytes() == DATA


@POSIX
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_archive(project: Project) -> None:
    """A folder that may not be written is a named error; the original stays."""
    project.archive.mkdir(mode=0o500)
    source = put(project.exports / "a.txt")
    with pytest.raises(StoreNotWritable):
        add(project, source)
    assert source[0].read_bytes() == DATA


def test_a_file_where_the_archive_should_be(project: Project) -> None:
    """A named error, nothing moved."""
    project.archive.write_bytes(b"")
    source = put(project.exports / "a.txt")
    with pytest.raises(StoreNotWritable, match="exports-archive"):
        add(project, source)
    assert source[0].exists()


def test_no_descriptor_is_left_open(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every descriptor that is opened is closed, on the way through an error, too."""
    source = put(project.exports / "a.txt")
    open_now: set[int] = set()
    real_open, real_close = os.open, os.close

    def opening(*arguments: Any, **options: Any) -> int:
        descriptor = real_open(*arguments, **options)
        open_now.add(descriptor)
        return descriptor

    def closing(descriptor: int) -> None:
        open_now.discard(descriptor)
        real_close(descriptor)

    monkeypatch.setattr(os, "open", opening)
    monkeypatch.setattr(os, "close", closing)

    def failing(_path: str) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with opened(project) as archive:
        before = set(open_now)
        with monkeypatch.context() as patch:
            patch.setattr(atomic, "sync_directory", failing)
            with pytest.raises(StoreNotWritable):
                archive.add(*source)
        assert open_now == before
        archive.add(*source)
        assert open_now == before
    assert open_now == set()
