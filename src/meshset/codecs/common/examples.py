"""Fields that are ready for training, as many of them as memory holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, Protocol, TypeVar

_CACHED_BYTES = 1 << 30


class Sized(Protocol):
    """An example that knows how much memory it takes."""

    @property
    def size(self) -> int:
        """Bytes held."""
        ...


AnyExample = TypeVar("AnyExample", bound=Sized)


class ExampleCache(Generic[AnyExample]):
    """The examples of a set: as many as fit into 1 GiB stay in memory, the others are prepared anew each time.

    Args:
        fields: where the fields of the set are stored.
        load: prepares the example of a stored field.
    """

    def __init__(self, fields: Sequence[Path], load: Callable[[Path], AnyExample]) -> None:
        self._fields = fields
        self._load = load
        self._held: dict[int, AnyExample] = {}
        self._free = _CACHED_BYTES

    def __getitem__(self, index: int) -> AnyExample:
        """Return one example."""
        if index in self._held:
            return self._held[index]
        example = self._load(self._fields[index])
        if example.size <= self._free:
            self._held[index] = example
            self._free -= example.size
        return example
