"""What a checkpoint that was cut off left is set right by the next one, and only what is exactly as it was left."""

from __future__ import annotations

import threading

import pytest

from deduplication.checkpoint import make as checkpoint
from deduplication.checkpoint import readme_file, recovery, scoped_commit
from deduplication.errors import StoreNotWritable
from deduplication.files import atomic
from deduplication.git.repository import open_repository
from scratch_repository import Scratch

README = "# Tides\n"


class Killed(BaseException):
    """Stands for the end of the process: nothing after it is done."""


@pytest.fixture
def scratch(tmp_path):
    """A repository with a README and a staged file."""
    made = Scratch(tmp_path / "project")
    made.commit("README.md", README)
    made.git("add", "--", str(made.write("staged.txt")))
    return made


def cut_off(scratch, where, **options):
    """A checkpoint whose process ends in the function ``where`` of a module, with nothing tidied up behind it."""

    def killed(*_arguments, **_options):
        raise Killed

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(*where, killed)
        patched.setattr(scoped_commit, "take_back", lambda *_arguments: None)
        patched.setattr(recovery, "recover", lambda *_arguments: None)
        with pytest.raises(Killed):
            checkpoint.create(scratch.project, "X", **options)
    assert (scratch.project.state / recovery.NAME).is_file()


def titles(text):
    """What a README lists."""
    return [line.partition("UTC: ")[2].partition("]")[0] for line in text.splitlines() if "UTC: " in line]


def everywhere(scratch):
    """What the README lists in the work tree, in the index, in HEAD."""
    shown = [scratch.git("show", place) for place in (":README.md", "HEAD:README.md")]
    return [titles(text) for text in ((scratch.root / "README.md").read_text(), *shown)]


def test_before_its_commit_it_is_undone(scratch):
    """Entries leave the index, the document goes; what is the user's stays."""
    cut_off(scratch, (scoped_commit, "_move_branch"))
    assert "A  MEMORY-CONTEXT" in "\n".join(scratch.status())
    checkpoint.create(scratch.project, "Y")
    assert everywhere(scratch) == [["Y"]] * 3
    assert scratch.status() == ["A  staged.txt"]
    assert not (scratch.project.state / recovery.NAME).exists()


def test_after_its_commit_it_is_done(scratch):
    """The README gets its line, and what a killed write left beside it goes."""
    cut_off(scratch, (readme_file, "apply"))
    scratch.write("README.md.4711.tmp")
    scratch.write("README.md.theirs.tmp")
    checkpoint.create(scratch.project, "Y")
    assert everywhere(scratch) == [["Y", "X"]] * 3
    assert scratch.status() == ["A  staged.txt", "?? README.md.theirs.tmp"]


def test_a_document_that_somebody_changed_stays(scratch):
    """Only ours to the byte is deleted."""
    cut_off(scratch, (scoped_commit, "_move_branch"))
    (document,) = scratch.project.checkpoints.glob("*-X.md")
    document.write_text("my own words\n")
    checkpoint.create(scratch.project, "Y")
    assert document.read_text() == "my own words\n"


def test_one_that_was_to_be_committed_by_nobody(scratch):
    """Without a commit: with its line it is whole and stays, without it it goes."""
    cut_off(scratch, (readme_file, "apply"), commit=False)
    checkpoint.create(scratch.project, "Y", commit=False)
    assert titles((scratch.root / "README.md").read_text()) == ["Y"]
    cut_off(scratch, (recovery, "forget"), commit=False)
    checkpoint.create(scratch.project, "Z", commit=False)
    assert titles((scratch.root / "README.md").read_text()) == ["Z", "X", "Y"]
    assert len(list(scratch.project.checkpoints.iterdir())) == 3


def test_a_document_that_is_gone_is_no_failure(scratch):
    """Somebody tidied up: there is nothing to undo."""
    cut_off(scratch, (scoped_commit, "_move_branch"))
    next(scratch.project.checkpoints.glob("*-X.md")).unlink()
    assert checkpoint.create(scratch.project, "Y").commit


def test_what_cannot_be_set_right_now_is_kept_for_later(scratch, monkeypatch):
    """A README that cannot be written, an index that stays locked: the record stays until it works."""
    cut_off(scratch, (readme_file, "apply"))
    real = atomic.replace

    def full(path, data, **options):
        if path.endswith("README.md"):
            raise StoreNotWritable(f"{path}: No space left on device")
        real(path, data, **options)

    monkeypatch.setattr(atomic, "replace", full)
    recovery.recover(scratch.project, open_repository(scratch.root))
    assert (scratch.project.state / recovery.NAME).is_file()
    monkeypatch.setattr(atomic, "replace", real)
    recovery.recover(scratch.project, open_repository(scratch.root))
    assert everywhere(scratch) == [["X"]] * 3


@pytest.mark.parametrize("stays", [True, False])
def test_a_locked_index_is_waited_for(scratch, monkeypatch, stays):
    """The git of a killed process may be at work for a moment more; one that stays locked is left for later."""
    cut_off(scratch, (scoped_commit, "_move_branch"))
    monkeypatch.setattr(recovery, "LOCK_WAIT", 0.3 if stays else 10)
    lock = scratch.write(".git/index.lock", "")
    timer = threading.Timer(0.2, lambda: stays or lock.unlink())
    timer.start()
    recovery.recover(scratch.project, open_repository(scratch.root))
    timer.join()
    assert (scratch.project.state / recovery.NAME).is_file() is stays
    if not stays:
        assert scratch.status() == ["A  staged.txt"]


@pytest.mark.parametrize("content", [b"{", b"[3]", b'[{"document": "x"}]', b"[" * 100_000])
def test_a_record_that_makes_no_sense_is_passed_over(scratch, content):
    """It was torn, or is of another version."""
    checkpoint.create(scratch.project, "W")
    (scratch.project.state / recovery.NAME).write_bytes(content)
    assert checkpoint.create(scratch.project, "Y").commit
    assert everywhere(scratch) == [["Y", "W"]] * 3
