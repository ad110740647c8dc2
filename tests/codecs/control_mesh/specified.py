"""A reader of control meshes that knows nothing but docs/SPEC.md: no line of it is shared with the codec."""

from __future__ import annotations

import math
import struct
from collections import deque
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
TABLES = ROOT / "src" / "meshset" / "codecs" / "control_mesh" / "tables.bin"
MORE, LARGE, HOLE, DEPTH, BEFORE, COPY, JUMP, NEAR, LENGTH, REST, SIGN, CREASE = (
    *(144, 145, 177, 209, 241, 273),
    *(274, 306, 338, 3218, 3410, 3431),
)


class Bits:
    """Decisions, even numbers, symbols and numbers."""

    def __init__(self, data: bytes) -> None:
        data += bytes(-len(data) % 4)
        self.words = deque(word for (word,) in struct.iter_unpack(">I", data))
        self.range, self.point = 2**64 - 1, (self._word() << 32) + self._word()
        table = TABLES.read_bytes()
        self.weights = [struct.unpack_from("<13h", table, 26 * part) for part in range(3)]
        self.p = list(struct.unpack_from("<3434H", table, 78))
        self.s = list(table[78 + 2 * 3434 :])

    def _word(self) -> int:
        return self.words.popleft() if self.words else 0

    def _take(self, frequencies: list[int]) -> int:
        part = self.range // 2**24
        below = self.point // part
        assert below < 2**24
        value = 0
        while below >= frequencies[value]:
            below -= frequencies[value]
            self.point -= part * frequencies[value]
            value += 1
        self.range = part * frequencies[value]
        if self.range < 2**32:
            self.range *= 2**32
            self.point = self.point * 2**32 + self._word()
        return value

    def even(self, n: int) -> int:
        each = 2**24 // n
        return 0 if n == 1 else self._take([each] * (n - 1) + [2**24 - each * (n - 1)])

    def decision(self, context: int) -> int:
        p, s = self.p[context], self.s[context]
        q = min(max(p // 16, 1), 4095)
        found = self._take([2**24 - 2**12 * q, 2**12 * q])
        self.p[context] = p + (2**16 - p) // (s + 1) if found else p - p // (s + 1)
        self.s[context] = min(s + 1, max(s, 60))
        return found

    def symbol(self, table: int) -> int:
        node = 1
        for _ in range(4):
            node = 2 * node + self.decision(16 * table + node)
        return node - 16

    def number(self, context: int) -> int:
        b = 0
        while self.decision(context + b):
            b += 1
        value = 1
        for _ in range(b):
            value = 2 * value + self.even(2)
        return value - 1


class Node:
    def __init__(self, vertex: int, free: int, inner: int) -> None:
        self.vertex, self.free, self.inner = vertex, free, inner
        self.before: Any = self
        self.after: Any = self


def loop(node: Node) -> list[Node]:
    nodes, one = [node], node.after
    while one is not node:
        nodes.append(one)
        one = one.after
    return nodes


def join(first: Node, second: Node) -> None:
    first.after, second.before = second, first


class Surface:
    """Faces, opposite half-edges and valences."""

    def __init__(self, bits: Bits) -> None:
        self.bits = bits
        self.faces: list[tuple[int, int, int]] = []
        self.opposite: dict[int, int] = {}
        self.valence: list[int] = []
        self.hole: list[bool] = []
        while not self.valence or bits.decision(MORE):
            self._component()

    def _vertex(self, symbol: int) -> int:
        self.hole.append(symbol == 2)
        self.valence.append(symbol if 3 <= symbol <= 14 else self.bits.number(HOLE if symbol == 2 else LARGE))
        return len(self.valence) - 1

    def _face(self, *corners: int) -> int:
        self.faces.append(corners)  # type: ignore[arg-type]
        return 3 * len(self.faces) - 3

    def _glue(self, one: int, other: int) -> None:
        self.opposite[one], self.opposite[other] = other, one

    def _component(self) -> None:
        a, b, c = (self._vertex(self.bits.symbol(4)) for _ in range(3))
        face = self._face(a, b, c)
        nodes = [Node(vertex, self.valence[vertex] - 2, face + k) for vertex, k in ((a, 2), (c, 1), (b, 0))]
        for k in range(3):
            join(nodes[k - 1], nodes[k])
        self.stack = [nodes[0]]
        while self.stack:
            node: Node | None = min(loop(self.stack.pop()), key=lambda one: one.free)
            while node:
                node = self._step(node)

    def _level(self, node: Node) -> int:
        return 0 if self.valence[node.vertex] < 6 else 1 if self.valence[node.vertex] == 6 else 2

    def _step(self, n: Node) -> Node | None:
        m = n.after
        if n.free == 0:
            return self._close(n)
        if m.free == 0:
            return n if self._close(m) else None
        symbol = self.bits.symbol(3 * self._level(n) + self._level(m))
        if symbol > 1:
            x = self._vertex(symbol)
            n.free, m.free = n.free - 1, m.free - 1
            face = self._face(n.vertex, m.vertex, x)
            self._glue(face, n.inner)
            new = Node(x, self.valence[x] - 2, face + 1)
            join(n, new)
            join(new, m)
            n.inner = face + 2
            return n
        if symbol:
            place = -1 - self.bits.number(DEPTH)
            found = loop(self.stack.pop(place))
        else:
            found = loop(m)[1:-1]
        found = [one for one in found if one.free >= 2]
        w = found[self.bits.even(len(found))]
        k = self.bits.number(BEFORE)
        n.free, m.free = n.free - 1, m.free - 1
        face = self._face(n.vertex, m.vertex, w.vertex)
        self._glue(face, n.inner)
        other = Node(w.vertex, w.free - 2 - k, face + 1)
        join(w.before, other)
        join(other, m)
        w.free = k
        join(n, w)
        n.inner = face + 2
        if not symbol:
            self.stack.append(other)
        return n

    def _close(self, n: Node) -> Node | None:
        p, q = n.before, n.after
        face = self._face(p.vertex, n.vertex, q.vertex)
        self._glue(face, p.inner)
        self._glue(face + 1, n.inner)
        if q.after is p and p.free == q.free == 0:
            self._glue(face + 2, q.inner)
            return None
        p.free, q.free = p.free - 1, q.free - 1
        join(p, q)
        p.inner = face + 2
        return p if p.free < q.free else q


def log(value: float) -> float:
    m, q = math.frexp(value)
    return (q - 2) + 2 * m


def rounded(value: float) -> float:
    return float(min(max(math.floor(value + 0.5), -(2**22)), 2**22))


class Positions:
    """Where vertices are, and of which each is a copy."""

    def __init__(self, bits: Bits, surface: Surface, normal: float, plane: float, copies: bool) -> None:
        self.bits, self.surface, self.N, self.P = bits, surface, normal, plane
        self.at: dict[int, tuple[float, ...]] = {}
        self.residual: dict[int, tuple[int, ...]] = {}
        self.same = list(range(len(surface.valence)))
        self.last = (0.0, 0.0, 0.0)
        self.copies, self.own = copies, []  # type: ignore[var-annotated]
        self.real = [k for k, face in enumerate(surface.faces) if not any(surface.hole[v] for v in face)]
        self.around: dict[int, list[int]] = {}
        for face in self.real:
            for vertex in surface.faces[face]:
                self.around.setdefault(vertex, []).append(face)
        self.triples: dict[int, list[tuple[int, int, int]]] = {}
        self.queues: list[deque[int]] = [deque() for _ in range(5)]
        for face in self.real:
            for k in range(3):
                v = surface.faces[face]
                if v[k] not in self.at:
                    near = next((one for one in (v[k - 1], v[k - 2]) if one in self.at), None)
                    self._place(v[k], near)
            while any(self.queues):
                w = next(queue for queue in reversed(self.queues) if queue).popleft()
                if w not in self.at:
                    self._place(w, None)

    def _place(self, vertex: int, near: int | None) -> None:
        if self.copies and self.own and self.bits.decision(COPY):
            self.same[vertex] = self.own[self.bits.even(len(self.own))]
            self.at[vertex] = self.at[self.same[vertex]]
        else:
            self.at[vertex] = self._residual(vertex) if vertex in self.triples else self._free(near)
            self.own.append(vertex)
        for face in self.around[vertex]:
            v = self.surface.faces[face]
            if all(one in self.at for one in v):
                for k in range(3):
                    across = self.surface.opposite[3 * face + k]
                    w = self.surface.faces[across // 3][(across % 3 + 2) % 3]
                    if w not in self.at and not self.surface.hole[w]:
                        self.triples.setdefault(w, []).append((v[k], v[(k + 1) % 3], v[(k + 2) % 3]))
                        self.queues[min(len(self.triples[w]), 4)].append(w)

    def _free(self, near: int | None) -> tuple[float, ...]:
        start, found = self.last if near is None else self.at[near], []
        for k in range(3):
            number = self.bits.number(JUMP if near is None else NEAR)
            if number and self.bits.even(2):
                number = -number
            found.append(rounded(start[k] + number * self.N))
        if near is None:
            self.last = tuple(found)  # type: ignore[assignment]
        return tuple(found)

    def _residual(self, vertex: int) -> tuple[float, ...]:
        triples = self.triples[vertex]
        t = len(triples)
        flat = [[self.at[x][k] + self.at[y][k] - self.at[z][k] for k in range(3)] for x, y, z in triples]
        centre = [sum(one[k] for one in flat) / t for k in range(3)]
        a, b, c = (self.at[one] for one in triples[0])
        u, v = [b[k] - a[k] for k in range(3)], [c[k] - a[k] for k in range(3)]
        n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
        length, area = (math.sqrt((w[0] * w[0] + w[1] * w[1]) + w[2] * w[2]) for w in (u, n))
        if length == 0 or area == 0:
            n, e, g, height = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], 0.0
        else:
            n, e, height = [w / area for w in n], [w / length for w in u], area / length
            g = [n[1] * e[2] - n[2] * e[1], n[2] * e[0] - n[0] * e[2], n[0] * e[1] - n[1] * e[0]]
        known = [self.residual[one] for one in triples[0] if one in self.residual]
        d = 0.0
        if t > 1:
            for one in flat:
                for k in range(3):
                    d += abs(one[k] - centre[k])
            d /= t
        f = [log(1 + length / self.N), log(1 + height / self.N)]
        f += [log(1 + sum(abs(one[k]) for one in known) / len(known)) if known else 0.0 for k in range(3)]
        f += [float(bool(known)), log(1 + d / self.N), float(t > 1), float(t > 2)]
        f += [float(abs(self.surface.valence[vertex] - 6)), 0.0, 0.0, 1.0]
        degree, parts = min(t, 3) - 1, []
        for p in range(3):
            total = 0.0
            for weight, feature in zip(self.bits.weights[p], f, strict=True):
                total += weight * feature
            kind = min(max(math.floor(total / 32) + 4, 0), 19)
            first, places = LENGTH + 16 * ((3 * p + degree) * 20 + kind), 0
            while self.bits.decision(first + min(places, 15)):
                places += 1
            value = 1
            for _ in range(min(places, 2)):
                value = 2 * value + self.bits.decision(REST + 4 * (16 * p + min(places, 15)) + value)
            low = 2 ** max(places - 2, 0)
            value = low * value + self.bits.even(low)
            value -= 1
            if value:
                sign = sum((one[0] > 0) - (one[0] < 0) for one in known)
                if self.bits.decision(SIGN + 3 + sign if p == 0 else SIGN + 7 * p + degree):
                    value = -value
            parts.append(value)
            if p < 2:
                f[10 + p] = log(1.0 + abs(value))
        i, j, k = parts[0] * self.N, parts[1] * self.P, parts[2] * self.P
        self.residual[vertex] = tuple(parts)
        return tuple(rounded(centre[x] + ((i * n[x] + j * e[x]) + k * g[x])) for x in range(3))


Mesh = tuple[list[tuple[int, ...]], list[tuple[int, ...]]]


def edges_of(faces: list[tuple[int, ...]]) -> dict[tuple[int, int], list[int]]:
    """Return the edges in their order, each with the third corners of its faces."""
    found: dict[tuple[int, int], list[int]] = {}
    for v in faces:
        for k in range(3):
            a, b = sorted((v[k], v[(k + 1) % 3]))
            found.setdefault((a, b), []).append(v[(k + 2) % 3])
    return dict(sorted(found.items()))


def subdivided(mesh: Mesh, creases: set[tuple[int, int]]) -> tuple[Mesh, set[tuple[int, int]]]:
    points, faces = mesh
    edges = edges_of(faces)
    creases = creases | {edge for edge, third in edges.items() if len(third) != 2}
    number = {edge: len(points) + k for k, edge in enumerate(edges)}
    sums: list[tuple[int, dict[int, int]]] = []
    ring: list[list[int]] = [[] for _ in points]
    along: list[list[int]] = [[] for _ in points]
    for edge in edges:
        for one, other in (edge, edge[::-1]):
            ring[one].append(other)
            if edge in creases:
                along[one].append(other)
    for v in range(len(points)):
        k = len(ring[v])
        if k and len(along[v]) < 2:
            sums.append((16 if k == 3 else 8 * k, {v: 7 if k == 3 else 5 * k} | dict.fromkeys(ring[v], 3)))
        elif len(along[v]) == 2:
            sums.append((8, {v: 6} | dict.fromkeys(along[v], 1)))
        else:
            sums.append((1, {v: 1}))
    for edge, third in edges.items():
        if edge in creases:
            sums.append((2, dict.fromkeys(edge, 1)))
        else:
            shares = dict.fromkeys(edge, 3)
            for one in third:
                shares[one] = shares.get(one, 0) + 1
            sums.append((8, shares))
    finer = [
        tuple((2 * sum(share * points[v][k] for v, share in shares.items()) + w) // (2 * w) for k in range(3))
        for w, shares in sums
    ]
    middle = [[number[min(v[k], v[k - 2]), max(v[k], v[k - 2])] for k in range(3)] for v in faces]
    parts = [[(v[k], m[k], m[k - 1]) for v, m in zip(faces, middle, strict=True)] for k in range(3)]
    halves = {(end, number[edge]) for edge in creases for end in edge}
    return (finer, [*parts[0], *parts[1], *parts[2], *map(tuple, middle)]), halves


def read(data: bytes) -> Mesh:
    """Return the whole-number points and the faces of the surface of a payload."""
    bits = Bits(data)
    levels, has_creases, copies, c, r, n = (bits.even(below) for below in (4, 2, 2, 256, 16, 32))
    vertices = bits.even(2 ** min(n - 1, 16))
    vertices += (bits.even(2 ** max(n - 17, 0)) << 16) + (1 << (n - 1))
    normal = (16 + c % 16) * 2 ** (c // 16) / 16
    surface = Surface(bits)
    assert len(surface.valence) == vertices
    positions = Positions(bits, surface, normal, normal * (r + 2) / 2, bool(copies))
    faces = [tuple(positions.same[v] for v in surface.faces[face]) for face in positions.real]
    used = sorted({v for face in faces for v in face})
    place = {v: k for k, v in enumerate(used)}
    mesh: Mesh = [tuple(map(int, positions.at[v])) for v in used], [tuple(place[v] for v in face) for face in faces]
    creases: set[tuple[int, int]] = set()
    if has_creases:
        met = [0] * len(used)
        for edge, third in edges_of(mesh[1]).items():
            if len(third) == 2 and bits.decision(CREASE + min(met[edge[0]], 1) + min(met[edge[1]], 1)):
                creases.add(edge)
                met[edge[0]] += 1
                met[edge[1]] += 1
    for _ in range(levels):
        mesh, creases = subdivided(mesh, creases)
    return mesh
