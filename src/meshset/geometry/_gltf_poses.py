"""The shape that a glTF mesh has at rest: morph targets at their default weights, skins on their joints."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from meshset.geometry._gltf_data import GltfData, entry
from meshset.geometry._gltf_nodes import Transforms
from meshset.geometry._soup import MalformedError, check_indices

MAX_BLENDED = 200_000_000
"""Most times that a vertex may be moved by a morph target or joint; targets may name the same bytes again and again."""

_CHUNK = 1 << 16


class Poses:
    """Vertices of one file in its rest pose."""

    def __init__(self, tree: dict[str, Any], data: GltfData) -> None:
        self._tree = tree
        self._data = data
        self._transforms = Transforms(tree)
        self._bones: dict[int, NDArray[np.float64]] = {}
        self._blended = 0

    def morphed(
        self, positions: NDArray[np.float64], targets: Sequence[dict[str, Any]], weights: Sequence[float]
    ) -> NDArray[np.float64]:
        """Return `positions` (V, 3) moved by morph targets; one without a weight moves nothing.

        Raises:
            MalformedError: if a target has other vertices, or a weight has no target.
        """
        if any(weights[len(targets) :]):
            raise MalformedError(f"{len(weights):,} weights for {len(targets):,} morph targets")
        for target, weight in zip(targets, weights, strict=False):
            # An accessor without bytes is all zeros.
            if not weight or "POSITION" not in target or not self._has_bytes(target["POSITION"]):
                continue
            self._spend(len(positions))
            offsets = self._data.accessor(target["POSITION"], 3)
            if len(offsets) != len(positions):
                raise MalformedError(f"a morph target of {len(offsets):,} vertices for {len(positions):,}")
            positions = positions + float(weight) * offsets
        return positions

    def skinned(
        self, positions: NDArray[np.float64], faces: NDArray[np.int64], attributes: dict[str, Any], skin: Any
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]] | None:
        """Return vertices and faces in the world, where the joints of a skin put them; None without joints or weights.

        A face that joints mirror is reversed, as one of a mirrored node.

        Args:
            positions: (V, 3) before skinning.
            faces: (F, 3).
            attributes: the accessors of the primitive by name.
            skin: number of the skin.

        Raises:
            MalformedError: if a vertex follows a joint that the skin does not have.
        """
        names = [(n, n.replace("JOINTS", "WEIGHTS")) for n in attributes if re.fullmatch(r"JOINTS_\d+", n)]
        names = [(joint, weight) for joint, weight in names if weight in attributes]
        if not names:
            return None
        check_indices(faces, len(positions))
        self._spend(4 * len(names) * len(positions))
        bones = self._bones_of(skin)
        joints = np.concatenate([self._rows(attributes[joint], len(positions)) for joint, _ in names], axis=1)
        weights = np.concatenate([self._rows(attributes[weight], len(positions)) for _, weight in names], axis=1)
        return _blended(positions, faces, bones, *_checked(joints, weights, len(bones)))

    def _has_bytes(self, accessor: Any) -> bool:
        return not {"bufferView", "sparse"}.isdisjoint(entry(self._tree, "accessors", accessor))

    def _rows(self, accessor: Any, count: int) -> NDArray[np.float64]:
        rows = self._data.accessor(accessor, 4).astype(np.float64)
        if len(rows) != count:
            raise MalformedError(f"joints or weights of {len(rows):,} vertices for {count:,}")
        return rows

    def _bones_of(self, index: Any) -> NDArray[np.float64]:
        """Return the transforms (J, 4, 4) from the mesh into the world by each joint of a skin."""
        if index not in self._bones:
            skin = entry(self._tree, "skins", index)
            bones = np.array([self._transforms.world(joint) for joint in skin["joints"]]).reshape(-1, 4, 4)
            if "inverseBindMatrices" in skin:
                inverse = self._data.accessor(skin["inverseBindMatrices"], 16).astype(np.float64)
                if len(inverse) < len(bones):
                    raise MalformedError(f"{len(inverse):,} inverse bind matrices for {len(bones):,} joints")
                bones = bones @ inverse[: len(bones)].reshape(-1, 4, 4).swapaxes(1, 2)
            self._bones[index] = bones
        return self._bones[index]

    def _spend(self, vertices: int) -> None:
        self._blended += vertices
        if self._blended > MAX_BLENDED:
            raise MalformedError(f"its morph targets and joints move vertices more than {MAX_BLENDED:,} times")


def _checked(
    joints: NDArray[np.float64], weights: NDArray[np.float64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return joints (V, K) within the skin's, and weights (V, K) that add up to 1.

    Where all weights of a vertex are 0, it follows its first joint.
    """
    weights[weights.sum(axis=1) == 0, 0] = 1
    numbers = np.where(weights != 0, joints, 0)
    outside = (numbers < 0) | (numbers >= count) | (numbers != np.floor(numbers))
    if outside.any():
        raise MalformedError(f"a vertex follows joint {numbers[outside][0]:g}, of {count:,} counted from 0")
    return numbers.astype(np.int64), weights / weights.sum(axis=1, keepdims=True)


def _blended(
    positions: NDArray[np.float64],
    faces: NDArray[np.int64],
    bones: NDArray[np.float64],
    joints: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    moved = np.empty_like(positions)
    volumes = np.empty(len(positions))
    for begin in range(0, len(positions), _CHUNK):
        rows = slice(begin, begin + _CHUNK)
        matrices = sum(
            weight[:, None, None] * bones[joint, :3]
            for joint, weight in zip(joints[rows].T, weights[rows].T, strict=True)
        )
        moved[rows] = np.einsum("vij,vj->vi", matrices[:, :, :3], positions[rows]) + matrices[:, :, 3]
        volumes[rows] = np.linalg.det(matrices[:, :, :3])
    mirrored = volumes[faces].sum(axis=1) < 0
    return moved, np.where(mirrored[:, None], faces[:, ::-1], faces)
