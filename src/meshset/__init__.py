"""meshset compresses a set of 3D meshes into one small file and gives every mesh back by name.

>>> import meshset
>>> meshset.compress(["models/"], "small.mset", codec="draco").archive_bytes < 2000
True
>>> with meshset.open("small.mset") as archive:
...     archive["bunny"].vertices.dtype
dtype('float32')

Names are loaded when they are first used: importing meshset is fast and needs neither numpy nor torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from meshset.errors import ArchiveError, MeshFileError, MeshsetError, MissingExtraError, UsageError

if TYPE_CHECKING:
    from meshset.geometry import Mesh
    from meshset.pipeline.add import add, replace
    from meshset.pipeline.check import check
    from meshset.pipeline.compress import compress
    from meshset.pipeline.edit import merge, remove
    from meshset.pipeline.evaluate import evaluate
    from meshset.pipeline.extract import extract
    from meshset.pipeline.fit import fit
    from meshset.pipeline.open import Archive
    from meshset.pipeline.open import open_archive as open
    from meshset.pipeline.repair import repair
    from meshset.pipeline.sample import sample
    from meshset.pipeline.summary import list_meshes, summarise
    from meshset.pipeline.verify import verify

    __version__: str

__all__ = [
    "Archive",
    "ArchiveError",
    "Mesh",
    "MeshFileError",
    "MeshsetError",
    "MissingExtraError",
    "UsageError",
    "__version__",
    "add",
    "check",
    "compress",
    "evaluate",
    "extract",
    "fit",
    "list_meshes",
    "merge",
    "open",
    "remove",
    "repair",
    "replace",
    "sample",
    "summarise",
    "verify",
]

_LAZY = {
    "Archive": ("meshset.pipeline.open", "Archive"),
    "Mesh": ("meshset.geometry", "Mesh"),
    "add": ("meshset.pipeline.add", "add"),
    "check": ("meshset.pipeline.check", "check"),
    "compress": ("meshset.pipeline.compress", "compress"),
    "evaluate": ("meshset.pipeline.evaluate", "evaluate"),
    "extract": ("meshset.pipeline.extract", "extract"),
    "fit": ("meshset.pipeline.fit", "fit"),
    "list_meshes": ("meshset.pipeline.summary", "list_meshes"),
    "merge": ("meshset.pipeline.edit", "merge"),
    "open": ("meshset.pipeline.open", "open_archive"),
    "remove": ("meshset.pipeline.edit", "remove"),
    "repair": ("meshset.pipeline.repair", "repair"),
    "replace": ("meshset.pipeline.add", "replace"),
    "sample": ("meshset.pipeline.sample", "sample"),
    "summarise": ("meshset.pipeline.summary", "summarise"),
    "verify": ("meshset.pipeline.verify", "verify"),
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
