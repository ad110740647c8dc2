"""Nodes and morph targets of a glTF file at a moment of its first animation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from meshset.geometry._gltf_data import GltfData, entry
from meshset.geometry._soup import MalformedError

_WIDTHS = {"translation": 3, "rotation": 4, "scale": 3}


class Animation:
    """The first animation of a file; others are not read.

    Attributes:
        duration: seconds from 0 to its last key.

    Raises:
        MalformedError: the file has none, or one that is damaged.
    """

    def __init__(self, tree: dict[str, Any], data: GltfData) -> None:
        if not tree.get("animations"):
            raise MalformedError("has no animation")
        self._tree, self._data = tree, data
        animation = entry(tree, "animations", 0)
        self._samplers = animation.get("samplers", [])
        self._channels = [one for one in animation.get("channels", []) if "node" in one.get("target", {})]
        self._times: dict[int, NDArray[np.float64]] = {}
        self.duration = max((float(self._keys(one["sampler"])[-1]) for one in self._channels), default=0.0)

    def at(self, time: float) -> dict[str, Any]:
        """Return the file's tree with its nodes as they are at a time in seconds."""
        nodes = [dict(node) for node in self._tree.get("nodes", [])]
        for channel in self._channels:
            target = channel["target"]
            entry(self._tree, "nodes", target["node"])
            node, path = nodes[target["node"]], target.get("path")
            if path in _WIDTHS:
                node.pop("matrix", None)
                node[path] = self._value(channel["sampler"], time, _WIDTHS[path], path == "rotation").tolist()
            elif path == "weights":
                node[path] = self._value(channel["sampler"], time, self._targets(node), turns=False).tolist()
        return {**self._tree, "nodes": nodes}

    def _targets(self, node: dict[str, Any]) -> int:
        """Return how many morph targets the mesh of a node has."""
        primitives = entry(self._tree, "meshes", node.get("mesh"))["primitives"]
        return max((len(one.get("targets", [])) for one in primitives), default=0)

    def _sampler(self, index: Any) -> dict[str, Any]:
        if not isinstance(index, int) or not 0 <= index < len(self._samplers):
            raise MalformedError("an animation refers to a sampler that is not there")
        sampler: dict[str, Any] = self._samplers[index]
        return sampler

    def _keys(self, index: Any) -> NDArray[np.float64]:
        """Return the times of a sampler's keys, in seconds."""
        sampler = self._sampler(index)
        if index not in self._times:
            times = self._data.accessor(sampler["input"], 1).reshape(-1).astype(np.float64)
            if not len(times) or not np.isfinite(times).all() or times[0] < 0 or (np.diff(times) <= 0).any():
                raise MalformedError("an animation whose keys are not in order of time")
            self._times[index] = times
        return self._times[index]

    def _value(self, index: Any, time: float, width: int, turns: bool) -> NDArray[np.float64]:
        """Return what a sampler says at a time, (width,)."""
        sampler, times = self._sampler(index), self._keys(index)
        rows = self._data.accessor(sampler["output"], width if _is_vector(self._tree, sampler) else 1)
        kind = sampler.get("interpolation", "LINEAR")
        per_key = 3 if kind == "CUBICSPLINE" else 1
        if rows.size != len(times) * per_key * width:
            raise MalformedError("an animation has other keys than values")
        values: NDArray[np.float64] = rows.astype(np.float64).reshape(len(times), per_key, width)
        before = min(max(int(np.searchsorted(times, time, side="right")) - 1, 0), max(len(times) - 2, 0))
        after = min(before + 1, len(times) - 1)
        span = float(times[after] - times[before])
        share = min(max((time - float(times[before])) / span, 0.0), 1.0) if span > 0 else 0.0
        if kind == "STEP":
            share = float(share >= 1.0)
        if kind == "CUBICSPLINE":
            found = _spline(values[before], values[after], share, span)
        elif turns and kind == "LINEAR":
            found = _between_turns(values[before, 0], values[after, 0], share)
        else:
            found = (1.0 - share) * values[before, 0] + share * values[after, 0]
        size = max(float(np.linalg.norm(found)), 1e-30) if turns else 1.0
        return np.asarray(found / size)


def _is_vector(tree: dict[str, Any], sampler: dict[str, Any]) -> bool:
    """Whether a sampler's values are vectors, not the single numbers of weights."""
    return bool(entry(tree, "accessors", sampler["output"]).get("type") != "SCALAR")


def _spline(before: NDArray[np.float64], after: NDArray[np.float64], share: float, span: float) -> NDArray[np.float64]:
    """Return the cubic Hermite spline between two keys (3, W): tangent before, value, tangent behind."""
    square, cube = share * share, share * share * share
    values: NDArray[np.float64] = (2 * cube - 3 * square + 1) * before[1] + (3 * square - 2 * cube) * after[1]
    tangents: NDArray[np.float64] = (cube - 2 * square + share) * before[2] + (cube - square) * after[0]
    return values + span * tangents


def _between_turns(before: NDArray[np.float64], after: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Return the quaternion on the shorter arc between two."""
    cosine = float(before @ after)
    after, cosine = (-after, -cosine) if cosine < 0 else (after, cosine)
    angle = float(np.arccos(min(cosine, 1.0)))
    if angle < 1e-6:
        mixed: NDArray[np.float64] = (1.0 - share) * before + share * after
        return mixed
    shares = np.sin((1.0 - share) * angle), np.sin(share * angle)
    turned: NDArray[np.float64] = (shares[0] * before + shares[1] * after) / np.sin(angle)
    return turned
