"""Machine parts: gears, plates, flanges, bricks, nuts, bolts, springs, chains, pipes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from meshset.geometry.mesh import Mesh
from meshset.geometry.samples._build import (
    Array,
    angles,
    closed_tube,
    hollow_tube,
    joined,
    lathe,
    polyline,
    tube,
)
from meshset.geometry.samples._registry import family
from meshset.geometry.samples._relief import bent_round, circle, raised, tiles, wheel


@family("gear")
def gear(rng: np.random.Generator) -> Mesh:
    """A spur, helical or herringbone gear with hub, thin web, windows between spokes, and a rim."""
    teeth, depth = int(rng.integers(10, 31)), rng.uniform(0.08, 0.16)
    size = 12 * teeth
    phase = np.arange(size) % 12 / 12
    outline = np.interp(phase, [0, 3 / 12, 5 / 12, 7 / 12, 9 / 12, 1], [0, 0, 1, 1, 0, 0]) * depth + 1 - depth
    bore, hub = rng.uniform(0.1, 0.18), rng.uniform(0.26, 0.34)
    rim = 1 - depth - rng.uniform(0.08, 0.15)
    radii = [bore, hub, hub + 0.06, rim - 0.06, rim, (rim + 1 - depth) / 2]
    unit = circle(1, size)
    plan, places = wheel(np.stack([*(radius * unit for radius in radii), outline[:, None] * unit]))
    ring, sector = places.T
    thick = rng.uniform(0.25, 0.5)
    web = thick * rng.uniform(0.15, 0.35)
    half = np.where((ring >= 1) & (ring <= 3), web, thick) / 2
    spokes = rng.choice([3, 4, 6])
    share = sector % (size // spokes) / (size / spokes)
    window = (ring == 2) & (share > 0.15) & (share < 0.85)
    body = raised(replace(plan, lower=np.where(window, half, -half), upper=half), step=thick / 6)
    slope = rng.choice([0.0, 1.0]) * rng.uniform(-0.8, 0.8)
    lift = body.vertices[:, 2] if rng.random() < 0.5 else np.abs(body.vertices[:, 2])
    return _turned(body, slope * lift)


@family("bracket")
def bracket(rng: np.random.Generator) -> Mesh:
    """A plate with holes, bosses and sunk holes, bent by up to a right angle and more."""
    across, before, after = rng.integers(2, 4), rng.integers(2, 4), rng.integers(1, 4)
    fold = rng.uniform(0.5, 0.9)
    angle = rng.uniform(0.4, 1.8)
    columns = np.cumsum([0, *np.ones(before), *np.full(6, fold / 6), *np.ones(after)])
    rows = np.arange(across + 1.0)
    flat = np.diff(columns) > 0.9
    sizes = np.where(flat[:, None], rng.uniform(0.25, 0.42, (len(flat), across)), 0.03)
    plan, places = tiles(columns, rows, np.stack([sizes, sizes * 0.6], axis=-1), segments=6)
    column, row, zone = places.T
    kind = rng.integers(0, 4, (len(flat), across)) * flat[:, None]
    kind[0, 0] = 1 + rng.integers(3)
    kinds, thick = kind[column, row], rng.uniform(0.1, 0.2)
    upper = np.full(len(zone), thick)
    upper[(kinds == 2) & (zone == 1)] = thick * rng.uniform(1.6, 3)
    upper[(kinds == 3) & (zone == 1)] = thick * rng.uniform(0.3, 0.7)
    upper[((kinds == 1) & (zone >= 1)) | ((kinds > 1) & (zone == 2))] = 0
    body = raised(replace(plan, upper=upper), step=thick)
    return Mesh(_bent(body.vertices.astype(np.float64), float(before), fold, angle), body.faces)


@family("flange")
def flange(rng: np.random.Generator) -> Mesh:
    """A round flange: a raised collar around the bore, and a circle of bolt holes, some of them on bosses."""
    bolts = rng.integers(4, 7)
    bore, wide = rng.uniform(0.3, 0.6), rng.uniform(0.3, 0.45)
    rows = np.array([bore, bore + 0.12, bore + 0.2, bore + 0.2 + wide])
    columns = np.linspace(0, 2 * np.pi, 2 * bolts + 1)
    # The holes are drawn on the strip that the flange would be if unrolled at their middle.
    middle = rows[2:].mean()
    room = min(np.diff(columns)[0] * middle, wide) / 2
    sizes = np.full((2 * bolts, 3, 2), [0.02, 0.01])
    sizes[::2, 2] = room * np.array([rng.uniform(0.75, 0.9), rng.uniform(0.4, 0.6)])
    plan, places = tiles(columns * middle, rows, sizes, segments=6)
    plan = bent_round(replace(plan, points=plan.points / [middle, 1]))
    column, row, zone = places.T
    thick = rng.uniform(0.08, 0.16)
    upper = np.full(len(zone), thick)
    upper[row == 0] = thick + rng.uniform(0.2, 0.8)
    bolt = (row == 2) & (column % 2 == 0)
    upper[bolt & (zone == 1)] = thick * rng.choice([0.5, 1.0, 1.5])
    upper[bolt & (zone == 2)] = 0
    return raised(replace(plan, upper=upper), step=0.1)


@family("brick")
def brick(rng: np.random.Generator) -> Mesh:
    """A toy building brick: studs on top, hollow below."""
    long, wide = rng.integers(2, 6), rng.integers(1, 4)
    wall, tall = rng.uniform(0.15, 0.25), rng.uniform(0.5, 1.6)
    columns = np.array([0, wall, *np.arange(1, long), long - wall, long], dtype=np.float64)
    rows = np.array([0, wall, *np.arange(1, wide), wide - wall, wide], dtype=np.float64)
    sizes = np.full((len(columns) - 1, len(rows) - 1, 2), [0.04, 0.02])
    stud = rng.uniform(0.2, 0.28)
    sizes[1:-1, 1:-1] = stud * np.array([1, 0.6])
    plan, places = tiles(columns, rows, sizes, segments=6)
    column, row, zone = places.T
    inner = (column > 0) & (column < long + 1) & (row > 0) & (row < wide + 1)
    upper = np.where(inner & (zone > 0), tall + rng.uniform(0.15, 0.3), tall)
    lower = np.where(inner, tall - rng.uniform(0.12, 0.2), 0)
    if rng.random() < 0.5:
        upper[inner & (zone == 2)] = tall + 0.06
    return raised(replace(plan, lower=lower, upper=upper), step=0.4)


@family("nut")
def nut(rng: np.random.Generator) -> Mesh:
    """A nut of four to eight sides with a threaded bore and cut corners."""
    sides, bore, tall = rng.choice([4, 6, 8]), rng.uniform(0.4, 0.6), rng.uniform(0.5, 1.0)
    unit, size = circle(1, 96), 96
    edge = _polygon(angles(size), sides)[:, None] * unit
    rings = [bore * unit, *(bore * unit * (1 - t) + edge * t for t in (0.2, 0.5, 0.8, 1))]
    plan, _ = wheel(np.stack(rings))
    body = raised(replace(plan, upper=np.full(len(plan.triangles), tall)), step=tall / 36)
    x, y, z = body.vertices.T
    radius, around = np.hypot(x, y), np.arctan2(y, x)
    turns = np.round(rng.uniform(4, 8))
    thread = 0.06 * _triangle(turns * z / tall - around / (2 * np.pi))
    radius = radius + np.where(np.isclose(radius, bore), thread, 0)
    cut = np.cos(np.pi / sides)
    corner = rng.uniform(0.3, 0.6) * np.maximum(radius - cut, 0)
    z = corner + z * (1 - 2 * corner / tall)
    return Mesh(np.column_stack([radius * np.cos(around), radius * np.sin(around), z]), body.faces)


@family("bolt")
def bolt(rng: np.random.Generator) -> Mesh:
    """A threaded bolt with a round or angular head, and a socket in it."""
    thick, long, head = rng.uniform(0.25, 0.4), rng.uniform(1.5, 2.8), rng.uniform(0.3, 0.5)
    plain, pitch = rng.uniform(0.05, 0.5), rng.uniform(0.12, 0.2)
    wide = thick * rng.uniform(1.7, 2.2)
    socket, floor = wide * rng.uniform(0.3, 0.5), long + head * rng.uniform(0.3, 0.6)
    top = long + head
    shaft = polyline([(0, 0), (thick * 0.8, 0), (thick, 0.1), (thick, long)], step=pitch / 7)
    collar = polyline([(thick, long), (wide * 0.93, long), (wide, long + 0.04)], step=0.08)[1:]
    cap = polyline([(wide, long + 0.04), (wide, top - 0.04), (wide * 0.93, top), (socket, top)], step=0.08)[1:]
    recess = polyline([(socket, top), (socket, floor), (0, floor - 0.05)], step=0.08)[1:]
    profile = np.concatenate([shaft, collar, cap, recess])
    around, rows = angles(72), np.arange(len(profile))[:, None]
    height = profile[:, 1:]
    fade = np.clip(height / 0.15, 0, 1) * np.clip((long - plain - height) / 0.15, 0, 1)
    thread = 1 - 0.16 * fade * _triangle(height / pitch - around / (2 * np.pi))
    # The last row of the cap is the rim of the socket, so it has the socket's shape.
    in_shaft, in_socket = rows < len(shaft), rows >= len(profile) - len(recess) - 1
    outside, inside = _polygon(around, rng.choice([0, 6])), _polygon(around, rng.choice([4, 6]))
    return lathe(profile, 72, np.where(in_shaft, thread, np.where(in_socket, inside, outside)))


@family("spring")
def spring(rng: np.random.Generator) -> Mesh:
    """A coil spring, straight, conical or barrel-shaped, its ends wound closer."""
    coils, wire = rng.uniform(4, 10), rng.uniform(0.07, 0.13)
    share = np.linspace(0, 1, int(40 * coils))
    turn = 2 * np.pi * coils * share
    shape = 1 + rng.uniform(-0.5, 0.5) * share + rng.uniform(-0.4, 0.4) * np.sin(np.pi * share)
    pitch = wire * (2.2 + rng.uniform(0.5, 3) * np.clip(np.minimum(share, 1 - share) * coils - 0.8, 0, 1))
    height = np.cumsum(pitch) * coils / len(share)
    return tube(np.column_stack([shape * np.cos(turn), shape * np.sin(turn), height]), wire, 20)


@family("chain")
def chain(rng: np.random.Generator) -> Mesh:
    """A chain of separate links, each turned against the one before."""
    wire, half, bend = rng.uniform(0.12, 0.2), rng.uniform(0.5, 0.9), rng.uniform(0.4, 0.5)
    arc = np.linspace(-np.pi / 2, np.pi / 2, 25)
    straight = np.linspace(half, -half, 17)[1:-1]
    right = np.column_stack([half + bend * np.cos(arc), bend * np.sin(arc)])
    top = np.column_stack([straight, np.full_like(straight, bend)])
    flat = np.concatenate([right, top, -right, -top])
    spine = np.column_stack([flat, np.zeros(len(flat))])
    apart = 2 * (half + bend) - rng.uniform(2.1, 2.3) * wire
    links, roll = [], 0.0
    for number in range(rng.integers(2, 7)):
        cosine, sine = np.cos(roll), np.sin(roll)
        turn = np.array([[1, 0, 0], [0, cosine, sine], [0, -sine, cosine]])
        link = closed_tube(spine @ turn, wire, 18)
        links.append(Mesh(link.vertices + np.array([number * apart, 0, 0]), link.faces))
        roll += np.pi / 2 + rng.uniform(-0.3, 0.3)
    return joined(links)


@family("pipe")
def pipe(rng: np.random.Generator) -> Mesh:
    """A bent pipe with a flange at either end."""
    wide = rng.uniform(0.2, 0.35)
    spine = _elbows(rng, bend=rng.uniform(0.9, 1.3))
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(spine, axis=0), axis=1))])
    to_end = np.minimum(length, length[-1] - length)
    outer = np.where(to_end < rng.uniform(0.08, 0.2), wide * rng.uniform(1.4, 1.8), wide)
    if rng.random() < 0.5:
        ribs = _triangle(length / rng.uniform(0.12, 0.3))
        outer = outer + 0.15 * wide * ribs * (to_end > 0.4)
    return hollow_tube(spine, outer, np.full(len(spine), wide * rng.uniform(0.6, 0.85)), 26)


def _elbows(rng: np.random.Generator, bend: float) -> Array:
    """Return a curve (N, 3) of straights and two or three arcs of radius `bend`, in steps of about 0.03."""
    place, heading = np.zeros(3), np.array([1.0, 0, 0])
    normal = np.array([0, 0, 1.0])
    points = [place]
    for _ in range(rng.integers(2, 4)):
        steps = int(rng.uniform(0.5, 1.2) / 0.03)
        points += [place + 0.03 * (i + 1) * heading for i in range(steps)]
        place = points[-1]
        centre, sweep = place + bend * normal, rng.uniform(0.6, 1.5)
        for turn in np.linspace(0, sweep, int(sweep * bend / 0.03))[1:]:
            points.append(centre - bend * (np.cos(turn) * normal - np.sin(turn) * heading))
        heading, inward = (
            np.cos(sweep) * heading + np.sin(sweep) * normal,
            np.cos(sweep) * normal - np.sin(sweep) * heading,
        )
        place, roll = points[-1], rng.uniform(-np.pi / 2, np.pi / 2)
        normal = np.cos(roll) * inward + np.sin(roll) * np.cross(heading, inward)
    points += [place + 0.03 * (i + 1) * heading for i in range(20)]
    return np.array(points)


def _turned(mesh: Mesh, angle: Array) -> Mesh:
    """Turn every vertex of `mesh` about the z axis by its own `angle` (V,)."""
    x, y, z = mesh.vertices.T
    cosine, sine = np.cos(angle), np.sin(angle)
    return Mesh(np.column_stack([x * cosine - y * sine, x * sine + y * cosine, z]), mesh.faces)


def _bent(vertices: Array, start: float, length: float, angle: float) -> Array:
    """Bend a plate upward by `angle` over the stretch of x from `start` to `start + length`."""
    x, y, z = vertices.T
    radius = length / angle
    turn = np.clip((x - start) / length, 0, 1) * angle
    beyond = np.maximum(x - start - length, 0)
    along = np.minimum(x, start) + (radius - z) * np.sin(turn) + beyond * np.cos(turn)
    up = radius - (radius - z) * np.cos(turn) + beyond * np.sin(turn)
    return np.column_stack([along, y, up])


def _polygon(angle: Array, sides: int) -> Array:
    """Return the radius (N,) of a regular polygon with corners at radius 1; of the circle for 0 sides."""
    if sides == 0:
        return np.ones_like(angle)
    part = 2 * np.pi / sides
    return np.asarray(np.cos(part / 2) / np.cos(angle % part - part / 2))


def _triangle(turns: Array) -> Array:
    """Return a triangle wave between 0 and 1 of period 1."""
    return np.asarray(np.abs(2 * (turns % 1) - 1))
