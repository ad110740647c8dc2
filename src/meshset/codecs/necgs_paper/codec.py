"""NeCGS in the paper's configuration, behind the `SetCodec` protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from meshset.codecs.common.arrays import on_device
from meshset.codecs.common.dense import near_surface
from meshset.codecs.common.field_decoder import FieldDecoder
from meshset.codecs.common.outcomes import joined, usable
from meshset.codecs.common.presets import epochs_for
from meshset.codecs.common.stored_fields import coded_meshes, make_fields
from meshset.codecs.common.torch_guard import memory_guarded, torch_needed
from meshset.codecs.necgs.decoder import decode_field
from meshset.codecs.necgs_paper.bitstream import (
    SharedPart,
    fit_latent_code,
    pack_latent,
    pack_shared,
    unpack_latent,
    unpack_shared,
)
from meshset.codecs.necgs_paper.grid import decode_grid
from meshset.codecs.necgs_paper.levels import values
from meshset.codecs.necgs_paper.recipe import ENGINES, WIDTHS, paper_architecture, training_recipe
from meshset.codecs.protocol import Checkpoint, CodedSet, MeshDecoder, Settings
from meshset.field.grid import Array
from meshset.geometry.mesh import Mesh


@dataclass(frozen=True)
class NecgsPaperCodec:
    """The paper's network, quantiser, loss and coder; its rate is set by the decoder's widths.

    Attributes:
        widths: channels after each upsampling block; a resolution that has fewer blocks leaves off the last ones.
        engine: "dense" trains the network on every grid point, "dense-mixed" does so with layers in bfloat16 (exact for
            quantised weights and latents), "narrow-band" trains and evaluates it near the surface only.
        epochs: how many times each mesh is visited; None leaves it to the preset.

    Raises:
        ValueError: an unknown engine, a width below 1 or above 1024, or less than one epoch.
    """

    id: ClassVar[int] = 4
    name: ClassVar[str] = "necgs-paper"
    widths: tuple[int, ...] = WIDTHS
    engine: str = "dense-mixed"
    epochs: int | None = None

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise ValueError(f"there is no engine {self.engine!r}, only {', '.join(ENGINES)}")
        if not all(1 <= width <= 1024 for width in self.widths):
            raise ValueError(f"widths are from 1 to 1024, not {self.widths}")
        if self.epochs is not None and self.epochs < 1:
            raise ValueError(f"at least one epoch is needed, not {self.epochs}")

    def compress(self, meshes: Sequence[Mesh], settings: Settings, checkpoint: Checkpoint | None = None) -> CodedSet:
        """Turn meshes into fields, kept on disk meanwhile, and fit a decoder and the latents to them.

        Nothing is kept at `checkpoint`: an interrupted run starts over.

        Raises:
            MeshsetError: unknown preset or resolution, too few widths; training diverged or ran out of memory.
            MissingExtraError: torch, scipy or libigl is not installed.
        """
        architecture = paper_architecture(settings, self.engine, self.widths)
        epochs_for(settings, 1)
        with torch_needed("compressing"):
            from meshset.codecs.necgs_paper.training import train
        with TemporaryDirectory(prefix="meshset-fields-") as folder:
            outcomes = make_fields(meshes, settings, Path(folder))
            fields = [path for path, _ in usable(outcomes)]
            if not fields:
                return CodedSet(b"", joined(outcomes, ()), {})
            recipe = training_recipe(self.epochs or epochs_for(settings, len(fields)), len(fields))
            with memory_guarded(settings.device):
                network, loss = train(fields, architecture, recipe, self.engine, settings)
        latents = [network.final_latent(i) for i in range(len(fields))]
        code = fit_latent_code(latents)
        coded = coded_meshes(outcomes, [pack_latent(latent, code) for latent in latents])
        report = {
            "engine": self.engine,
            "epochs": recipe.epochs,
            "loss": float(f"{loss:.4g}"),
            "parameters": architecture.parameters,
        }
        return CodedSet(pack_shared(SharedPart(architecture, network.final_weights(), code)), coded, report)

    def open(self, shared: bytes, device: str | None = None) -> MeshDecoder:
        """Parse a decoder once. Raises ArchiveError where the bytes are not one."""
        return NecgsPaperDecoder(unpack_shared(shared), device)


class NecgsPaperDecoder(FieldDecoder):
    """A decoder read from a shared chunk, ready for payloads.

    Args:
        part: the parsed shared chunk.
        device: None for numpy, or the torch device that holds weights and features.
    """

    def __init__(self, part: SharedPart, device: str | None = None) -> None:
        weights = {name: values(numbers) for name, numbers in part.weights.items()}
        super().__init__(part.architecture.resolution, weights, device)
        self._part = part

    def decode_field(self, payload: bytes) -> tuple[Array, Array]:
        """Return grid points (N, 3) int32 and the field there (N, channels) float32, as arrays of the chosen device."""
        architecture = self._part.architecture
        numbers = unpack_latent(payload, self._part.latent_code, architecture.latent_channels)
        latent = on_device(values(numbers), self._device)
        if architecture.expands:
            return decode_field(latent, self._weights, architecture)
        return near_surface(decode_grid(latent, self._weights, architecture))
