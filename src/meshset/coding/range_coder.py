"""Arrays of whole numbers to bytes and back, by the range coder of `constriction`."""

from __future__ import annotations

from collections.abc import Sequence

import constriction
import numpy as np
from numpy.typing import NDArray

from meshset.coding.models import Model
from meshset.errors import ArchiveError

_WORD = np.dtype("<u4")


def encode(arrays: Sequence[tuple[NDArray[np.int32], Model]]) -> bytes:
    """Code arrays one after the other, each under its own model, whose range must hold all of its numbers."""
    coder = constriction.stream.queue.RangeEncoder()
    for numbers, model in arrays:
        if model.size > 1:
            coder.encode((numbers.ravel() - model.low).astype(np.int32), _categorical(model))
    return bytes(np.asarray(coder.get_compressed()).astype(_WORD).tobytes())


def decode(data: bytes, wanted: Sequence[tuple[int, Model]]) -> list[NDArray[np.int32]]:
    """Decode arrays of the given lengths, the inverse of `encode`.

    Raises:
        ArchiveError: the bytes were not made by `encode` with these lengths and models, as far as that can be noticed.
    """
    if len(data) % _WORD.itemsize:
        raise ArchiveError("a coded chunk is not made of whole words")
    coder = constriction.stream.queue.RangeDecoder(np.frombuffer(data, dtype=_WORD).astype(np.uint32))
    arrays = []
    try:
        for count, model in wanted:
            symbols = coder.decode(_categorical(model), count) if model.size > 1 else np.zeros(count, np.int32)
            arrays.append(np.asarray(symbols, dtype=np.int32) + np.int32(model.low))
    except AssertionError as error:
        raise ArchiveError("a coded chunk holds invalid bits") from error
    if not coder.maybe_exhausted():
        raise ArchiveError("a coded chunk is longer than its contents")
    return arrays


def _categorical(model: Model) -> constriction.stream.model.Categorical:
    # constriction gives every symbol one part of 2^24 and shares out the rest; the table holds just these shares, whose
    # sum it need not scale, so that its floats stay whole numbers.
    return constriction.stream.model.Categorical((model.frequencies() - 1).astype(np.float64), perfect=False)
