"""Real recordings: nothing is said to be missing of what is complete, and what real exports hide is counted."""

from __future__ import annotations

import re
import shutil

import pytest

from deduplication.alignment.same_source import hidden_lines
from deduplication.errors import NotAnExport
from deduplication.formats import detect
from deduplication.gaps.look import look
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from gap_scenes import Scene

VERSIONS = (
    *("2.0.27", "2.0.42", "2.0.58", "2.0.76", "2.1.3", "2.1.17", "2.1.31", "2.1.47", "2.1.98", "2.1.119", "2.1.150"),
    *("2.1.197", "2.1.330"),
)
PAIRS = ("2.0.42", "2.1.197", "2.1.330")


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """A project that opted in, and the client's folder."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "config"))
    return Scene(tmp_path)


def copied(scene, folder):
    """The transcripts of a folder as the client keeps them in the project's; those of agents and outputs with them."""
    place = scene.config / "projects" / "".join(c if c.isalnum() else "-" for c in str(scene.place.root))
    shutil.copytree(folder, place)
    for path in place.rglob("*.jsonl"):
        path.write_bytes(re.sub(rb'"cwd":"[^"]*"', f'"cwd":"{scene.place.root}"'.encode(), path.read_bytes()))
    return [each.path for each in scene.client().transcripts]


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_is_missing_of_a_complete_session(corpus, scene, version):
    """Its transcripts captured, its exports before and after a compaction taken in: no gap of any kind, in any order."""
    folder = corpus / "lab" / version
    for path in copied(scene, folder / "transcript"):
        scene.capture(path)
    found = scene.look()
    assert (found.gaps, found.transcripts > 0, found.not_looked) == ((), True, ())
    for name in ("pre.txt", "post.txt"):
        scene.dedup.ingest((folder / name).read_bytes(), name=name)
    assert scene.look().gaps == ()


@pytest.mark.parametrize("version", PAIRS)
def test_nothing_is_missing_of_a_long_session(corpus, scene, version):
    """172 turns of Markdown, and the export of them, which comes first."""
    scene.dedup.ingest((corpus / "lab" / "pair" / f"{version}.txt").read_bytes(), name="pair.txt")
    data = (corpus / "lab" / "pair" / f"{version}.jsonl").read_bytes()
    scene.capture(scene.transcript(data))
    assert scene.look().gaps == ()


def test_nothing_is_missing_of_branches_and_forks(corpus, scene):
    """Branch, fork, clear, rewind, resume, agents, an output that was put aside: all of it is there."""
    for path in copied(scene, corpus / "lab" / "2.1.197-operations" / "transcripts"):
        scene.capture(path)
    found = scene.look()
    assert (found.gaps, found.not_looked) == ((), ())
    for path in sorted((corpus / "lab" / "2.1.197-operations").glob("*.txt")):
        scene.dedup.ingest(path.read_bytes(), name=path.name)
    # Its two prompts are a few letters each: nothing proves which of six sessions it shows, so that it is one by itself.
    assert [(gap.kind, gap.source) for gap in scene.look().gaps] == [("hidden_lines", "h_rewound.txt")]


def test_what_a_branch_lacks_without_its_origin(corpus, scene):
    """The same without the session that both were made of: what came before, and who it was."""
    paths = copied(scene, corpus / "lab" / "2.1.197-operations" / "transcripts")
    origin = "5e49b08e-eda7-4ece-845b-002719aa1d9f"
    for path in paths:
        if origin in str(path):
            path.unlink()
    for each in scene.client().transcripts:
        scene.capture(each.path)
    kinds = scene.kinds()
    assert kinds["missing_origin"] == 1
    assert kinds["compaction"] >= 1
    assert origin in scene.look().of("missing_origin")[0].text


@pytest.mark.parametrize("folder", ["real-2025", "real-2026"])
def test_the_hidden_lines_of_real_exports(corpus, tmp_path, folder):
    """Each export by itself hides what its results say that it hides, each once; counted a second way from its text."""
    seen = 0
    for path in sorted((corpus / folder).glob("*.txt")):
        data = path.read_bytes()
        dedup = ClaudeConversationDeduplicator(tmp_path / path.name)
        try:
            export = detect(data).parse(data)
        except NotAnExport:
            continue
        dedup.ingest(data, name=path.name, conversation_id="x")
        said = [
            _last_mark(str(each.content)) for each in export.messages if each.kind in ("tool_result", "command_output")
        ]
        found = look(dedup.store).hidden_lines
        assert found <= sum(said), path.name
        assert found or not sum(said), path.name
        seen += found
    assert seen


def _last_mark(text):
    """The number in the client's own mark where it ends a result, by another rule than the product's."""
    last = text.rstrip().rsplit("\n", 1)[-1]
    match = re.fullmatch(r"\s*(?:… |\.\.\. )\+([\d,]+) lines?(?: \([^()]*\))?", last)
    counted = int(match.group(1).replace(",", "")) if match else 0
    assert counted == hidden_lines(text)
    return counted
