"""One bit flips in a file of the store: never a wrong answer without an error, and what can be cured is cured."""

from __future__ import annotations

import json
import os
import random
import re

import pytest

from deduplication.errors import StoreDamaged
from deduplication.storage.index import sorted_runs
from exports import kept
from faults import reader
from faults.scenes import EACH_INDEX, INDEXES, LOG, NAME, NEW, STORY, Scene, dedup, indexes, truth

pytestmark = pytest.mark.faults
DONE = 3
INDEX = "index.bin"


def flipped(path, bit):
    """Turn one bit of a file."""
    with open(path, "r+b") as file:
        file.seek(bit // 8)
        byte = file.read(1)[0]
        file.seek(bit // 8)
        file.write(bytes([byte ^ 1 << bit % 8]))


def answer(folder):
    """The conversation, or None where the store says that it is damaged."""
    try:
        return kept(dedup(folder).get_full_conversation(NAME))
    except StoreDamaged:
        return None


def check(scene, name, bit, *, there):
    """Everything that must hold with this bit turned; whether an error was raised for it."""
    sound = (scene.folder / name).read_bytes()
    flipped(scene.folder / name, bit)
    if not there:
        for index in indexes():
            (scene.folder / index).unlink()
    given = answer(scene.folder)
    assert given in (None, truth(DONE)), f"bit {bit} of {name}: a wrong answer and no error"
    assert any(name in problem for problem in dedup(scene.folder).store.verify()), f"bit {bit} of {name}: not seen"
    dedup(scene.folder).store.rebuild()
    assert (scene.folder / name).read_bytes() == sound, f"bit {bit} of {name}: not cured"
    assert dedup(scene.folder).store.verify() == []
    assert answer(scene.folder) == truth(DONE)
    return given is None


FLIPPED = [
    *((backend, LOG, there) for backend in INDEXES for there in (True, False)),
    *((backend, name, True) for backend, name in EACH_INDEX),
]


@pytest.mark.parametrize(("backend", "name", "there"), FLIPPED, indirect=["backend"])
def test_a_flipped_bit_is_named_and_cured_and_never_answered_over(disk, full, name, there):
    """A random bit of each state file: right answer or StoreDamaged; verify names the file; rebuild gives its bytes back."""
    scene = Scene(disk / "state", DONE)
    scene.reset()
    chance = random.Random(f"bits-{name}-{there}")
    count = 4_000 if full else 100 if name == LOG else 40
    size = 8 * os.stat(scene.folder / name).st_size
    bits = chance.sample(range(size), min(count, size))
    errors = sum(check(scene, name, bit, there=there) for bit in bits)
    assert errors == 0 or name == LOG
    if name == LOG:
        assert errors > count // 2


@pytest.mark.parametrize("backend", ["default"], indirect=True)
def test_a_flipped_bit_in_the_index_is_mended_and_never_answered_over(disk, full, monkeypatch):
    """A random bit of an index of many runs, entries that vanish by it included: answers and counts are those of the log."""
    monkeypatch.setattr(sorted_runs, "SMALL", 0)
    scene = Scene(disk / "state", DONE)
    scene.reset()
    chance = random.Random("index")
    bits = chance.sample(range(8 * os.stat(scene.folder / INDEX).st_size), 20_000 if full else 200)
    for bit in bits:
        scene.reset()
        flipped(scene.folder / INDEX, bit)
        assert answer(scene.folder) == truth(DONE), f"bit {bit}: a wrong answer"
        assert scene.job()["new"] == NEW[DONE], f"bit {bit}: counted wrong"
        assert answer(scene.folder) == truth(DONE + 1), f"bit {bit}: stored wrong"
        dedup(scene.folder).store.rebuild()
        assert dedup(scene.folder).store.verify() == []


def test_every_bit_around_the_ends_of_lines_is_cured(disk):
    """A flip that makes a line end, or unmakes one, joins or cuts lines: that is found and set right as well."""
    scene = Scene(disk / "state", DONE)
    scene.reset()
    data = (scene.folder / LOG).read_bytes()
    ends = [at for at, byte in enumerate(data) if byte == 0x0A]
    ends = [ends[0], ends[len(ends) // 2], ends[-1]]
    makes = [at for at, byte in enumerate(data) if bin(byte ^ 0x0A).count("1") == 1]
    chosen = random.Random(4).sample(makes, min(25, len(makes)))
    assert chosen
    for at in ends:
        for bit in range(8):
            check(scene, LOG, 8 * at + bit, there=bool(bit % 2))
    for at in chosen:
        bit = (data[at] ^ 0x0A).bit_length() - 1
        check(scene, LOG, 8 * at + bit, there=bool(at % 2))


def test_a_flip_in_the_last_run_is_no_torn_write(disk):
    """Without indexes, the last run's damaged line is reported, not put aside as if the run had never finished."""
    scene = Scene(disk / "state", DONE)
    scene.reset()
    data = (scene.folder / LOG).read_bytes()
    for name in indexes():
        (scene.folder / name).unlink()
    flipped(scene.folder / LOG, 8 * (len(data) - 40))
    for attempt in (lambda: dedup(scene.folder).get_full_conversation(NAME), scene.job):
        with pytest.raises(StoreDamaged):
            attempt()
    assert (scene.folder / LOG).stat().st_size == len(data)
    assert not (scene.folder / "quarantine").exists()


def test_damage_that_cannot_be_healed_costs_only_its_own_message(disk):
    """Two bits of one line: rebuild names the message that is lost, everything else is read, verify goes on naming it."""
    scene = Scene(disk / "state", DONE)
    scene.reset()
    lines = (scene.folder / LOG).read_bytes().split(b"\n")
    victim = next(n for n, line in enumerate(lines) if b'"index":4,' in line)
    lines[victim] = lines[victim].replace(b'"role":"', b'"rule":"').replace(b'"kind":"', b'"kine":"')
    (scene.folder / LOG).write_bytes(b"\n".join(lines))
    with pytest.raises(StoreDamaged):
        dedup(scene.folder).get_full_conversation(NAME)
    problems = dedup(scene.folder).store.rebuild()
    assert [problem for problem in problems if f"message 4 of '{NAME}' is lost" in problem]
    got = dedup(scene.folder).get_full_conversation(NAME)
    assert [message["kind"] for message in got].count("lost") == 1
    assert kept(got[:4]) == truth(DONE)[:4]
    assert kept(got[5:]) == truth(DONE)[5:]
    assert any("message 4" in problem for problem in dedup(scene.folder).store.verify())
    before = {name: (scene.folder / name).read_bytes() for name in indexes()}
    dedup(scene.folder).store.rebuild()
    assert {name: (scene.folder / name).read_bytes() for name in indexes()} == before
    # the last message of a run and the commit record
    result = scene.job()
    assert result["total"] > 0
    assert kept(dedup(scene.folder).get_full_conversation(NAME))[5:] == truth(DONE + 1)[5:]


@pytest.mark.parametrize("which", ["last message", "commit record", "both"])
def test_damage_at_the_end_of_a_run_in_the_middle_keeps_the_numbers_of_the_others(disk, which):
    """The last line before a commit record, or the record itself, is gone: later runs keep their numbers and messages."""
    scene = Scene(disk / "state", DONE)
    scene.reset()
    lines = (scene.folder / LOG).read_bytes().split(b"\n")
    commit = [n for n, line in enumerate(lines) if b'"window":' in line][1]
    for at in {"last message": [commit - 1], "commit record": [commit], "both": [commit - 1, commit]}[which]:
        lines[at] = b"#" * 30 + lines[at][30:]
    (scene.folder / LOG).write_bytes(b"\n".join(lines))
    problems = dedup(scene.folder).store.rebuild()
    damaged = 1 + (which == "both")
    assert len(problems) == damaged, problems
    got = kept(dedup(scene.folder).get_full_conversation(NAME))
    missing = [row for row in truth(DONE) if row not in got]
    assert len(missing) == (which != "commit record")
    assert [row for row in got if row[1] != "lost"] == [row for row in truth(DONE) if row not in missing]
    again = dedup(scene.folder).ingest(scene.next.data, name="n", conversation_id=NAME)
    assert again.total == again.new + again.duplicates
    assert len(dedup(scene.folder).store.verify()) == damaged


def test_damage_to_the_last_message_of_all_keeps_its_number_taken(disk):
    """The very last message is lost, its run is not: the run still counts, and the next message gets the next number."""
    scene = Scene(disk / "state", DONE)
    scene.reset()
    lines = (scene.folder / LOG).read_bytes().split(b"\n")
    lines[-3] = b"#" * 30 + lines[-3][30:]
    (scene.folder / LOG).write_bytes(b"\n".join(lines))
    assert len(dedup(scene.folder).store.rebuild()) == 1
    assert not (scene.folder / "quarantine").exists()
    got = dedup(scene.folder).get_full_conversation(NAME)
    assert kept(got[:-1]) == truth(DONE)[:-1]
    assert (got[-1]["kind"], got[-1]["index"]) == ("lost", len(truth(DONE)) - 1)
    assert dedup(scene.folder).get_statistics(NAME)["exports_processed"] == DONE
    result = dedup(scene.folder).ingest(scene.next.data, name="n", conversation_id=NAME)
    assert min(message["index"] for message in result.new_messages) == len(truth(DONE))
    assert [row for row in truth(DONE + 1) if row not in kept(dedup(scene.folder).get_full_conversation(NAME))] == []


FORGERIES = {
    "a total": ("export.total", lambda value: value + 1),
    "a count of new": ("export.new", lambda value: value - 1),
    "a window": ("window", lambda value: [[0, 0]]),
    "a window beyond the log": ("window", lambda value: [[0, 99999]]),
    "a window that is text": ("window", lambda value: "all"),
    "a window backwards": ("window", lambda value: [[3, 1]]),
    "a negative window": ("window", lambda value: [[-3, 1]]),
    "a total that is text": ("export.total", str),
    "no parser": ("export.parser", lambda value: None),
    "a sequence number twice": ("index", lambda value: value - 1),
    "a sequence number that jumps": ("index", lambda value: value + 10**9),
    "a sequence number that is none": ("index", lambda value: True),
    "a content hash": ("content_hash", lambda value: "0" * 64),
    "a content": ("message.content", lambda value: "something else"),
    "a role": ("message.role", lambda value: "root"),
    "a kind": ("message.kind", lambda value: "shout"),
    "a message that is none": ("message", lambda value: "hello"),
    "a source that is none": ("source", lambda value: None),
    "a time that is none": ("timestamp", lambda value: 7),
}


def forge(path, field, change, *, last=False):
    """Change one field of a record in the middle (or of the last that has it), and seal it with a right checksum."""
    import zlib

    lines = path.read_bytes().split(b"\n")
    names = field.split(".")
    having = []
    for number, line in enumerate(lines[:-1]):
        record = json.loads(line)
        if all(isinstance(record := record.get(name), object) and record is not None for name in names[:-1]) and (
            names[-1] in (record if isinstance(record, dict) else {})
        ):
            having.append(number)
    number = having[-1 if last else len(having) // 2]
    record = json.loads(lines[number])
    del record["crc32"]
    inner = record
    for name in names[:-1]:
        inner = inner[name]
    inner[names[-1]] = change(inner[names[-1]])
    body = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    lines[number] = body[:-1] + b',"crc32":"%08x"}' % zlib.crc32(body)
    path.write_bytes(b"\n".join(lines))
    return number + 1


@pytest.mark.parametrize("last", [False, True], ids=["in the middle", "at the end"])
@pytest.mark.parametrize("what", FORGERIES)
def test_a_forged_number_with_a_right_checksum_is_named_by_its_line(disk, what, last):
    """I5: verify counts itself and believes no number; and no forged record brings reading down with a trace."""
    scene = Scene(disk / "state", DONE)
    scene.reset()
    line = forge(scene.folder / LOG, *FORGERIES[what], last=last)
    problems = dedup(scene.folder).store.verify()
    assert any(re.search(rf"line {line}\b", problem) for problem in problems), problems
    for index in indexes():
        (scene.folder / index).unlink()
    answer(scene.folder)
    dedup(scene.folder).store.rebuild()
    answer(scene.folder)


def test_the_independent_reader_sees_what_it_is_there_to_see(disk):
    """The judge of these tests: a flipped bit, a lost line, a line twice and a wrong number are all problems to it."""
    scene = Scene(disk / "state", DONE)
    scene.reset()
    data = (scene.folder / LOG).read_bytes()
    lines = data.splitlines(keepends=True)
    assert reader.read(data).problems == []
    assert reader.read(data).conversation(NAME) == STORY.truth()[: len(truth(DONE))]
    for bad in (
        data[:200] + bytes([data[200] ^ 1]) + data[201:],
        b"".join(lines[:3] + lines[4:]),
        b"".join(lines[:3] + lines[2:]),
    ):
        assert reader.read(bad).problems
    forge(scene.folder / LOG, *FORGERIES["a total"])
    assert reader.read((scene.folder / LOG).read_bytes()).problems
    torn = reader.read(data[:-5])
    assert torn.unfinished > 0
    assert len(torn.exports) == DONE - 1
