"""The code behind a pack's parity: any blocks of a column come back, as long as no more are gone than spare ones are left."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deduplication.packs import frames, parity

SIZES = [1, 64, 511, 512, 513, 4096, 5000, 20_000, 102_400, 102_401, 150_000, 300_001, 1024 * 1024 + 1]


def made(data, *, part=None):
    """The parity of bytes that come in parts of so many."""
    encoder = parity.Encoder(len(data))
    for at in range(0, len(data), part or len(data)):
        encoder.update(data[at : at + (part or len(data))])
    return encoder.parity()


def mended(wrong, spare, *, strict=True):
    """Damaged bytes with what their parity makes good."""
    blocks = parity.recovered(lambda at, size: bytes(wrong[at : at + size]), len(wrong), spare, strict=strict)
    result = bytearray(wrong)
    for at, block in blocks.items():
        result[at : at + len(block)] = block
    return bytes(result)


def noise(size, seed):
    """Bytes without a pattern."""
    return random.Random(f"{seed}/{size}").getrandbits(8 * size).to_bytes(size, "little")


def spoil(data, at, size):
    """Each byte of a stretch becomes another one."""
    data[at : at + size] = bytes(value ^ 0x5A for value in data[at : at + size])


def product(left, right):
    """Two elements of the field multiplied, as polynomials."""
    total = 0
    for bit in range(8):
        total ^= (left << bit) if right >> bit & 1 else 0
    for bit in range(14, 7, -1):
        total ^= (0x11D << bit - 8) if total >> bit & 1 else 0
    return total


def test_the_field_is_that_of_the_document():
    """Tables and reciprocals are those of GF(256) with the polynomial x^8 + x^4 + x^3 + x^2 + 1."""
    for factor in range(256):
        assert parity._times(factor) == bytes(product(factor, value) for value in range(256))
    assert [product(value, parity._reciprocal(value)) for value in range(1, 256)] == [1] * 255


@pytest.mark.parametrize("size", [*SIZES, 64 * 1024 * 1024, 900_000_000])
def test_every_layout_fits_the_field_and_the_budget(size):
    """Rows and spare rows have an element each; 3.2 to 4.8 % of a pack of 100 kB or more, and a page of 4 KiB of a smaller one."""
    shape = parity.layout(size)
    assert shape.blocks * shape.block >= size > (shape.blocks - 1) * shape.block
    assert shape.rows * shape.groups >= shape.blocks > (shape.rows - 1) * shape.groups
    assert 1 <= shape.spare <= min(8, shape.rows)
    assert shape.rows + 8 <= 256
    page = min(4096, shape.blocks * shape.block)
    assert shape.spare * shape.width >= page
    if size >= 102_400:
        assert 0.032 * size < frames.FRAME_HEAD + shape.size < 0.049 * size
    else:
        assert shape.spare * shape.width == page


@pytest.mark.parametrize("size", SIZES)
def test_the_parity_does_not_ask_how_the_bytes_came(size):
    """At once or in parts, the bytes are the same, and as many as the layout says."""
    data = noise(size, "parts")
    assert made(data) == made(data, part=777 if size < 10**6 else 77_777)
    assert len(made(data)) == parity.layout(size).size


@settings(max_examples=60)
@given(st.sampled_from(SIZES[:-1]), st.randoms(use_true_random=False), st.integers(0, 8))
def test_any_blocks_of_a_column_come_back(size, chance, lost):
    """In each column any blocks, data or spare, as many as there are spare ones: all data is as it was."""
    data, shape = noise(size, "any"), parity.layout(size)
    spare, wrong = bytearray(made(data)), bytearray(data)
    for group in range(shape.groups):
        own = [("data", n) for n in range(group, shape.blocks, shape.groups)]
        own += [("spare", shape.spare_block(row, group)) for row in range(shape.spare)]
        for where, number in chance.sample(own, min(lost, shape.spare)):
            if where == "data":
                spoil(wrong, number * shape.block, shape.block)
            else:
                spoil(spare, 2 * shape.checks + number * shape.block, shape.block)
    assert mended(wrong, bytes(spare)) == data


@pytest.mark.parametrize("size", [20_100, 150_000, 160_000, 299_000])
def test_a_stretch_over_the_end_of_the_data_comes_back(size):
    """Wherever it begins, data and spare blocks in one stretch are as good as data alone."""
    data, shape = noise(size, "over"), parity.layout(size)
    spare = made(data)
    whole = data + spare[2 * shape.checks :]
    for most in range(shape.spare * shape.groups - 1):
        wrong = bytearray(whole)
        at = size - most * shape.block - 1
        spoil(wrong, at, (shape.spare * shape.groups - 2) * shape.block)
        assert mended(wrong[:size], spare[: 2 * shape.checks] + bytes(wrong[size:])) == data


def test_one_block_too_many_costs_its_column_alone():
    """More damaged blocks than spare ones: nothing is made up in that column, and the others come back."""
    data = noise(150_000, "beyond")
    shape = parity.layout(len(data))
    wrong = bytearray(data)
    for row in range(shape.spare + 1):
        spoil(wrong, row * shape.width, shape.block)
    only = bytes(wrong)
    spoil(wrong, 20 * shape.width + shape.block, shape.block)
    assert shape.groups == 2
    assert mended(wrong, made(data)) == only


@pytest.mark.parametrize("end", [0, 1], ids=["before", "behind"])
def test_checksums_that_are_gone_at_one_end_are_at_the_other(end):
    """With half of each checksum damaged, the other halves tell which blocks are damaged."""
    data = noise(90_000, "halves")
    spare, wrong = bytearray(made(data)), bytearray(data)
    halves = 2 * parity.layout(len(data)).checks
    spoil(spare, (len(spare) - halves) * end, halves)
    spoil(wrong, 40_000, 3500)
    assert mended(wrong, bytes(spare)) != data
    assert mended(wrong, bytes(spare), strict=False) == data


def test_every_part_of_the_matrix_has_an_inverse():
    """Any rows of the spare blocks and as many columns of the data: their coefficients have an inverse, which undoes them."""
    chance = random.Random("matrix")
    for _ in range(400):
        size = chance.randrange(1, 9)
        spare, rows = chance.sample(range(8), size), chance.sample(range(200), size)
        matrix = [[parity._coefficient(number, row) for row in rows] for number in spare]
        inverse = parity._inverse(matrix)
        for n, row in enumerate(inverse):
            for m in range(size):
                total = 0
                for k in range(size):
                    total ^= product(row[k], matrix[k][m])
                assert total == (n == m)
