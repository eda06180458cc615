"""new_objects: what git gets is what was given, under the ids that git itself would give."""

from __future__ import annotations

import pytest

from deduplication.checkpoint import new_objects
from deduplication.checkpoint.new_objects import NewObjects
from deduplication.git.plumbing import Git, GitFailed
from deduplication.git.repository import open_repository
from scratch_repository import Scratch

CONTENTS = [
    b"",
    b"x",
    b"\xff\0\r\n",
    *(b"ab" * (size // 2) + b"c" * (size % 2) for size in (15, 16, 2047, 2048, 300_001)),
]


@pytest.fixture(params=["sha1", "sha256"])
def repository(tmp_path, request):
    """A repository without a commit, of either kind of ids."""
    scratch = Scratch(tmp_path / "project", new=False)
    scratch.top.mkdir()
    scratch.git("init", "-q", f"--object-format={request.param}")
    return open_repository(scratch.top)


@pytest.fixture
def calls(monkeypatch):
    """The calls of git."""
    real, made = Git.run, []

    def counted(git, *arguments, **options):
        made.append(arguments[0])
        return real(git, *arguments, **options)

    monkeypatch.setattr(Git, "run", counted)
    return made


def test_many_contents_are_stored_by_one_git_under_its_own_ids(repository, calls):
    """Of every length that a pack writes in another way; what is there already is no failure."""
    blobs = NewObjects(repository.git, [])
    for content in [*CONTENTS, *CONTENTS]:
        blobs.add(content)
    ids = [blobs.id_of(content) for content in CONTENTS]
    blobs.write()
    blobs.write()
    assert calls == ["hash-object", "unpack-objects"]
    for name, content in zip(ids, CONTENTS):
        assert repository.git.run("cat-file", "blob", name) == content
        assert repository.git.run("hash-object", "--stdin", stdin=content).decode().strip() == name
    assert repository.git.run("fsck", "--strict", "--no-dangling") == b""


def test_an_id_of_the_repository_tells_how_its_objects_are_named(repository, calls):
    """Then git is not asked: nothing is started for contents that are only compared."""
    known = repository.git.line("hash-object", "--stdin")
    calls.clear()
    assert NewObjects(repository.git, [known]).id_of(b"") == known
    assert calls == []


def test_a_git_is_given_no_more_than_it_has_time_for(repository, calls, monkeypatch):
    """After so many bytes, or so many files, the next ones go to another one."""
    monkeypatch.setattr(new_objects, "MOST_BYTES", 100)
    monkeypatch.setattr(new_objects, "MOST_FILES", 3)
    blobs = NewObjects(repository.git, ["0" * len(repository.git.line("hash-object", "--stdin"))])
    calls.clear()
    for content in (b"a" * 99, b"b", b"c", b"d", b"e", b"f"):
        blobs.add(content)
    blobs.write()
    assert calls == ["unpack-objects"] * 3


def test_a_git_that_names_objects_in_another_way_takes_none(repository):
    """Ids of another repository would name objects that nobody has."""
    other = {40: 64, 64: 40}[len(repository.git.line("hash-object", "--stdin"))]
    blobs = NewObjects(repository.git, ["0" * other])
    blobs.add(b"x")
    with pytest.raises(GitFailed, match="unpack-objects"):
        blobs.write()
