"""Generated working days with the ground truth beside them: nothing is lost, nothing doubled, everything in order."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
import os
import sys
import warnings
from collections import Counter
from pathlib import Path

import pytest

from deduplication import capture, fingerprint, formats
from deduplication.deduplicator import ClaudeConversationDeduplicator

SEEDS = int(os.environ.get("EXPORT_DEDUP_SEEDS") or 5)
"""Fifty before a release; a few in the ordinary run."""
BYTES = float(os.environ.get("EXPORT_DEDUP_TRUTH_BYTES") or 40_000)
WORLDS = {
    "plain": {},
    "compact": {"compact_every": 5},
    "reexport": {"reexport": 0.3},
    "rewrap": {"rewrap": True},
    "all": {"compact_every": 5, "reexport": 0.3, "rewrap": True},
}


@contextlib.contextmanager
def _careless():
    """The generator leaves files to be closed by whoever collects them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield


@pytest.fixture(scope="session")
def generator(repository):
    """The workload generator, which is not part of the repository, with the text it draws from."""
    path = Path(os.environ.get("EXPORT_DEDUP_BENCH") or repository.parent / "shared" / "bench") / "gen_exports.py"
    if not path.is_file():
        pytest.skip(f"no workload generator at {path} (EXPORT_DEDUP_BENCH names another folder)")
    spec = importlib.util.spec_from_file_location("gen_exports", path)
    module = importlib.util.module_from_spec(spec)
    writes = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = writes
    # A part of the standard library is enough text, and reading all of it would be most of the test's time.
    roots = [Path(os.__file__).parent / name for name in ("email", "asyncio", "json", "logging")]
    with _careless():
        code = module.corpus([str(root) for root in roots])
    prose = [part.strip() for _, source in code for part in source.split("\n\n") if 20 < len(part.strip()) < 4000]
    return module, code, prose


def generate(generator, folder, seed, **options):
    """The exports of one working day in order, and what was said: one squeezed text a message."""
    module, code, prose = generator
    given = {"exports": 12, "final_bytes": BYTES, "format": "txt", "compact_every": 0, "rewrap": False, "reexport": 0.0}
    with contextlib.redirect_stdout(io.StringIO()), _careless():
        module.one(argparse.Namespace(**{**given, **options, "corpus": None}), str(folder), seed, code, prose)
    manifest = json.loads((folder / "manifest.json").read_text())
    last = {entry["epoch"]: entry["file"] for entry in manifest["exports"]}
    said = []
    for epoch in sorted(last):
        said += [squeezed(message.content) for message in formats.parse((folder / last[epoch]).read_bytes()).messages]
    truth = (folder / "truth.jsonl").read_text().splitlines()
    assert options.get("format") == "jsonl" or len(said) == len(truth) == manifest["messages_unique_positions"]
    return [folder / entry["file"] for entry in manifest["exports"]], said


def squeezed(content):
    """A message's content without the white space that a screen adds."""
    return "".join(fingerprint.plain_text(content).split())


def everything(store):
    """All that a store holds, conversation after conversation."""
    return [
        squeezed(message["content"])
        for conversation in store.conversations()
        for message in store.get_full_conversation(conversation)
    ]


@pytest.mark.parametrize("named", [True, False], ids=["named", "found"])
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_every_occurrence_is_kept_once_and_in_order(generator, tmp_path, seed, world, named):
    """Cumulative exports, compactions, re-exports, other widths: the store holds what was said, as often as it was said.

    Both where the conversation is named and where each export finds it by its content.
    """
    files, said = generate(generator, tmp_path / "exports", seed, **WORLDS[world])
    store = ClaudeConversationDeduplicator(tmp_path / "state")
    totals = [
        store.ingest(file.read_bytes(), name=file.name, conversation_id="day" if named else None) for file in files
    ]
    kept = everything(store)
    assert Counter(said) - Counter(kept) == Counter()
    assert Counter(kept) - Counter(said) == Counter()
    assert kept == said
    assert all(result.total == result.new + result.duplicates for result in totals)
    assert not store.store.verify()


@pytest.mark.parametrize("growing", [True, False], ids=["one-file-that-grows", "a-file-each-time"])
@pytest.mark.parametrize("world", [name for name in WORLDS if name != "rewrap"])
@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
def test_every_line_of_a_transcript_is_kept_once_and_in_order(generator, tmp_path, seed, world, growing):
    """The same for transcripts: one file that is appended to, or rewritten after a compaction, or copies of it."""
    files, said = generate(
        generator, tmp_path / "exports", seed, **{**WORLDS[world], "rewrap": False, "format": "jsonl"}
    )
    store = ClaudeConversationDeduplicator(tmp_path / "state")
    for file in files:
        if growing:
            (tmp_path / "session.jsonl").write_bytes(file.read_bytes())
            capture.capture_file(store, tmp_path / "session.jsonl")
        else:
            store.ingest(file.read_bytes(), name=file.name)
    assert everything(store) == said
    assert store.store.verify() == []
