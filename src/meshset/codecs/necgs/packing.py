"""From a trained network to the bytes of its set, as many as training led to or as many as are wanted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meshset.codecs.necgs.bitstream import SharedPart, fit_latent_models, pack_latent, pack_shared
from meshset.codecs.necgs.network import SetNetwork

_EXACT = 0.005
"""Relative difference from the bytes wanted with which the search ends."""

_COARSEST = 4.0
"""Largest factor for all quantisation steps; the error grows with it, and nothing is trained again."""

_FINEST = 0.25
"""Smallest factor: bytes that finer steps cost make nothing more exact."""

_TRIES = 12


@dataclass(frozen=True)
class PackedSet:
    """The bytes of a set.

    Attributes:
        shared: the decoder.
        payloads: one for each mesh.
        coarser: factor by which all quantisation steps are larger than training left them.
    """

    shared: bytes
    payloads: Sequence[bytes]
    coarser: float

    @property
    def size(self) -> int:
        """Bytes in all."""
        return len(self.shared) + sum(map(len, self.payloads))


def packed(network: SetNetwork, coarser: float = 1.0) -> PackedSet:
    """Return the bytes of a trained network. Raises ValueError where a model would cover more than 2^16 numbers."""
    latents = [network.final_latent(i, coarser) for i in range(len(network.latents))]
    models = fit_latent_models([latent.numbers for latent in latents])
    part = SharedPart(network.architecture, network.final_weights(coarser), np.asarray(latents[0].step), models)
    return PackedSet(pack_shared(part), [pack_latent(latent.numbers, models) for latent in latents], coarser)


def packed_to(network: SetNetwork, target: int) -> PackedSet:
    """Return the bytes of a trained network, all quantisation steps scaled such that they are nearest to `target`."""
    best = packed(network)
    too_fine, too_coarse = (1.0, _COARSEST) if best.size > target else (_FINEST, 1.0)
    for _ in range(_TRIES):
        if abs(best.size - target) <= _EXACT * target:
            break
        coarser = math.sqrt(too_fine * too_coarse)
        try:
            tried = packed(network, coarser)
        except ValueError:  # steps too fine for any model
            too_fine = coarser
            continue
        if abs(tried.size - target) < abs(best.size - target):
            best = tried
        if tried.size > target:
            too_fine = coarser
        else:
            too_coarse = coarser
    return best
