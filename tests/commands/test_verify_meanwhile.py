"""Others go on while ``verify`` looks: nobody waits for it, and nothing that came or was replaced meanwhile is called damage."""

from __future__ import annotations

import contextlib
import io
import json
import os

import pytest

from deduplication.archive import verify as archive_verify
from deduplication.commands import deduplicate_export, export_dedup
from deduplication.storage import indexed_log, recount
from deduplication.storage.log import log_pack
from faults.children import end, run, start
from purge_scenes import Place, Talk

IN_THE_LOG = (recount, "decode_line")
IN_THE_ARCHIVE = (archive_verify, "_of_file")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A project with exports of two conversations, sealed and packed."""
    monkeypatch.setattr(indexed_log, "OPEN", 3_000)
    monkeypatch.setattr(log_pack, "PART", 3_000)
    made = Place(tmp_path / "project")
    for talk in (Talk("alder", 40), Talk("birch", 24, tools=False)):
        made.export(f"2026-03-01-EXPORT-{talk.name.upper()}.txt", talk.text(0, 16))
        made.export(f"2026-03-02-EXPORT-{talk.name.upper()}.txt", talk.text(0, 20))
    return made


def command(place, main, *arguments):
    """A command of the project in this process; what it says on its own."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = main([*arguments, "--project", str(place.project.root)])
    return code, said.getvalue()


class Verify:
    """``verify`` in a process of its own, which stops where it comes to a place for the third time until it is told to go on."""

    def __init__(self, place, where):
        self._is_there, told = os.pipe()
        waits, self._go_on = os.pipe()

        def job():
            module, name = where
            real, seen = getattr(module, name), []

            def stopping(*arguments):
                seen.append(name)
                if len(seen) == 3:
                    os.write(told, b"x")
                    os.read(waits, 1)
                return real(*arguments)

            setattr(module, name, stopping)
            return command(place, deduplicate_export.main, "verify", "--json")

        self._child = start(job)
        assert os.read(self._is_there, 1) == b"x"

    def ended(self):
        """Let it go on, and say what it found."""
        os.write(self._go_on, b"x")
        done = end(*self._child)
        assert (done.trace, done.error) == ("", "")
        code, said = done.value
        return code, json.loads(said)


def new_export(place):
    """A run that brings messages, seals lines and puts packs together."""
    name = "2026-03-03-EXPORT-ALDER.txt"
    (place.project.exports / name).write_bytes(Talk("alder", 40).text(0, 40))
    return command(place, export_dedup.main, "--yes", "--no-checkpoint")


def packing(place):
    """Everything packed and sealed as small as it gets."""
    return command(place, deduplicate_export.main, "pack", "--older-than", "0")


def purging(place):
    """A conversation is purged: log, archive and index are others afterwards."""
    return command(place, deduplicate_export.main, "purge", "--session", "birch", "--yes")


def rebuilding(place):
    """Every index is made anew."""
    return command(place, deduplicate_export.main, "rebuild")


def repairing(place):
    """Nothing is to be repaired."""
    return command(place, deduplicate_export.main, "repair")


@pytest.mark.parametrize("where", [IN_THE_LOG, IN_THE_ARCHIVE], ids=["log", "archive"])
@pytest.mark.parametrize(
    "others", [new_export, packing, purging, rebuilding, repairing], ids=lambda each: each.__name__
)
def test_nobody_waits_for_verify_and_nothing_new_is_damage(place, where, others):
    """In the middle of it another process runs, packs, purges, rebuilds or repairs, to its end; and all is well."""
    verify = Verify(place, where)
    done = run(lambda: entry_code(place, others))
    assert (done.trace, done.error, done.value) == ("", "", 0)
    code, found = verify.ended()
    assert (found["problems"], found["costs"], found["missing"], code) == ([], [], [], 0)
    if where is IN_THE_LOG:
        now = json.loads(command(place, deduplicate_export.main, "verify", "--json")[1])
        assert found["head"] == now["head"]  # what came meanwhile was counted, too


def entry_code(place, others):
    """The exit code alone."""
    return others(place)[0]


def test_a_run_that_stops_while_verify_looks_is_named(place):
    """What is there at the end counts: lines without a commit record that came meanwhile are told as those that were there."""
    verify = Verify(place, IN_THE_LOG)
    with (place.project.state / "conversation_log.jsonl").open("ab") as file:
        file.write(b'{"conversation_id":"alder"')
    code, found = verify.ended()
    assert code == 1
    assert any("damaged" in each or "did not finish" in each or "line" in each for each in found["problems"])


@pytest.mark.parametrize("where", [IN_THE_LOG, IN_THE_ARCHIVE], ids=["log", "archive"])
def test_damage_is_named_all_the_same(place, where):
    """A byte that was changed before is found, with another process at work in between."""
    path = next((place.project.state / "sealed").glob("*.pack") if where is IN_THE_LOG else packs(place))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(bytes(data))
    verify = Verify(place, where)
    code, found = verify.ended()
    assert code == 1
    assert any(path.name.partition(".")[0] in each for each in found["problems"])


def packs(place):
    """The packs of the archive."""
    return (place.project.archive / "packs").glob("*.pack")
