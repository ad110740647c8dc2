"""Shapes from the lathe: vases, bottles, chess pieces, bells."""

from __future__ import annotations

import numpy as np

from meshset.geometry.mesh import Mesh
from meshset.geometry.samples._build import Array, angles, lathe, smooth_curve
from meshset.geometry.samples._registry import family


@family("vase")
def vase(rng: np.random.Generator) -> Mesh:
    """A hollow vase of random belly and neck, with flutes that may spiral."""
    height = rng.uniform(2, 3.5)
    knots = np.column_stack([rng.uniform(0.45, 1.1, 6), np.linspace(0, height, 6)])
    outer = smooth_curve(knots, 70)
    profile = _hollow(outer, wall=rng.uniform(0.06, 0.12))
    share = profile[:, 1:] / height
    flutes, depth, spiral = rng.integers(0, 16), rng.uniform(0.02, 0.09), rng.uniform(-3, 3)
    waves = np.cos(flutes * angles(96) + spiral * share * 2)
    return lathe(profile, 96, 1 + depth * np.sin(np.pi * np.clip(share, 0, 1)) * waves)


@family("bottle")
def bottle(rng: np.random.Generator) -> Mesh:
    """A bottle with a neck, rings around it, and a body between round and square."""
    body, neck = rng.uniform(0.6, 1.0), rng.uniform(0.18, 0.32)
    shoulder, top = rng.uniform(1.3, 2.2), rng.uniform(2.9, 3.6)
    knots = [(body * 0.92, 0), (body, 0.2), (body, 0.7), (body, shoulder - 0.2)]
    knots += [(body * 0.85, shoulder + 0.1), (neck * 1.3, shoulder + 0.35), (neck, shoulder + 0.5)]
    knots += [(neck, top - 0.1), (neck * 1.05, top)]
    outer = smooth_curve(knots, 110)
    rings = rng.integers(1, 5)
    on_neck = np.clip((outer[:, 1] - shoulder - 0.5) / (top - shoulder - 0.5), 0, 1)
    outer[:, 0] += 0.05 * np.sin(np.pi * rings * on_neck) ** 2
    profile = _hollow(outer, wall=0.4 * neck)
    share = np.clip((shoulder - profile[:, 1:]) / 0.8, 0, 1) * rng.uniform(0, 0.8)
    power = rng.uniform(2.5, 6)
    around = angles(60)
    square = (np.abs(np.cos(around)) ** power + np.abs(np.sin(around)) ** power) ** (-1 / power)
    return lathe(profile, 60, 1 + share * (square - 1))


@family("chess")
def chess(rng: np.random.Generator) -> Mesh:
    """A piece of a chess set: base, mouldings, a slender body, and a ball, cone or crown on top."""
    outline = [np.array([(0.0, 0.0), (0.95, 0.0)])]
    height, radius = 0.0, 0.95
    for _ in range(rng.integers(2, 5)):
        rise = rng.uniform(0.1, 0.28)
        outline.append(_bead(height, radius, rise, bulge=rng.uniform(0.04, 0.14)))
        height, radius = height + rise, radius * rng.uniform(0.78, 0.92)
    waist, rise = radius * rng.uniform(0.4, 0.6), rng.uniform(0.9, 2.0)
    middle = (waist * 1.1, height + rise * 0.6)
    outline.append(smooth_curve([(radius, height), middle, (waist, height + rise)], 40))
    height += rise
    outline.append(_bead(height, waist * 1.2, 0.15, bulge=0.25))
    height += 0.15
    outline.append(_finial(rng, height, waist))
    profile = np.concatenate(outline)
    profile[-1, 0] = 0
    return lathe(profile, 72)


@family("jelly")
def jelly(rng: np.random.Generator) -> Mesh:
    """The bell of a jellyfish: a thin dome with a ruffled rim."""
    turn = np.linspace(np.pi * rng.uniform(0.55, 0.7), 0, 60)
    tall = rng.uniform(0.7, 1.4)
    outer = np.column_stack([np.sin(turn), tall * np.cos(turn)])
    inner = outer[::-1] * rng.uniform(0.75, 0.88) - [0, 0.03]
    profile = np.concatenate([inner, outer])
    profile[[0, -1], 0] = 0
    rim = np.clip(1 - (profile[:, 1:] - profile[:, 1].min()) / tall, 0, 1) ** 2
    lobes, depth = rng.integers(5, 14), rng.uniform(0.06, 0.2)
    around = angles(120)
    second = rng.uniform(0, 0.06) * np.cos((lobes + 3) * around + rng.uniform(0, 6))
    return lathe(profile, 120, 1 + rim * (depth * np.cos(lobes * around) + second))


def _hollow(outer: Array, wall: float) -> Array:
    """Return the profile of a vessel: foot, `outer` (N, 2) upward, lip, and inside down to the floor."""
    inner = outer[::-1] - [wall, 0]
    inner = inner[inner[:, 1] > wall]
    foot = np.linspace(0, 1, 8)[:-1, None] * outer[0]
    lip = (outer[-1:] + inner[:1]) / 2 + [0, wall / 3]
    floor = np.column_stack([np.linspace(1, 0, 8) * inner[-1, 0], np.full(8, wall)])
    return np.concatenate([foot, outer, lip, inner, floor])


def _bead(height: float, radius: float, rise: float, bulge: float) -> Array:
    """Return a half round moulding (11, 2) that begins just above `height`."""
    turn = np.linspace(0, np.pi, 11)
    share = 0.04 + 0.46 * (1 - np.cos(turn))
    return np.column_stack([radius + bulge * np.sin(turn), height + rise * share])


def _finial(rng: np.random.Generator, height: float, waist: float) -> Array:
    """Return the top of a piece (N, 2), from just above `height` to the axis."""
    share = np.linspace(0.02, 1, 40)
    size = rng.uniform(0.35, 0.55)
    kind = rng.integers(3)
    if kind == 0:
        turn = np.arcsin(min(waist / size, 1) * 0.8) + share * (np.pi - np.arcsin(min(waist / size, 1) * 0.8))
        return np.column_stack([size * np.sin(turn), height + 0.02 + size * (np.cos(turn[0]) - np.cos(turn))])
    if kind == 1:
        swell = waist + (size - waist) * np.sin(np.pi * np.minimum(share * 1.4, 1)) ** 2
        return np.column_stack([swell * np.sqrt(1 - share**2), height + 2.2 * size * share])
    crown = smooth_curve([(waist, 0.02), (waist * 1.1, 0.4), (size, 0.9), (size * 0.7, 0.92), (0, 1.0)], 40)
    return crown * [1, 2 * size] + [0, height]
