"""discovery: what is found where, what is refused, and how a file is read."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from deduplication.archive import discovery
from deduplication.archive.discovery import Found, find_exports, oldest_first
from deduplication.errors import DedupError, ExportUnreadable, NotAnExport, UnsafePath
from deduplication.files.safe_read import read
from deduplication.project.paths import Project

TURN = "> {0}\n\n⏺ The answer to {0}.\n\n⏺ Bash(ls)\n  ⎿  a.txt\n\n"
OTHERS_JSON = {"exported_at": "2025-11-17", "title": "t", "messages": [{"index": 0, "role": "user", "content": "hi"}]}
POSIX = pytest.mark.skipif(os.name == "nt", reason="needs POSIX file types and permissions")


def export(*prompts: str) -> bytes:
    """A text export with these prompts."""
    return "".join(TURN.format(prompt) for prompt in prompts).encode()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with all its folders and nothing in them."""
    made = Project(tmp_path.resolve() / "project")
    made.exports.mkdir(parents=True)
    return made


def names(found: Found) -> list[str]:
    """The names of what was found, in order."""
    return [candidate.path.name for candidate in found.exports]


def refused(found: Found) -> dict[str, tuple[type[DedupError], bool]]:
    """Name of each refused file, the kind of its error, and whether it fails the run."""
    return {refusal.path.name: (type(refusal.error), refusal.fatal) for refusal in found.refusals}


def test_exports_are_found_in_the_three_places_by_content(project: Project) -> None:
    """The root, MEMORY-CONTEXT and the drop folder are searched, whatever the ending; folders below are not."""
    (project.root / "a.txt").write_bytes(export("a"))
    (project.memory / "b.md").write_bytes(export("b"))
    (project.exports / "c").write_bytes(export("c"))
    (project.exports / "d.json").write_text(json.dumps(OTHERS_JSON), encoding="utf-8")
    for below in (project.root / "src", project.exports / "old", project.archive):
        below.mkdir()
        (below / "below.txt").write_bytes(export("below"))
    found = find_exports(project)
    assert sorted(names(found)) == ["a.txt", "b.md", "c", "d.json"]
    assert found.refusals == ()
    assert not any(candidate.stays or candidate.named for candidate in found.exports)


def test_a_missing_folder_is_no_error(tmp_path: Path) -> None:
    """A project without MEMORY-CONTEXT is searched all the same, and nothing is created."""
    project = Project(tmp_path.resolve())
    assert find_exports(project) == Found()
    assert list(tmp_path.iterdir()) == []


QUIET = {
    "readme": ("README.md", b"# A project\n\n> quoted\n"),
    "package": ("package.json", b'{"name": "x", "messages": "none"}'),
    "licence": ("LICENSE", b"MIT"),
    "hidden": (".hidden.txt", export("x")),
    "other-ending": ("export.csv", export("x")),
    "notes": ("notes.txt", b"buy milk\n"),
    "status-log": ("export-dedup-status.txt", b"EXPORT-DEDUP EXECUTION REPORT\n> x\n"),
    "placeholder-elsewhere": ("todo.md", b"Status: PENDING, a placeholder\n"),
}


@pytest.mark.parametrize(("name", "data"), QUIET.values(), ids=QUIET)
def test_files_that_nobody_takes_for_exports_are_passed_over_in_silence(
    project: Project, name: str, data: bytes
) -> None:
    """An ordinary project file is neither processed nor mentioned."""
    (project.root / name).write_bytes(data)
    assert find_exports(project) == Found()


NAMED = {
    "placeholder": ("2025-11-17-EXPORT-X.txt", b"Status: PENDING\nThis is a placeholder.\n", "placeholder", False),
    "binary": ("TEST-EXPORT.txt", b"\x7fELF\0\0\0", "binary", False),
    "empty": ("2025-11-17-EXPORT-X.txt", b"", "empty", True),
    "in-the-drop-folder": ("notes.txt", b"buy milk\n", "no prompts", False),
    "empty-in-the-drop-folder": ("x.txt", b"", "empty", False),
    "json": ("x.json", b"[1, 2]", "not a conversation", False),
    "only-in-parts": ("x.txt", b"a\nb\nc\nd\ne\n" + export("x"), "pass its path", False),
}


@pytest.mark.parametrize(("name", "data", "reason", "fatal"), NAMED.values(), ids=NAMED)
def test_files_that_somebody_takes_for_exports_are_named(
    project: Project, name: str, data: bytes, reason: str, fatal: bool
) -> None:
    """What lies in the drop folder, or bears an export's name, is named with the reason; an empty export is a failure."""
    (project.exports / name).write_bytes(data)
    found = find_exports(project)
    assert found.exports == ()
    assert refused(found) == {name: (NotAnExport, fatal)}
    assert reason in found.refusals[0].reason


def test_an_empty_export_says_what_to_do(project: Project) -> None:
    """The hint keeps the user from compacting a conversation that was never written."""
    (project.root / "2025-11-17-EXPORT-X.txt").touch()
    assert "before /compact" in find_exports(project).refusals[0].error.hint


@POSIX
def test_links_found_in_the_project_are_not_followed(project: Project, tmp_path: Path) -> None:
    """A link in the drop folder is named and left alone, wherever it leads; elsewhere links are none of our business."""
    (tmp_path / "secret.txt").write_bytes(export("secret"))
    (project.root / "src").mkdir()
    (project.root / "src" / "inside.txt").write_bytes(export("inside"))
    (project.exports / "passwd.txt").symlink_to("/etc/passwd")
    (project.exports / "out.txt").symlink_to(tmp_path / "secret.txt")
    (project.exports / "in.txt").symlink_to(project.root / "src" / "inside.txt")
    (project.exports / "dangling.txt").symlink_to("nowhere")
    (project.root / "CLAUDE.md").symlink_to("AGENTS.md")
    found = find_exports(project)
    assert found.exports == ()
    linked = ("dangling.txt", "in.txt", "out.txt", "passwd.txt")
    assert refused(found) == dict.fromkeys(linked, (UnsafePath, False))


@POSIX
def test_a_folder_that_leads_out_of_the_project_is_not_searched(tmp_path: Path) -> None:
    """MEMORY-CONTEXT/exports as a link to a folder elsewhere is named; a link to a folder of the project is followed."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.txt").write_bytes(export("x"))
    project = Project(tmp_path.resolve() / "project")
    project.memory.mkdir(parents=True)
    project.exports.symlink_to(outside)
    assert refused(find_exports(project)) == {"exports": (UnsafePath, False)}
    project.exports.unlink()
    (project.root / "drop").mkdir()
    (project.root / "drop" / "y.txt").write_bytes(export("y"))
    project.exports.symlink_to(project.root / "drop")
    assert [candidate.path for candidate in find_exports(project).exports] == [project.root / "drop" / "y.txt"]


@POSIX
def test_pipes_sockets_and_folders_are_never_opened(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but regular files reaches open(): a pipe would hang the run, a device could act."""
    os.mkfifo(project.exports / "pipe.txt")
    (project.exports / "folder.txt").mkdir()
    monkeypatch.chdir(project.exports)  # the name of a socket must be short
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind("socket.txt")
    (project.exports / "device.txt").symlink_to("/dev/zero")
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("opened"))
    found = find_exports(project)
    assert refused(found) == dict.fromkeys(("device.txt", "pipe.txt", "socket.txt"), (UnsafePath, False))
    named = find_exports(project, [project.exports / "pipe.txt", project.exports / "socket.txt", "/dev/null"])
    assert {fatal for _, fatal in refused(named).values()} == {True}
    assert len(named.refusals) == 3


@POSIX
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_fails_the_run(project: Project) -> None:
    """An export that we cannot look into is named and counts as a failure."""
    (project.exports / "x.txt").write_bytes(export("x"))
    (project.exports / "x.txt").chmod(0)
    assert refused(find_exports(project)) == {"x.txt": (ExportUnreadable, True)}


def test_a_file_that_cannot_be_read_is_named(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """An I/O error in one file of the drop folder is a named failure of that file; the others are found."""
    (project.exports / "bad.txt").write_bytes(export("x"))
    (project.exports / "good.txt").write_bytes(export("y"))
    genuine = os.open

    def refuse(path: Path, *rest: int, **options: Any) -> int:
        if Path(path).name == "bad.txt":
            raise OSError(5, "Input/output error")
        return genuine(path, *rest, **options)

    monkeypatch.setattr(os, "open", refuse)
    found = find_exports(project)
    assert names(found) == ["good.txt"]
    assert refused(found) == {"bad.txt": (ExportUnreadable, True)}
    assert found.refusals[0].reason == "Input/output error"


def test_a_large_file_is_recognised_by_its_head(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large text only the head is read, wherever it ends; JSON is read whole; beyond the limit it must be named."""
    monkeypatch.setattr(discovery, "_HEAD", 300)
    (project.exports / "big.txt").write_bytes(export(*map(str, range(100))))
    many = {**OTHERS_JSON, "messages": [{"index": i, "role": "user", "content": "x" * 50} for i in range(50)]}
    (project.exports / "big.json").write_text(json.dumps(many), encoding="utf-8")
    assert sorted(names(find_exports(project))) == ["big.json", "big.txt"]
    monkeypatch.setattr(discovery, "SEARCH_LIMIT", 1000)
    found = find_exports(project)
    assert names(found) == []
    assert refused(found) == dict.fromkeys(("big.json", "big.txt"), (NotAnExport, False))
    assert "pass its path" in found.refusals[0].reason
    assert names(find_exports(project, [project.exports / "big.txt"])) == ["big.txt"]


def test_a_named_file_may_lie_anywhere(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file outside the project is taken and stays; one inside is moved later; the same one twice counts once."""
    (tmp_path / "outside.txt").write_bytes(export("x"))
    (project.root / "docs").mkdir()
    (project.root / "docs" / "inside.txt").write_bytes(export("y"))
    monkeypatch.chdir(tmp_path)
    inside = project.root / "docs" / "inside.txt"
    found = find_exports(project, ["outside.txt", inside, "./outside.txt", "project/docs/../docs/inside.txt"])
    assert {c.path.name: (c.named, c.stays) for c in found.exports} == {
        "outside.txt": (True, True),
        "inside.txt": (True, False),
    }
    assert len(found.exports) == 2


def test_a_named_folder_gives_its_exports(project: Project, tmp_path: Path) -> None:
    """A folder stands for the exports in it, judged strictly; one without any is said to have none."""
    folder = tmp_path / "old exports"
    folder.mkdir()
    (folder / "a.txt").write_bytes(export("a"))
    (folder / "notes.txt").write_bytes(b"milk")
    found = find_exports(project, [folder])
    assert [(c.path.name, c.named, c.stays) for c in found.exports] == [("a.txt", False, True)]
    assert refused(found) == {"notes.txt": (NotAnExport, False)}
    (tmp_path / "empty").mkdir()
    assert refused(find_exports(project, [tmp_path / "empty"])) == {"empty": (NotAnExport, False)}


def test_an_archived_export_stays_in_the_archive(project: Project) -> None:
    """What lies in the archive can be processed again, and is not moved."""
    project.archive.mkdir()
    (project.archive / "a.txt").write_bytes(export("a"))
    assert [c.stays for c in find_exports(project, [project.archive / "a.txt"]).exports] == [True]
    assert [c.stays for c in find_exports(project, [project.archive]).exports] == [True]


@pytest.mark.parametrize("given", ["log", "folder"])
def test_the_message_store_is_no_export(project: Project, given: str) -> None:
    """Our own state is never taken for input, so it is never moved, not even when it is named."""
    project.state.mkdir()
    log = project.state / "conversation_log.jsonl"
    log.write_text(json.dumps(OTHERS_JSON), encoding="utf-8")
    found = find_exports(project, [log if given == "log" else project.state])
    assert found.exports == ()
    assert [kind for kind, fatal in refused(found).values() if fatal] == [UnsafePath]


def test_a_folder_that_cannot_be_listed_fails_the_run(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports may lie in it: it is named, and the other places are searched."""
    (project.root / "a.txt").write_bytes(export("a"))
    genuine = os.listdir

    def refuse(folder: Path) -> list[str]:
        if Path(folder) == project.exports:
            raise PermissionError(13, "Permission denied")
        return genuine(folder)

    monkeypatch.setattr(os, "listdir", refuse)
    found = find_exports(project)
    assert names(found) == ["a.txt"]
    assert refused(found) == {"exports": (ExportUnreadable, True)}


MISSING = {"no-such-file": "nope.txt", "name-too-long": "x" * 300, "nul": "a\0b", "below-a-file": "file.txt/x.txt"}


@pytest.mark.parametrize("given", MISSING.values(), ids=MISSING)
def test_a_path_that_is_none_is_a_named_failure(project: Project, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    """The other paths are found all the same."""
    monkeypatch.chdir(project.root)
    Path("file.txt").write_bytes(export("x"))
    found = find_exports(project, [given, "file.txt"])
    assert names(found) == ["file.txt"]
    assert [(type(r.error), r.fatal) for r in found.refusals] == [(ExportUnreadable, True)]


@POSIX
def test_a_named_link_is_followed_inside_the_project_only(project: Project, tmp_path: Path) -> None:
    """A link that leads out is refused even when it is named; one that stays inside gives its target, left in place."""
    (tmp_path / "out.txt").write_bytes(export("x"))
    (project.root / "real.txt").write_bytes(export("y"))
    for name, target in (("out", tmp_path / "out.txt"), ("in", project.root / "real.txt"), ("up", tmp_path)):
        (project.root / name).symlink_to(target)
    (project.root / "loop").symlink_to("loop")
    found = find_exports(project, [project.root / name for name in ("out", "in", "up", "loop")])
    assert [(c.path.name, c.stays) for c in found.exports] == [("real.txt", True)]
    assert [r.fatal for r in found.refusals] == [True, True, True]
    assert [r.path.name for r in found.refusals if isinstance(r.error, UnsafePath)][:2] == ["out", "up"]


HOSTILE_NAMES = {
    "newline": "a\nb.txt",
    "escape": "\x1b[31mred.txt",
    "option": "-rf.txt",
    "255-bytes": "x" * 251 + ".txt",
    "reserved": "CON",
    "blanks": " two  blanks .txt",
    "other-script": "検討.txt",
    "undecodable": os.fsdecode(b"caf\xe9.txt"),
}


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the file system does not take every name")
@pytest.mark.parametrize("name", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES)
def test_any_name_is_found(project: Project, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A name is data: found by search and by path, read byte for byte."""
    data = export("x")
    (project.exports / name).write_bytes(data)
    assert names(find_exports(project)) == [name]
    monkeypatch.chdir(project.exports)
    assert names(find_exports(project, [name])) == [name]
    assert read(project.exports / name)[0] == data


def test_oldest_first(project: Project) -> None:
    """By the date in the name, completed by the file's own time, else by that time; then by name."""
    order = ["2025-01-01-x.txt", "old.txt", "2025-11-16T0900-b.txt", "2025-11-16T1523-a.txt", "new2.txt", "new10.txt"]
    for name in order:
        (project.exports / name).write_bytes(export("x"))
        age = {"old.txt": 1_740_000_000, "new2.txt": 1_790_000_000}.get(name, 1_790_000_000)
        os.utime(project.exports / name, (age, age))
    found = find_exports(project)
    assert names(found) == order
    assert oldest_first(reversed(found.exports)) == list(found.exports)
