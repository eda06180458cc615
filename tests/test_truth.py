"""Made-up working days with the truth beside them: nothing is lost, nothing doubled, everything in order, in every era."""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import pytest

from deduplication import formats
from deduplication.ingest import transcript_capture
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from truth_day import WIDTHS, WORLDS, Day, File, Happens, differences, is_shown_in_order, kept, numbered
from truth_lines import Transcript, transcript_differences
from truth_screen import ERAS
from truth_session import CALL, OPENING, PROMPT, RESULT, TEXT, Session

if TYPE_CHECKING:
    from truth_screen import Era

SEEDS: Final = int(os.environ.get("EXPORT_DEDUP_SEEDS") or 1)
"""Fifty before a release; a few in the ordinary run."""
SPOKEN: Final = (PROMPT, TEXT)


def law(name, *values, told=""):
    """A case of the law ``name``."""
    return pytest.param(*values, id=told or name.replace(",", "").replace(" ", "-"))


def laws(*names):
    """Cases of the law of each of these names."""
    return [law(name, name) for name in names]


@dataclass(frozen=True)
class Result:
    """What a store says of itself, in a form that no name, number or time is part of."""

    conversations: Counter[tuple[str, ...]]
    """The content hashes of each conversation, in reading order."""
    occurrences: int
    unique: int
    problems: tuple[str, ...]


def result_of(store):
    """What this store says of itself."""
    names = store.conversations()
    read = Counter(tuple(message["content_hash"] for message in store.get_full_conversation(name)) for name in names)
    occurrences = sum(store.get_statistics(name)["total_messages"] for name in names)
    return Result(read, occurrences, store.global_unique_count(), tuple(store.store.verify()))


def ingested(store, files, conversation=None):
    """Process the files in this order; what became of each."""
    return [store.ingest(file.data, name=file.name, conversation_id=conversation) for file in files]


def everything(store):
    """All that a store holds, conversation after conversation."""
    return [one for name in store.conversations() for one in kept(store.get_full_conversation(name))]


def day_of(seed, era, world, *, widths=(80,)):
    """The exports of a made-up day."""
    return Day(seed, Session(f"{seed}/{era.version}"), era, replace(world, widths=widths))


def era_of(version):
    """The era of this version, and the widths of its terminals where its exports have theirs."""
    era: Era = ERAS[version]
    return era, (80,) if era.width else WIDTHS


@pytest.fixture
def store(tmp_path):
    """A deduplicator with an empty store of its own."""
    return ClaudeConversationDeduplicator(tmp_path / "state")


# -- text exports ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_what_an_export_shows_is_what_is_read(seed, version):
    """Each era of the client, each width: the pieces that were drawn come out, with who said them, and no other."""
    era, widths = era_of(version)
    day = day_of(seed, era, WORLDS["everything"], widths=widths)
    assert len(day.files) > 4
    for file in day.files:
        messages = formats.parse(file.data).messages
        read = kept([{"kind": message.kind, "content": message.content} for message in messages])
        assert differences([*file.shows] * (2 if era.twice else 1), read) == [], file.name


@pytest.mark.unmeasured
@pytest.mark.parametrize("world", laws(*WORLDS))
@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_every_message_is_kept_once_and_in_order(store, seed, version, world):
    """Growing exports, exported again, compacted, unfinished: what is read back is what was said, as often as it was said.

    In half of the cases somebody names the conversation, in the other half each export finds it by what it shows.
    """
    day = day_of(seed, ERAS[version], WORLDS[world])
    named = (seed + [*ERAS].index(version)) % 2
    results = ingested(store, day.files, "day" if named else None)
    assert len(store.conversations()) == 1
    assert differences(day.truth, everything(store)) == []
    assert all(result.total == result.new + result.duplicates for result in results)
    assert store.store.verify() == []
    if not WORLDS[world].unfinished:
        assert result_of(store).occurrences == len(day.truth)
        different = len({(piece.kind, piece.squeezed) for piece in day.truth})
        assert sum(result.new for result in results) == store.global_unique_count() == different


@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_an_export_finds_its_conversation_under_any_name(store, seed, version):
    """Called after the prompt that each shows first: what is shown says where it belongs, also after a compaction."""
    happens = replace(WORLDS["exported again"], compacted=0.5 if ERAS[version].divider else 0.0, slugs=True)
    day = day_of(seed, ERAS[version], happens)
    ingested(store, day.files)
    assert len(store.conversations()) == 1
    assert differences(day.truth, everything(store)) == []


@pytest.mark.parametrize("world", laws("plain", "exported again", "compacted", "everything"))
@pytest.mark.parametrize("version", [version for version, era in ERAS.items() if not era.width])
@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_the_width_of_the_terminal_makes_no_second_message(store, seed, version, world):
    """Clients that exported at the terminal's width: each export at another one, and the same messages."""
    day = day_of(seed, ERAS[version], WORLDS[world], widths=WIDTHS)
    ingested(store, day.files)
    assert differences(day.truth, everything(store)) == []
    assert store.store.verify() == []


@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_what_was_taken_back_stays(store, seed, version):
    """The person went back and on from there: the turns that are gone are kept, and each export reads in its order."""
    day = day_of(seed, ERAS[version], Happens(taken_back=0.7, again=0.2))
    ingested(store, day.files)
    stored = everything(store)
    assert Counter(text for _, text in stored) == Counter(piece.squeezed for piece in day.truth)
    assert all(is_shown_in_order(file.shows, stored) for file in day.files)


@pytest.mark.unmeasured
@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_what_is_known_brings_nothing_new(store, seed, version):
    """Every export of a day again, in any order: 0 new, and the conversation reads as before."""
    day = day_of(seed, ERAS[version], WORLDS["exported again"])
    ingested(store, day.files)
    before = everything(store)
    again = [replace(file, data=file.data + b"\n", name=f"again-{file.name}") for file in day.files]
    random.Random(seed).shuffle(again)
    assert [result.new for result in ingested(store, [*again, *day.files])] == [0] * (2 * len(day.files))
    assert everything(store) == before


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
@pytest.mark.parametrize("world", ["plain", "exported again"])
def test_sessions_that_begin_alike_are_several(store, seed, world):
    """Three sessions under way at once, each with the same pasted instructions at first: three conversations, each whole."""
    days = []
    for number, version in enumerate(("2.0.42", "2.0.42", "2.1.98")):
        session = Session(f"{seed}/{number}", opening=OPENING)
        days.append(Day(seed, session, ERAS[version], WORLDS[world], name=f"session-{number}"))
    chance = random.Random(seed)
    left = [list(day.files) for day in days]
    while any(left):
        ingested(store, [chance.choice([files for files in left if files]).pop(0)])
    stored = [kept(store.get_full_conversation(name)) for name in store.conversations()]
    assert len(stored) == len(days)
    for day in days:
        assert any(differences(day.truth, one) == [] for one in stored)


@pytest.mark.parametrize("version", [law("announced", name, told=name) for name in ERAS if name.startswith("2.1")])
@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_what_the_client_says_of_itself_is_nobodys_word(store, seed, version):
    """Lines of the client between the turns, with the assistant's mark: kept once each, and no part of what anybody said."""
    session = Session(f"{seed}/announced", announcing=True)
    day = Day(seed, session, ERAS[version], WORLDS["exported again"])
    ingested(store, day.files)
    assert differences(day.truth, everything(store)) == []


# -- the order of processing -------------------------------------------------------------------------------------------


def orders(files, seed, count=3):
    """The files backwards, and in random orders."""
    yield files[::-1]
    for number in range(count - 1):
        shuffled = list(files)
        random.Random(f"{seed}/{number}").shuffle(shuffled)
        yield shuffled


@pytest.mark.unmeasured
@pytest.mark.parametrize("world", [law("any order", "plain"), law("any order, compacted", "compacted")])
@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_the_order_of_processing_changes_nothing(tmp_path, seed, version, world):
    """Conversations, reading order, occurrences, bodies: the same whatever export came first, and all of them the truth."""
    era, widths = era_of(version)
    day = day_of(seed, era, replace(WORLDS[world], again=0.2, copied=0.1), widths=widths)
    first = ClaudeConversationDeduplicator(tmp_path / "first")
    ingested(first, day.files)
    for number, files in enumerate(orders(day.files, seed)):
        store = ClaudeConversationDeduplicator(tmp_path / str(number), backend=("json", "default")[number % 2])
        ingested(store, files)
        assert differences(day.truth, everything(store)) == []
        assert result_of(store) == result_of(first)
        assert result_of(store).problems == ()


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    "world", [law("any order, unfinished", "unfinished"), law("any order, unfinished and compacted", "everything")]
)
@pytest.mark.parametrize("version", ERAS)
@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_an_answer_is_read_whole_whenever_its_beginning_came(tmp_path, seed, version, world):
    """An export that caught an answer half written may come before or after the one that has all of it."""
    day = day_of(seed, ERAS[version], WORLDS[world])
    for number, files in enumerate(orders(day.files, seed)):
        store = ClaudeConversationDeduplicator(tmp_path / str(number))
        ingested(store, files)
        assert differences(day.truth, everything(store)) == []


# -- numbered messages -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world", [law("numbered", "exported again"), law("numbered, compacted", "compacted")])
@pytest.mark.parametrize("seed", range(1, 3 * SEEDS + 1))
def test_numbers_that_begin_again_say_nothing(store, seed, world):
    """JSON exports that count from 0 each time, also where they begin in the middle: every word once and in order."""
    day = day_of(seed, ERAS["2.0.42"], replace(WORLDS[world], words_only=True))
    ingested(store, numbered(day))
    assert differences([piece for piece in day.truth if piece.kind in SPOKEN], everything(store)) == []


# -- transcripts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(1, 2 * SEEDS + 1))
def test_a_transcript_is_captured_whole_however_it_grows(store, tmp_path, seed):
    """Read at any byte, also in the middle of a line, compacted and rewound meanwhile: every line once and in order."""
    transcript = Transcript(f"grows/{seed}", Session(seed), compacted=(4, 9), rewound=(6, 11))
    chance = random.Random(seed)
    first = transcript.data.index(b'"type":"user"') + len(transcript.lines[1].data)
    file = tmp_path / f"{transcript.session}.jsonl"
    for end in [*sorted(chance.sample(range(first, len(transcript.data)), 8)), len(transcript.data)]:
        file.write_bytes(transcript.data[:end])
        transcript_capture.capture_file(store, file)
    (conversation,) = store.conversations()
    assert transcript_differences(transcript, store.get_full_conversation(conversation)) == []
    assert store.store.verify() == []


@pytest.mark.parametrize("seed", range(1, 2 * SEEDS + 1))
def test_copies_of_a_transcript_are_one_in_any_order(store, seed):
    """Copies that were made while it grew, the last one among them, in any order: every line once and in order."""
    transcript = Transcript(f"copies/{seed}", Session(seed), compacted=(5,), rewound=(7,))
    chance = random.Random(seed)
    ends = [*chance.sample(range(5, len(transcript.lines)), 4), len(transcript.lines)]
    chance.shuffle(ends)
    for end in ends:
        store.ingest(b"".join(line.data for line in transcript.lines[:end]), name=f"copy-{end}.jsonl")
    (conversation,) = store.conversations()
    assert transcript_differences(transcript, store.get_full_conversation(conversation)) == []


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
@pytest.mark.parametrize("branch_first", [False, True], ids=["branch-last", "branch-first"])
def test_a_branch_is_whole_and_stores_no_body_again(store, tmp_path, seed, branch_first):
    """A session that begins with the lines of another one, under their ids: both are read whole, what they share is stored once."""
    transcript = Transcript(f"trunk/{seed}", Session(seed))
    branch = transcript.branch(f"branch/{seed}", 60, Session(f"{seed}/branch", 4))
    both = [transcript, branch]
    for each in both[::-1] if branch_first else both:
        (tmp_path / f"{each.session}.jsonl").write_bytes(each.data)
        transcript_capture.capture_file(store, tmp_path / f"{each.session}.jsonl")
    read = [store.get_full_conversation(name) for name in store.conversations()]
    assert len(read) == 2
    for each in both:
        assert any(transcript_differences(each, messages) == [] for messages in read)
    assert store.global_unique_count() == len({message["content_hash"] for messages in read for message in messages})


HOW: Final = ("captured last", "captured between", "captured first")


@pytest.mark.unmeasured
@pytest.mark.parametrize("how", laws(*HOW))
@pytest.mark.parametrize("version", ["1.0.88", "2.0.42", "2.1.98", "2.1.197", "2.1.330"])
@pytest.mark.parametrize("seed", range(1, 2 * SEEDS + 1))
def test_a_transcript_and_its_exports_are_one_conversation(store, tmp_path, seed, version, how):
    """What was written takes the place of what a screen showed, whichever came first: each word, call and result once."""
    session = Session(f"{seed}/both")
    transcript = Transcript(f"both/{seed}", session)
    day = Day(seed, session, ERAS[version], WORLDS["exported again"])
    size = len(transcript.data)
    reads = {
        "captured last": {len(day.files) - 1: size},
        "captured between": {1: size // 3, 3: size // 2, len(day.files) - 1: size},
        "captured first": {-1: size},
    }[how]
    file = tmp_path / f"{transcript.session}.jsonl"
    for number, export in enumerate([File("", b"", ()), *day.files], -1):
        ingested(store, [export] if export.data else [])
        if number in reads:
            file.write_bytes(transcript.data[: reads[number]])
            transcript_capture.capture_file(store, file)
    (conversation,) = store.conversations()
    messages = store.get_full_conversation(conversation)
    spoken = [one for one in kept(messages) if one[0] in SPOKEN]
    assert spoken == [(line.kind, "".join(line.text.split())) for line in transcript.truth if line.kind in SPOKEN]
    for kind in (CALL, RESULT):
        wanted = [line.id for line in transcript.truth if line.kind == kind]
        assert [message["uuid"] for message in messages if message.get("uuid") in wanted] == wanted
        assert sum(message["kind"] == f"tool_{kind}" and not message.get("uuid") for message in messages) == 0
