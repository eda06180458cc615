"""Images and documents are kept once, and come back as they were."""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

import transcript_lines as lines
from deduplication.alignment import fingerprint
from deduplication.errors import StoreNotWritable
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.ingest.transcript_capture import capture_file
from deduplication.storage import indexed_log
from deduplication.storage.log.lines import decode_line, encode_line
from deduplication.storage.state import blobs
from deduplication.storage.state.references import lift, restore

IMAGE = bytes(range(256)) * 40
OTHER = IMAGE[::-1]


def source(data=IMAGE, type_="image", **more):
    """A block with data in it."""
    text = base64.b64encode(data).decode()
    return {"type": type_, "source": {"type": "base64", "media_type": "image/png", "data": text, **more}}


def digest(data=IMAGE):
    """The name of a blob."""
    return hashlib.sha256(data).hexdigest()


def path(folder, data=IMAGE):
    """Where a blob lies in a state folder."""
    return folder / "blobs" / digest(data)[:2] / digest(data)


# --- pure ------------------------------------------------------------------------------------------------------


def test_data_is_taken_out_and_put_back():
    """The block stays, with a reference that says what it refers to; put back, not even the order of keys differs."""
    content = [{"type": "text", "text": "see"}, source(), source(OTHER, "document", cache=1)]
    lifted, found = lift(content)
    assert found == {digest(): IMAGE, digest(OTHER): OTHER}
    assert lifted[1] == {
        "type": "image",
        "source": {"type": "blob", "media_type": "image/png", "sha256": digest(), "bytes": len(IMAGE)},
    }
    assert len(json.dumps(lifted)) < 600
    assert json.dumps(restore(lifted, found.__getitem__)) == json.dumps(content)


def test_an_image_inside_a_tool_result_is_found():
    """However deep it lies."""
    content = [{"type": "tool_result", "content": [{"type": "text", "text": "x"}, source()]}]
    lifted, found = lift(content)
    assert list(found) == [digest()]
    assert restore(lifted, found.__getitem__) == content


STANDARD = base64.b64encode(IMAGE).decode()


@pytest.mark.parametrize(
    "content",
    [
        "text " * 1000,
        [{"type": "text", "text": STANDARD}],
        [source(b"x" * 1023)],
        [{"type": "image", "source": {"type": "base64", "data": STANDARD + "\n"}}],
        [{"type": "image", "source": {"type": "base64", "data": STANDARD.rstrip("=") + "*"}}],
        [{"type": "image", "source": {"type": "base64", "data": STANDARD[:-4] + "AB=="}}],
        [{"type": "image", "source": {"type": "base64", "data": "\ud83d" * 5000}}],
        [{"type": "image", "source": {"type": "url", "url": "https://example.org/" + "x" * 5000}}],
        [{"type": "image", "source": {"type": "base64", "data": ["x" * 5000]}}],
        [source(bytes=3)],
        [source(sha256="x")],
        [source(), {"type": "blob", "sha256": digest()}],
        [source(), {"a": {"type": "blob"}}],
    ],
    ids=[
        "text",
        "text-block",
        "small",
        "line-feed",
        "not-base64",
        "other-spelling",
        "surrogates",
        "url",
        "list",
        "key-bytes",
        "key-sha256",
        "reference",
        "reference-elsewhere",
    ],
)
def test_what_cannot_be_put_back_exactly_or_does_not_pay_stays(content):
    """Another spelling of the same bytes, small data, and whatever could be taken for a reference of ours."""
    lifted, found = lift(content)
    assert found == {}
    assert lifted == content


JSON = st.recursive(
    st.none()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["base64", "blob", digest()])
    | st.binary(min_size=1000, max_size=1100).map(lambda data: base64.b64encode(data).decode()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "data", "source", "sha256", "bytes", "x"]), inner, max_size=4)
        | st.fixed_dictionaries({"type": st.just("base64"), "data": inner})
    ),
    max_leaves=10,
)


@given(st.lists(JSON, max_size=3))
def test_any_content_comes_back_and_keeps_its_identity(content):
    """Whatever JSON it is: the same object, key by key, and so the same content hash."""
    lifted, found = lift(content)
    back = restore(lifted, found.__getitem__) if found else lifted
    assert json.dumps(back) == json.dumps(content)
    assert fingerprint.canonical(back) == fingerprint.canonical(content)
    assert all(hashlib.sha256(data).hexdigest() == name for name, data in found.items())


# --- in a store ------------------------------------------------------------------------------------------------


def pasted(name, *contents, **more):
    """A prompt with these blocks."""
    return lines.line(name, "user", {"role": "user", "content": list(contents)}, **more)


SESSION = (
    pasted("paste", {"type": "text", "text": "What is on this picture of the harbour?"}, source())
    + lines.answer("A crane, I think, and behind it the lighthouse of the harbour.")
    + lines.line(
        "read",
        "user",
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [source()]}]},
    )
    + pasted("again", {"type": "text", "text": "And on this one, taken on the next day?"}, source(OTHER))
)


@pytest.fixture(params=["default", "sqlite"])
def opened(request, tmp_path):
    """Opens the store anew each time it is called, as a new process would."""
    return lambda: ClaudeConversationDeduplicator(tmp_path / "state", backend=request.param)


@pytest.fixture
def file(tmp_path):
    """A transcript with three images, two of them the same."""
    transcript = tmp_path / f"{lines.SESSION}.jsonl"
    transcript.write_bytes(SESSION)
    return transcript


def messages(store):
    """What a reader of the session gets."""
    return [(m["kind"], m["content"], m["content_hash"]) for m in store.get_full_conversation(lines.SESSION)]


def test_the_same_image_is_stored_once(opened, file, tmp_path):
    """The log has references, the folder each image once, and the reader the images."""
    capture_file(opened(), file)
    state = tmp_path / "state"
    assert path(state).read_bytes() == IMAGE
    assert path(state, OTHER).read_bytes() == OTHER
    assert sum(1 for entry in (state / "blobs").rglob("*") if entry.is_file()) == 2
    assert (state / "conversation_log.jsonl").stat().st_size < len(IMAGE)
    found = messages(opened())
    assert [content for _, content, _ in found if isinstance(content, list)] == [
        [source()],
        [source()],
        [source(OTHER)],
    ]
    assert opened().store.verify() == []
    if os.name != "nt":
        assert {oct(entry.stat().st_mode & 0o777) for entry in (state / "blobs").rglob("*")} == {"0o600", "0o700"}
        assert (state / "blobs").stat().st_mode & 0o777 == 0o700


def test_identity_is_that_of_the_original(opened, file, tmp_path):
    """A store that keeps its images inside, as before, knows the same messages: nothing is new in either."""
    capture_file(opened(), file)
    found = messages(opened())
    assert all(
        fingerprint.content_hash("user" if kind == "prompt" else "system", kind, content, "exact") == identity
        for kind, content, identity in found
        if isinstance(content, list)
    )
    log = tmp_path / "state" / "conversation_log.jsonl"
    inline = []
    for line in log.read_bytes().splitlines(keepends=True):
        record = decode_line(line)
        message = record.get("message", {})
        if message.pop("blobs", None):
            message["content"] = restore(message["content"], lambda name: IMAGE if name == digest() else OTHER)
        inline.append(encode_line(record))
    shutil.rmtree(tmp_path / "state" / "blobs")
    log.write_bytes(b"".join(inline))
    opened().store.rebuild()
    assert messages(opened()) == found
    done = opened().ingest(SESSION, name="again.jsonl")
    assert (done.new_messages, done.new) == ([], done.captured)
    assert opened().store.verify() == []


def test_indexes_are_made_again_with_the_same_bytes(opened, file, tmp_path):
    """The log and the blobs are all that is needed."""
    capture_file(opened(), file)
    state = tmp_path / "state"
    before = {name: (state / name).read_bytes() for name in ("content_hashes.json",) if (state / name).exists()}
    found = messages(opened())
    for entry in state.iterdir():
        if entry.name not in ("blobs", "conversation_log.jsonl"):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    assert opened().store.rebuild() == []
    assert {name: (state / name).read_bytes() for name in before} == before
    assert messages(opened()) == found
    assert opened().store.verify() == []


def test_blobs_are_counted_in_what_the_store_takes(opened, file, tmp_path):
    """Bytes on disk are bytes on disk."""
    store = opened()
    capture_file(store, file)
    with store.store.transaction(write=False):
        _, stored = store.store.byte_counts()
    state = tmp_path / "state"
    assert stored >= 2 * len(IMAGE) + (state / "conversation_log.jsonl").stat().st_size
    assert store.get_statistics(lines.SESSION)["stored_bytes"] >= 3 * len(IMAGE)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda blob: blob.unlink(), "missing"),
        (lambda blob: blob.write_bytes(b"x"), "not the bytes that its name says"),
        (lambda blob: (blob.unlink(), blob.symlink_to("/etc/passwd")), ""),
        (lambda blob: (blob.unlink(), blob.mkdir()), ""),
    ],
    ids=["missing", "other-bytes", "link", "folder"],
)
def test_a_lost_blob_costs_only_itself(opened, file, tmp_path, damage, said):
    """``verify`` names it; the message keeps its place, its identity and what else it says; the rest is untouched."""
    capture_file(opened(), file)
    whole = messages(opened())
    damage(path(tmp_path / "state"))
    problems = opened().store.verify()
    assert [problem for problem in problems if digest() in problem and said in problem]
    found = messages(opened())
    assert [each[2] for each in found] == [each[2] for each in whole]
    lost = [new for new, old in zip(found, whole) if new != old]
    assert [content[0].get("source", content[0])["type"] for _, content, _ in lost[:1]] == ["blob"]
    assert len(lost) == 2
    assert opened().store.rebuild() != []
    assert [each[2] for each in messages(opened())] == [each[2] for each in whole]


def test_a_blob_that_comes_back_makes_the_message_whole(opened, file, tmp_path):
    """Put back from a copy, or stored anew with another message, nothing else is needed."""
    capture_file(opened(), file)
    whole = messages(opened())
    path(tmp_path / "state").unlink()
    store = opened()
    store.ingest(
        pasted("new", source(), {"type": "text", "text": "this one again"}, session="5" * 8), name="other.jsonl"
    )
    store.ingest(
        pasted("new", {"type": "tool_result", "tool_use_id": "u", "content": [source(), source()]}, session="6" * 8),
        name="third.jsonl",
    )
    assert messages(opened()) == whole
    opened().store.rebuild()
    assert opened().store.verify() == []


def test_rebuild_removes_what_nobody_refers_to(opened, file, tmp_path):
    """What a killed run left, temporary files included; a store without blobs gets no folder."""
    capture_file(opened(), file)
    state = tmp_path / "state"
    orphan = state / "blobs" / "00" / ("0" * 64)
    orphan.parent.mkdir()
    orphan.write_bytes(b"x")
    path(state).with_name("f.123.tmp").write_bytes(b"x")
    assert opened().store.verify() == []
    opened().store.rebuild()
    assert sorted(entry for entry in (state / "blobs").rglob("*") if entry.is_file()) == sorted(
        [path(state), path(state, OTHER)]
    )
    bare = ClaudeConversationDeduplicator(tmp_path / "bare")
    bare.ingest(lines.prompt("hello"), name="x.jsonl")
    bare.store.rebuild()
    assert not (tmp_path / "bare" / "blobs").exists()


def test_nothing_is_removed_while_a_line_cannot_be_read(opened, file, tmp_path):
    """It may be the one that refers to the blob."""
    capture_file(opened(), file)
    log = tmp_path / "state" / "conversation_log.jsonl"
    data = log.read_bytes()
    at = data.index(digest(OTHER).encode())
    log.write_bytes(data[:at] + b"zzzz" + data[at + 4 :])
    opened().store.rebuild()
    assert path(tmp_path / "state", OTHER).exists()


def test_a_folder_that_is_a_link_is_refused(opened, file, tmp_path):
    """Nothing private is written to where somebody else pointed; the messages are not stored half."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (tmp_path / "elsewhere").mkdir()
    (state / "blobs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreNotWritable, match="is a link"):
        capture_file(opened(), file)
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert opened().conversations() == []


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "kind": "prompt", "blobs": {"x": 1}},
        {"role": "user", "kind": "prompt", "content": [{"type": "blob", "sha256": "../../x"}], "blobs": {"x": 1}},
        {"role": "user", "kind": "prompt", "content": [{"type": "blob", "sha256": 7}], "blobs": {"x": 1}},
    ],
    ids=["no-content", "path", "number"],
)
def test_a_record_of_another_form_leads_nowhere(tmp_path, message):
    """A name is a digest or nothing; what a log says is never a path."""
    folder = blobs.Blobs(str(tmp_path / "blobs"))
    record = {"conversation_id": "c", "content_hash": "h", "message": message}
    item = folder.fingerprint(record)
    assert item is None or (item.content_hash, len(folder.problems())) == ("h", 1)


def test_a_content_that_speaks_of_references_is_what_it_is(opened, tmp_path):
    """A conversation about this very format is stored and read back as it was said."""
    spoken = {"type": "image", "source": {"type": "blob", "sha256": digest(), "bytes": 1}}
    store = opened()
    store.ingest(
        pasted("a", spoken, {"type": "text", "text": "what is this?"}) + pasted("b", source(), spoken), name="x.jsonl"
    )
    contents = [m["content"] for m in opened().get_full_conversation(lines.SESSION)]
    assert contents == [[spoken], "what is this?", [source()], [spoken]]
    assert opened().store.verify() == []


def test_sealed_lines_keep_their_blobs(opened, file, tmp_path, monkeypatch):
    """A line that was compressed away refers to its blob as before: rebuild leaves it, and the image is read."""
    monkeypatch.setattr(indexed_log, "OPEN", 65_536)
    capture_file(opened(), file)
    whole = messages(opened())
    for number in range(3):
        store = opened()
        store.ingest(lines.prompt(f"{number} " + "x" * 1_200_000, session=str(number) * 8), name=f"{number}.jsonl")
    assert list((tmp_path / "state" / "sealed").glob("*.pack"))
    assert digest().encode() not in (tmp_path / "state" / "conversation_log.jsonl").read_bytes()
    assert opened().store.rebuild() == []
    assert messages(opened()) == whole
    assert opened().store.verify() == []


def test_a_disk_that_fails_once_is_asked_once_more(tmp_path, monkeypatch):
    """A message whose blob could not be read for a moment is known by the same fingerprint as ever; for good, it is lost."""
    kept = blobs.Blobs(str(tmp_path / "blobs"))
    data = b"a picture"
    digest = hashlib.sha256(data).hexdigest()
    kept.keep({digest: data})
    failures = [OSError(errno.EIO, "Input/output error")]
    really = blobs.atomic.open_regular

    def failing(path):
        if failures:
            raise failures.pop()
        return really(path)

    monkeypatch.setattr(blobs.atomic, "open_regular", failing)
    assert kept.read(digest) == data
    assert kept.lost == {}
    failures += [OSError(errno.EIO, "Input/output error")] * 2
    with pytest.raises(blobs.BlobLost):
        kept.read(digest)
