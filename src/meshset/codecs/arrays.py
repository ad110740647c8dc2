"""Arrays of decoders: numpy, or torch tensors on a device."""

from __future__ import annotations

from typing import Any

import numpy as np

from meshset.errors import MissingExtraError


def on_device(values: np.ndarray[Any, Any], device: str | None) -> Any:
    """Return `values` themselves for device None, else as a torch tensor on that device.

    Raises:
        MissingExtraError: torch is asked for and not installed.
    """
    if device is None:
        return values
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("decoding on a device", "compress") from error
    return torch.from_numpy(values).to(device)


def as_numpy(array: Any) -> np.ndarray[Any, Any]:
    """Return a numpy array or a torch tensor as a numpy array."""
    return array if isinstance(array, np.ndarray) else array.cpu().numpy()
