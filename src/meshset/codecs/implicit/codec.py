"""Codecs that keep one field network for each mesh, behind the `SetCodec` protocol."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from meshset.codecs.common.arrays import on_device
from meshset.codecs.common.losses import DIVERGED
from meshset.codecs.common.outcomes import joined, make_each, usable
from meshset.codecs.common.samples import Samples, usable_samples
from meshset.codecs.common.surfaces import Distance, extract, quietly
from meshset.codecs.common.tensors import check_bits
from meshset.codecs.common.torch_guard import memory_guarded, torch_needed
from meshset.codecs.implicit.bitstream import Header, pack_header, pack_mesh, read_header, read_mesh
from meshset.codecs.implicit.network import FieldNetwork, Frame
from meshset.codecs.implicit.perceptrons import DeepSdf, FourierFeatures, NeuralImplicit, Siren
from meshset.codecs.implicit.recipe import Recipe, recipe_for
from meshset.codecs.protocol import Checkpoint, CodedMesh, CodedSet, Refusal, Settings
from meshset.field.grid import Array
from meshset.geometry.mesh import Mesh
from meshset.progress import stage

if TYPE_CHECKING:
    from meshset.codecs.implicit.training import TrainedMesh

GROUP = 32
"""Meshes that are trained together: more hardly make a processor faster, and a million samples take 8 MB."""


@dataclass(frozen=True)
class _Coded:
    """A coded mesh, the loss of its network and the float32 numbers that a paper would count."""

    mesh: CodedMesh
    loss: float
    floats: int


@dataclass(frozen=True)
class ImplicitCodec:
    """One network for each mesh; nothing is shared but its kind and size.

    Attributes:
        network: kind and size.
        bits: of a weight before entropy coding, 2 to 16; with the network's size what sets the rate.
        recipe: how to train, in place of what the preset of the settings says.

    Raises:
        ValueError: the bits are out of range.
    """

    id: ClassVar[int]
    name: ClassVar[str]
    network: FieldNetwork
    bits: int = 8
    recipe: Recipe | None = None

    def __post_init__(self) -> None:
        check_bits(self.bits)

    def compress(self, meshes: Sequence[Mesh], settings: Settings, checkpoint: Checkpoint | None = None) -> CodedSet:
        """Sample the signed distance of each mesh and train a network on it, some meshes at a time.

        Raises:
            MeshsetError: unknown preset or resolution; the device ran out of memory.
            MissingExtraError: torch, scipy or libigl is not installed.
        """
        header = Header(settings.resolution, self.bits, self.network)
        coded, report = self._code(meshes, header, settings)
        shared = pack_header(header) if any(isinstance(one, CodedMesh) for one in coded) else b""
        return CodedSet(shared, coded, report)

    def add(self, meshes: Sequence[Mesh], shared: bytes, settings: Settings) -> tuple[CodedMesh | Refusal, ...]:
        """Code each mesh by itself, as `compress` does, with the network and bits of the set; errors as there.

        Raises:
            ArchiveError: `shared` is not a header.
        """
        return self._code(meshes, read_header(shared, type(self.network)), settings)[0]

    def open(self, shared: bytes, device: str | None = None) -> ImplicitDecoder:
        """Parse a header. Raises ArchiveError where the bytes are not one."""
        return ImplicitDecoder(read_header(shared, type(self.network)), device)

    def _code(
        self, meshes: Sequence[Mesh], header: Header, settings: Settings
    ) -> tuple[tuple[CodedMesh | Refusal, ...], dict[str, Any]]:
        recipe = self.recipe or recipe_for(settings)
        results: list[_Coded | Refusal] = []
        for first in range(0, len(meshes), GROUP):
            group = range(first, min(first + GROUP, len(meshes)))
            results += _code_group(meshes, group, header, recipe, settings)
        return tuple(one if isinstance(one, Refusal) else one.mesh for one in results), _report(results, recipe, header)


def _report(results: Sequence[_Coded | Refusal], recipe: Recipe, header: Header) -> dict[str, Any]:
    coded = usable(results)
    if not coded:
        return {}
    return {
        "steps": recipe.steps,
        "loss": float(f"{np.mean([one.loss for one in coded]):.4g}"),
        "bits": header.bits,
        "float32_bytes": round(4 * float(np.mean([one.floats for one in coded]))),
    }


def _code_group(
    meshes: Sequence[Mesh], group: range, header: Header, recipe: Recipe, settings: Settings
) -> tuple[_Coded | Refusal, ...]:
    """Code the meshes in the places of `group` together."""
    with torch_needed("compressing"):
        from meshset.codecs.implicit.training import train

    def prepared(place: int) -> tuple[Frame, Samples]:
        mesh = meshes[place]
        samples = usable_samples(mesh, recipe.samples, header.resolution, settings.seed)
        return header.network.frame_of(mesh, samples, np.random.default_rng(settings.seed)), samples

    which = "" if len(group) == len(meshes) else f", meshes {group.start + 1} to {group.stop} of {len(meshes)}"
    made = make_each(f"sampling distances{which}", group, prepared)
    kept = usable(made)
    if not kept:
        return joined(made, ())
    frames, samples = zip(*kept, strict=True)
    stage(f"training{which}", recipe.steps)
    with memory_guarded(settings.device):
        trained = train(header.network, frames, samples, recipe, header.bits, settings)
    return joined(made, (_coded(header.network, *one, mesh) for one, mesh in zip(kept, trained, strict=True)))


def _coded(network: FieldNetwork, frame: Frame, samples: Samples, trained: TrainedMesh) -> _Coded | Refusal:
    if not math.isfinite(trained.loss):
        return Refusal(DIVERGED)
    payload = pack_mesh(network, frame, trained.weights)
    return _Coded(CodedMesh(payload, samples.notes), trained.loss, network.stored_floats(frame))


class ImplicitDecoder:
    """Turns payloads of field networks into meshes.

    Args:
        header: of the set.
        device: None for numpy, or the torch device to compute on.
    """

    def __init__(self, header: Header, device: str | None = None) -> None:
        self._header = header
        self._device = device

    def decode(self, payload: bytes) -> Mesh:
        """Return the normalised mesh, vertices (V, 3) float32. Raises ArchiveError on invalid bytes."""
        header = self._header
        frame, distance = self._read(payload)
        like = on_device(np.zeros(1, np.float32), self._device)
        work = header.network.multiplications(frame)
        return extract(distance, header.resolution, work, header.network.clamp, like)

    def distance(self, payload: bytes) -> Distance:
        """Return the network of a payload as a function from points (3, P) float32 to signed distances (P,).

        Points and distances are arrays of the chosen device. Raises ArchiveError on invalid bytes.
        """
        return self._read(payload)[1]

    def _read(self, payload: bytes) -> tuple[Frame, Distance]:
        network = self._header.network
        frame, weights = read_mesh(payload, network)
        stacked_weights = {name: on_device(values[None], self._device) for name, values in weights.items()}
        stacked_frame = {name: on_device(np.asarray(values)[None], self._device) for name, values in frame.items()}

        def distance(points: Array) -> Array:
            return network.distance(stacked_weights, stacked_frame, points[None])[0]

        return frame, quietly(distance)


@dataclass(frozen=True)
class NiCodec(ImplicitCodec):
    """Weight-encoded neural implicits (Davies et al. 2021)."""

    id: ClassVar[int] = 5
    name: ClassVar[str] = "ni"
    network: FieldNetwork = field(default_factory=NeuralImplicit)


@dataclass(frozen=True)
class SirenCodec(ImplicitCodec):
    """Perceptrons with sines (Sitzmann et al. 2020)."""

    id: ClassVar[int] = 6
    name: ClassVar[str] = "siren"
    network: FieldNetwork = field(default_factory=Siren)


@dataclass(frozen=True)
class FfnCodec(ImplicitCodec):
    """Fourier features (Tancik et al. 2020)."""

    id: ClassVar[int] = 7
    name: ClassVar[str] = "ffn"
    network: FieldNetwork = field(default_factory=FourierFeatures)


@dataclass(frozen=True)
class DeepSdfMeshCodec(ImplicitCodec):
    """DeepSDF's network for one mesh (Park et al. 2019)."""

    id: ClassVar[int] = 8
    name: ClassVar[str] = "deepsdf-mesh"
    network: FieldNetwork = field(default_factory=DeepSdf)
