"""LGCL behind the `SetCodec` protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from meshset.codecs.latent_sdf.codec import LatentCodec
from meshset.codecs.latent_sdf.network import LatentNetwork
from meshset.codecs.lgcl.network import CONVOLUTIONS, Lgcl
from meshset.geometry.mesh import Mesh

if TYPE_CHECKING:
    from meshset.codecs.latent_sdf.objectives import Objective


@dataclass(frozen=True)
class LgclCodec(LatentCodec):
    """Local geometry code learning, for meshes of one connectivity; others are refused.

    Attributes:
        key_points: how many; None for all vertices, as published.
        convolution: "cheb" or "vc".
        similarity: lambda_sim of Eq. 8; 0 leaves out L_sim (Figure 4d).
        one_code: whether all key points are given the same code (Figure 4b).

    Raises:
        ValueError: one of them is impossible.
    """

    id: ClassVar[int] = 16
    name: ClassVar[str] = "lgcl"
    kind: ClassVar[type[LatentNetwork]] = Lgcl
    key_points: int | None = 256
    convolution: str = "cheb"
    similarity: float = 1.0
    one_code: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.key_points is not None and self.key_points < 1:
            raise ValueError(f"at least one key point is needed, not {self.key_points}")
        if self.convolution not in CONVOLUTIONS:
            raise ValueError(f"there is no convolution {self.convolution!r}, only {', '.join(CONVOLUTIONS)}")
        if not 0.0 <= self.similarity < float("inf"):
            raise ValueError(f"lambda_sim is not negative, and {self.similarity} is")

    def network_for(self, meshes: Sequence[Mesh]) -> LatentNetwork:
        """Return the network on the scaffold of the meshes.

        Raises:
            MeshFileError: no two of them share one connectivity.
        """
        from meshset.codecs.lgcl.building import build_scaffold

        return Lgcl(build_scaffold(meshes, self.key_points), self.convolution, self.one_code)

    def objective(self) -> Objective:
        """Return L_basic + lambda_sim L_sim. Raises ImportError without torch or scipy."""
        from meshset.codecs.lgcl.objective import LocalGeometry

        return LocalGeometry(self.similarity)
