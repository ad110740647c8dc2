"""Codecs with one network for the set and a latent for each mesh, behind the `SetCodec` protocol."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from meshset.codecs.common.arrays import on_device, surface_of
from meshset.codecs.common.dense import near_surface
from meshset.codecs.common.outcomes import joined, make_each, usable
from meshset.codecs.common.surfaces import MAX_WORK, extract, quietly
from meshset.codecs.common.tensors import check_bits
from meshset.codecs.common.torch_guard import memory_guarded, torch_needed
from meshset.codecs.latent_sdf.bitstream import (
    Payload,
    SharedPart,
    pack_payload,
    pack_shared,
    read_payload,
    read_shared,
)
from meshset.codecs.latent_sdf.network import LatentNetwork
from meshset.codecs.latent_sdf.perceptrons import DeepSdf, QuantDeepSdf, SoftplusSdf
from meshset.codecs.latent_sdf.recipe import Recipe, field_recipe, recipe_for
from meshset.codecs.protocol import Checkpoint, CodedMesh, CodedSet, Refusal, Settings
from meshset.coding import fit as fit_model
from meshset.errors import ArchiveError, MeshFileError, MeshsetError
from meshset.field.grid import Array, spacing
from meshset.geometry.mesh import Mesh

if TYPE_CHECKING:
    from meshset.codecs.latent_sdf.objectives import Example, Objective
    from meshset.codecs.latent_sdf.training import Fitted

_CHUNK = 1 << 14
"""Grid points evaluated at a time."""


@dataclass(frozen=True)
class LatentCodec:
    """One network for the set; each mesh is a latent.

    Attributes:
        bits: of a weight and of a number of a latent before entropy coding, 2 to 16.
        recipe: how to train, in place of what the preset of the settings says.

    Raises:
        ValueError: the bits are out of range.
    """

    id: ClassVar[int]
    name: ClassVar[str]
    kind: ClassVar[type[LatentNetwork]]
    bits: int = 8
    recipe: Recipe | None = None

    def __post_init__(self) -> None:
        check_bits(self.bits)

    @abstractmethod
    def objective(self) -> Objective:
        """Return what the network is trained on. Raises ImportError without torch."""

    @abstractmethod
    def network_for(self, meshes: Sequence[Mesh]) -> LatentNetwork:
        """Return the network for a set, which may depend on its meshes.

        Raises:
            MeshFileError: this codec has no network for such a set.
        """

    def recipe_for(self, settings: Settings, meshes: int) -> Recipe:
        """Return how to train without a recipe of its own. Raises MeshsetError for an unknown preset."""
        return recipe_for(settings, meshes)

    def compress(self, meshes: Sequence[Mesh], settings: Settings, checkpoint: Checkpoint | None = None) -> CodedSet:
        """Fit a network and the latents to what is known around the meshes.

        Nothing is kept at `checkpoint`: an interrupted run starts over.

        Raises:
            MeshsetError: unknown preset or resolution; training diverged or ran out of memory.
            MissingExtraError: torch, scipy or libigl is not installed.
        """
        recipe = self.recipe or self.recipe_for(settings, max(len(meshes), 1))
        with torch_needed("compressing"):
            objective = self.objective()
        try:
            network = self.network_for(meshes)
        except MeshFileError as error:
            return CodedSet(b"", tuple(Refusal(str(error)) for _ in range(len(meshes))), {})
        check_work(network, settings.resolution, MeshsetError)
        prepared = _prepared(meshes, network, objective, recipe, settings)
        kept = usable(prepared)
        if not kept:
            return CodedSet(b"", joined(prepared, ()), {})
        fitted = _fitted(network, objective, kept, recipe, self.bits, settings)
        part = SharedPart(
            settings.resolution,
            network,
            fitted.weights,
            np.float32(fitted.latents.step),
            fit_model(fitted.latents.numbers),
        )
        report = {
            "epochs": recipe.epochs,
            "steps": recipe.steps(len(kept)),
            "loss": float(f"{fitted.loss:.4g}"),
            "bits": self.bits,
            "parameters": network.parameters,
            "latent_numbers": network.latent_size,
        }
        return CodedSet(pack_shared(part), _coded(prepared, fitted.latents.numbers, part), report)

    def add(self, meshes: Sequence[Mesh], shared: bytes, settings: Settings) -> tuple[CodedMesh | Refusal, ...]:
        """Fit latents to more meshes, the network frozen; errors as in `compress`.

        Raises:
            ArchiveError: `shared` is not a network.
        """
        part = read_shared(shared, self.kind)
        settings = replace(settings, resolution=part.resolution)
        recipe = self.recipe or self.recipe_for(settings, max(len(meshes), 1))
        with torch_needed("compressing"):
            objective = self.objective()
        prepared = _prepared(meshes, part.network, objective, recipe, settings)
        kept = usable(prepared)
        if not kept:
            return joined(prepared, ())
        fitted = _fitted(part.network, objective, kept, recipe, self.bits, settings, part)
        return _coded(prepared, fitted.latents.numbers, part)

    def open(self, shared: bytes, device: str | None = None) -> LatentDecoder:
        """Parse a network once. Raises ArchiveError where the bytes are not one."""
        return LatentDecoder(read_shared(shared, self.kind), device)


@dataclass(frozen=True)
class _Prepared:
    keys: NDArray[np.int32]
    example: Example
    notes: tuple[str, ...]


def _prepared(
    meshes: Sequence[Mesh], network: LatentNetwork, objective: Objective, recipe: Recipe, settings: Settings
) -> list[_Prepared | Refusal]:
    def one(place: int) -> _Prepared:
        mesh = meshes[place]
        return _Prepared(network.key_numbers(mesh), *objective.example(mesh, recipe.samples, settings))

    return make_each("sampling", range(len(meshes)), one)


def _fitted(
    network: LatentNetwork,
    objective: Objective,
    kept: Sequence[_Prepared],
    recipe: Recipe,
    bits: int,
    settings: Settings,
    part: SharedPart | None = None,
) -> Fitted:
    from meshset.codecs.latent_sdf.training import Problem, fit

    keys = np.stack([network.key_values(one.keys) for one in kept])
    problem = Problem(network, objective, [one.example for one in kept], keys)
    with memory_guarded(settings.device):
        return fit(problem, recipe, bits, settings, part)


def _coded(
    prepared: Sequence[_Prepared | Refusal], latents: NDArray[np.int32], part: SharedPart
) -> tuple[CodedMesh | Refusal, ...]:
    kept = zip(usable(prepared), latents, strict=True)
    payloads = ((pack_payload(Payload(latent, one.keys), part), one.notes) for one, latent in kept)
    return joined(prepared, (CodedMesh(*payload) for payload in payloads))


def check_work(network: LatentNetwork, resolution: int, error: type[MeshsetError]) -> None:
    """Raise `error` where a field would be evaluated on a grid of too many points for so large a network."""
    if network.channels > 1 and resolution**3 * network.multiplications > 2 * MAX_WORK:
        raise error(f"a network of {network.parameters:,} parameters is too large for a grid of {resolution}^3 points")


class LatentDecoder:
    """A network read from a shared chunk, ready for payloads.

    Args:
        part: the parsed shared chunk.
        device: None for numpy, or the torch device to compute on.

    Raises:
        ArchiveError: a mesh would take more work than any should need.
    """

    def __init__(self, part: SharedPart, device: str | None = None) -> None:
        check_work(part.network, part.resolution, ArchiveError)
        self._part = part
        self._device = device
        self._weights = {name: on_device(tensor.values, device) for name, tensor in part.weights.items()}

    def decode(self, payload: bytes) -> Mesh:
        """Return the normalised mesh, vertices (V, 3) float32. Raises ArchiveError on invalid bytes."""
        network, resolution = self._part.network, self._part.resolution
        values = self.values(payload)
        if network.channels > 1:
            return surface_of(*near_surface(_on_grid(values, resolution, self._like)), resolution)
        return extract(lambda points: values(points)[0], resolution, network.multiplications, network.clamp, self._like)

    def values(self, payload: bytes) -> Callable[[Array], Array]:
        """Return the network of a payload as a function from points (3, P) float32 to values (channels, P).

        Points and values are arrays of the chosen device. Raises ArchiveError on invalid bytes.
        """
        network, weights = self._part.network, self._weights
        parsed = read_payload(payload, self._part)
        latent = on_device(parsed.latent.astype(np.float32) * self._part.latent_step, self._device)
        keys = on_device(network.key_values(parsed.keys), self._device)[None]
        with np.errstate(all="ignore"):
            codes = network.codes(weights, latent[None])

        def values(points: Array) -> Array:
            return network.values(weights, codes, keys, points.T[None])[0].T

        return quietly(values)

    @property
    def _like(self) -> Array:
        return on_device(np.zeros(1, np.float32), self._device)


def _on_grid(values: Callable[[Array], Array], resolution: int, like: Array) -> Array:
    """Return a field at all grid points, (K, K, K, channels). Raises ArchiveError where it has no numbers."""
    xp = array_api_compat.array_namespace(like)
    device = array_api_compat.device(like)
    out = []
    for first in range(0, resolution**3, _CHUNK):
        number = xp.arange(first, min(first + _CHUNK, resolution**3), device=device)
        coords = xp.stack([number // resolution**2, number // resolution % resolution, number % resolution])
        out.append(values(-1.0 + spacing(resolution) * xp.astype(coords, xp.float32)).T)
    grid = xp.concat(out)
    if not bool(xp.all(xp.isfinite(grid))):
        raise ArchiveError("decodes to a field that is not a numbers")
    return xp.reshape(grid, (resolution, resolution, resolution, -1))


@dataclass(frozen=True)
class PerceptronCodec(LatentCodec):
    """A codec whose network is the same for every set.

    Attributes:
        network: kind and size.
    """

    network: LatentNetwork = field(default_factory=DeepSdf)

    def network_for(self, meshes: Sequence[Mesh]) -> LatentNetwork:
        """Return the network."""
        return self.network


@dataclass(frozen=True)
class DeepSdfCodec(PerceptronCodec):
    """DeepSDF (Park et al. 2019)."""

    id: ClassVar[int] = 12
    name: ClassVar[str] = "deepsdf"
    kind: ClassVar[type[LatentNetwork]] = DeepSdf

    def objective(self) -> Objective:
        """Return clamped signed distances."""
        from meshset.codecs.latent_sdf.objectives import Distances

        return Distances()


@dataclass(frozen=True)
class Sdf8Codec(PerceptronCodec):
    """SDF-8 of LGCL: DeepSDF's shape, softplus, and a loss that needs no signs."""

    id: ClassVar[int] = 13
    name: ClassVar[str] = "sdf-8"
    kind: ClassVar[type[LatentNetwork]] = SoftplusSdf
    network: LatentNetwork = field(default_factory=SoftplusSdf)

    def objective(self) -> Objective:
        """Return L_basic."""
        from meshset.codecs.latent_sdf.objectives import Geometry

        return Geometry()


@dataclass(frozen=True)
class Sdf4Codec(Sdf8Codec):
    """SDF-4 of LGCL: the same with three hidden layers."""

    id: ClassVar[int] = 14
    name: ClassVar[str] = "sdf-4"
    network: LatentNetwork = field(default_factory=lambda: SoftplusSdf(64, 3, 128))


@dataclass(frozen=True)
class QuantDeepSdfCodec(PerceptronCodec):
    """QuantDeepSDF (NeCGS, supplement 3.2)."""

    id: ClassVar[int] = 15
    name: ClassVar[str] = "quant-deepsdf"
    kind: ClassVar[type[LatentNetwork]] = QuantDeepSdf
    network: LatentNetwork = field(default_factory=QuantDeepSdf)

    def objective(self) -> Objective:
        """Return fields."""
        from meshset.codecs.latent_sdf.objectives import FieldValues

        return FieldValues()

    def recipe_for(self, settings: Settings, meshes: int) -> Recipe:
        """Return how to train without a recipe of its own. Raises MeshsetError for an unknown preset."""
        return field_recipe(settings, meshes)

    def compress(self, meshes: Sequence[Mesh], settings: Settings, checkpoint: Checkpoint | None = None) -> CodedSet:
        """Fit network and latents to fields, as `LatentCodec.compress` does.

        Raises:
            MeshsetError: as there; the field of the settings is not "tsdf-def".
        """
        if settings.field != "tsdf-def":
            raise MeshsetError("codec quant-deepsdf codes fields of kind tsdf-def only")
        return super().compress(meshes, settings, checkpoint)
