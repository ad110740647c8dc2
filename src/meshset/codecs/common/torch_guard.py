"""Torch where it may be missing or run out of memory: both become one line for the user."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from meshset.errors import MeshsetError, MissingExtraError


@contextmanager
def torch_needed(work: str) -> Iterator[None]:
    """Import in this block what the 'compress' extra installs; `work` is what needs it, as in "compressing".

    Raises:
        MissingExtraError: something that is imported in the block is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(work, "compress") from error


@contextmanager
def memory_guarded(device: str) -> Iterator[None]:
    """Train on a torch device in this block. Raises MeshsetError where the device runs out of memory."""
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        raise MeshsetError(f"device {device} ran out of memory in training") from error
