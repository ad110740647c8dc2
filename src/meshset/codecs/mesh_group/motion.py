"""A mesh that is another one, turned, mirrored, scaled and moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from meshset.codecs.control_mesh.residuals import GRID, Point, rounded
from meshset.coding.adaptive import Coder
from meshset.errors import ArchiveError

_TURN_BITS, _SCALE_BITS, _MOVE_BITS = 16, 18, 23
_ONE = 1 << _SCALE_BITS - 2
"""The whole number that stands for a scale of 1."""


@dataclass(frozen=True)
class Motion:
    """Where a mesh goes: p becomes scale R p + move.

    Attributes:
        turn: w, x, y, z of a quaternion of any length, whole numbers from -2^15 to 2^15 - 1.
        scale: a whole number of parts of `_ONE`, from 1 to 2^18.
        mirrored: whether the scale is negative.
        move: on the grid, whole numbers from -2^22 to 2^22 - 1.
    """

    turn: tuple[int, int, int, int]
    scale: int
    mirrored: bool
    move: tuple[int, int, int]

    NONE: ClassVar[Motion]

    @classmethod
    def between(cls, source: NDArray[np.float64], goal: NDArray[np.float64]) -> Motion | None:
        """Return the motion that takes points (V, 3) nearest to others, in the cube (Umeyama 1991); None for none."""
        from scipy.spatial.transform import Rotation

        here, there = source - source.mean(axis=0), goal - goal.mean(axis=0)
        u, sizes, vt = np.linalg.svd(there.T @ here)
        mirrored = bool(np.linalg.det(u @ vt) < 0)
        sign = -1.0 if mirrored else 1.0
        scale = sizes.sum() / max(float((here * here).sum()), 1e-30)
        x, y, z, w = Rotation.from_matrix(sign * (u @ vt)).as_quat()
        turn = np.round(np.array([w, x, y, z]) * ((1 << _TURN_BITS - 1) - 1)).astype(int)
        whole = round(scale * _ONE)
        move = np.round((goal.mean(axis=0) - sign * scale * (sign * (u @ vt)) @ source.mean(axis=0)) * GRID).astype(int)
        if not 1 <= whole <= 1 << _SCALE_BITS or np.abs(move).max() >= 1 << _MOVE_BITS - 1:
            return None
        a, b, c, d = turn.tolist()
        p, q, r = move.tolist()
        return cls((a, b, c, d), whole, mirrored, (p, q, r))

    def applied(self, points: Sequence[Point]) -> list[Point]:
        """Return points on the grid, moved and rounded to it again."""
        w, x, y, z = self.turn
        size = w * w + x * x + y * y + z * z
        scale = (-self.scale if self.mirrored else self.scale) / _ONE
        a, b, c = (one / size for one in (w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)))
        d, e, f = (one / size for one in (2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)))
        g, h, i = (one / size for one in (2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z))
        p, q, r = map(float, self.move)
        return [
            (
                rounded(p + scale * (a * u + b * v + c * t)),
                rounded(q + scale * (d * u + e * v + f * t)),
                rounded(r + scale * (g * u + h * v + i * t)),
            )
            for u, v, t in points
        ]


Motion.NONE = Motion((1, 0, 0, 0), _ONE, False, (0, 0, 0))


def code_motion(coder: Coder, motion: Motion) -> Motion:
    """Code a motion. Raises ArchiveError for a turn by nothing."""
    mirrored = bool(coder.even(2, int(motion.mirrored)))
    w, x, y, z = (_code_signed(coder, _TURN_BITS, one) for one in motion.turn)
    scale = coder.even(1 << _SCALE_BITS, motion.scale - 1) + 1
    p, q, r = (_code_signed(coder, _MOVE_BITS, one) for one in motion.move)
    if not (w or x or y or z):
        raise ArchiveError("a mesh that is another one is turned by nothing")
    return Motion((w, x, y, z), scale, mirrored, (p, q, r))


def _code_signed(coder: Coder, bits: int, value: int) -> int:
    half = 1 << bits - 1
    return coder.even(1 << bits, value + half) - half
