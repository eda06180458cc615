"""Repair and the chain of the log: what it proves, what is made to follow on again, and what nobody hides."""

from __future__ import annotations

import json

import pytest

from deduplication.commands import deduplicate_export
from deduplication.errors import StoreNotWritable
from deduplication.repair import damage
from deduplication.repair import repair as whole
from deduplication.storage import indexed_log
from deduplication.storage.log.chain import REPLACED
from deduplication.storage.log.lines import PREVIOUS, decode_line, encode_line, is_commit
from deduplication.storage.log.sealed import Sealed
from faults import reader
from repair_scenes import Scene


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """A project that keeps every export; its log is one file."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "client"))
    monkeypatch.setattr(indexed_log, "OPEN", 10**9)
    made = Scene(tmp_path)
    monkeypatch.chdir(made.project.root)
    return made


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A project that keeps nothing but the log."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "no client"))
    monkeypatch.setattr(indexed_log, "OPEN", 10**9)
    made = Scene(tmp_path, archived=lambda _name: False)
    monkeypatch.chdir(made.project.root)
    return made


def log_of(scene):
    """The lines of its log."""
    return (scene.state / "conversation_log.jsonl").read_bytes().splitlines(keepends=True)


def has(scene, lines):
    """Have it be of these lines, its index what it was."""
    (scene.state / "conversation_log.jsonl").write_bytes(b"".join(lines))


def judged(scene):
    """What the tests' own reader makes of the log."""
    return reader.read(reader.whole(scene.state), scene.state / "blobs")


def ends(lines):
    """Where the commit records stand."""
    return [at for at, line in enumerate(lines) if is_commit(decode_line(line))]


def repaired(scene, **more):
    """What repair did."""
    return whole.repair(scene.dedup().store, scene.project, **more)


def since(scene, head):
    """Whether a head still vouches."""
    return scene.dedup().store.verified(head).chain.vouches()


def test_a_line_that_comes_back_is_proven_by_the_run_behind_it(scene):
    """The very bytes: no other run's line changes, and every head that was kept vouches."""
    lines = log_of(scene)
    heads = judged(scene).heads
    torn = lines[2][:100] + b"#" * 20 + lines[2][120:]
    has(scene, [*lines[:2], torn, *lines[3:]])
    done = repaired(scene)
    assert (done.made, done.proven, done.remaining) == (1, 1, [])
    assert log_of(scene) == lines
    assert since(scene, heads[-1])


def test_the_record_of_a_run_that_comes_back_otherwise_is_followed_on(scene, capsys):
    """How long the run took nobody knows any more: the runs behind it name the head that it has now, and the last one says so."""
    lines = log_of(scene)
    heads = judged(scene).heads
    at = ends(lines)[1]
    has(scene, [*lines[:at], b"#" * (len(lines[at]) - 1) + b"\n", *lines[at + 1 :]])
    done = repaired(scene)
    assert done.remaining == []
    assert (done.made, done.proven) == (1, 0)
    after = judged(scene)
    assert after.problems == []
    assert after.heads[:1] == heads[:1]
    assert not set(after.heads[1:]) & set(heads)
    last = json.loads(log_of(scene)[ends(log_of(scene))[-1]])
    told = {"head": heads[-1], "runs": len(heads), "kept": 1, "by": "repair"}
    assert [{name: each[name] for name in told} for each in last[REPLACED]] == [told]
    code = deduplicate_export.main(["verify", "--since", heads[-1]])
    assert code == 1
    assert f"The head {heads[-1]} is from before the repair of " in capsys.readouterr().out
    assert whole.repair(scene.dedup().store, scene.project).findings == []
    assert judged(scene).heads == after.heads


def test_what_is_lost_for_good_is_followed_on(bare):
    """The line that says so takes its place in the chain."""
    lines = log_of(bare)
    torn = lines[2][:100] + b"#" * 20 + lines[2][120:]
    has(bare, [*lines[:2], torn, *lines[3:]])
    done = repaired(bare)
    assert [finding.kind for finding in done.lost()] == [damage.MESSAGES]
    assert not any("does not follow" in problem for problem in done.remaining)
    *_, last = judged(bare).heads
    bare.dedup().ingest(b'{"messages":[{"role":"user","content":"and so it goes on"}]}', name="n", conversation_id="n")
    assert decode_line(log_of(bare)[-1])[PREVIOUS] == last


def test_words_that_somebody_put_into_a_mouth_go_and_what_was_said_comes_back(scene):
    """With its content hash and its checksum, which only the chain tells; the archive has the words, and the chain proves them."""
    from deduplication.alignment.fingerprint import content_hash

    lines = log_of(scene)
    at = next(at for at, line in enumerate(lines) if json.loads(line).get("message", {}).get("kind") == "prompt")
    record = decode_line(lines[at])
    record["message"]["content"] = "something that nobody said"
    record["content_hash"] = content_hash("user", "prompt", "something that nobody said", "layout")
    has(scene, [*lines[:at], encode_line(record), *lines[at + 1 :]])
    scene.dedup().store.rebuild()
    assert any("does not follow" in problem for problem in scene.dedup().store.verify())
    done = repaired(scene)
    assert log_of(scene) == lines
    assert done.remaining == []
    (finding,) = done.findings
    assert (finding.kind, finding.repaired, finding.numbers) == (damage.MESSAGES, True, ((record["index"],) * 2,))
    assert "it was changed, and its checksum with it" in finding.fault


def test_a_change_that_nothing_can_undo_stays_named_until_it_is_given_up(bare, capsys):
    """Nobody is to make a log that was changed look like one that was not."""
    lines = log_of(bare)
    heads = judged(bare).heads
    has(bare, [encode_line({**decode_line(lines[0]), "timestamp": "2020-02-02T02:02:02.020Z"}), *lines[1:]])
    bare.dedup().store.rebuild()
    done = repaired(bare)
    assert [finding.kind for finding in done.lost()] == [damage.CHAIN]
    assert any("does not follow" in problem for problem in done.remaining)
    assert deduplicate_export.main(["repair"]) == 1
    assert "what stood there nobody can tell" in capsys.readouterr().out
    assert deduplicate_export.main(["repair", "--accept-lost"]) == 0
    assert "given up: it goes on from what is there" in capsys.readouterr().out
    assert bare.dedup().store.verify() == []
    assert not since(bare, heads[-1])
    assert deduplicate_export.main(["verify", "--since", heads[-1]]) == 1
    assert "is from before the repair of" in capsys.readouterr().out


def test_a_repair_that_was_stopped_between_its_steps_is_told_once(tmp_path, monkeypatch):
    """The open part names the new heads, the sealed files still have the old ones: the next repair ends it, and adds nothing."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "client"))
    monkeypatch.setattr(indexed_log, "OPEN", 10**9)
    scene = Scene(tmp_path)
    monkeypatch.chdir(scene.project.root)
    store = scene.dedup().store
    lines = log_of(scene)
    at = ends(lines)[1]
    has(scene, [*lines[:at], b"#" * (len(lines[at]) - 1) + b"\n", *lines[at + 1 :]])
    log = store.log
    log.recover(write=True)
    damaged, sealed = log_of(scene), ends(lines)[3] + 1
    log.rewrite([b"".join(damaged[:sealed])], b"".join(damaged[sealed:]))
    log.close()

    def stopped(*_):
        raise StoreNotWritable("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Sealed, "rewrite", stopped)
        with pytest.raises(StoreNotWritable):
            repaired(scene)
    assert REPLACED in decode_line(log_of(scene)[-1])
    before = log_of(scene)
    assert repaired(scene).remaining == []
    assert log_of(scene) == before
    assert judged(scene).problems == []


def test_a_log_that_names_no_heads_is_followed_on_too(scene):
    """One of version 0.1: its lines stay what they are, but for the run that was made again and the last one, which tells it."""
    old = []
    for line in log_of(scene):
        record = decode_line(line)
        record.pop(PREVIOUS, None)
        old.append(encode_line(record))
    has(scene, old)
    scene.dedup().store.rebuild()
    kept = judged(scene).heads
    at = ends(old)[1]
    has(scene, [*old[:at], b"#" * (len(old[at]) - 1) + b"\n", *old[at + 1 :]])
    assert repaired(scene).remaining == []
    after = log_of(scene)
    assert judged(scene).problems == []
    assert [number for number in range(len(old)) if after[number] != old[number]] == [at, len(old) - 1]
    assert decode_line(after[-1])[REPLACED][0]["head"] == kept[-1]
