"""Arrays of decoders: numpy, or torch tensors on a device."""

from __future__ import annotations

from typing import Any

import numpy as np

from meshset.errors import MissingExtraError
from meshset.field import extract_surface
from meshset.geometry.mesh import Mesh


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


def surface_of(coords: Any, values: Any, resolution: int) -> Mesh:
    """Return the surface of a decoded field: grid points (N, 3), and there (N, 1) the TSDF or (N, 4) the TSDF-Def."""
    deformation = values[:, 1:] if values.shape[1] > 1 else None
    vertices, faces = extract_surface(coords, values[:, 0], resolution, deformation)
    return Mesh(as_numpy(vertices), as_numpy(faces))
