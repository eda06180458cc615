"""One line in a README, and every other byte as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.checkpoint.readme_entry import LIMIT, entry, with_entry


def line(number):
    """The line of a checkpoint."""
    return entry(f"2026-03-{number:02} 10:00 UTC:", f"Step {number}", f"MEMORY-CONTEXT/checkpoints/{number:02}.md")


ONE, TWO, THREE = line(1), line(2), line(3)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"## Recent Checkpoints\n\n{ONE}\n"),
        ("# Tides\n", f"# Tides\n\n## Recent Checkpoints\n\n{ONE}\n"),
        ("# Tides", f"# Tides\n\n## Recent Checkpoints\n\n{ONE}\n"),
        ("# Tides\r\n\r\nText\r\n", f"# Tides\r\n\r\nText\r\n\r\n## Recent Checkpoints\r\n\r\n{ONE}\r\n"),
        (
            "# Tides\n\n### recent checkpoints ###\n\n## Licence\n\nMIT\n",
            f"# Tides\n\n### recent checkpoints ###\n\n{ONE}\n\n## Licence\n\nMIT\n",
        ),
        (
            f"## Recent Checkpoints\n\nMine.\n\n{TWO}\n\n- other\n\n# End",
            f"## Recent Checkpoints\n\nMine.\n\n{ONE}\n{TWO}\n\n- other\n\n# End",
        ),
        ("## Recent Checkpoints\nMine.\n", f"## Recent Checkpoints\n\n{ONE}\n\nMine.\n"),
        ("## Recent Checkpoints", f"## Recent Checkpoints\n\n{ONE}\n"),
        (
            "```\n## Recent Checkpoints\n```\n",
            f"```\n## Recent Checkpoints\n```\n\n## Recent Checkpoints\n\n{ONE}\n",
        ),
        (
            "~~~~\n~~~\n## Recent Checkpoints\n~~~~\n\n## Recent Checkpoints\n\n# End\n",
            f"~~~~\n~~~\n## Recent Checkpoints\n~~~~\n\n## Recent Checkpoints\n\n{ONE}\n\n# End\n",
        ),
        (
            f"## Recent Checkpoints\n\n```\n# no heading\n```\n{TWO}",
            f"## Recent Checkpoints\n\n```\n# no heading\n```\n{ONE}\n{TWO}",
        ),
        ("\ufeff# Tides\n", f"\ufeff# Tides\n\n## Recent Checkpoints\n\n{ONE}\n"),
    ],
    ids=repr,
)
def test_where_the_line_goes(before, after):
    """Newest first below the heading; the section is made once, at the end; line ends are the file's own."""
    assert with_entry(before.encode(), ONE) == after.encode()


def test_the_same_line_again_changes_nothing():
    """A line that is there is not added again."""
    once = with_entry(b"# Tides\n", ONE)
    assert with_entry(once, ONE) is None


@pytest.mark.parametrize("data", [b"\xff\xfe#\0", b"# \xe4\n", b"# a\0b\n"], ids=repr)
def test_what_is_no_utf8_text_is_left_alone(data):
    """UTF-16, Latin-1 and binary files are not ours to change."""
    assert with_entry(data, ONE) is None


def test_a_limited_number_of_lines():
    """The oldest go; lines of the user's own list stay, and so do links to elsewhere."""
    data = b"## Recent Checkpoints\n\n- [mine](docs/x.md)\n\n# End\n"
    for number in range(1, LIMIT + 4):
        data = with_entry(data, line(number))
    lines = data.decode().splitlines()
    ours = [one for one in lines if "checkpoints/" in one]
    assert ours == [line(number) for number in range(LIMIT + 3, 3, -1)]
    assert "- [mine](docs/x.md)" in lines
    assert lines[-1] == "# End"


WORDS = st.sampled_from(
    ["# Tides", "## Recent Checkpoints", "text", "", "```", "~~~", TWO, THREE, "- item", "\r", "é", "    # code", "#"]
)


@given(st.lists(WORDS, max_size=12), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_every_other_byte_stays(words, newline, ended):
    """One block of bytes is added, whatever the file was, and nothing else changes; adding twice is adding once."""
    before = newline.join(words) + (newline if ended else "")
    after = with_entry(before.encode(), ONE)
    assert after is not None
    assert with_entry(after, ONE) is None
    assert ONE in after.decode()
    prefix = 0
    while prefix < min(len(before), len(after.decode())) and before[prefix] == after.decode()[prefix]:
        prefix += 1
    suffix = before[prefix:]
    assert after.decode().endswith(suffix)
