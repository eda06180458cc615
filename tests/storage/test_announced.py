"""What a store announced, against a reader of its own: in any order of exports and captures, and after all that rewrites a log."""

from __future__ import annotations

import json
import random

import pytest

from deduplication import formats
from deduplication.alignment.fingerprint import Fingerprint
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.one_export import Asked, process
from deduplication.ingest.result import Input
from deduplication.ingest.transcript_capture import capture_file
from deduplication.purge.run import purge
from deduplication.purge.scope import Scope
from deduplication.storage.index.conversation_head import head_of, take_head
from deduplication.storage.log.lines import decode_line, encode_line
from deduplication.storage.state import unannounced
from deduplication.storage.state.conversation import ConversationState
from exports import Story
from faults import reader
from transcript_lines import answer, call, day, prompt, result


def recounted(dedup, folder):
    """What an independent reader makes of the log; it agrees with what the store says of itself."""
    dedup.store.rebuild() if dedup.store.verify() else None
    assert dedup.store.verify() == []
    log = reader.read(reader.whole(folder), folder / "blobs")
    assert log.problems == []
    standing = {log.standing(*place) for place in log.hashes}
    with dedup.store.transaction(write=False):
        totals = dedup.store.announced()
    assert totals.unique == dedup.global_unique_count() == len(standing)
    assert totals.waiting == len(standing - log.announced)
    assert totals.announced == log.announcements
    return totals


def screen(turns, *, cut=False):
    """The turns of ``day`` as an export, with Markdown drawn."""
    lines = [" ▐▛███▜▌   Claude Code v2.1.197\n▝▜█████▛▘  Opus\n  ▘▘ ▝▝    ~/x\n\n"]
    for number in range(turns):
        lines.append(f"❯ Question number {number} about the harbour and its cranes, asked in the morning\n\n")
        lines.append(f"● Answer number {number}: the cranes of the harbour are counted from the north\n\n")
        lines.append(f"❯ and the tide of day {number}?\n\n")
        lines.append("● Read(tide.txt)\n  ⎿  Read 30 lines\n\n" if cut else "")
        lines.append(f"● Here is what the table of the tides says of day {number}: high at noon, low at six\n\n")
    return "".join(lines).encode()


def written(turns):
    """The same as the client wrote it."""
    lines = []
    for number in range(turns):
        lines.append(day(1, start=number))
        lines.append(prompt(f"and the tide of day {number}?"))
        lines.append(
            call("Read", f"r{number}", file_path="tide.txt") + result(f"30 lines of day {number}", f"r{number}")
        )
        lines.append(
            answer(f"Here is what **the table** of the tides says of day {number}: `high` at noon, low at six")
        )
    return b"".join(lines)


class Scene:
    """A store, a growing transcript and exports of what it says."""

    def __init__(self, folder, backend):
        self.folder = folder
        self.dedup = ClaudeConversationDeduplicator(folder / "state", backend)
        self.file = folder / "s.jsonl"
        self.size = 0

    def capture(self, turns):
        """The transcript has so many turns, and is captured."""
        self.size = max(self.size, turns)
        self.file.write_bytes(written(self.size))
        capture_file(self.dedup, self.file)

    def export(self, turns, *, cut=True, name="a.txt"):
        """An export shows so many turns."""
        return self.dedup.ingest(screen(turns, cut=cut), name=name, conversation_id=self.one())

    def one(self):
        """The conversation, where there is one already."""
        return next(iter(self.dedup.conversations()), None)


@pytest.mark.parametrize("backend", ["json", "default"])
@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_exports_and_captures_adds_up(tmp_path, backend, seed):
    """I5: whatever came first, store and reader agree after every run, and what was announced is what the results said."""
    chance = random.Random(f"announced-{seed}")
    scene, announced = Scene(tmp_path, backend), 0
    for step in range(6):
        if chance.random() < 0.5:
            scene.capture(chance.randrange(1, 6))
        else:
            turns, cut = chance.randrange(1, 6), chance.random() < 0.7
            dry = scene.dedup.ingest(screen(turns, cut=cut), name="x", conversation_id=scene.one(), dry_run=True)
            done = scene.export(turns, cut=cut, name=f"{step}.txt")
            assert (dry.new, dry.captured, dry.total) == (done.new, done.captured, done.total)
            assert done.total == done.new + done.duplicates
            assert scene.export(turns, cut=cut).new == 0
            announced += done.new
        assert recounted(scene.dedup, tmp_path / "state").announced == announced


def test_the_count_is_the_same_whichever_came_first(tmp_path):
    """What a transcript wrote counts in the place of what an export drew: unique does not depend on the order."""
    first, second = Scene(tmp_path / "a", "json"), Scene(tmp_path / "b", "json")
    for scene in (first, second):
        scene.folder.mkdir()
    first.capture(3)
    first.export(3)
    drawn = second.export(3)
    before = second.dedup.global_unique_count()
    second.capture(3)
    assert first.dedup.global_unique_count() == second.dedup.global_unique_count()
    assert drawn.new == before
    assert second.export(3, name="again.txt").new == second.export(2).new == 0
    for scene in (first, second):
        recounted(scene.dedup, scene.folder / "state")


def test_a_conversation_gets_what_is_new_to_it(tmp_path):
    """The same words under another name are new there, and announced already: the store's count stays."""
    scene = Scene(tmp_path, "json")
    scene.capture(2)
    done = scene.export(2)
    assert (done.new_messages, done.new) == ([], done.captured)
    recounted(scene.dedup, tmp_path / "state")
    dedup = ClaudeConversationDeduplicator(tmp_path / "other")
    for name, new in (("one", 10), ("other", 0)):
        given = dedup.ingest(screen(2, cut=True), name=f"{name}.txt", conversation_id=name)
        assert (given.new, given.total) == (new, 12)
        assert len({each["content_hash"] for each in given.new_messages}) == len(given.new_messages) == 10
        assert len(dedup.process_export(f"{name} again", screen(2, cut=True))) == 10
        assert dedup.process_export(f"{name} again", screen(2, cut=True)) == []
    recounted(dedup, tmp_path / "other")


@pytest.mark.parametrize("backend", ["json", "default"])
def test_what_was_announced_stays_true_after_a_purge(tmp_path, backend):
    """The audit goes on saying what was announced; what is left of it is counted, and the log still adds up, sealed too."""
    scene = Scene(tmp_path, backend)
    scene.capture(2)
    done = scene.export(3)
    scene.dedup.ingest(screen(1), name="c.txt", conversation_id="other")
    before = recounted(scene.dedup, tmp_path / "state")
    gone = next(
        each for each in scene.dedup.get_full_conversation(scene.one()) if "Answer number 2" in str(each["content"])
    )
    purge(scene.dedup.store, None, Scope(hashes=(gone["content_hash"],)))
    after = recounted(scene.dedup, tmp_path / "state")
    assert (before.unique - after.unique, before.announced - after.announced) == (1, 1)
    audit = (tmp_path / "state" / "deduplication_log.jsonl").read_text().splitlines()
    assert f'"new_messages":{done.new},' in audit[1]
    purge(scene.dedup.store, None, Scope(sessions=(scene.one(),)))
    left = recounted(scene.dedup, tmp_path / "state")
    assert (left.announced, left.waiting) == (left.unique + left.redrawn, 0)
    scene.dedup.store.condense()
    scene.dedup.store.rebuild()
    assert recounted(scene.dedup, tmp_path / "state") == left


def test_a_log_of_version_0_1_is_read_as_it_was_written(tmp_path):
    """Its runs say what they brought; what their exports showed is announced, and nothing of it is announced again."""
    scene = Scene(tmp_path, "json")
    scene.capture(2)
    scene.export(3)
    log = tmp_path / "state" / "conversation_log.jsonl"
    lines = [decode_line(line) for line in log.read_bytes().splitlines(keepends=True)]
    for record in lines:
        if "captured" in record.get("export", {}) if "window" in record else False:
            record["export"]["new"] -= record["export"].pop("captured")
    log.write_bytes(b"".join(map(encode_line, lines)))
    scene.dedup = ClaudeConversationDeduplicator(tmp_path / "state")
    scene.dedup.store.rebuild()
    assert recounted(scene.dedup, tmp_path / "state").waiting == 0
    assert scene.export(3, name="again.txt").new == 0


def test_a_file_with_several_conversations_is_counted_alike_in_a_dry_run(tmp_path):
    """What a conversation says that stood in one before it is no news, in a dry run as in the run itself."""
    story = Story(5, 3)
    dedup = ClaudeConversationDeduplicator(tmp_path / "state")
    counted: set[str] = set()
    export = formats.parse(story.show(0, len(story.turns)))
    source = Input("x", "0" * 64, 10**6)
    one = process(dedup.store, source, export, Asked("a", dry_run=True), counted)
    other = process(dedup.store, source, export, Asked("b", dry_run=True), counted)
    assert (one.new, other.new) == (len(set(story.truth())), 0)
    assert process(dedup.store, source, export, Asked("a")).new == one.new
    assert process(dedup.store, source, export, Asked("b")).new == other.new


def test_a_conversation_counts_each_message_once_in_whatever_form(tmp_path):
    """Its own unique count is that of the store where it is the only one, before and after the transcript came."""
    scene = Scene(tmp_path, "json")
    scene.export(3)
    scene.capture(4)
    figures = scene.dedup.get_statistics(scene.one())
    assert figures["unique_messages"] == scene.dedup.global_unique_count()
    stored = figures["messages_processed"] - figures["duplicates_filtered"]
    totals = recounted(scene.dedup, tmp_path / "state")
    assert stored == totals.announced + totals.waiting == totals.unique + totals.redrawn


def test_what_was_written_is_not_new_to_a_conversation_that_has_it_drawn(tmp_path):
    """The transcript brings its conversation what the export did not show; the rest is the same messages."""
    dedup = ClaudeConversationDeduplicator(tmp_path / "state")
    dedup.ingest(screen(2, cut=True), name="a.txt", conversation_id="c")
    done = dedup.ingest(written(3), name="s.jsonl", conversation_id="c")
    assert {
        str(number) for each in done.new_messages for number in (0, 1) if f" {number}" in str(each["content"])
    } == set()
    assert len(done.new_messages) == 6
    recounted(dedup, tmp_path / "state")


def test_a_message_that_grew_is_another_one(tmp_path):
    """Its longer form is announced, and both count: the shorter one was announced as it was."""
    dedup = ClaudeConversationDeduplicator(tmp_path / "state")
    dedup.ingest(screen(1), name="a.txt", conversation_id="c")
    before = dedup.global_unique_count()
    longer = screen(1).rstrip() + b", and lower still before the spring tide of the next month\n"
    done = dedup.ingest(longer, name="b.txt", conversation_id="c")
    assert (done.new, dedup.global_unique_count()) == (1, before + 1)
    assert [each["content"].endswith("next month") for each in done.new_messages] == [True]
    recounted(dedup, tmp_path / "state")


def test_nothing_waits_that_was_exported(tmp_path):
    """What captures brought is looked for in a window until an export showed it, and not any more."""
    scene = Scene(tmp_path, "json")
    scene.capture(3)
    assert scene.dedup.store.conversation(scene.one()).unannounced == [[0, 17]]
    scene.export(2)
    assert scene.dedup.store.conversation(scene.one()).unannounced == [[12, 17]]


def test_the_drawing_that_stands_is_announced_whichever_a_window_names():
    """Of a message that was drawn several times the last drawing counts, also where a run shows an earlier one."""
    state = ConversationState()
    for number, name in enumerate("abc"):
        state.add(Fingerprint(name, "", "text", "", 9), number)
    assert state.take_place(0, 1) == "a"
    assert state.take_place(0, 2) == "b"
    assert [state.stands_for(number) for number in range(3)] == ["c", "c", "c"]
    unannounced.captured(state, [2])
    assert unannounced.may_wait(state, [[0, 1]]) == unannounced.may_wait(state, [[2, 2]]) == [2]
    unannounced.announced(state, [2])
    assert unannounced.may_wait(state, [[0, 2]]) == []
    other = ConversationState()
    unannounced.captured(other, [4, 5, 6])
    unannounced.announced(other, [5])
    take_head(state, json.loads(json.dumps({**head_of(other), "redrawn": head_of(state)["redrawn"]})))
    assert (unannounced.may_wait(state, [[3, 9]]), state.stands_for(0)) == ([4, 6], "c")


@pytest.mark.parametrize(("member", "said"), [("new", "new messages"), ("captured", "captured before")])
def test_a_run_that_says_another_number_is_found(tmp_path, member, said):
    """``verify`` recounts what a run announced, and how much of that was captured before."""
    scene = Scene(tmp_path, "json")
    scene.capture(2)
    scene.export(3)
    log = tmp_path / "state" / "conversation_log.jsonl"
    *before, last = log.read_bytes().splitlines(keepends=True)
    record = decode_line(last)
    record["export"][member] -= 1
    log.write_bytes(b"".join([*before, encode_line(record)]))
    found = scene.dedup.store.verify()
    assert any(said in problem and "were counted" in problem for problem in found)


def test_an_export_that_was_only_to_be_known_is_announced_by_who_processes_it(tmp_path):
    """Stored without a word, its messages wait; the same bytes again announce them, and a third time nothing."""
    dedup = ClaudeConversationDeduplicator(tmp_path / "state")
    known = dedup.ingest(screen(2), name="a.txt", announce=False)
    assert recounted(dedup, tmp_path / "state") == (known.total, known.total, 0)
    dry = dedup.ingest(screen(2), name="a.txt", dry_run=True)
    done = dedup.ingest(screen(2), name="a.txt")
    assert (done.new, done.captured) == (dry.new, dry.captured) == (done.total, done.total)
    assert dedup.ingest(screen(2), name="a.txt").new == 0
    audit = [
        decode_line(line) for line in (tmp_path / "state" / "deduplication_log.jsonl").read_bytes().splitlines(True)
    ]
    assert [(each["operation"], each["new_messages"]) for each in audit] == [
        ("capture", 0),
        ("process_export", done.new),
        ("process_export", 0),
    ]
    recounted(dedup, tmp_path / "state")
