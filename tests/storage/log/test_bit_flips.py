"""healing: every single flipped bit is set right, and nothing else is ever changed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from deduplication.storage.log.bit_flips import healed, patches
from deduplication.storage.log.lines import encode_line

TEXT = st.text(alphabet=st.characters(), max_size=40)
LINES = st.lists(TEXT.map(lambda text: encode_line({"conversation_id": "c", "text": text})), min_size=1, max_size=4)


def patched(data):
    """``data`` with all patches applied."""
    result = bytearray(data)
    for offset, part in patches(data):
        result[offset : offset + len(part)] = part
    return bytes(result)


@given(LINES, st.data())
def test_any_flipped_bit_is_set_right(lines, data):
    """Wherever the bit is, in the text, the checksum, the braces or a line feed: the bytes come back."""
    sound = b"".join(lines)
    at = data.draw(st.integers(0, 8 * len(sound) - 1))
    bad = bytearray(sound)
    bad[at // 8] ^= 1 << at % 8
    assert patched(bytes(bad)) == sound


def test_every_bit_of_two_lines_is_set_right():
    """The same for each bit in turn, the one that joins the lines and those that cut them included."""
    sound = encode_line({"conversation_id": "c", "text": "a*J"}) + encode_line({"conversation_id": "c", "text": "é"})
    for at in range(8 * len(sound)):
        bad = bytearray(sound)
        bad[at // 8] ^= 1 << at % 8
        assert patched(bytes(bad)) == sound, at


@given(LINES)
def test_sound_lines_are_left_alone(lines):
    """Nothing is wrong: there is no patch."""
    assert patches(b"".join(lines)) == []


@given(LINES, st.data())
def test_a_torn_line_is_not_healed(lines, data):
    """A line that was cut off is no flipped bit: no patch makes a record of it."""
    sound = b"".join(lines)
    cut = data.draw(st.integers(len(sound) - len(lines[-1]) + 1, len(sound) - 1))
    assert patches(sound[:cut]) == []


def test_two_flipped_bits_in_one_line_are_not_healed_and_two_lines_with_one_each_are():
    """Each line is judged by itself."""
    line = encode_line({"conversation_id": "c", "text": "some text"})
    bad = bytearray(line)
    bad[25] ^= 1
    once = bytes(bad)
    bad[30] ^= 1
    assert healed(bytes(bad)) is None
    assert patched(once + line + once) == line * 3
    assert patched(bytes(bad) + once) == bytes(bad) + line


def test_bytes_that_are_no_line_are_left_alone():
    """Too short, zeros, another format: no patch, no error."""
    for data in (b"", b"\n", b"x" * 10, b"\0" * 200, b"\0" * 200 + b"\n", b'{"a":1}\n' * 20):
        assert patches(data) == []
    assert healed(b"short\n") is None
