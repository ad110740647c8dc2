"""Where the nodes of glTF and their instances are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from meshset.geometry._gltf_data import GltfData, entry
from meshset.geometry._gltf_extensions import INSTANCING
from meshset.geometry._soup import MalformedError

_INSTANCE_WIDTHS = {"TRANSLATION": 3, "ROTATION": 4, "SCALE": 3}


class Transforms:
    """The transforms of the nodes of one file into the world, with those of all nodes above, in a scene or not."""

    def __init__(self, tree: dict[str, Any]) -> None:
        self._tree = tree
        self._parents = {
            child: parent for parent, node in enumerate(tree.get("nodes", [])) for child in node.get("children", [])
        }
        self._world: dict[int, NDArray[np.float64]] = {}

    def world(self, index: int) -> NDArray[np.float64]:
        """Return the (4, 4) transform of a node; it acts on columns.

        Raises:
            MalformedError: if there is no such node, or it is its own ancestor.
        """
        path = []
        above: int | None = index
        while above is not None and above not in self._world:
            path.append(above)
            if len(path) > len(self._parents) + 1:
                raise MalformedError("its nodes form no tree")
            above = self._parents.get(above)
        matrix = np.eye(4) if above is None else self._world[above]
        for node in reversed(path):
            matrix = self._world[node] = matrix @ node_matrix(entry(self._tree, "nodes", node))
        return matrix


def node_matrix(node: dict[str, Any]) -> NDArray[np.float64]:
    """Return the (4, 4) transform of a node into its parent; glTF stores matrices by columns."""
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    parts = (node.get("translation", (0, 0, 0)), node.get("rotation", (0, 0, 0, 1)), node.get("scale", (1, 1, 1)))
    matrix: NDArray[np.float64] = _matrices(*(np.array(part, np.float64)[None] for part in parts))[0]
    return matrix


def instance_matrices(node: dict[str, Any], data: GltfData) -> NDArray[np.float64]:
    """Return where a node has its mesh, (N, 4, 4) into the node: once as it is, unless it has instances.

    Raises:
        MalformedError: if the instances have more of one attribute than of another.
    """
    attributes = node.get("extensions", {}).get(INSTANCING, {}).get("attributes", {})
    columns = {
        name: data.accessor(attributes[name], width).astype(np.float64)
        for name, width in _INSTANCE_WIDTHS.items()
        if name in attributes
    }
    counts = {len(column) for column in columns.values()} or {1}
    if len(counts) > 1:
        raise MalformedError("instances of which not all have translation, rotation and scale")
    (count,) = counts
    return _matrices(
        columns.get("TRANSLATION", np.zeros((count, 3))),
        columns.get("ROTATION", np.tile([0.0, 0, 0, 1], (count, 1))),
        columns.get("SCALE", np.ones((count, 3))),
    )


def _matrices(
    translations: NDArray[np.float64], rotations: NDArray[np.float64], scales: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return transforms (N, 4, 4) that scale by (N, 3), rotate by quaternions (N, 4) and translate by (N, 3)."""
    lengths = np.linalg.norm(rotations, axis=1, keepdims=True)
    x, y, z, w = (rotations / np.where(lengths > 0, lengths, 1)).T
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    matrices = np.zeros((len(translations), 4, 4))
    matrices[:, :3, :3] = np.moveaxis(rotation, 2, 0) * scales[:, None]
    matrices[:, :3, 3] = translations
    matrices[:, 3, 3] = 1
    return matrices
