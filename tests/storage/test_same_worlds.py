"""Made-up working days and real files into every backend that has a log: the same bytes are logged, the same is answered.

What a day comes to in a store in a folder, ``test_truth.py`` holds against the truth.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from typing import NamedTuple

import pytest

import image_scenes
from deduplication import formats
from deduplication.errors import NotAnExport
from deduplication.ingest.transcript_capture import capture_file
from store_answers import answers, asked_besides, audit_of, log_of, moment
from store_backends import LOGGED, Stores
from thorough import THOROUGH
from truth_day import WIDTHS, WORLDS, Day, Happens, numbered
from truth_lines import Transcript
from truth_screen import ERAS
from truth_session import OPENING, Session

SEEDS = range(1, 1 + int(os.environ.get("EXPORT_DEDUP_SEEDS") or 1))


class Step(NamedTuple):
    """An export that is processed, or a transcript that has grown to these bytes and is read."""

    name: str
    data: bytes
    conversation: str | None = None
    captured: bool = False


def exports(files, conversation=None):
    """Each of the files."""
    return [Step(file.name, file.data, conversation) for file in files]


def grown(transcript, ends, name="session.jsonl"):
    """A transcript that is read each time it has grown to so many bytes."""
    return [Step(name, transcript.data[:end], captured=True) for end in ends]


def shuffled(steps, seed):
    """In another order."""
    return random.Random(f"order/{seed}").sample(steps, len(steps))


# -- days: what happens, in this order ---------------------------------------------------------------------------------


def text_day(seed, version, world):
    """Exports of one session, in the order in which they were made, and all of them once more in another one."""
    era = ERAS[version]
    widths = (80,) if era.width else WIDTHS
    day = Day(seed, Session(f"{seed}/{version}"), era, replace(WORLDS[world], widths=widths))
    steps = exports(day.files, "day" if len(version) % 2 else None)
    return steps + shuffled([step._replace(data=step.data + b"\n") for step in steps], seed)


def any_order(seed, version, world):
    """The same, the last one first."""
    return text_day(seed, version, world)[::-1]


def taken_back(seed, version, _world):
    """The person went back and on from there, and the files are called after their first prompts."""
    happens = Happens(taken_back=0.7, again=0.2, slugs=True)
    return exports(Day(seed, Session(f"{seed}/{version}"), ERAS[version], happens).files)


def alike(seed, version, world):
    """Three sessions at once that begin alike."""
    days = [
        Day(seed, Session(f"{seed}/{number}", opening=OPENING), ERAS[version], WORLDS[world], name=f"session-{number}")
        for number in range(3)
    ]
    return shuffled([step for day in days for step in exports(day.files)], seed)


def counted(seed, version, world):
    """JSON exports that number their messages from 0 each time."""
    day = Day(seed, Session(f"{seed}/{version}"), ERAS[version], replace(WORLDS[world], words_only=True))
    return exports(numbered(day))


def transcript(seed, _version, _world):
    """Read at any byte, compacted and rewound meanwhile; copies of it in any order; a branch of it."""
    one = Transcript(f"grows/{seed}", Session(seed), compacted=(4, 9), rewound=(6, 11))
    chance = random.Random(seed)
    ends = [*sorted(chance.sample(range(2000, len(one.data)), 4)), len(one.data)]
    copies = [b"".join(line.data for line in one.lines[: chance.randrange(5, len(one.lines))]) for _ in range(2)]
    branch = one.branch(f"branch/{seed}", len(one.lines) // 2, Session(f"{seed}/branch"))
    return [
        *grown(one, ends),
        *(Step(f"copy-{number}.jsonl", data) for number, data in enumerate(copies)),
        Step("branch.jsonl", branch.data),
    ]


def both(seed, version, _world):
    """A transcript and exports of the same session, between one another."""
    session = Session(f"{seed}/both")
    one = Transcript(f"both/{seed}", session)
    steps = exports(Day(seed, session, ERAS[version], WORLDS["exported again"]).files)
    reads = grown(one, [len(one.data) // 3, len(one.data) // 2, len(one.data)])
    return [*steps[:1], reads[0], *steps[1:3], reads[1], *steps[3:], reads[2]]


def images(seed, _version, _world):
    """Images and a document, in two sessions, some of them in both."""
    return [
        Step(f"{name}.jsonl", data, captured=captured)
        for captured in ((True, False) if seed % 2 else (False, True))
        for name, data in image_scenes.told().items()
    ]


DAYS = {
    "growing": (text_day, "2.1.197", "plain"),
    "again": (text_day, "2.0.42", "exported again"),
    "compacted": (any_order, "2.1.98", "compacted"),
    "everything": (any_order, "2.0.27", "everything"),
    "taken back": (taken_back, "2.1.330", "plain"),
    "alike": (alike, "2.0.42", "plain"),
    "numbered": (counted, "2.0.42", "compacted"),
    "transcript": (transcript, "2.1.197", "plain"),
    "both": (both, "2.1.47", "plain"),
    "images": (images, "2.1.197", "plain"),
}
if THOROUGH:
    DAYS.update(
        {
            f"{what.__name__} {version} {world}": (what, version, world)
            for what in (text_day, any_order, taken_back, alike, counted, both)
            for version in ERAS
            for world in (WORLDS if what not in (taken_back, both) else ["plain"])
        }
    )


def is_export(data):
    """Whether a file is one: among the real ones are some that are none."""
    try:
        return bool(formats.detect(data))
    except NotAnExport:
        return False


def follow(dedup, folder, steps):
    """Take the steps, each in a minute of its own; what was said of each."""
    told = []
    for number, step in enumerate(steps):
        with moment(number):
            if step.captured:
                path = folder / step.name
                path.write_bytes(step.data)
                os.utime(path, (1_800_000_000, 1_800_000_000))  # nobody waits for a line that is being written
                done = capture_file(dedup, path)
            elif not is_export(step.data):
                done = None
            else:
                dry = dedup.ingest(step.data, name=step.name, conversation_id=step.conversation, dry_run=True)
                done = dedup.ingest(step.data, name=step.name, conversation_id=step.conversation)
                assert (dry.new, dry.captured, dry.total) == (done.new, done.captured, done.total)
        told.append(done and vars(done))
    return told


def compare(stores, folder, steps):
    """Every backend writes the same lines, says the same of each step, answers the same, and finds nothing wrong."""
    first = None
    for backend in LOGGED:
        found = folder / "found"
        found.mkdir(exist_ok=True)
        for old in found.iterdir():
            old.unlink()
        told = follow(stores.opened(backend), found, steps)
        dedup = stores.opened(backend)
        here = {
            "told": told,
            "log": log_of(dedup.store),
            "audit": audit_of(dedup.store),
            "answers": answers(dedup.store),
            "asked": asked_besides(dedup.store),
            "read": {name: dedup.get_full_conversation(name) for name in dedup.conversations()},
            "statistics": [dedup.get_statistics(name) for name in dedup.conversations()],
        }
        verified = dedup.store.verified()
        assert verified.problems == []
        here["chain"] = verified.chain.head, verified.chain.broken
        first = first or here
        for what, value in here.items():
            assert value == first[what], (backend, what)
        stores.close()


@pytest.mark.unmeasured
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("day", DAYS)
def test_a_day_is_the_same_in_every_backend(request, tmp_path, day, seed):
    """Log byte for byte, chain, audit entries, what each run said, conversations, reading orders, counts: all equal."""
    what, version, world = DAYS[day]
    with Stores(request, tmp_path) as stores:
        compare(stores, tmp_path, what(seed, version, world))


REAL = {"client-2.1.197": "*", "real-2025": "2025-11-1[78]*RO*", "lab/2.1.330": "*.txt"}
"""Folders of real files, and which of them are tried in the ordinary run."""
if THOROUGH:
    REAL = {"client-2.1.197": "**/*", "real-2025": "*", "real-2026": "*", "real-transcripts": "*", "lab": "**/*"}


def real(folder, pattern):
    """The files of a folder: transcripts are read when they have half of their lines, and whole; the others are exports."""
    steps = []
    for path in sorted(folder.glob(pattern)):
        if path.suffix in {".txt", ".md"} and "placeholder" not in path.name and "tool-results" not in path.parts:
            steps.append(Step(path.name, path.read_bytes()))
        elif path.suffix == ".jsonl" and "stream-json" not in path.parts:
            lines = path.read_bytes().splitlines(keepends=True)
            ends = (len(lines) // 2, len(lines))
            steps += [Step(path.name, b"".join(lines[:end]), captured=True) for end in ends]
    assert steps
    return steps


@pytest.mark.unmeasured
@pytest.mark.parametrize("folder", REAL)
def test_real_files_are_the_same_in_every_backend(request, tmp_path, corpus, folder):
    """Text exports and transcripts as they were written, into one store after the other."""
    with Stores(request, tmp_path) as stores:
        compare(stores, tmp_path, real(corpus / folder, REAL[folder]))
