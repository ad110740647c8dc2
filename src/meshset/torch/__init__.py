"""Archives for training loops in PyTorch: `MeshSet` reads them, `collate` makes batches."""

from meshset.codecs.common.torch_guard import torch_needed

with torch_needed("meshset.torch"):
    from meshset.torch.dataset import MeshSet, collate

__all__ = ["MeshSet", "collate"]
