"""``verify --since``: a head that somebody kept is proven to vouch still, or it is said why not."""

from __future__ import annotations

import json

import pytest

from deduplication.commands import deduplicate_export
from deduplication.errors import EXIT_FAILURE, EXIT_OK, UsageError
from deduplication.files.clock import local
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.storage import indexed_log
from deduplication.storage.log.lines import decode_line, encode_line
from exports import Story

FILES = Story(3, exchanges=6).exports(2)
NOT_ONE = "0123456789abcdef" * 4


@pytest.fixture
def state(tmp_path, monkeypatch):
    """A store with two runs, its log one file."""
    monkeypatch.setattr(indexed_log, "OPEN", 10**9)
    folder = tmp_path / "state"
    for file in FILES[:2]:
        store(folder, file)
    return folder


def store(folder, file):
    """One run."""
    ClaudeConversationDeduplicator(folder).ingest(file.data, name=file.name, conversation_id="s")


def verify(capsys, folder, *arguments):
    """The exit code and what was printed."""
    code = deduplicate_export.main(["verify", "--storage-dir", str(folder), *arguments])
    return code, capsys.readouterr().out


def head(capsys, folder):
    """The head that it names."""
    code, out = verify(capsys, folder, "--json")
    found = json.loads(out)
    assert (code, found["ok"]) == (EXIT_OK, True)
    return found["head"]


def test_the_head_is_named_at_the_end(state, capsys):
    """With the run that it stands behind and its time, and what it is good for."""
    told = head(capsys, state)
    code, out = verify(capsys, state)
    assert code == EXIT_OK
    assert told["run"] == 2
    assert out.splitlines()[-2:] == [
        f"🔗 Head: {told['digest']}",
        f"   after run 2, {local(told['at'])}. Keep it, and 'verify --since' proves later that nothing before it was changed.",
    ]


def test_a_store_without_a_run_has_none(tmp_path, capsys):
    """Nothing is there to vouch for."""
    folder = tmp_path / "state"
    with ClaudeConversationDeduplicator(folder).store.transaction():
        pass
    code, out = verify(capsys, folder)
    assert code == EXIT_OK
    assert "Head" not in out
    assert json.loads(verify(capsys, folder, "--json")[1])["head"] is None


def test_a_head_that_was_kept_is_proven(state, capsys):
    """All of it, its first 16 digits, in capitals; and how many runs came since."""
    kept = head(capsys, state)["digest"]
    _, out = verify(capsys, state, "--since", kept)
    assert "Everything up to run 2" in out
    assert "no run came since" in out
    store(state, FILES[2])
    for digits in (kept, kept[:16], kept.upper()):
        code, out = verify(capsys, state, "--since", digits)
        assert code == EXIT_OK
        assert "🔒 Everything up to run 2" in out
        assert "1 run came since" in out
    code, out = verify(capsys, state, "--since", kept[:20], "--json")
    since = json.loads(out)["since"]
    assert code == EXIT_OK
    assert {name: since[name] for name in ("asked", "unchanged", "head", "run", "runs_since")} == {
        "asked": kept[:20],
        "unchanged": True,
        "head": kept,
        "run": 2,
        "runs_since": 1,
    }


def test_a_head_that_no_run_has_is_a_failure(state, capsys):
    """Though the store itself is sound."""
    code, out = verify(capsys, state, "--since", NOT_ONE)
    assert code == EXIT_FAILURE
    assert f"❌ No run has the head {NOT_ONE}" in out
    assert "✅ Verified" in out
    code, out = verify(capsys, state, "--since", NOT_ONE, "--json")
    found = json.loads(out)
    assert (code, found["ok"], found["problems"], found["since"]["unchanged"]) == (EXIT_FAILURE, False, [], False)
    assert "No run has the head" in found["since"]["why"]


def test_a_log_that_was_changed_before_it_is_a_failure(state, capsys):
    """The head is there, and what it named before is not."""
    path = state / "conversation_log.jsonl"
    store(state, FILES[2])
    kept = head(capsys, state)["digest"]
    first, *rest = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(encode_line({**decode_line(first), "timestamp": "2020-02-02T02:02:02.020Z"}) + b"".join(rest))
    code, out = verify(capsys, state, "--since", kept)
    assert code == EXIT_FAILURE
    assert "does not follow on the log before it, which ends with run 1" in out
    assert f"❌ The head {kept} is that behind run 3, but the log before it was changed" in out
    assert "🔗" not in out


@pytest.mark.parametrize("head", ["", "0123456789abcde", "g" * 64, "0" * 65, "0123 456789abcdef"])
def test_what_can_be_no_head_is_refused(state, head):
    """Before anything is read."""
    with pytest.raises(UsageError, match="a head has 64 hexadecimal digits"):
        deduplicate_export.main(["verify", "--storage-dir", str(state), "--since", head])


def test_digits_that_several_heads_begin_with_are_said_to_be_too_few(state):
    """It takes some four thousand million runs until two of them begin with the same 16."""
    from deduplication.reports import chain as report
    from deduplication.storage.log.chain import Chain, Head

    chain = Chain("0" * 16, head=Head("0" * 64, 7, "t"), found=[Head("0" * 64, 7, "t"), Head("0" * 63 + "1", 5, "t")])
    assert not chain.vouches()
    assert "those behind the runs 7, 5. Pass more digits." in report.since(chain)
