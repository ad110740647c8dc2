"""Meshes: reading, writing, normalising, sampling and asking them questions."""

from meshset.geometry.mesh import Mesh
from meshset.geometry.normalise import Placement
from meshset.geometry.reading import SUPPORTED_SUFFIXES, Reading, animation_seconds, read_frame, read_mesh
from meshset.geometry.writing import encode_mesh, obj_size, write_animation, write_mesh

__all__ = [
    "SUPPORTED_SUFFIXES",
    "Mesh",
    "Placement",
    "Reading",
    "animation_seconds",
    "encode_mesh",
    "obj_size",
    "read_frame",
    "read_mesh",
    "write_animation",
    "write_mesh",
]
