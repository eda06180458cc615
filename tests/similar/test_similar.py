"""What says nearly the same is found, what does not is not, nothing is changed by looking, and nothing that was purged is shown."""

from __future__ import annotations

import json
import random
import shlex
import subprocess
import sys

import pytest

from conftest import REPOSITORY
from deduplication import ClaudeConversationDeduplicator
from deduplication.similar.near import Group, Pair, groups
from deduplication.similar.overlap import overlaps
from deduplication.similar.said import Contents, Said
from in_process import call

pytest.importorskip("rensa")
pytest.importorskip("rapidfuzz")

WORDS = [
    a + b
    for a in ("tide", "clock", "harbour", "crane", "table", "anchor", "buoy", "pilot")
    for b in ("", "s", "ing", "ed")
]


def text(seed, words=40):
    """Words in an order of their own: two seeds share next to nothing in a row."""
    chosen = random.Random(seed)
    return " ".join(chosen.choice(WORDS) + str(chosen.randrange(100)) for _ in range(words))


def changed(said, places, seed=0):
    """The same with other words at so many places."""
    words, chosen = said.split(), random.Random(seed)
    for place in chosen.sample(range(len(words)), places):
        words[place] = f"other{place}"
    return " ".join(words)


class Place:
    """A project whose conversations a test writes."""

    def __init__(self, root, backend="default", address=None):
        self.root, self.state = root, root / "MEMORY-CONTEXT" / "dedup_state"
        (root / ".git").mkdir(parents=True)
        self.more = () if address is None else ("--backend", backend, "--db-url", address)
        self.dedup = ClaudeConversationDeduplicator(self.state, backend, address)

    def talk(self, name, said):
        """Prompts and answers by turns."""
        roles = ("user", "assistant")
        messages = [{"index": n, "role": roles[n % 2], "content": each} for n, each in enumerate(said)]
        self.dedup.process_export(name, {"messages": messages})

    def similar(self, *more):
        """What the command tells a program."""
        done = call("similar", "--project", self.root, "--json", *self.more, *more)
        assert done.returncode == 0, done
        return json.loads(done.stdout)


@pytest.fixture
def place(tmp_path):
    """An empty one."""
    return Place(tmp_path / "tides")


def members(told, kind="messages"):
    """Of each group where its members stand."""
    return [[(each["conversation_id"], each["number"]) for each in group["members"]] for group in told[kind]]


def test_what_is_nearly_the_same_is_found_and_nothing_else(place):
    """A word changed here and there, another case, another layout; texts of the same words in another order are none."""
    one, two = text(1), text(2)
    shuffled = one.split()
    random.Random(7).shuffle(shuffled)
    place.talk("a", [one, text(3), two])
    place.talk("b", [changed(one, 2), text(4), " ".join(shuffled)])
    place.talk("c", [f"  {two.upper()}\n\n!", text(5)])
    told = place.similar()
    assert members(told) == [[("a", 0), ("b", 0)]]  # what differs in case and layout alone is one content
    assert 0.85 <= told["messages"][0]["least"] < 1
    assert told["contents"] == 7


def test_a_threshold_is_one(place):
    """A quarter of it is something else: alike at 0.6, not at 0.85."""
    one = text(1)
    place.talk("a", [one])
    place.talk("b", [" ".join([*one.split()[:30], *text(99).split()[:10]])])
    assert members(place.similar()) == []
    assert members(place.similar("--threshold", "0.6")) == [[("a", 0), ("b", 0)]]


def test_the_report_says_how_a_place_is_shown(place):
    """A command that works as it stands there."""
    one = text(1)
    place.talk("a", [one])
    place.talk("b", [changed(one, 1)])
    tool = [sys.executable, str(REPOSITORY / "scripts" / "deduplicate_export.py")]
    told = subprocess.run([*tool, "similar"], cwd=place.root, capture_output=True, encoding="utf-8", check=True).stdout
    assert "2 contents, 98 % alike\n      a #0 user: " in told
    (tail,) = [line for line in told.splitlines() if line.startswith("A place is shown by: ")]
    command = tail.partition(": ")[2].replace("CONVERSATION", "a").replace("NUMBER", "0")
    shown = subprocess.run(shlex.split(command), cwd=place.root, capture_output=True, encoding="utf-8", check=True)
    assert one[:30] in shown.stdout


def test_many_that_are_alike_are_one_group(place):
    """A thousand drawings of one status line cost no million comparisons, and none of them is left out."""
    one = text(1)
    place.talk("a", [changed(one, 1, seed) + f" turn{seed}" for seed in range(150)])
    (found,) = place.similar()["messages"]
    assert len(found["members"]) == 150


def test_short_ones_say_nothing(place):
    """Everybody says yes."""
    place.talk("a", ["yes, please do it now", text(1)])
    place.talk("b", ["yes, please do it today", text(2)])
    assert place.similar()["messages"] == []


def test_conversations_with_much_in_common(place):
    """A fork shares its beginning, word for word or nearly; two that share one content do not."""
    said = [text(n) for n in range(8)]
    place.talk("whole", said)
    place.talk("fork", [*said[:3], changed(said[3], 1), text(50), text(51)])
    place.talk("other", [said[7], *(text(n) for n in range(60, 66))])
    (found,) = place.similar("--threshold", "0.6")["conversations"]
    assert (found["one"], found["other"], found["shared"]) == ("fork", "whole", 4)
    assert found["share"] == pytest.approx(4 / 6)


def test_nothing_is_changed(place):
    """Not a byte of the store."""
    one = text(1)
    place.talk("a", [one, text(2)])
    place.talk("b", [changed(one, 1)])
    before = {path: path.read_bytes() for path in sorted(place.root.rglob("*")) if path.is_file()}
    assert place.similar()["messages"]
    assert {path: path.read_bytes() for path in sorted(place.root.rglob("*")) if path.is_file()} == before


def test_what_was_purged_is_shown_nowhere(place):
    """Neither it nor that it was near to something."""
    one = text(1)
    place.talk("a", [one, text(2)])
    place.talk("b", [changed(one, 1), text(3)])
    assert call("purge", "--session", "b", "--yes", "--project", place.root).returncode == 0
    told = place.similar()
    assert told["messages"] == []
    assert "other" not in json.dumps(told)


def test_secrets_are_not_shown(place):
    """As everywhere where something is shown."""
    secret = "ghp_" + "a1B2" * 9
    said = f"{text(1)} the token is {secret}"
    place.talk("a", [said])
    place.talk("b", [changed(said, 1, 3)])
    done = call("similar", "--project", place.root)
    assert done.returncode == 0
    assert secret not in done.stdout
    assert secret not in json.dumps(place.similar())


def test_every_backend_says_the_same(place, tmp_path, database):
    """A store in PostgreSQL, through the same questions."""
    there = Place(tmp_path / "elsewhere", "postgresql", database)
    one = text(1)
    for each in (place, there):
        each.talk("a", [one, text(2)])
        each.talk("b", [changed(one, 2), text(3)])
    here, elsewhere = place.similar(), there.similar()
    assert here["messages"]
    assert {**here, "storage_dir": ""} == {**elsewhere, "storage_dir": ""}


def test_what_means_the_same_is_told_apart(place):
    """A guess, with its own heading; what is near by its letters is not in it again."""
    pytest.importorskip("wordllama")
    place.talk("a", ["please fix the database migration that loses some of the messages of the users"])
    place.talk("b", ["repair the migration of the database, it drops messages which users have written"])
    place.talk("c", ["the weather in the mountains was cold and clear for the whole week of walking"])
    told = place.similar("--semantic", "--threshold", "0.55")
    assert told["messages"] == []
    assert members(told, "semantic") == [[("a", 0), ("b", 0)]]
    assert place.similar()["semantic"] is None


@pytest.mark.parametrize("value", ["2", "0.2", "x", ""])
def test_a_threshold_that_is_none(place, value):
    """A mistake in the command line."""
    place.talk("a", [text(1)])
    assert call("similar", "--project", place.root, "--threshold", value).returncode == 2


def test_groups_are_what_hangs_together():
    """By way of others, too; the largest first."""
    found = groups([Pair(5, 9, 0.9), Pair(1, 2, 0.95), Pair(2, 3, 0.85)])
    assert found == [Group([1, 2, 3], 0.85, 0.95), Group([5, 9], 0.9, 0.9)]


def test_a_content_that_everybody_has_says_nothing_of_two():
    """What stands in more than fifty conversations makes no two of them alike."""
    everywhere = [Said(f"c{n:02}", n, "user", 9, [f"c{each:02}" for each in range(51)]) for n in range(4)]
    assert overlaps(everywhere, [], 0.5) == []
    few = [Said("a", n, "user", 9, ["a", "b"]) for n in range(4)]
    assert [(each.one, each.other, each.shared) for each in overlaps(few, [], 0.5)] == [("a", "b", 4)]


def test_contents_are_read_again_as_they_were(place, monkeypatch):
    """Also those that are remembered no more."""
    from deduplication.similar import said

    monkeypatch.setattr(said, "_KEPT", 2)
    told = [text(n) for n in range(9)]
    place.talk("a", told)
    contents = Contents(place.dedup.store)
    rows = {number: " ".join(words) for number, words in contents.rows()}
    assert [contents.row(number) for number in range(9)] == [rows[number] for number in range(9)]
    assert [contents.text(number) for number in range(9)] == told
