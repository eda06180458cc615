from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.sessions.footer import proven, sealed

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=60),
    st.dictionaries(st.text(max_size=8), values, max_size=4),
)
def test_what_was_sealed_is_proven(text, said):
    """A sealed text gives back itself and what was said of it, also with other line ends; below it stands one comment."""
    above = f"{text}\n".encode()
    data, checksum = sealed(above, said)
    found = proven(data)
    assert (found.text, found.said, found.checksum) == (above, said, checksum)
    assert proven(data.replace(b"\n", b"\r\n")).said == said
    comment = data[len(above) :]
    assert (comment.count(b"-->"), comment[-4:]) == (1, b"-->\n")
    assert b"--" not in comment[4:-4]


def test_long_notes_stand_in_lines():
    """A line ends between members, where a diff can show what changed, and never in a text; a long text has its own line."""
    said = {"title": 'a, "b", {c}: ' * 3, "name": "n" * 300, "parts": [{"count": n, "last": "x, y"} for n in range(40)]}
    data, _ = sealed(b"text\n", said)
    lines = data.decode().splitlines()[1:]
    assert len(lines) > 12
    assert [len(line) > 100 for line in lines].count(True) == 1
    assert proven(data).said == said


def test_the_one_line_of_version_2_proves_as_well():
    """Files of earlier versions are known as ours, so that they are made anew and not left beside."""
    from hashlib import sha256

    above = b'text\n<!-- export-dedup session {"session":"a","v":2}'
    checksum = sha256(above).hexdigest()
    found = proven(above + b" sha256:" + checksum.encode() + b" -->\n")
    assert (found.text, found.said, found.checksum) == (b"text\n", {"session": "a", "v": 2}, checksum)


@given(st.data())
def test_no_byte_can_be_changed(data):
    """Whichever byte is another one, taken out or put in: the file is not ours any more."""
    whole, _ = sealed(b"# title\n\ntext\n", {"session": "a", "part": 1})
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.sampled_from([b"", b"x", b"\x00", b"\xff", b"7"]))
    changed = data.draw(
        st.sampled_from([whole[:place] + byte + whole[place + 1 :], whole[:place] + byte + whole[place:]])
    )
    found = proven(changed)
    assert found is None or changed.replace(b"\r\n", b"\n") == whole


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"text\n",
        b"<!-- export-dedup session {} sha256: -->\n",
        b"<!-- export-dedup session {} sha256:" + b"0" * 64 + b" -->\n",
        b"\xff" * 100,
    ],
)
def test_what_is_no_file_of_ours(data):
    """Nothing of the kind is proven."""
    assert proven(data) is None


@pytest.mark.parametrize("body", ["[]", "{", "1"])
def test_a_right_checksum_over_something_else(body):
    """A line that proves but says no object proves nothing."""
    from hashlib import sha256

    above = b"text\n<!-- export-dedup session " + body.encode()
    assert proven(above + b" sha256:" + sha256(above).hexdigest().encode() + b" -->\n") is None
    assert json.dumps({}) == "{}"
