"""What is changed in codec necgs-paper, put in place from outside: the codec itself knows none of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from torch import Tensor

from benchmarks.paper.ablations.autoencoder import AutoEncoderNetwork
from meshset.bench.coders import ArchiveCoder, Made
from meshset.bench.source import code_digest
from meshset.codecs.necgs.architecture import Architecture
from meshset.codecs.necgs_paper import training
from meshset.codecs.necgs_paper.network import PaperNetwork
from meshset.codecs.necgs_paper.recipe import Recipe
from meshset.pipeline.steps.prepare import PreparedMesh

MakeNetwork = Callable[[Sequence[Path], Architecture, int, int], PaperNetwork]
"""From the stored fields and the arguments of PaperNetwork."""


class UnquantisedNetwork(PaperNetwork):
    """Trains without the quantiser; what is stored is rounded as ever."""

    def quantised_weights(self) -> dict[str, Tensor]:
        return dict(zip(self.names, self.tensors, strict=True))

    def quantised_latents(self, chosen: Sequence[int]) -> Tensor:
        return self.latents[list(chosen)]


@dataclass(frozen=True)
class Variant:
    """One change.

    Attributes:
        name: of the system in tables.
        network: makes what is trained.
        recipe: fields of the recipe that change.
    """

    name: str
    network: MakeNetwork = lambda _fields, *arguments: PaperNetwork(*arguments)
    recipe: Mapping[str, float] = field(default_factory=dict)


PAPER = Variant("necgs-paper")
AUTO_ENCODER = Variant("auto-encoder", AutoEncoderNetwork)
WITHOUT_SSIM = Variant("without SSIM", recipe={"ssim_weight": 0.0})
POST_TRAINING = Variant("quantised after training", lambda _fields, *arguments: UnquantisedNetwork(*arguments))


@contextmanager
def in_place(variant: Variant) -> Iterator[None]:
    """Have codec necgs-paper train the variant meanwhile, by its own loop."""
    plain = training.train

    def train(fields: Sequence[Path], architecture: Architecture, recipe: Recipe, *others: Any) -> Any:
        with patch.object(training, "PaperNetwork", partial(variant.network, fields)):
            return plain(fields, architecture, replace(recipe, **variant.recipe), *others)

    with patch.object(training, "train", train):
        yield


@dataclass(frozen=True)
class VariantCoder(ArchiveCoder):
    """Codec necgs-paper with a change; the archive is one that the codec reads."""

    variant: Variant

    def key(self) -> dict[str, Any]:
        """Return what the codec is keyed by, and the variant with the code of all variants."""
        code = code_digest((__name__,), Path(__file__).parents[3])
        return {**super().key(), "variant": self.variant.name, "variants": code}

    def make(self, meshes: Sequence[PreparedMesh], folder: Path) -> Made:
        """Compress into one archive."""
        with in_place(self.variant):
            return super().make(meshes, folder)
