"""The shape of a narrow-band decoder: which tensors it has, and how large they are."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from meshset.codecs.common.resolutions import known_resolution
from meshset.codecs.protocol import Settings
from meshset.errors import ArchiveError
from meshset.field.grid import ROOT
from meshset.vocabulary import FieldKind

NEIGHBOURS = 27
"""Voxels under a 3 x 3 x 3 kernel."""

CROSS = 7
"""Voxels under a cross: a voxel and the six that share a face with it."""

MAX_WIDTHS = 8
"""No decoder has more blocks."""

_MAX_WIDTH = 1024
_MAX_PARAMETERS = 1 << 26

_FIELD_CHANNELS: dict[FieldKind, int] = {"tsdf": 1, "tsdf-def": 4}


@dataclass(frozen=True)
class Architecture:
    """A cascade of upsampling blocks from a 4^3 latent to a field (NeCGS section 3.2 and supplement 2.1).

    Each block is a 3 x 3 x 3 convolution to 8 C' channels, read as C' channels of the eight children of a voxel (3D
    pixel shuffle). With `hidden` > 0 its kernel is factorised: 27 C -> hidden, activation, hidden -> 8 C'. Where
    kernels are crosses, 27 is 7 in all blocks but the first.

    Attributes:
        resolution: K, grid points a side of the field.
        widths: channels after each block. With one width fewer than blocks, the last block gives the field itself;
            with as many widths as blocks, a 3 x 3 x 3 head follows at full resolution, as in the paper.
        hidden: inner width of the factorised kernels, 0 for plain ones.
        latent_channels: C of the 4^3 x C latent of each mesh.
        field_channels: values per grid point; 1 for a TSDF, 4 for a TSDF-Def (distance, then deformation).
        expands: whether blocks give a logit that decides about expansion; without it the decoder is evaluated on the
            whole grid.
        crosses: whether the kernels of all blocks but the first are crosses; a head has a whole kernel in any case.
    """

    resolution: int
    widths: tuple[int, ...]
    hidden: int
    latent_channels: int = 16
    field_channels: int = 4
    expands: bool = True
    crosses: bool = False

    @property
    def blocks(self) -> int:
        """Number of upsampling blocks, each doubling the resolution."""
        return (self.resolution // ROOT).bit_length() - 1

    @property
    def has_head(self) -> bool:
        """Whether a convolution at full resolution follows the last block."""
        return len(self.widths) == self.blocks

    def taps(self, block: int) -> int:
        """Return how many voxels are under the kernel of a block, or of the head, which counts as the next block."""
        return CROSS if self.crosses and 0 < block < self.blocks else NEIGHBOURS

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every tensor of the decoder by name, in the order in which they are stored.

        The last column of every block but one that gives the field is the logit that decides about expansion, if the
        decoder expands at all.
        """
        shapes: dict[str, tuple[int, ...]] = {}
        channels = self.latent_channels
        for block in range(self.blocks):
            gives_field = block == len(self.widths)
            width = self.field_channels if gives_field else self.widths[block] + self.expands
            rows = self.taps(block) * channels
            if self.hidden:
                shapes[f"{block}.kernel"] = (rows, self.hidden)
                shapes[f"{block}.kernel_bias"] = (self.hidden,)
                rows = self.hidden
            shapes[f"{block}.shuffle"] = (rows, 8 * width)
            shapes[f"{block}.shuffle_bias"] = (8 * width,)
            channels = width - self.expands
        if self.has_head:
            shapes["head"] = (NEIGHBOURS * channels, self.field_channels)
            shapes["head_bias"] = (self.field_channels,)
        return shapes

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        return sum(prod(shape) for shape in self.tensors().values())


def bare_architecture(settings: Settings) -> Architecture:
    """Return a decoder without blocks for a resolution and a field."""
    return Architecture(settings.resolution, (), 0, field_channels=_FIELD_CHANNELS[settings.field])


def field_name(architecture: Architecture) -> FieldKind:
    """Return the name of the field that a decoder gives, as `Settings.field` has it."""
    return next(name for name, channels in _FIELD_CHANNELS.items() if channels == architecture.field_channels)


def check_architecture(architecture: Architecture) -> None:
    """Raise ArchiveError where a decoder read from an archive has an impossible shape."""
    known_resolution(architecture.resolution)
    if not 1 <= architecture.latent_channels <= _MAX_WIDTH or architecture.hidden > _MAX_WIDTH:
        raise ArchiveError("invalid decoder parameters")
    if architecture.field_channels not in _FIELD_CHANNELS.values():
        raise ArchiveError(f"unknown field of {architecture.field_channels} channels")
    if not all(1 <= width <= _MAX_WIDTH for width in architecture.widths):
        raise ArchiveError("invalid decoder parameters")
    if len(architecture.widths) not in (architecture.blocks - 1, architecture.blocks):
        raise ArchiveError("invalid decoder parameters: its widths do not fit its resolution")
    if architecture.parameters > _MAX_PARAMETERS:
        raise ArchiveError("invalid decoder parameters: too many parameters")
