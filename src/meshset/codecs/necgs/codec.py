"""NeCGS on the narrow band, behind the `SetCodec` protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import numpy as np

from meshset.codecs.common.arrays import as_numpy, on_device
from meshset.codecs.common.field_decoder import FieldDecoder
from meshset.codecs.common.outcomes import joined, usable
from meshset.codecs.common.resolutions import known_resolution
from meshset.codecs.common.stored_fields import StoredField, coded_meshes, make_fields
from meshset.codecs.common.torch_guard import memory_guarded, torch_needed
from meshset.codecs.necgs.architecture import Architecture, field_name
from meshset.codecs.necgs.bitstream import SharedPart, pack_latent, unpack_latent, unpack_shared
from meshset.codecs.necgs.decoder import decode_field
from meshset.codecs.necgs.recipe import RETRAINING, Plan, Recipe, architecture_for, recipe_for
from meshset.codecs.protocol import NO_GOAL, Checkpoint, CodedMesh, CodedSet, Goal, MeshDecoder, Refusal, Settings
from meshset.errors import MeshsetError
from meshset.field import Field
from meshset.field.grid import Array
from meshset.geometry.mesh import Mesh
from meshset.progress import advance, stage, tell

_LEAST_BITS = 0.1
"""Bits a weight of the smallest decoder that can still be trained to anything."""

_LEAST_PAYLOAD = 8
"""Bytes of the smallest latents."""


@dataclass(frozen=True)
class NecgsCodec:
    """Neural Compression for 3D Geometry Sets: one decoder for the set, a 4^3 x 16 latent for each mesh.

    Attributes:
        recipe: how to train, in place of what the preset of the settings says.
        goal: what the user wants of one `compress` beyond the settings; no part of what the codec is.
    """

    id: ClassVar[int] = 1
    name: ClassVar[str] = "necgs"
    recipe: Recipe | None = None
    goal: Goal = field(default=NO_GOAL, compare=False)

    def steered(self, goal: Goal) -> NecgsCodec:
        """Return the codec with a goal for `compress`."""
        return replace(self, goal=goal)

    def compress(self, meshes: Sequence[Mesh], settings: Settings, checkpoint: Checkpoint | None = None) -> CodedSet:
        """Turn meshes into fields, kept on disk meanwhile, and fit a decoder and the latents to them.

        Raises:
            MeshsetError: unknown preset or resolution; training diverged or ran out of memory.
            MissingExtraError: torch, scipy or libigl is not installed.
        """
        usual, recipe = architecture_for(settings, len(meshes)), self.recipe or recipe_for(settings)
        with torch_needed("compressing"):
            from meshset.codecs.necgs.packing import packed, packed_to
            from meshset.codecs.necgs.training import train
        with TemporaryDirectory(prefix="meshset-fields-") as folder:
            outcomes = make_fields(meshes, settings, Path(folder))
            fields = [path for path, _ in usable(outcomes)]
            if not fields:
                return CodedSet(b"", joined(outcomes, ()), {})
            plan = self._plan(recipe, usual, outcomes)
            architecture = architecture_for(settings, len(meshes), plan.target)
            with memory_guarded(settings.device):
                network, report = train(fields, architecture, plan, settings.device, settings.seed, checkpoint)
        found = packed(network) if plan.target is None else packed_to(network, plan.target)
        estimated = round(network.estimated_bytes(found.coarser))
        tell(f"decoder and latents: {estimated:,} bytes estimated, {found.size:,} coded")
        sizes: dict[str, float] = {"estimated_bytes": estimated, "coded_bytes": found.size}
        if found.coarser != 1.0:
            sizes["steps_scaled"] = float(f"{found.coarser:.4g}")
        report = {**report, **sizes, "parameters": architecture.parameters}
        return CodedSet(found.shared, coded_meshes(outcomes, found.payloads), report)

    def add(self, meshes: Sequence[Mesh], shared: bytes, settings: Settings) -> tuple[CodedMesh | Refusal, ...]:
        """Fit latents to more meshes, the decoder frozen (NeCGS section 4.3).

        Raises:
            ArchiveError: `shared` is not a decoder.
            MeshsetError: a latent diverged, or the device ran out of memory.
            MissingExtraError: torch, scipy or libigl is not installed.
        """
        return self._fit(meshes, None, shared, settings)

    def refine(
        self, meshes: Sequence[Mesh], payloads: Sequence[bytes], shared: bytes, settings: Settings
    ) -> tuple[CodedMesh | Refusal, ...]:
        """Fit latents further for more steps, the decoder frozen and bits without weight; errors as in `add`."""
        return self._fit(meshes, payloads, shared, settings)

    def retrain(
        self,
        stored: Sequence[bytes],
        meshes: Sequence[Mesh],
        payloads: Sequence[bytes],
        shared: bytes,
        settings: Settings,
    ) -> CodedSet:
        """Train decoder and latents further, on the fields that the stored latents decode to and on those of `meshes`.

        Errors are those of `add`.
        """
        part = unpack_shared(shared)
        if part.architecture.has_head:
            raise MeshsetError("a decoder with a head cannot be trained further")
        settings = _settings_of(part, settings)
        with torch_needed("adding"):
            from meshset.codecs.necgs.network import stored_network
            from meshset.codecs.necgs.packing import packed
            from meshset.codecs.necgs.training import train
        with TemporaryDirectory(prefix="meshset-fields-") as name:
            folder = Path(name)
            known = _decoded_fields(NecgsDecoder(part), stored, folder)
            outcomes = make_fields(meshes, settings, folder)
            kept = [i for i, outcome in enumerate(outcomes) if not isinstance(outcome, Refusal)]
            fields = known + [path for path, _ in usable(outcomes)]
            start = [unpack_latent(one, part.latent_models) for one in (*stored, *(payloads[i] for i in kept))]
            network = stored_network(part, len(fields), settings.seed, start).requires_grad_(True)
            plan = Plan(RETRAINING)
            with memory_guarded(settings.device):
                network, report = train(fields, part.architecture, plan, settings.device, settings.seed, start=network)
        found = packed(network)
        old = tuple(CodedMesh(payload) for payload in found.payloads[: len(stored)])
        return CodedSet(found.shared, (*old, *coded_meshes(outcomes, found.payloads[len(stored) :])), report)

    def open(self, shared: bytes, device: str | None = None) -> MeshDecoder:
        """Parse a decoder once. Raises ArchiveError where the bytes are not one."""
        return NecgsDecoder(unpack_shared(shared), device)

    def _plan(self, recipe: Recipe, architecture: Architecture, outcomes: Sequence[StoredField | Refusal]) -> Plan:
        """Return how to train. Raises MeshsetError where the bytes that are wanted are too few."""
        recipe = replace(recipe, rate_weight=recipe.rate_weight / self.goal.rate)
        if self.goal.budget is None:
            return Plan(recipe, self.goal)
        kept = [i for i, outcome in enumerate(outcomes) if not isinstance(outcome, Refusal)]
        least = int(architecture.parameters * _LEAST_BITS / 8) + _LEAST_PAYLOAD * len(kept)
        return Plan(recipe, self.goal, self.goal.budget(kept, least))

    def _fit(
        self, meshes: Sequence[Mesh], payloads: Sequence[bytes] | None, shared: bytes, settings: Settings
    ) -> tuple[CodedMesh | Refusal, ...]:
        """Fit latents to meshes, those of `payloads` to start from if there are any."""
        part = unpack_shared(shared)
        settings = _settings_of(part, settings)
        with torch_needed("adding"):
            from meshset.codecs.necgs.adding import fit_latents
        with TemporaryDirectory(prefix="meshset-fields-") as folder:
            outcomes = make_fields(meshes, settings, Path(folder))
            kept = [i for i, outcome in enumerate(outcomes) if not isinstance(outcome, Refusal)]
            fields = [path for path, _ in usable(outcomes)]
            start = None if payloads is None else [unpack_latent(payloads[i], part.latent_models) for i in kept]
            with memory_guarded(settings.device):
                latents = fit_latents(fields, part, settings.device, settings.seed, start)
        return coded_meshes(outcomes, [pack_latent(latent, part.latent_models) for latent in latents])


class NecgsDecoder(FieldDecoder):
    """A decoder read from a shared chunk, ready for payloads.

    Args:
        part: the parsed shared chunk.
        device: None for numpy, or the torch device that holds weights and features.
    """

    def __init__(self, part: SharedPart, device: str | None = None) -> None:
        weights = {name: tensor.values for name, tensor in part.weights.items()}
        super().__init__(part.architecture.resolution, weights, device)
        self._part = part

    def decode_field(self, payload: bytes) -> tuple[Array, Array]:
        """Return grid points (N, 3) int32 and the field there (N, channels) float32, as arrays of the chosen device."""
        numbers = unpack_latent(payload, self._part.latent_models)
        latent = numbers.astype(np.float32) * self._part.latent_steps
        return decode_field(on_device(latent, self._device), self._weights, self._part.architecture)

    def stored_field(self, payload: bytes) -> Field:
        """Return the field of a payload as training takes it; for decoders without a head."""
        coords, values = (as_numpy(array) for array in self.decode_field(payload))
        tsdf = np.clip(values[:, 0], -1, 1)
        # All eight children of a voxel, or none: what is expanded beyond the band is of no use.
        near = np.repeat((np.abs(tsdf) < 1).reshape(-1, 8).any(axis=1), 8)
        coords, values, tsdf = coords[near], values[near], tsdf[near]
        deformation = np.clip(values[:, 1:], -1, 1) if values.shape[1] > 1 else np.zeros((len(tsdf), 3), np.float32)
        return Field(self._part.architecture.resolution, coords.astype(np.int16), tsdf, deformation)


def _settings_of(part: SharedPart, settings: Settings) -> Settings:
    """Return the settings with the resolution and field that a decoder was made for."""
    return replace(
        settings,
        resolution=known_resolution(part.architecture.resolution),
        field=field_name(part.architecture),
    )


def _decoded_fields(decoder: NecgsDecoder, payloads: Sequence[bytes], folder: Path) -> list[Path]:
    """Store the fields that payloads decode to in `folder` and return the files, to be read by `Field.load`."""
    stage("decoding the set", len(payloads))
    paths = []
    for i, payload in enumerate(payloads):
        paths.append(folder / f"stored-{i}.npz")
        decoder.stored_field(payload).save(paths[-1])
        advance()
    return paths
