"""Small archives to make mutants of: decoders of random weights, K = 32, and two small meshes by themselves."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import numpy as np

from meshset.archive import ArchiveReader, ArchiveWriter, layout
from meshset.archive.deflate import DICTIONARY, inflate
from meshset.archive.index import Index
from meshset.archive.layout import TRAILER_SIZE, Trailer, unpack_trailer
from meshset.codecs import codec_by_id
from meshset.codecs.common.tensors import QuantisedTensor
from meshset.codecs.necgs import bitstream as necgs
from meshset.codecs.necgs.architecture import Architecture
from meshset.codecs.necgs_paper import bitstream as paper
from meshset.codecs.protocol import Settings
from meshset.geometry import Mesh

NECGS, DRACO, PLY_ZSTD, PAPER, CONTROL_MESH, MESH_GROUP = 1, 2, 3, 4, 17, 18
CodedSet = tuple[int, bytes, list[bytes]]
"""Codec id, shared part and payloads."""


@dataclass(frozen=True)
class Parts:
    """An archive taken apart: its bytes, and what they say."""

    data: bytes
    index: Index
    trailer: Trailer
    body: bytes
    shared: tuple[bytes, ...]
    payloads: tuple[bytes, ...]


def seeds() -> list[Parts]:
    """Return one archive for each codec, K = 32, and two that mix all of them; the last has two copies of its index."""
    with TemporaryDirectory() as name:
        path = Path(name) / "seed.mset"
        meshes = [_bumpy(0), _bumpy(1)]
        sets = [
            *(necgs_set(shape, 0, lambda: 0.05) for shape in _SHAPES),
            *(paper_set(shape, 0) for shape in _PAPER_SHAPES),
            *(_ordinary_set(codec, meshes) for codec in (CONTROL_MESH, MESH_GROUP, DRACO, PLY_ZSTD)),
        ]
        seeds = []
        for chosen, twice in (*(([one], False) for one in sets), (sets, False), (sets, True)):
            _write(path, chosen, twice)
            seeds.append(taken_apart(path.read_bytes()))
            path.unlink()
    return seeds


_SHAPES = (
    Architecture(32, (3, 2), hidden=3, latent_channels=2),
    Architecture(32, (3, 2), hidden=0, latent_channels=2, field_channels=1),
    Architecture(32, (3, 2, 2), hidden=0, latent_channels=2),
    Architecture(32, (3, 2), hidden=3, latent_channels=2, crosses=True),
)
_PAPER_SHAPES = tuple(
    Architecture(32, (3, 2, 2), hidden=0, latent_channels=2, expands=expands) for expands in (True, False)
)


def necgs_set(shape: Architecture, seed: int, steps: Callable[[], float]) -> CodedSet:
    """Return a decoder with random weights and two latents: what they look like does not matter."""
    rng = np.random.default_rng(seed)
    tensors = {
        name: QuantisedTensor(_numbers(rng, size), np.asarray(steps(), np.float32))
        for name, size in shape.tensors().items()
    }
    latents = [_numbers(rng, (64, shape.latent_channels)) for _ in range(2)]
    models = necgs.fit_latent_models(latents)
    latent_steps = np.array([steps() for _ in range(shape.latent_channels)], np.float32)
    part = necgs.SharedPart(shape, tensors, latent_steps, models)
    return NECGS, necgs.pack_shared(part), [necgs.pack_latent(latent, models) for latent in latents]


def paper_set(shape: Architecture, seed: int) -> CodedSet:
    rng = np.random.default_rng(seed)
    tensors = {name: _numbers(rng, size, 50) for name, size in shape.tensors().items()}
    latents = [_numbers(rng, (64, shape.latent_channels), 50) for _ in range(2)]
    code = paper.fit_latent_code(latents)
    shared = paper.pack_shared(paper.SharedPart(shape, tensors, code))
    return PAPER, shared, [paper.pack_latent(latent, code) for latent in latents]


def _numbers(rng: np.random.Generator, size: tuple[int, ...], spread: float = 6) -> Any:
    return np.clip(np.rint(rng.normal(0, spread, size)), -128, 128).astype(np.int32)


def _ordinary_set(codec_id: int, meshes: Sequence[Mesh]) -> CodedSet:
    coded = codec_by_id(codec_id).compress(meshes, Settings())
    return codec_id, coded.shared, [mesh.payload for mesh in coded.meshes]  # type: ignore[union-attr]


def _bumpy(seed: int) -> Mesh:
    """Return a bumpy sheet of 32 triangles."""
    rng = np.random.default_rng(seed)
    side = 5
    x, y = np.meshgrid(np.linspace(-0.9, 0.9, side), np.linspace(-0.9, 0.9, side))
    vertices = np.stack([x.ravel(), y.ravel(), rng.uniform(-0.5, 0.5, side * side)], axis=1)
    corner = np.arange(side * side).reshape(side, side)
    a, b, c, d = corner[:-1, :-1].ravel(), corner[:-1, 1:].ravel(), corner[1:, :-1].ravel(), corner[1:, 1:].ravel()
    faces = np.concatenate([np.stack([a, b, c], axis=1), np.stack([b, d, c], axis=1)])
    return Mesh(vertices.astype(np.float32), faces.astype(np.int32))


def _write(path: Path, sets: Sequence[CodedSet], twice: bool) -> None:
    boxes = [
        ((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0)),
        ((0.1, 0.2, 0.3), (1.1, 1.2, 1.3)),
        ((1 / 3, 0.0, 0.0), (1.0, 0.7, 9.0)),
    ]
    rule = mock.patch.multiple(layout, COPIED_FROM=1, COPY_PERCENT=100) if twice else nullcontext()
    with rule, ArchiveWriter(path) as writer:
        for position, (codec_id, shared, payloads) in enumerate(sets):
            part = writer.add_shared(codec_id, shared) if shared else None
            for place, payload in enumerate(payloads):
                lower, upper = boxes[(position + place) % len(boxes)]
                writer.add_mesh(
                    f"set{position}/mesh {place}",
                    payload,
                    codec_id=codec_id,
                    shared=part,
                    lower=lower,
                    upper=upper,
                    vertices=100 + place,
                    faces=200,
                    source_vertices=100,
                    source_faces=200,
                    source_bytes=5000,
                    mean_distance=0.004,
                    max_distance=None if place else 0.1,
                    peak_memory=1 << 20,
                    notes=("texture coordinates dropped",) * (1 + place),
                )
        writer.finish({"K": [32]})


def taken_apart(data: bytes) -> Parts:
    trailer = unpack_trailer(data[-TRAILER_SIZE:], len(data) - TRAILER_SIZE)
    assert trailer
    body = inflate(data[trailer.index_offset : trailer.position], trailer.raw_length, DICTIONARY)
    with ArchiveReader(io.BytesIO(data)) as reader:
        index = Index(reader.settings, reader.shared, tuple(reader.entries.values()))
        shared = tuple(reader.read_shared(part) for part in range(len(reader.shared)))
        return Parts(data, index, trailer, body, shared, tuple(map(reader.read_payload, reader.entries)))
