"""Two solids, and how codecs are seen to bring them back."""

from __future__ import annotations

import numpy as np
import trimesh

from meshset.codecs import codec_by_id
from meshset.codecs.implicit.codec import ImplicitCodec
from meshset.codecs.implicit.recipe import Recipe
from meshset.codecs.protocol import CodedMesh, CodedSet, Settings
from meshset.evaluation import surface_distance
from meshset.geometry import Mesh

QUICK = Recipe(steps=300, samples=20_000, batch=512)


def solid(shape: trimesh.Trimesh) -> Mesh:
    return Mesh(np.array(shape.vertices), np.array(shape.faces, np.int32))


TORUS = solid(trimesh.creation.torus(0.7, 0.29, major_sections=48, minor_sections=24))
BOX = solid(trimesh.creation.box((1.9, 1.2, 0.7)))


def assert_comes_back(codec: ImplicitCodec, bound: float) -> CodedSet:
    """Code both solids, decode them with the codec that their id finds, and compare; return what was coded."""
    coded = codec.compress([TORUS, BOX], Settings(resolution=32))
    decoder = codec_by_id(codec.id).open(coded.shared)
    for mesh, one in zip((TORUS, BOX), coded.meshes, strict=True):
        assert isinstance(one, CodedMesh)
        assert surface_distance(mesh, decoder.decode(one.payload), 2000)[0] < bound
    return coded
