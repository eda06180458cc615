"""``stats``, and the storage part of a run's report, as processes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

import transcript_lines as lines
from conftest import REPOSITORY
from deduplication import ClaudeConversationDeduplicator
from deduplication.commands import deduplicate_export, export_dedup
from deduplication.errors import ConversationUnclear, StoreMissing
from deduplication.ingest.transcript_capture import capture_file
from in_process import call

MAINS = {"export-dedup.py": export_dedup.main, "deduplicate_export.py": deduplicate_export.main}
SAMPLES = sorted((REPOSITORY / ".coditect" / "demo").glob("*.txt"))

pytestmark = pytest.mark.usefixtures("plain_week")


@pytest.fixture
def project(tmp_path):
    """A project with the three samples, processed in one run each; the last one once more, under another name."""
    root = tmp_path / "tides"
    (root / "MEMORY-CONTEXT").mkdir(parents=True)
    for sample in SAMPLES:
        shutil.copy(sample, root)
        script(root, "export-dedup.py", "--yes", "--no-checkpoint")
    shutil.copy(SAMPLES[-1], root / "copy.txt")
    script(root, "export-dedup.py", "--yes", "--no-checkpoint")
    return root


def script(root, name, *arguments, code=0):
    """The output of one of our scripts on a project; the one that starts another as its child is a process itself."""
    if name in MAINS:
        done = call(*arguments, "--project", root, main=MAINS[name])
    else:
        command = [sys.executable, str(REPOSITORY / "scripts" / name), *arguments, "--project", str(root)]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == code, done.stderr
    return done.stdout


def stats(root, *arguments, code=0):
    """The object that ``stats --json`` prints."""
    return json.loads(script(root, "deduplicate_export.py", "stats", "--json", *arguments, code=code))


def rows(text):
    """The numbers of a text report by their labels."""
    return {
        label.strip(): int(n.replace(",", ""))
        for label, n in re.findall(r"^   (\S.*?) {2,}(-?[\d,]+)", text, re.MULTILINE)
    }


@pytest.mark.parametrize("backend", ["json", "default"])
@pytest.mark.parametrize("packed", [False, True])
def test_the_report_adds_up_and_agrees_with_its_object(project, backend, packed):
    """Every number of the text is that of the object; layers come to what was saved, files to what is stored."""
    if backend == "json":
        ClaudeConversationDeduplicator(project / "MEMORY-CONTEXT" / "dedup_state", "json").store.rebuild()
    if packed:
        script(project, "deduplicate_export.py", "pack", "--older-than", "0")
    told = stats(project, "--backend", backend)
    storage, layers = told["storage"], told["storage"]["saved"]
    size = SAMPLES[-1].stat().st_size
    assert storage["raw_bytes"] == sum(sample.stat().st_size for sample in SAMPLES) + size
    assert layers["identical_files"] == size
    assert layers["known_messages"] > 3000
    assert storage["raw_bytes"] == storage["stored_bytes"] + sum(layers.values())
    assert (told["raw_bytes"], told["stored_bytes"]) == (storage["raw_bytes"], storage["stored_bytes"])
    shown = rows(script(project, "deduplicate_export.py", "stats", "--backend", backend))
    assert shown["raw bytes seen"] == storage["raw_bytes"]
    total = sum(layers.values())
    assert shown["what the store adds"] == -layers.pop("compression") > 0
    assert {name.replace("_", " "): number for name, number in layers.items()}.items() <= shown.items()
    assert shown.get("saved") == (total if total > 0 else None)
    parts = ("log, open part", "log, sealed", "images and documents", "indexes", "audit")
    archive = ("archive, plain files", "archive, packs", "archive, indexes")
    assert shown["bytes stored"] == sum(shown[label] for label in (*parts, *archive)) == storage["stored_bytes"]
    assert (shown["archive, plain files"] == 0) == packed
    assert (told["packs"] is not None) == packed
    if packed:
        assert (
            shown["bytes of the packs"]
            == told["packs"]["stored"]
            == shown["archive, packs"] + shown["archive, indexes"]
        )
        assert (
            shown["bytes of these files"]
            == sum(shown[f"saved by {layer}"] for layer in ("identical files", "beginnings", "repeated parts"))
            + shown.get("saved by compression", 0)
            - shown.get("what the packs add", 0)
            + shown["bytes of the packs"]
        )


def test_nothing_is_changed(project):
    """``stats`` reads; every file of the project is what it was."""
    script(project, "deduplicate_export.py", "pack", "--older-than", "0")
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    stats(project)
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def test_one_session(project):
    """The statistics of one conversation, by the beginning of its id."""
    assert stats(project, "--session", "tide")["conversation_id"] == "tide-clock"
    assert "Conversation: tide-clock" in script(project, "deduplicate_export.py", "stats", "--session", "tide-clock")
    with pytest.raises(ConversationUnclear):
        deduplicate_export.main(["stats", "--session", "ebb", "--project", str(project)])


@pytest.mark.parametrize("hurt", ["frame", "missing"])
def test_damage_in_the_packs_is_said_with_exit_code_1(project, hurt):
    """A flipped bit that only a reader notices, and a pack that is gone: the problem in place of savings."""
    from archive_scenes import added, without_parity

    folder = project / "MEMORY-CONTEXT" / "exports-archive" / "packs"
    for number in range(2):
        added(folder, {f"{number}.bin": os.urandom(300_000)})
    without_parity(folder)
    assert stats(project)["packs"]["files"] == 2
    pack = folder / "pack-0001.pack"
    data = bytearray(pack.read_bytes())
    data[200] ^= 1
    pack.write_bytes(data)
    if hurt == "missing":
        pack.unlink()
    told = stats(project, code=1)
    assert (told["storage"]["savings_pct"], told["storage"]["saved"], told["packs"]) == (None, None, None)
    text = script(project, "deduplicate_export.py", "stats", code=1)
    assert "What was saved cannot be said" in text
    assert told["storage"]["damage"][0] in text


def test_without_a_store_it_says_so(tmp_path):
    """A project that nothing was stored of has no statistics."""
    with pytest.raises(StoreMissing):
        deduplicate_export.main(["stats", "--project", str(tmp_path)])


def test_a_store_of_its_own(tmp_path, capsys):
    """A folder named by itself: no archive, no packs."""
    dedup = ClaudeConversationDeduplicator(tmp_path / "store")
    file = tmp_path / f"{lines.SESSION}.jsonl"
    file.write_bytes(lines.prompt("How high is the water?"))
    capture_file(dedup, file)
    assert deduplicate_export.main(["stats", "--storage-dir", str(tmp_path / "store"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["captures"], told["seen"]["captured"], told["packs"]) == (1, file.stat().st_size, None)


def test_the_banner_s_report_has_the_storage(project):
    """Below the banner: raw bytes seen and bytes on the disk, those of the run's summary; with --json in the log."""
    shutil.copy(SAMPLES[0], project / "another.txt")
    shown = script(project, "export-dedup-with-status.py", "--yes", "--no-checkpoint")
    raw, stored = (re.search(rf"   - {label}: ([\d,]+)\n", shown)[1] for label in ("Raw bytes seen", "Bytes stored"))
    assert int(raw.replace(",", "")) < int(stored.replace(",", ""))
    assert re.search(r"🔐\n📦 Storage: small store, \d+ kB\n", shown)
    assert "bytes wait as plain files, to be packed after 7 days" in shown
    shutil.copy(SAMPLES[0], project / "one-more.txt")
    told = json.loads(script(project, "export-dedup-with-status.py", "--yes", "--no-checkpoint", "--json"))
    assert told["storage"]["savings_pct"] < 0
    log = (project / "MEMORY-CONTEXT" / "dedup_state" / "reports.txt").read_text(encoding="utf-8")
    assert "📦 Storage: small store, " in log.rpartition("EXPORT-DEDUP EXECUTION REPORT")[2]
