"""Shapes blended from capsules, and other implicit surfaces: animals, figures, corals, gyroids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from meshset.geometry.mesh import Mesh
from meshset.geometry.samples._build import Array
from meshset.geometry.samples._implicit import implicit
from meshset.geometry.samples._registry import family


@dataclass
class Body:
    """Capsules that melt into one another.

    Attributes:
        blend: how far a joint is filled, in units of length.
        limbs: of every capsule the two ends (3,) and the radii there.
    """

    blend: float
    limbs: list[tuple[Array, Array, float, float]]

    def add(self, start: ArrayLike, end: ArrayLike, first: float, second: float) -> Array:
        """Add a capsule of radius `first` at `start` and `second` at `end`; return `end` (3,)."""
        tip = np.asarray(end, dtype=np.float64)
        self.limbs.append((np.asarray(start, dtype=np.float64), tip, first, second))
        return tip

    def pair(self, start: ArrayLike, end: ArrayLike, first: float, second: float) -> None:
        """Add a capsule and its mirror image across the plane y = 0."""
        mirror = np.array([1, -1, 1])
        self.add(start, end, first, second)
        self.add(np.multiply(start, mirror), np.multiply(end, mirror), first, second)

    def value(self, points: Array) -> Array:
        """Return about the distance from `points` (N, 3) to the surface, (N,), negative inside."""
        total = np.zeros(len(points))
        for start, end, first, second in self.limbs:
            axis = end - start
            along = np.clip((points - start) @ axis / np.maximum(axis @ axis, 1e-12), 0, 1)
            away = np.linalg.norm(points - start - along[:, None] * axis, axis=1)
            total += np.exp(np.minimum((first + along * (second - first) - away) / self.blend, 300))
        return np.asarray(-self.blend * np.log(np.maximum(total, 1e-300)))

    def mesh(self, cells: int) -> Mesh:
        """Return the surface, with `cells` cubes along its longest side."""
        ends = np.array([end for start, tip, _, _ in self.limbs for end in (start, tip)])
        margin = max(max(first, second) for _, _, first, second in self.limbs) + 2 * self.blend
        return implicit(self.value, ends.min(axis=0) - margin, ends.max(axis=0) + margin, cells)


@family("quadruped")
def quadruped(rng: np.random.Generator) -> Mesh:
    """An animal on four legs: from dachshund to giraffe, in mid-step, with ears, snout and tail."""
    long, tall, stout = rng.uniform(0.9, 1.9), rng.uniform(0.5, 1.4), rng.uniform(0.22, 0.38)
    body = Body(0.05, [])
    body.add((0, 0, tall), (long, 0, tall + rng.uniform(-0.1, 0.15)), stout, stout * rng.uniform(0.8, 1.1))
    for front, place in ((0, 0.0), (1, long)):
        for side in (-1, 1):
            step = rng.uniform(-0.3, 0.3)
            hip = np.array([place, side * stout * 0.7, tall - 0.1])
            bend = 0.1 if front else -0.1
            knee = body.add(hip, np.add(hip, [step / 2 + bend, 0.03 * side, -(tall - 0.1) / 2]), stout * 0.5, 0.11)
            foot = body.add(knee, [hip[0] + step, hip[1] + 0.05 * side, 0.0], 0.11, 0.08)
            body.add(foot, np.add(foot, [0.12, 0, -0.01]), 0.09, 0.07)
    throat = np.array([long, 0, tall + 0.1])
    neck = [rng.uniform(0.15, 0.5), 0, rng.uniform(0.2, 1.0)]
    head = body.add(throat, throat + neck, stout * 0.7, 0.16)
    snout = rng.uniform(0.2, 0.5)
    body.add(head, np.add(head, [snout, 0, -snout * rng.uniform(0.2, 0.7)]), 0.19, rng.uniform(0.07, 0.13))
    ear = rng.uniform(0.15, 0.45)
    tip = np.add(head, [-0.1, 0.1 + ear * rng.uniform(0.1, 0.8), 0.1 + ear])
    body.pair(np.add(head, [-0.05, 0.1, 0.1]), tip, 0.07, 0.04)
    rump = np.array([0, 0, tall + 0.1])
    tail = body.add(rump, np.add(rump, [-rng.uniform(0.2, 0.5), 0, rng.uniform(-0.3, 0.4)]), 0.1, 0.06)
    body.add(tail, np.add(tail, [-0.25, rng.uniform(-0.2, 0.2), rng.uniform(-0.1, 0.3)]), 0.06, 0.045)
    return body.mesh(cells=72)


@family("figure")
def figure(rng: np.random.Generator) -> Mesh:
    """A standing person in a random pose."""
    body = Body(0.035, [])
    body.add((0, 0, 1.0), (0, 0, 1.3), rng.uniform(0.14, 0.2), 0.15)
    chest = body.add((0, 0, 1.3), (0.02, 0, 1.5), 0.15, rng.uniform(0.15, 0.19))
    skull = body.add(chest, np.add(chest, [0.03, rng.uniform(-0.05, 0.05), 0.36]), 0.07, 0.07)
    body.add(skull, np.add(skull, [0.02, 0, 0.06]), 0.125, 0.12)
    body.pair(np.add(chest, [0, 0.05, 0.05]), np.add(chest, [0, 0.2, 0.05]), 0.09, 0.085)
    for side in (-1, 1):
        swing, spread, bend = rng.uniform(-0.8, 0.8), rng.uniform(0.15, 1.5), rng.uniform(0, 1.4)
        shoulder = np.add(chest, [0, 0.22 * side, 0.05])
        elbow = body.add(shoulder, shoulder + 0.3 * _heading(swing, spread * side), 0.075, 0.055)
        body.add(elbow, elbow + 0.32 * _heading(swing + bend, spread * side), 0.055, 0.045)
        stride, apart, fold = rng.uniform(-0.5, 0.6), rng.uniform(0.02, 0.3), rng.uniform(0, 0.7)
        hip = np.array([0, 0.1 * side, 0.95])
        knee = body.add(hip, hip + 0.45 * _heading(stride, apart * side), 0.115, 0.075)
        ankle = body.add(knee, knee + 0.45 * _heading(stride - fold, apart * side), 0.075, 0.055)
        body.add(ankle, np.add(ankle, [0.17, 0.02 * side, -0.02]), 0.06, 0.045)
    return body.mesh(cells=80)


@family("coral")
def coral(rng: np.random.Generator) -> Mesh:
    """A branching coral: the stem splits into three, every branch into two thinner ones, three times."""
    body = Body(0.03, [])
    root = body.add((0, 0, 0), (0, 0, 0.5), 0.2, 0.15)
    spread, shrink = rng.uniform(0.5, 0.9), rng.uniform(0.74, 0.86)
    tips = [(root, np.array([0.0, 0.0, 1.0]), 0.14, 0.5)]
    for count in (3, 2, 2, 2):
        tips = [branch for tip in tips for branch in _branches(body, rng, tip, count, spread, shrink)]
    return body.mesh(cells=72)


@family("gyroid")
def gyroid(rng: np.random.Generator) -> Mesh:
    """A ball, egg or box filled with a gyroid lattice (Schoen 1970)."""
    waves, thick = rng.uniform(3.5, 5.0), rng.uniform(0.6, 0.9)
    shift, power = rng.uniform(0, 2 * np.pi, 3), rng.uniform(2, 8)
    stretch = rng.uniform(0.7, 1.0, 3)

    def value(points: Array) -> Array:
        x, y, z = (points * waves + shift).T
        sheet = np.abs(np.sin(x) * np.cos(y) + np.sin(y) * np.cos(z) + np.sin(z) * np.cos(x)) - thick
        hull = (np.abs(points / stretch) ** power).sum(axis=1) ** (1 / power) - 1
        return np.asarray(np.maximum(sheet / (1.5 * waves), hull))

    return implicit(value, -1.05 * stretch, 1.05 * stretch, cells=36)


def _branches(
    body: Body,
    rng: np.random.Generator,
    tip: tuple[Array, Array, float, float],
    count: int,
    spread: float,
    shrink: float,
) -> list[tuple[Array, Array, float, float]]:
    """Grow `count` branches from `tip` (place, direction, radius, length) and return their tips."""
    place, direction, radius, length = tip
    across = np.cross(direction, np.eye(3)[np.abs(direction).argmin()])
    across /= np.linalg.norm(across)
    other = np.cross(direction, across)
    start = rng.uniform(0, 2 * np.pi)
    grown = []
    for turn in start + 2 * np.pi * np.arange(count) / count:
        aim = direction + spread * (np.cos(turn) * across + np.sin(turn) * other) + [0, 0, 0.15]
        aim /= np.linalg.norm(aim)
        end = body.add(place, place + length * aim, radius, radius * shrink)
        grown.append((end, aim, radius * shrink, length * shrink * rng.uniform(0.8, 1.1)))
    return grown


def _heading(forward: float, sideways: float) -> Array:
    """Return the unit vector that points down, turned forward and to the side by two angles in radians."""
    down = np.cos(forward) * np.cos(sideways)
    return np.array([np.sin(forward) * np.cos(sideways), np.sin(sideways), -down])
