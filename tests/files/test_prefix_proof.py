"""What proves the beginning of a growing file."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.files import prefix_proof
from deduplication.files.prefix_proof import PrefixProof, proof_of


@pytest.fixture(autouse=True, scope="module")
def _small_blocks():
    """Blocks of eight bytes instead of a MiB."""
    block = prefix_proof.BLOCK
    prefix_proof.BLOCK = 8
    yield
    prefix_proof.BLOCK = block


def grown(data, ends):
    """The proof over ``data`` when it was extended at each of ``ends``."""
    proof = PrefixProof()
    for end in [*ends, len(data)]:
        proof = proof.extended(data[proof.begins : proof.offset], data[proof.offset : end])
    return proof


@given(st.binary(max_size=60), st.lists(st.integers(0, 60), max_size=6).map(sorted))
def test_however_it_grew_the_proof_is_the_same(data, ends):
    """Extended in any steps, or made of the whole at once, the proof is one and the same."""
    ends = [min(end, len(data)) for end in ends]
    whole = proof_of(io.BytesIO(data).read, len(data))
    assert grown(data, ends) == whole
    assert whole.proves(data[whole.begins : whole.offset])
    assert PrefixProof.loads(len(data), whole.dumps()) == whole


@given(st.binary(min_size=1, max_size=60), st.integers(0, 59), st.integers(1, 255))
def test_another_byte_gives_another_proof(data, place, change):
    """Whichever byte is another one, the proof over the whole is another one."""
    other = bytearray(data)
    other[place % len(data)] ^= change
    assert proof_of(io.BytesIO(bytes(other)).read, len(data)) != proof_of(io.BytesIO(data).read, len(data))


def test_a_file_that_ends_before_is_not_proven():
    """Fewer bytes than were hashed prove nothing."""
    proof = proof_of(io.BytesIO(b"0123456789").read, 10)
    assert proof_of(io.BytesIO(b"012345678").read, 10) != proof
    assert proof_of(io.BytesIO(b"01234567").read, 10) != proof
    assert not proof.proves(b"8")
    assert not PrefixProof.loads(10, "nonsense").proves(b"89")
