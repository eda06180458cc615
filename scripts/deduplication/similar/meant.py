"""Contents that may mean the same in other words: static embeddings of wordllama, which lie in its package; no network is asked."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import PackageMissing
from .near import Pair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .said import Contents

MOST: Final = 30_000
"""Contents that are compared, the last ones of the store: each with each."""
_AT_ONCE: Final = 1_000
_NEAREST: Final = 5
"""Pairs that a content is in by itself: where all are alike (a log that is said line by line), each pair would be told."""
_LONGEST: Final = 2_000
"""Letters of a content that are embedded."""


def pairs(contents: Contents, threshold: float) -> Iterator[Pair]:
    """Every pair of :data:`MOST` whose embeddings are at least as near (cosine). Raises ``PackageMissing``."""
    model, numpy = _model()
    numbers = list(range(len(contents.said)))[-MOST:]
    rows = [
        model.embed([contents.row(number)[:_LONGEST] for number in numbers[at : at + _AT_ONCE]], norm=True)
        for at in range(0, len(numbers), _AT_ONCE)
    ]
    if not rows:
        return
    vectors = numpy.vstack(rows).astype("float32")
    count = min(_NEAREST, len(numbers))
    for at in range(0, len(numbers), _AT_ONCE):
        near = vectors[at : at + _AT_ONCE] @ vectors.T
        near[numpy.arange(len(near)), numpy.arange(at, at + len(near))] = -1  # itself
        nearest = numpy.argpartition(near, -count, axis=1)[:, -count:]
        for one, other in ((one, other) for one, row in enumerate(nearest.tolist()) for other in row):
            if near[one, other] >= threshold:
                first, second = sorted((numbers[at + one], numbers[other]))
                yield Pair(first, second, float(min(1.0, near[one, other])))


def _model() -> tuple[Any, Any]:
    hint = "Install it: python3 -m pip install wordllama (extra: semantic)."
    try:
        package, numpy = import_module("wordllama"), import_module("numpy")
    except ImportError as error:
        raise PackageMissing(f"wordllama, for --semantic ({error})", hint=hint) from error
    # What it would look for elsewhere lies in the package itself.
    folder = Path(os.path.dirname(str(package.__file__)))
    return package.WordLlama.load(cache_dir=folder, disable_download=True), numpy
