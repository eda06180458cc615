"""Lines of the log of every form, as stores write them and as nobody does."""

from __future__ import annotations

from hypothesis import strategies as st

from deduplication.alignment.fingerprint import content_hash
from deduplication.storage.log.former_lines import WHOLE
from deduplication.storage.log.lines import encode_line

TEXT = st.text(st.characters(), max_size=30)
CONTENT = st.one_of(TEXT, st.lists(st.dictionaries(st.sampled_from(["type", "text", "message"]), TEXT), max_size=2))


def occurrence(number, content, *, span=None, carries=True, fidelity="layout", identity="", blobs=False, **more):
    """One line of the log, as the store writes it."""
    message = {"role": "user", "kind": "prompt", "content": content}
    if fidelity == "exact":
        message["fidelity"] = fidelity
    if blobs:
        message["blobs"] = {"ab" * 32: 7}
    record = {
        "conversation_id": 'a "quoted" name',
        "index": number,
        "timestamp": "2026-01-01T00:00:00.000Z",
        "content_hash": identity or content_hash("user", "prompt", content, fidelity),
        **more,
    }
    if carries:
        record["message"] = message
    record["source"] = {"export": "0" * 16, "clock": "capture"}
    if span:
        record["source"]["span"] = span
    return encode_line(record)


COMMIT = encode_line(
    {"conversation_id": "s", "timestamp": "t", "export": {"name": "n", "bytes": 3}, "window": [[0, 1]]}
)
SPAN = st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9)).map(list)
LINES = st.one_of(
    st.builds(
        occurrence,
        st.integers(0, 99),
        CONTENT,
        span=SPAN,
        carries=st.booleans(),
        fidelity=st.sampled_from(["layout", "exact"]),
        identity=st.sampled_from(["", "", "ab" * 32]),
        blobs=st.booleans(),
    ),
    st.just(COMMIT),
    st.builds(
        lambda number: encode_line({"conversation_id": "s", "index": number, "timestamp": "t"}), st.integers(0, 9)
    ),
    st.binary(max_size=40).map(lambda data: WHOLE[: len(data) % 2] + data.replace(b"\n", b"") + b"\n"),
)
