"""What is kept of an output that may be beyond measure."""

from __future__ import annotations

import pytest

from deduplication.terminal.child_output import Capture


def test_everything_is_kept_within_measure() -> None:
    """Parts come out as one text in the order of their arrival."""
    capture = Capture(10)
    for part in ("ab", "", "cdef", "ghij"):
        capture.add(part)
    assert capture.text() == "abcdefghij"


@pytest.mark.parametrize("size", [1, 3, 7, 1000], ids="parts-of-{}".format)
def test_beginning_and_end_are_kept_beyond_measure(size: int) -> None:
    """However it arrives, half of the measure is the beginning, half the end, and the rest is counted."""
    text = "".join(chr(97 + n % 26) for n in range(1000))
    capture = Capture(20)
    for start in range(0, 1000, size):
        capture.add(text[start : start + size])
    assert capture.text() == f"{text[:10]}\n[980 characters of output were left out here]\n{text[-10:]}"
