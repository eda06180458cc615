"""A source that changes while it is read: transcripts that grow, shrink, are replaced, emptied, cut inside a line; exports that are
still being written. Nothing is lost, nothing is stored twice, and less is never taken for the truth.
"""

from __future__ import annotations

import os
import random

import pytest

import transcript_lines as lines
from archive_scenes import archived
from deduplication.commands import export_dedup
from deduplication.errors import ExportChanged, ExportError
from deduplication.files import safe_read
from deduplication.ingest import new_lines
from deduplication.ingest.transcript_capture import capture_file
from deduplication.project.paths import Project
from exports import kept
from faults import reader
from faults.children import end, start
from faults.scenes import FILES, NAME, dedup, truth

pytestmark = pytest.mark.faults
SHORT = "yes"


class Source:
    """A transcript that a client without manners writes; ``said`` is every whole line that ever stood in it."""

    def __init__(self, path, chance):
        self.path, self.chance = path, chance
        self.lines: list[bytes] = []
        self.half = b""
        self.said: dict[str, str] = {}
        self.number = 0

    def _line(self):
        self.number += 1
        name = f"n{self.number}"
        text = (
            "yes" if self.chance.random() < 0.3 else f"Line {self.number} of a talk that goes on and on {self.number}"
        )
        self.said[lines.identity(name)] = text
        return lines.prompt(text, name) if self.chance.random() < 0.5 else lines.answer(text, name)

    def grow(self):
        """Lines at the end; one that was half there is finished first."""
        if self.half:
            with self.path.open("ab") as file:
                file.write(self.lines[-1][len(self.half) :])
            self.half = b""
        new = [self._line() for _ in range(self.chance.randrange(1, 4))]
        self.lines += new
        with self.path.open("ab") as file:
            file.write(b"".join(new))

    def grow_by_half(self):
        """The last line only in part."""
        self.grow()
        self.lines.append(self._line())
        cut = self.chance.randrange(1, len(self.lines[-1]))
        self.half = self.lines[-1][:cut]
        with self.path.open("ab") as file:
            file.write(self.half)

    def shrink(self):
        """Cut to fewer lines, or inside one."""
        data = self.path.read_bytes()
        os.truncate(self.path, self.chance.randrange(len(data) + 1))
        self._reread()

    def empty(self):
        """Emptied in place."""
        os.truncate(self.path, 0)
        self._reread()

    def replace(self):
        """Another file under its name, with some of the lines, in the same or another order of bytes."""
        kept_lines = [line for line in self.lines if self.chance.random() < 0.7]
        other = self.path.with_name("other")
        other.write_bytes(b"".join(kept_lines))
        os.replace(other, self.path)
        self.lines, self.half = kept_lines, b""

    def _reread(self):
        data = self.path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        os.truncate(self.path, len(whole))  # the client goes on behind a whole line
        self.lines, self.half = whole.splitlines(keepends=True), b""

    def change(self):
        """One of these."""
        ways = [self.grow] * 4 + [self.grow_by_half] * 3 + [self.shrink, self.empty, self.replace]
        self.chance.choice(ways)()

    def certain(self):
        """The ids of what stands in the file as whole lines."""
        import json

        whole = self.path.read_bytes()
        return [json.loads(line)["uuid"] for line in whole[: whole.rfind(b"\n") + 1].splitlines()]


def agree(stored, seen, said, now):
    """Each line that was seen is stored once, as it was; what the file has now is read in its order.

    Where a file was cut and the same short text was said again at the same place, with another id, that is the turn that was
    known: no window shows both.
    """
    ids = [message["uuid"] for message in stored]
    assert len(ids) == len(set(ids)), "a line is stored twice"
    assert {name for name in seen if said[name] != SHORT} <= set(ids), "a line is lost"
    assert all(message["content"] == said[message["uuid"]] for message in stored)
    texts = iter([message["content"] for message in stored])
    assert all(said[name] in texts for name in now), "lost, or out of order"


def test_a_transcript_that_changes_between_and_during_reads_loses_nothing(disk, full, monkeypatch):
    """Whatever the client does to its file: each line that stood in it whole when it was captured is stored, once."""
    chance = random.Random("sources")
    rounds = 5_000 if full else 500
    turn = count = 0
    real = safe_read.take
    while count < rounds:
        folder, path = disk / f"state-{turn}", disk / f"{lines.SESSION}.jsonl"
        path.write_bytes(b"")
        source = Source(path, chance)
        seen: set[str] = set()
        source.grow()
        for _ in range(25):

            def taking(descriptor, size, source=source):
                """What is read: and in the middle of it the client writes."""
                if chance.random() < 0.5:
                    source.grow()
                return real(descriptor, size)

            before = source.certain()
            with monkeypatch.context() as patch:
                if chance.random() < 0.4:
                    patch.setattr(new_lines, "take", taking)
                capture_file(dedup(folder), path)
            seen |= set(before)
            stored = dedup(folder).get_full_conversation(lines.SESSION) if seen else []
            agree(stored, seen, source.said, before)
            source.change()
            count += 1
        assert dedup(folder).store.verify() == []
        log = reader.read(reader.whole(folder))
        assert (log.problems, log.unfinished) == ([], 0)
        turn += 1


def test_a_transcript_that_another_process_rewrites_all_the_time(disk, full):
    """One process grows, cuts and replaces the file as fast as it can, another captures: every line that stays is there, once."""
    for turn in range(40 if full else 4):
        folder, path = disk / f"state-{turn}", disk / f"{lines.SESSION}.jsonl"
        path.write_bytes(b"")

        def write(turn=turn, path=path):
            source = Source(path, random.Random(turn))
            for _ in range(60):
                source.change()
            source.grow()
            return source.certain(), source.said

        def watch(folder=folder, path=path):
            for _ in range(25):
                try:
                    capture_file(dedup(folder), path)
                except ExportError:
                    continue  # a half line is no transcript yet; or it was replaced in that very moment

        children = [start(write), start(watch)]
        outcomes = [end(*child) for child in children]
        assert [outcome.error + outcome.trace for outcome in outcomes] == ["", ""]
        certain, said = outcomes[0].value
        capture_file(dedup(folder), path)
        stored = dedup(folder).get_full_conversation(lines.SESSION)
        agree(stored, set(certain), said, certain)
        assert dedup(folder).store.verify() == []


CHANGES = {
    "grown": lambda path, data: path.write_bytes(data + b"> and one more\n"),
    "shrunk": lambda path, data: os.truncate(path, len(data) // 2),
    "emptied": lambda path, data: os.truncate(path, 0),
    "replaced": lambda path, data: (path.with_name("x").write_bytes(data[::-1]), os.replace(path.with_name("x"), path)),
    "rewritten": lambda path, data: path.write_bytes(data.replace(b"e", b"a")),
    "gone": lambda path, _: path.unlink(),
}


@pytest.mark.parametrize("how", CHANGES)
def test_an_export_that_changes_while_it_is_read_is_an_error_and_stays(disk, how, monkeypatch):
    """The change comes between two reads of one export: nothing of it is stored, and nothing of it is moved or removed."""
    path = disk / "EXPORT-x.txt"
    path.write_bytes(FILES[0].data)
    real = os.read
    done = []

    def between(descriptor, size):
        data = real(descriptor, size)
        if data and not done:
            done.append(how)
            CHANGES[how](path, FILES[0].data)
        return data

    with monkeypatch.context() as patch:
        patch.setattr(os, "read", between)
        if how in (
            "gone",
            "replaced",
        ):  # the descriptor still has the file as it was: all of it was read, and it is true
            data, _ = safe_read.read(path)
            assert data == FILES[0].data
        else:
            with pytest.raises(ExportChanged):
                safe_read.read(path)
    assert done


@pytest.mark.parametrize("how", CHANGES)
def test_an_export_that_changes_after_it_was_stored_is_not_archived_over(disk, how, monkeypatch, capsys):
    """Between storing and archiving: what was stored stays, the changed file stays where it is, and the next run takes it."""
    from deduplication.archive import drop_folder

    project = Project((disk / "project").resolve())
    project.exports.mkdir(parents=True)
    path = project.exports / FILES[0].name
    path.write_bytes(FILES[0].data)
    real = drop_folder.Archive.add

    def changed(self, source, identity, sha256, **options):
        CHANGES[how](path, FILES[0].data)
        return real(self, source, identity, sha256, **options)

    arguments = ["--project", str(project.root), "--session-id", NAME, "--yes", "--no-checkpoint"]
    with monkeypatch.context() as patch:
        patch.setattr(drop_folder.Archive, "add", changed)
        assert export_dedup.main(arguments) == 1
    after = path.read_bytes() if path.exists() else None
    assert kept(dedup(project.state).get_full_conversation(NAME)) == truth(1)
    assert [p for p in project.archive.iterdir() if not p.name.startswith(".")] == []
    export_dedup.main(arguments)
    capsys.readouterr()
    assert set(truth(1)) <= set(kept(dedup(project.state).get_full_conversation(NAME)))
    copies = [*(p.read_bytes() for p in project.exports.glob("2026*")), *archived(project).values()]
    assert after is None or after in copies
