"""A store with its archive: every file counted once, every byte seen recounted from the exports themselves."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import transcript_lines as lines
from conftest import REPOSITORY
from deduplication import ClaudeConversationDeduplicator, SessionExportManager, formats
from deduplication.accounting import storage_account
from deduplication.archive.pack_files import pack
from deduplication.commands import export_dedup
from deduplication.errors import ExportError, StoreNotWritable
from deduplication.figures.savings import Seen
from deduplication.files.listing import entries_of, size_of
from deduplication.ingest.transcript_capture import capture_file
from deduplication.project.paths import Project
from deduplication.storage.log.append_log import Log
from deduplication.storage.log.lines import decode_line, encode_line, is_commit
from exports import Story

SAMPLES = sorted((REPOSITORY / ".coditect" / "demo").glob("*.txt"))
IMAGE = bytes(range(256)) * 40
BACKENDS = ("json", "default")


def image(data=IMAGE):
    """A block with a picture in it."""
    text = base64.b64encode(data).decode()
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": text}}


@pytest.fixture
def project(tmp_path):
    """A project without anything in it."""
    (tmp_path / "tides" / "MEMORY-CONTEXT").mkdir(parents=True)
    return Project((tmp_path / "tides").resolve())


def processed(project, *paths, **options):
    """The ``storage`` object of a run of export-dedup."""
    for path in paths:
        shutil.copy(path, project.root)
    found = []
    arguments = ["--yes", "--no-checkpoint", "--json", "--project", str(project.root), *options.get("more", ())]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.print", found.append)
        assert export_dedup.main(arguments) == 0
    return json.loads(found[-1])["storage"]


def records(folder):
    """The records of a log, run by run, the commit record last."""
    run = []
    log = Log(str(folder / "conversation_log.jsonl"))
    log.recover(write=False)
    for line in log.lines():
        run.append(decode_line(line.data))
        if is_commit(run[-1]):
            yield run
            run = []


def recounted(folder, inputs):
    """:class:`Seen` from the log and the inputs by their SHA-256, with sets of bytes, and without the product's own sums."""
    distinct = captured = identical = known = doubled = blobs = 0
    names, had, pictures = {}, set(), {}
    for *run, commit in records(folder):
        export = commit["export"]
        data = inputs[export["sha256"]]
        assert len(data) == export["bytes"]
        bodies = [record for record in run if "message" in record]
        lines_with_new = {tuple(record["source"]["span"]) for record in bodies}
        twice = 0
        for record in run:
            if "same" in record:
                continue  # no message: two conversations are one
            sizes = (
                record["message"].get("blobs", {}) if "message" in record else pictures.get(record["content_hash"], {})
            )
            for digest, size in sizes.items():
                encoded = len(base64.b64encode(bytes(size)))
                twice += encoded if digest in had and tuple(record["source"]["span"]) in lines_with_new else 0
                blobs += size if digest not in had else 0
                had.add(digest)
            pictures.setdefault(record["content_hash"], sizes)
        before = names.setdefault(export["sha256"], set())
        if "cursor" in commit or not before:
            shown = _shown(data, "cursor" in commit)
            new = {at for record in bodies for at in range(*record["source"]["span"])}
            distinct += len(data)
            captured += len(data) if "cursor" in commit else 0
            known += len(shown - new)
            doubled += twice
        elif export["name"] not in before:
            identical += len(data)
        if "cursor" not in commit:
            before.add(export["name"])
    return Seen(distinct, captured, identical, known, doubled, blobs)


def _shown(data, part):
    from deduplication.formats import transcript

    export = transcript.parse_slice(data, "").export if part else formats.parse(data)
    return {at for message in export.messages for at in range(message.start, message.end)}


def sizes(folder):
    """Bytes of every file below a folder."""
    return sum(os.lstat(os.path.join(place, name)).st_size for place, _, names in os.walk(folder) for name in names)


# --- the law ------------------------------------------------------------------------------------------------------


@pytest.mark.unmeasured
@settings(max_examples=25)
@given(
    st.integers(0, 10**6), st.booleans(), st.booleans(), st.sampled_from(BACKENDS), st.randoms(use_true_random=False)
)
def test_every_number_is_recounted_and_they_add_up(tmp_path_factory, seed, rewrap, compact, backend, chance):
    """Exports in any order, again, under other names, beside captured transcripts with pictures: raw = stored + savings."""
    project = Project(tmp_path_factory.mktemp("law").resolve())
    project.archive.mkdir(parents=True)
    dedup = ClaudeConversationDeduplicator(project.state, backend)
    inputs = {}
    story = Story(seed, exchanges=8)
    files = story.exports(2, rewrap=rewrap, compact_every=2 if compact else 0, repeat=0.3)
    files += [files[0], files[-1]]
    chance.shuffle(files)
    transcript = project.root / "11111111-2222-4333-8444-555555555555.jsonl"
    at = 0
    for number, file in enumerate(files):
        name = chance.choice((file.name, file.name, f"copy-{file.name}"))
        inputs[file.sha] = file.data
        dedup.ingest(file.data, name=name)
        (project.archive / f"{number}-{name}").write_bytes(file.data)
        content = [
            {"type": "text", "text": f"look at this, {chance.randrange(5)}"},
            image(chance.choice((IMAGE, IMAGE[1:]))),
        ]
        with transcript.open("ab") as out:
            out.write(lines.line(f"p{number}", "user", {"role": "user", "content": content}))
            out.write(lines.answer(chance.choice(("It is high water.", f"The tide turns at {number}."))))
        capture_file(dedup, transcript)
        part = transcript.read_bytes()[at:]
        at += len(part)
        inputs[hashlib.sha256(part).hexdigest()] = part
    for days in (None, 0):
        if days is not None:
            pack(project, days)
        seen = dedup.seen_bytes()
        assert seen == recounted(project.state, inputs)
        found = storage_account.savings(dedup, str(project.state))
        disk = storage_account.on_disk(str(project.state))
        assert found.seen.raw == found.stored + sum(found.layers.values())
        assert found.stored + storage_account.besides(str(project.state), disk).total == sizes(project.memory)
        assert found.damage == ()
        assert found.plain == disk.archive.plain == (0 if days == 0 else sizes(project.archive))
    assert ClaudeConversationDeduplicator(project.state, backend).seen_bytes() == seen
    assert dedup.store.verify() == []
    dedup.store.rebuild()
    assert dedup.seen_bytes() == seen


def test_both_kinds_of_index_say_the_same(tmp_path):
    """The numbers come from the log, whichever index keeps them."""
    found = []
    for backend in BACKENDS:
        dedup = ClaudeConversationDeduplicator(tmp_path / backend, backend)
        for sample in SAMPLES:
            dedup.process_export(None, sample)
        dedup.process_export(None, {"messages": [{"index": 0, "role": "user", "content": "Which book is next?"}]})
        found.append(dedup.seen_bytes())
    assert found[0] == found[1]
    assert found[0].known > 0


@pytest.mark.unmeasured
@pytest.mark.usefixtures("plain_week")
def test_real_exports_add_up(tmp_path, corpus):
    """The public exports, one after another: recounted byte by byte, and nothing on the disk is left out."""
    project = Project(tmp_path.resolve())
    paths = sorted((corpus / "real-2025").glob("*.txt"))
    inputs = {hashlib.sha256(data).hexdigest(): data for data in (path.read_bytes() for path in paths)}
    told = processed(project, *paths)
    dedup = ClaudeConversationDeduplicator(project.state)
    assert dedup.seen_bytes() == recounted(project.state, inputs)
    assert told["raw_bytes"] == told["stored_bytes"] + sum(told["saved"].values())
    assert told["raw_bytes"] == told["plain_bytes"]
    pack(project, 0)
    disk = storage_account.on_disk(str(project.state))
    assert disk.stored + storage_account.besides(str(project.state), disk).total == sizes(project.memory)
    assert dedup.seen_bytes().known > told["raw_bytes"] // 4


@pytest.mark.unmeasured
def test_every_real_file_is_recounted(tmp_path, corpus):
    """Exports and transcripts of fifteen versions of the client in one store: each sum, byte by byte, and a store that verifies."""
    dedup = ClaudeConversationDeduplicator(tmp_path / "state")
    inputs = {}
    for path in sorted(path for path in corpus.rglob("*") if path.is_file()):
        with contextlib.suppress(ExportError):
            if path.suffix == ".jsonl":
                capture_file(dedup, path)
            else:
                data = path.read_bytes()
                inputs[hashlib.sha256(data).hexdigest()] = data
                dedup.ingest(data, name=path.name)
    for *_, commit in records(tmp_path / "state"):
        if "cursor" in commit:
            end, size = commit["cursor"]["offset"], commit["export"]["bytes"]
            inputs[commit["export"]["sha256"]] = Path(commit["cursor"]["source"]).read_bytes()[end - size : end]
    seen = dedup.seen_bytes()
    assert seen == recounted(tmp_path / "state", inputs)
    assert 0 < seen.captured < seen.distinct
    assert dedup.store.verify() == []


# --- what counts as seen ------------------------------------------------------------------------------------------


def test_the_same_file_again_is_seen_once_and_a_copy_twice(project):
    """A file that a run meets again is no further file; the same bytes under another name are one, saved whole."""
    first = processed(project, SAMPLES[0])
    size = SAMPLES[0].stat().st_size
    assert (first["raw_bytes"], first["saved"]["identical_files"]) == (size, 0)
    again = processed(project, SAMPLES[0])
    assert (again["raw_bytes"], again["saved"]["identical_files"]) == (size, 0)
    shutil.copy(SAMPLES[0], project.root / "copy.txt")
    for _ in range(2):
        copied = processed(project)
        assert (copied["raw_bytes"], copied["saved"]["identical_files"]) == (2 * size, size)
        shutil.copy(SAMPLES[0], project.root / "copy.txt")


def test_a_file_read_again_by_a_newer_parser_is_seen_once(tmp_path, monkeypatch):
    """Another reading of the same bytes is no further input."""
    dedup = ClaudeConversationDeduplicator(tmp_path / "state")
    data = SAMPLES[0].read_bytes()
    dedup.ingest(data, name="a.txt")
    before = dedup.seen_bytes()
    monkeypatch.setattr("deduplication.ingest.result.PARSER_VERSION", 99)
    assert not dedup.ingest(data, name="a.txt").known_before
    assert dedup.seen_bytes() == before


def test_archived_versions_of_a_transcript_are_not_raw_bytes(project):
    """A captured transcript counts by its parts; however many versions of it the archive keeps, they are no input."""
    dedup = ClaudeConversationDeduplicator(project.state)
    file = project.root / f"{lines.SESSION}.jsonl"
    data = b""
    from archive_scenes import added

    for number in range(4):
        data += lines.prompt(f"How high is the water at {number}?")
        file.write_bytes(data)
        capture_file(dedup, file)
        added(project.archive / "packs", {f"-home-ada-tides/{lines.SESSION}.jsonl": data})
    seen = dedup.seen_bytes()
    assert seen.raw == seen.captured == len(data)
    found = storage_account.savings(dedup, str(project.state))
    assert found.stored == storage_account.on_disk(str(project.state)).store.stored + sizes(project.archive)


def test_a_picture_that_comes_again_is_a_doubled_blob(tmp_path):
    """In a new message the data of a known picture is counted as Base64, as it stood in the transcript."""
    dedup = ClaudeConversationDeduplicator(tmp_path / "state")
    file = tmp_path / f"{lines.SESSION}.jsonl"
    shown = [
        lines.line(str(n), "user", {"role": "user", "content": [{"type": "text", "text": f"{n}"}, image()]})
        for n in range(3)
    ]
    file.write_bytes(b"".join(shown))
    capture_file(dedup, file)
    assert dedup.seen_bytes().doubled == 2 * len(base64.b64encode(IMAGE))
    assert dedup.seen_bytes().blobs == len(IMAGE)
    whole = ClaudeConversationDeduplicator(tmp_path / "whole")
    whole.ingest(file.read_bytes(), name=file.name)
    assert whole.seen_bytes() == replace(dedup.seen_bytes(), captured=0)


def test_what_has_no_bytes_of_its_own_is_no_known_message(tmp_path):
    """Objects from Python have no spans: nothing is claimed for them."""
    dedup = ClaudeConversationDeduplicator(tmp_path / "state")
    message = {"index": 0, "role": "user", "content": "Which book is next?"}
    dedup.process_export("c", {"messages": [message]})
    dedup.process_export("c", {"messages": [message, {**message, "index": 1, "content": "The one about lighthouses."}]})
    assert dedup.seen_bytes().known == 0


# --- what is on the disk ------------------------------------------------------------------------------------------


def test_every_file_is_counted_once(project):
    """Also those that nobody knows: they count as stored; locks, notes and leftovers are listed apart."""
    processed(project, *SAMPLES)
    for path in ("dedup_state/new-thing.bin", "exports-archive/packs/new-thing", "exports-archive/folder/file"):
        (project.memory / path).parent.mkdir(parents=True, exist_ok=True)
        (project.memory / path).write_bytes(b"x" * 100)
    for path in (
        "sessions/a/b.md",
        "dedup_state/live/x",
        "dedup_state/quarantine/y",
        "dedup_state/z.1.tmp",
        "exports-archive/packs/pack-1.pack.1.tmp",
    ):
        (project.memory / path).parent.mkdir(parents=True, exist_ok=True)
        (project.memory / path).write_bytes(b"x" * 1000)
    disk = storage_account.on_disk(str(project.state))
    besides = storage_account.besides(str(project.state), disk)
    assert (disk.store.other, disk.archive.other) == (100, 200)
    assert besides.sessions >= 1000
    assert besides.notes >= 4000
    assert disk.stored + besides.total == sizes(project.memory)


def test_every_kind_of_file_has_its_own_number(project):
    """Log, sealed lines, blobs, indexes, audit, plain files, packs and their indexes: each by its name on the disk."""
    dedup = ClaudeConversationDeduplicator(project.state)
    dedup.process_export(None, SAMPLES[0])
    log = Log(str(project.state / "conversation_log.jsonl"))
    log.seal(log.size())
    dedup.process_export(None, SAMPLES[1])
    (project.state / "blobs" / "ab").mkdir(parents=True)
    (project.state / "blobs" / "ab" / "abc").write_bytes(b"x" * 77)
    project.archive.mkdir()
    shutil.copy(SAMPLES[0], project.archive)
    pack(project, 0)
    shutil.copy(SAMPLES[1], project.archive)
    del dedup
    disk = storage_account.on_disk(str(project.state))
    state, archive = project.state, project.archive
    assert (disk.store.log, disk.store.sealed) == (
        (state / "conversation_log.jsonl").stat().st_size,
        sizes(state / "sealed"),
    )
    assert min(disk.store.log, disk.store.sealed) > 0
    assert (disk.store.audit, disk.store.blobs) == ((state / "deduplication_log.jsonl").stat().st_size, 77)
    assert disk.store.indexes == sum(
        path.stat().st_size for path in (state / "index.bin", state / "watermarks.json", state / "archived.jsonl")
    )
    assert disk.archive.packs == (archive / "packs" / "pack-0001.pack").stat().st_size
    indexes = (archive / "packs" / "pack-0001.idx", archive / ".archived.jsonl")
    assert disk.archive.indexes == sum(path.stat().st_size for path in indexes)
    assert (disk.archive.plain, disk.archive.plain_files) == (SAMPLES[1].stat().st_size, 1)
    assert (disk.store.other, disk.archive.other) == (0, 0)


def test_what_vanishes_meanwhile_is_not_counted(tmp_path):
    """A file that another run removes between the listing and the look at it has no bytes."""
    (tmp_path / "a").write_bytes(b"x" * 100)
    (entry,) = list(entries_of(str(tmp_path)))
    assert size_of(entry) == 100
    (tmp_path / "a").unlink()
    assert size_of(entry) == 0


def test_a_link_counts_as_itself(project, tmp_path):
    """What a link leads to is not the store's."""
    processed(project, SAMPLES[0])
    before = storage_account.on_disk(str(project.state)).stored
    (tmp_path / "large").write_bytes(b"x" * 10**6)
    os.symlink(tmp_path / "large", project.state / "link")
    os.symlink(tmp_path, project.archive / "link")
    assert storage_account.on_disk(str(project.state)).stored - before < 1000


def test_a_store_of_its_own_has_no_archive(tmp_path):
    """A folder named by itself is counted by itself, whatever lies beside it."""
    dedup = ClaudeConversationDeduplicator(tmp_path / "store")
    dedup.process_export(None, SAMPLES[0])
    (tmp_path / "exports-archive").mkdir()
    (tmp_path / "exports-archive" / "x").write_bytes(b"x" * 1000)
    found = storage_account.savings(dedup, str(tmp_path / "store"))
    assert found.plain == 0
    assert found.stored < sizes(tmp_path / "store")
    assert (
        storage_account.besides(str(tmp_path / "store"), storage_account.on_disk(str(tmp_path / "store"))).sessions == 0
    )


def test_something_else_in_the_store_s_place_is_an_error(project):
    """A file where the folder should be is not an empty store."""
    project.state.write_text("in the way")
    with pytest.raises(StoreNotWritable):
        storage_account.on_disk(str(project.state))


# --- damage -------------------------------------------------------------------------------------------------------


def packed(project):
    """Three packs, since each is too large for the next one to take in."""
    from archive_scenes import added

    for number in range(3):
        added(project.archive / "packs", {f"{number}.bin": os.urandom(300_000)})
    return sorted((project.archive / "packs").glob("*.pack"))


@pytest.mark.parametrize("hurt", ["missing", "cut", "nonsense"])
def test_a_lost_pack_is_said_and_nothing_is_claimed(project, hurt, capsys):
    """A run says that bytes are missing instead of a saving that would be too good, and the banner claims nothing."""
    processed(project, SAMPLES[0])
    first, *_ = packed(project)
    data = first.read_bytes()
    if hurt == "missing":
        first.unlink()
    else:
        first.write_bytes(data[:-1] if hurt == "cut" else b"x" * len(data))
    told = processed(project, SAMPLES[1])
    assert (told["savings_pct"], told["saved"]) == (None, None)
    assert told["damage"]
    shutil.copy(SAMPLES[2], project.root)
    assert export_dedup.main(["--yes", "--no-checkpoint", "--project", str(project.root)]) == 0
    shown = capsys.readouterr().out
    assert "not all that was stored" in shown
    assert "Bytes stored" not in shown


def test_a_pack_that_is_taken_in_meanwhile_is_no_damage(project, monkeypatch):
    """What looks like damage is looked at again once nobody is packing."""
    first, *_ = packed(project)
    away = project.root / "away"
    first.rename(away)
    from deduplication.archive import footprint

    class Lock:
        def __enter__(self):
            away.rename(first)

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(footprint.locking, "exclusive", lambda *_: Lock())
    assert footprint.damage(str(project.archive)) == ()


def test_a_pack_that_another_one_took_in_is_no_damage(project):
    """Left behind by a run that was killed: it takes room, and nothing is wrong."""
    from archive_scenes import added

    added(project.archive / "packs", {"a": b"a" * 1000})
    (old,) = (project.archive / "packs").glob("*.pack")
    data = old.read_bytes()
    added(project.archive / "packs", {"b": b"b" * 1000})
    (project.archive / "packs" / "pack-0009.pack").write_bytes(data)
    assert storage_account.on_disk(str(project.state)).damage == ()


def test_a_folder_of_packs_that_is_none_is_said(project):
    """A file in the place of the folder cannot be listed."""
    project.archive.mkdir()
    (project.archive / "packs").write_bytes(b"x")
    (problem,) = storage_account.on_disk(str(project.state)).damage
    assert "packs" in problem


def test_a_lost_blob_is_said(project):
    """Fewer bytes of pictures than the log refers to."""
    dedup = ClaudeConversationDeduplicator(project.state)
    file = project.root / f"{lines.SESSION}.jsonl"
    file.write_bytes(lines.line("p", "user", {"role": "user", "content": [image()]}))
    capture_file(dedup, file)
    assert storage_account.savings(dedup, str(project.state)).damage == ()
    shutil.rmtree(project.state / "blobs")
    (problem,) = storage_account.savings(dedup, str(project.state)).damage
    assert f"{len(IMAGE):,} bytes" in problem


# --- verify -------------------------------------------------------------------------------------------------------


def rewritten(folder, change):
    """The log with one commit record changed, its checksum made right."""
    log = folder / "conversation_log.jsonl"
    found = [decode_line(line) for line in log.read_bytes().splitlines(keepends=True)]
    change([record for record in found if is_commit(record)])
    log.write_bytes(b"".join(map(encode_line, found)))


@pytest.mark.parametrize("backend", BACKENDS)
def test_verify_recounts_what_was_known(tmp_path, backend):
    """A run that says it knew more bytes than its new messages leave is named, and so is an index that says otherwise."""
    dedup = ClaudeConversationDeduplicator(tmp_path / "state", backend)
    for sample in SAMPLES:
        dedup.process_export(None, sample)
    assert dedup.store.verify() == []

    def change(commits):
        commits[-1]["export"]["known_bytes"] = commits[-1]["export"]["bytes"]

    rewritten(tmp_path / "state", change)
    problems = ClaudeConversationDeduplicator(tmp_path / "state", backend).store.verify()
    assert any("bytes were known, but" in problem for problem in problems)
    assert any("does not say what the log says" in problem or "index" in problem for problem in problems)


@pytest.mark.parametrize("known", [-1, 10**9, "5", 1.5, True])
def test_a_run_that_knew_more_than_it_saw_is_damage(tmp_path, known):
    """The number is bytes of the file: whole, and no more than it has."""
    dedup = ClaudeConversationDeduplicator(tmp_path / "state")
    dedup.process_export(None, SAMPLES[0])
    rewritten(tmp_path / "state", lambda commits: commits[0]["export"].update(known_bytes=known))
    assert any("knew more than it saw" in problem for problem in dedup.store.verify())


def test_savings_of_the_project_are_those_of_the_report(project):
    """The sums of SessionExportManager, of the checkpoint's document and of the run are one number."""
    told = processed(project, *SAMPLES)
    manager = SessionExportManager(project.root).statistics()
    again = storage_account.savings(ClaudeConversationDeduplicator(project.state), str(project.state))
    assert manager["raw_bytes"] == again.seen.raw == told["raw_bytes"]
    assert (manager["stored_bytes"], manager["storage_savings_pct"]) == (again.stored, again.saved_pct)
