"""Shapes of smooth formulas: supershapes, pebbles, sea animals, shells, knots."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from meshset.geometry.mesh import Mesh
from meshset.geometry.samples._build import (
    Array,
    angles,
    ball,
    closed_grid,
    closed_tube,
    lathe,
    smooth_curve,
    sphere,
    tube,
)
from meshset.geometry.samples._registry import family


@family("supershape")
def supershape(rng: np.random.Generator) -> Mesh:
    """The product of two curves of Gielis' superformula (2003), one along latitude, one around."""
    latitude = np.linspace(-np.pi / 2, np.pi / 2, 81)
    upright = _superformula(latitude, int(rng.integers(2, 7)), rng)
    around = _superformula(angles(120), int(rng.integers(3, 11)), rng)
    profile = upright[:, None] * np.column_stack([np.cos(latitude), np.sin(latitude)])
    profile[[0, -1], 0] = 0
    return lathe(profile, 120, around)


@family("pebble")
def pebble(rng: np.random.Generator) -> Mesh:
    """A ball with bumps of every size, the larger the higher."""
    directions = sphere(5)
    height = np.zeros(len(directions.vertices))
    for scale in (1.5, 3, 6, 12):
        waves, phase = rng.normal(size=(3, 4)) * scale, rng.uniform(0, 2 * np.pi, 4)
        height += np.cos(directions.vertices @ waves + phase).sum(axis=1) * 0.12 / scale
    body = ball(np.exp(height), directions)
    return Mesh(body.vertices * rng.uniform(0.6, 1.2, 3), body.faces)


@family("starfish")
def starfish(rng: np.random.Generator) -> Mesh:
    """Five or more tapering arms, flattened, curled in their plane, with rows of knobs."""
    directions = sphere(5)
    x, y, z = directions.vertices.T
    azimuth, level = np.arctan2(y, x), np.hypot(x, y)
    arms, sharpness, reach = rng.integers(5, 9), rng.uniform(1.5, 4), rng.uniform(1.2, 2.2)
    ridge = (0.5 + 0.5 * np.cos(arms * azimuth)) ** sharpness
    radius = 0.5 + reach * ridge * level**3
    radius *= 1 + 0.05 * np.cos(rng.uniform(8, 14) * radius) * np.clip(z, 0, 1)
    body = ball(radius, directions)
    x, y, z = (body.vertices * [1, 1, rng.uniform(0.3, 0.6)]).T
    curl = rng.uniform(-0.35, 0.35) * np.hypot(x, y)
    cosine, sine = np.cos(curl), np.sin(curl)
    return Mesh(np.column_stack([x * cosine - y * sine, x * sine + y * cosine, z]), body.faces)


@family("urchin")
def urchin(rng: np.random.Generator) -> Mesh:
    """A ball with spines spread evenly over it."""
    directions = sphere(5)
    count = rng.integers(20, 70)
    height = 1 - (2 * np.arange(count) + 1) / count
    turn = np.arange(count) * np.pi * (3 - 5**0.5)
    level = np.sqrt(1 - height**2)
    tips = np.column_stack([level * np.cos(turn), level * np.sin(turn), height])
    nearest = (directions.vertices @ tips.T).max(axis=1)
    width = rng.uniform(0.8, 1.6) / count
    spine = np.exp((nearest - 1) / width)
    squash = np.array([1, 1, rng.uniform(0.6, 1)])
    body = ball(1 + rng.uniform(0.4, 1.1) * spine, directions)
    return Mesh(body.vertices * squash, body.faces)


@family("fish")
def fish(rng: np.random.Generator) -> Mesh:
    """A swimming fish: an oval body, back and belly fins, and an upright tail."""
    share = 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, 120))
    deep, wide = rng.uniform(0.22, 0.5), rng.uniform(0.14, 0.26)
    tail, fin = rng.uniform(0.3, 0.55), rng.uniform(0.2, 0.4)
    body = np.array([0, 0.65, 0.92, 1, 0.9, 0.65, 0.38])
    upright = _through([*deep * body, 0.08, 0.5 * tail, tail, 0], share)
    width = _through([*wide * body, 0.05, 0.035, 0.025, 0], share)
    fins = fin * np.exp(-(((share - rng.uniform(0.35, 0.5)) / 0.09) ** 4))
    around = angles(72)
    # High powers of the sine gather the fins into thin blades above and below.
    blade = np.abs(np.sin(around)) ** 12 * np.where(around < np.pi, 1, 0.6)
    y = width[:, None] * np.cos(around)
    z = upright[:, None] * np.sin(around) + fins[:, None] * blade * np.sign(np.sin(around))
    x = np.broadcast_to(2.4 * share[:, None], y.shape)
    swim = rng.uniform(-0.15, 0.15) * np.sin(rng.uniform(2, 4) * x) * x
    return closed_grid(np.stack([x, y + swim, z], axis=-1))


@family("shell")
def shell(rng: np.random.Generator) -> Mesh:
    """A ribbed horn on a logarithmic spiral whose whorls do not touch."""
    growth = np.log(rng.uniform(2.2, 3.0)) / (2 * np.pi)
    turn = np.linspace(-rng.uniform(2, 3.2) * 2 * np.pi, 0, 320)
    reach = np.exp(growth * turn)
    rise = rng.uniform(0, 1.6) * (1 - reach)
    spine = np.column_stack([reach * np.cos(turn), reach * np.sin(turn), rise])
    ribs = 1 + rng.uniform(0, 0.1) * np.cos(rng.uniform(8, 24) * turn)
    return tube(spine, rng.uniform(0.24, 0.33) * reach * ribs, 40)


@family("knot")
def knot(rng: np.random.Generator) -> Mesh:
    """A torus knot, plain or beaded."""
    around, through = ((2, 3), (3, 2), (2, 5), (3, 4), (2, 7), (3, 5))[rng.integers(6)]
    turn = angles(480)
    ring = 1 + rng.uniform(0.35, 0.5) * np.cos(through * turn)
    height = rng.uniform(0.35, 0.55) * np.sin(through * turn)
    spine = np.column_stack([ring * np.cos(around * turn), ring * np.sin(around * turn), height])
    beads = 1 + rng.uniform(0, 0.2) * np.cos(rng.integers(20, 60) * turn)
    return closed_tube(spine, rng.uniform(0.08, 0.13) * beads, 24)


def _superformula(angle: Array, symmetry: int, rng: np.random.Generator) -> Array:
    """Return the radius (N,) at every angle (N,), the largest of them 1."""
    main, first, second = rng.uniform(0.8, 4), rng.uniform(1, 5), rng.uniform(1, 5)
    cosine = np.abs(np.cos(symmetry * angle / 4)) ** first
    sine = np.abs(np.sin(symmetry * angle / 4)) ** second
    radius = (cosine + sine) ** (-1 / main)
    return np.asarray(radius / radius.max())


def _through(values: Sequence[float], share: Array) -> Array:
    """Return a smooth curve through evenly spaced `values` at `share` (N,) in [0, 1], nowhere negative."""
    dense = smooth_curve(np.reshape(values, (-1, 1)), 400)[:, 0]
    return np.maximum(np.interp(share, np.linspace(0, 1, 400), dense), 0)
