"""meshset compresses a set of 3D meshes into one small file and gives every mesh back by name.

>>> import meshset
>>> result = meshset.compress(["models/"], "small.mset", settings=meshset.Settings(resolution=64), codec="draco")
>>> with meshset.open("small.mset") as archive:
...     archive["bunny"].vertices.dtype
dtype('float32')

Names are loaded when they are first used: importing meshset is fast and needs neither numpy nor torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from meshset.errors import ArchiveError, MeshFileError, MeshsetError, MissingExtraError

if TYPE_CHECKING:
    from meshset.codecs.protocol import Settings
    from meshset.geometry import Mesh
    from meshset.pipeline.compress import compress
    from meshset.pipeline.open import Archive
    from meshset.pipeline.open import open_archive as open

    __version__: str

__all__ = [
    "Archive",
    "ArchiveError",
    "Mesh",
    "MeshFileError",
    "MeshsetError",
    "MissingExtraError",
    "Settings",
    "__version__",
    "compress",
    "open",
]

_LAZY = {
    "Archive": ("meshset.pipeline.open", "Archive"),
    "Mesh": ("meshset.geometry", "Mesh"),
    "Settings": ("meshset.codecs.protocol", "Settings"),
    "compress": ("meshset.pipeline.compress", "compress"),
    "open": ("meshset.pipeline.open", "open_archive"),
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name == "__version__":
        return import_module("importlib.metadata").version("meshset")
    if name not in _LAZY:
        raise AttributeError(f"module 'meshset' has no attribute {name!r}")
    module, attribute = _LAZY[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
