"""Real exports: public files and recordings of fifteen versions of the client, read where they lie."""

from __future__ import annotations

import itertools
import re

import pytest

from deduplication import formats
from deduplication.alignment import fingerprint
from deduplication.errors import NotAnExport
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.model import ASSISTANT, BOOKKEEPING, COMPACTION, LOCAL_COMMAND, PROMPT, TEXT, USER

_TURN = re.compile("(?m)^(?P<glyph>[>❯⏺●])[ \u00a0](?=[ \u00a0]*\\S)")
_SUMMARY = "Compact summary ("
VERSIONS = [
    "2.0.27",
    "2.0.42",
    "2.0.58",
    "2.0.76",
    "2.1.3",
    "2.1.17",
    "2.1.31",
    "2.1.47",
    "2.1.98",
    "2.1.119",
    "2.1.150",
    "2.1.197",
    "2.1.330",
]
DAY = ("day1.txt", "day2.txt", "day2-wide.txt", "day3.txt")
SCRIPTED_PROMPTS = [
    "[[md]]pleaselookattheproject",
    "Secondprompt:thisisaverylongsinglelineuserprompt",
    "[[think]]thinkaboutit",
    "[[multi]]read",
    "[[edit]]edit",
    "[[longbash]]long",
    "[[todo]]todo",
    "[[task]]agent",
    "[[same]]lookatthispaste:>oldprompt",
    "[[slow]]slowanswer",
]
SCRIPTED_ANSWERS = [
    "Ilookedattheproject.",
    "I'llrunacommand.",
    "Donewithbash.",
    "Answerafterthinking.",
    "Severalatonce.",
    "Readthemall.",
    "Edited.",
    "Donewithlongbash.",
    "Tasksdone.",
    "Delegating.",
    "Theagentfinished.",
    "OK.",
]
OTHER_ANSWERS = ("word0word1", "Yousaid:[Requestinterrupted", "Theagentfinished.")
"""A slow answer that was interrupted is shown from 2.1.98 on, and the stand-in's word about that."""


@pytest.fixture
def store(tmp_path):
    """A deduplicator with an empty store of its own."""
    return ClaudeConversationDeduplicator(tmp_path / "state")


def read(folder, pattern):
    """Name and bytes of the one file of a folder that fits."""
    (path,) = folder.glob(pattern)
    return path.name, path.read_bytes()


def ingest(store, file, conversation=None):
    """Process one file."""
    name, data = file
    return store.ingest(data, name=name, conversation_id=conversation)


def squeezed(text):
    """Text without white space."""
    return "".join(str(text).split())


def shown(data):
    """What a file shows, squeezed, one a message."""
    return [squeezed(message.content) for message in formats.parse(data).messages]


def stored(store, conversation):
    """What a conversation holds in reading order, squeezed."""
    return [squeezed(message["content"]) for message in store.get_full_conversation(conversation)]


def is_subsequence(part, whole):
    """Do the members of ``part`` stand in ``whole`` in this order?"""
    rest = iter(whole)
    return all(item in rest for item in part)


def text_files(corpus, folder=""):
    """Every text file below a folder that is an export."""
    files = sorted(path for path in (corpus / folder).rglob("*") if path.suffix in {".txt", ".md"})
    exports = [path for path in files if path.name != "not-an-export-placeholder.txt"]
    assert exports
    return exports


# -- parsing ---------------------------------------------------------------------------------------------------------


def test_every_byte_of_every_file_lies_in_one_span(corpus):
    """Concatenated, the spans of each real file are the file."""
    for path in text_files(corpus):
        data = path.read_bytes()
        spans = formats.client_export().parse(data).spans
        assert b"".join(data[span.start : span.end] for span in spans) == data, path.name


def test_every_glyph_starts_a_message_of_its_role(corpus):
    """``>`` and ``❯`` start user messages, ``⏺`` and ``●`` the assistant's, in all files of 2025.

    The only other place for such a line is inside a prompt into which somebody pasted an export.
    """
    turns = pasted = 0
    for path in text_files(corpus, "real-2025"):
        text = path.read_bytes().decode()
        export = formats.parse(text.encode())
        starts = {message.start: message for message in export.messages}
        prompts = [(message.start, message.end) for message in export.messages if message.role == USER]
        for match in _TURN.finditer(text):
            if text.startswith(_SUMMARY, match.end()):
                continue
            at = len(text[: match.start()].encode())
            message = starts.get(at)
            if message is None:
                assert any(start < at < end for start, end in prompts), (path.name, text[match.start() :][:60])
                pasted += 1
                continue
            turns += 1
            assert message.role == (USER if match["glyph"] in ">❯" else ASSISTANT), (path.name, message)
    assert turns > 2400
    assert pasted < 0.02 * turns


def test_the_placeholder_is_named_as_one(corpus):
    """The file that only waits for an export is refused with that reason."""
    with pytest.raises(NotAnExport, match="placeholder"):
        formats.parse((corpus / "real-2025" / "not-an-export-placeholder.txt").read_bytes())


@pytest.mark.parametrize("version", VERSIONS)
def test_every_prompt_and_answer_of_the_scripted_session(corpus, version):
    """One script, run in every version: the same prompts and answers come out, with their roles, in order."""
    messages = formats.parse((corpus / "lab" / version / "pre.txt").read_bytes()).messages
    copies = 2 if version == "2.1.17" else 1
    prompts = [squeezed(message.content) for message in messages if message.kind == PROMPT]
    answers = [squeezed(message.content) for message in messages if message.kind == TEXT]
    assert all(message.role == USER for message in messages if message.kind == PROMPT)
    assert all(message.role == ASSISTANT for message in messages if message.kind == TEXT)
    assert len(prompts) == len(SCRIPTED_PROMPTS) * copies
    assert all(prompt.startswith(start) for prompt, start in zip(prompts, SCRIPTED_PROMPTS * copies))
    wanted = iter(SCRIPTED_ANSWERS * copies)
    expected = next(wanted)
    for answer in answers:
        if answer.startswith(expected):
            expected = next(wanted, "nothing more")
        else:
            assert answer.startswith(OTHER_ANSWERS), answer
    assert expected == "nothing more"
    assert [squeezed(m.content) for m in messages if m.kind == LOCAL_COMMAND] == ["echobash-mode;seq120"] * copies


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_shown_after_a_compaction(corpus, version):
    """The export after ``/compact`` ends with the new exchange; the command is bookkeeping, the divider a mark."""
    export = formats.parse((corpus / "lab" / version / "post.txt").read_bytes())
    said = [(message.kind, squeezed(message.content)) for message in export.messages if message.kind in {PROMPT, TEXT}]
    assert said[-3:] == [(PROMPT, "[[bash]]aftercompact"), (TEXT, "I'llrunacommand."), (TEXT, "Donewithbash.")]
    assert "/compact" in [message.content for message in export.messages if message.kind == BOOKKEEPING]
    # From 2.1.240 on there is no divider, and the old turns are shown too.
    assert (COMPACTION in {mark.kind for mark in export.marks}) == (version != "2.1.330")


@pytest.mark.parametrize("version", VERSIONS)
def test_pre_and_post_in_any_order_are_one_conversation(corpus, tmp_path, version):
    """Every turn of both exports is in the conversation, in order, whichever was processed first."""
    files = [read(corpus / "lab" / version, name) for name in ("pre.txt", "post.txt")]
    results = []
    for number, order in enumerate((files, files[::-1])):
        store = ClaudeConversationDeduplicator(tmp_path / str(number))
        for file in order:
            ingest(store, file, "lab")
        results.append(stored(store, "lab"))
    assert results[0] == results[1]
    for _, data in files:
        if version != "2.1.17":
            assert is_subsequence(shown(data), results[0])


@pytest.mark.parametrize(
    "name",
    [
        "pre.txt",
        "post.txt",
    ],
)
def test_a_doubled_export_gives_each_turn_once(corpus, store, name):
    """Version 2.1.17 wrote the conversation twice into one file."""
    file = read(corpus / "lab" / "2.1.17", name)
    ingest(store, file, "lab")
    once = shown(file[1])[: len(shown(file[1])) // 2]
    assert shown(file[1]) == once * 2
    assert stored(store, "lab") == once


# -- a day of one client ---------------------------------------------------------------------------------------------


def test_a_day_s_exports_add_exactly_what_is_new(corpus, store):
    """The second export adds its new turns with both "yes", the wide one the last exchange, and the last one joins."""
    day = {name: read(corpus / "client-2.1.197", name) for name in DAY}
    before = 0
    for name in ("day1.txt", "day2.txt", "day2-wide.txt"):
        result = ingest(store, day[name])
        assert result.conversation_id == "day1"
        whole = stored(store, "day1")
        assert whole == shown(day[name][1])
        assert len(whole) > before
        before = len(whole)
    assert stored(store, "day1").count("yes") == 2
    result = ingest(store, day["day3.txt"])
    assert result.conversation_id == "day1"
    whole = stored(store, "day1")
    assert is_subsequence(shown(day["day2-wide.txt"][1]), whole)
    assert is_subsequence(shown(day["day3.txt"][1]), whole)
    assert whole.count("yes") == 3
    # The reply that compaction kept is shown a second time: it is the one that is known.
    assert sum(message.startswith("Answer33to:") for message in whole) == 1


def test_any_order_of_a_day_s_exports_gives_the_same_conversation(corpus, tmp_path):
    """All 24 orders of four exports, a compaction among them, are reconstructed alike."""
    files = [read(corpus / "client-2.1.197", name) for name in DAY]
    results = set()
    for number, order in enumerate(itertools.permutations(files)):
        store = ClaudeConversationDeduplicator(tmp_path / str(number))
        for file in order:
            ingest(store, file, "day")
        results.add(tuple((m["role"], m["kind"], m["content"]) for m in store.get_full_conversation("day")))
        assert not store.store.verify()
    assert len(results) == 1


# -- public files of 2025 --------------------------------------------------------------------------------------------


def test_a_folder_processed_again_has_nothing_new(corpus, store):
    """Twenty real files, oldest first, twice: the second time 0 new, and the store is sound."""
    files = [(path.name, path.read_bytes()) for path in text_files(corpus, "real-2025")]
    first = [ingest(store, file) for file in files]
    assert sum(result.new for result in first) > 2000
    unique = store.global_unique_count()
    again = [ingest(store, file) for file in files]
    assert [result.new for result in again] == [0] * len(files)
    assert [result.total for result in again] == [result.total for result in first]
    assert [result.conversation_id for result in again] == [result.conversation_id for result in first]
    assert store.global_unique_count() == unique
    assert not store.store.verify()


@pytest.mark.parametrize(
    "patterns",
    [
        ("*ONE-CLICK-INSTALLER*", "*INSTALLER-EDITS-1*", "*LICENSE-MANAGER*"),
        ("*EXPORT-MASTER.txt", "*EXPORT-MASTER2.txt"),
        ("*UPDATED-DEDUP*", "*DEDUP-TEST*"),
        ("*PROJECT-PLANS-SUBMODULES*", "*CLOUD-BACKEND*"),
    ],
    ids=["installer", "master", "dedup", "paths-from-another-directory"],
)
def test_a_later_export_joins_the_conversation_of_the_earlier(corpus, store, patterns):
    """Found without being named: none of the known turns is new again, and every turn stands in order.

    The last chain shows paths relative to another directory; there at most 2 % of the known turns may be new.
    """
    known = 0
    conversations = set()
    for pattern in patterns:
        file = read(corpus / "real-2025", pattern)
        conversations.add(ingest(store, file).conversation_id)
        (conversation,) = conversations
        whole = stored(store, conversation)
        again = known - (len(shown(file[1])) - (len(whole) - known)) if known else 0
        assert again <= (0.02 * known if "PROJECT" in patterns[0] else 0), pattern
        known = len(whole)
    prompts = [
        squeezed(m.content) for m in formats.parse(file[1]).messages if m.kind == PROMPT and "\u23bf" not in m.content
    ]
    assert is_subsequence(prompts, whole)
    assert store.get_statistics(conversation)["unconnected_runs"] == 1


def test_a_terminal_s_scrollback_is_recognised(corpus, tmp_path):
    """110 columns and a scrollback instead of 80: of 176 counted messages of two exports at least 126 are recognised.

    White space alone ignored, 126 agree; the alignment finds more.
    """
    recognised = total = 0
    scrollback = read(corpus / "real-2025", "*RESTORE-CONTEXT.txt")
    length = len(formats.parse(scrollback[1]).messages)
    for number, pattern in enumerate(("*EXPORT-CHECKPOINT.txt", "*MEMORY-CONTEXT-DOT-CODITECT.txt")):
        store = ClaudeConversationDeduplicator(tmp_path / str(number))
        ingest(store, read(corpus / "real-2025", pattern), "x")
        before = len(stored(store, "x"))
        ingest(store, scrollback, "x")
        total += before
        recognised += length - (len(stored(store, "x")) - before)
    assert 170 <= total <= 190
    assert recognised >= 160, (recognised, total)


# -- the same session as text and at other widths --------------------------------------------------------------------


@pytest.mark.parametrize("pair", [("2.0.42", "2.1.197"), ("2.1.197", "2.1.330")], ids="-".join)
def test_prompts_have_one_key_in_every_version(corpus, pair):
    """The same 172 prompts, drawn by two versions of the client, agree in their alignment keys nearly all."""
    keys = []
    for version in pair:
        messages = formats.parse((corpus / "lab" / "pair" / f"{version}.txt").read_bytes()).messages
        keys.append([fingerprint.fingerprint(message).key for message in messages if message.kind == PROMPT])
    assert min(map(len, keys)) >= 170
    assert len(set(keys[0]) & set(keys[1])) >= 0.9 * len(set(keys[0]))
