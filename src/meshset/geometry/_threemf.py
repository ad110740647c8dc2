"""3D Manufacturing Format (3MF), core and production extension.

trimesh reads *all* meshes of a referenced part for each component that names one of them, so the files of
current slicers come out with every object repeated; hence a parser of our own. It needs no more than the
standard library.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO
from urllib.parse import unquote
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from meshset.geometry._soup import Assembly, MalformedError, Soup

MAX_INFLATED = 4 * 2**30
"""Most bytes that the parts of a file may announce together."""

MAX_RATIO = 200
"""Most bytes inflated per byte stored, for parts above 1 MiB; meshes as XML reach about 20."""

MAX_PLACEMENTS = 100_000
"""Most objects and components that may be visited; nested components multiply."""

_MAX_DEPTH = 64
_PRODUCTION = "http://schemas.microsoft.com/3dmanufacturing/production/2015/06"
_DROPPED = {
    "basematerials": "materials dropped",
    "colorgroup": "colours dropped",
    "texture2d": "textures dropped",
    "texture2dgroup": "texture coordinates dropped",
    "slicestack": "slices ignored",
    "displacement2d": "displacements ignored",
}
_IN_DOUBT = {
    "beamlattice": "beam lattices ignored",
    "displacementmesh": "displaced meshes ignored",
    "booleanshape": "Boolean operations ignored",
    "levelset": "level sets ignored",
}
# Parts of the namespaces of extensions that are read, or whose content becomes a note.
_KNOWN = ("/production/", "/material/", "/slice/", "/trianglesets/", "/beamlattice/")
_Key = tuple[str, str]


@dataclass
class _Object:
    """One object of a model part: a mesh, or components that refer to others."""

    vertices: array[float] = field(default_factory=lambda: array("d"))
    triangles: array[int] = field(default_factory=lambda: array("q"))
    components: list[tuple[_Key, NDArray[np.float64]]] = field(default_factory=list)


def parse_3mf(data: bytes) -> Soup:
    """Parse the bytes of a 3MF file; the objects of the build are placed by their transforms.

    Coordinates stay in the unit of the file.

    Raises:
        MalformedError: if the file is damaged, inflates beyond all measure, or refers to what it lacks.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile as error:
        raise MalformedError(f"truncated, or not a ZIP archive ({error})") from None
    with archive:
        _check_sizes(archive, len(data))
        names = {_part_name(info.filename): info for info in archive.infolist()}
        root = _root_part(archive, names)
        model = _Model()
        pending = [root]
        while pending:
            name = pending.pop()
            with archive.open(names[name]) as part:
                found = model.parse(name, part, is_root=name == root)
            pending += [part for part in found if part in names]
    return model.assemble()


def _check_sizes(archive: zipfile.ZipFile, stored: int) -> None:
    """Refuse a bomb by what the directory announces, before anything is inflated."""
    infos = archive.infolist()
    announced = sum(info.file_size for info in infos)
    if announced > MAX_INFLATED:
        raise MalformedError(f"would inflate to {announced:,} bytes, at most {MAX_INFLATED:,} are read")
    if sum(info.compress_size for info in infos) > stored:
        raise MalformedError("its ZIP entries overlap")
    for info in infos:
        if info.flag_bits & 1:
            raise MalformedError("encrypted")
        if info.file_size > max(2**20, MAX_RATIO * info.compress_size):
            raise MalformedError(
                f"suspicious compression: {info.compress_size:,} bytes would inflate to {info.file_size:,}"
            )


def _part_name(path: str) -> str:
    """Return the name by which parts are compared: no case, no leading slash, no way around."""
    return posixpath.normpath(unquote(path).replace("\\", "/").lstrip("/")).lower()


def _root_part(archive: zipfile.ZipFile, names: dict[str, zipfile.ZipInfo]) -> str:
    """Return the name of the part that holds the build: what the relationships of the package name."""
    if "_rels/.rels" in names and (target := _named_root(archive, names["_rels/.rels"])):
        if target not in names:
            raise MalformedError(f"its root part {target[:80]!r} is missing")
        return target
    models = [name for name in names if name.endswith(".model")]
    if not models:
        raise MalformedError("a ZIP archive without a 3D model")
    default = "3d/3dmodel.model"
    # A model elsewhere is legal; then the shallowest one is the root, for parts lie in folders below it.
    return default if default in models else min(models, key=lambda name: (name.count("/"), name))


def _named_root(archive: zipfile.ZipFile, relationships: zipfile.ZipInfo) -> str | None:
    """Return the first 3D model that the relationships of the package name."""
    targets: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        external = attributes.get("TargetMode", "Internal") == "External"
        if _local(tag) == "Relationship" and attributes.get("Type", "").endswith("/3dmodel") and not external:
            targets.append(_part_name(attributes.get("Target", "")))

    with archive.open(relationships) as part:
        _parse_xml(part, "_rels/.rels", start)
    return next(iter(targets), None)


def _parse_xml(
    xml: IO[bytes],
    part: str,
    start: Callable[[str, dict[str, str]], None],
    prefix: Callable[[str | None, str | None], None] | None = None,
) -> None:
    """Call `start` for every element; names are 'namespace name', or the name where there is no namespace."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    parser.StartNamespaceDeclHandler = prefix
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.ParseFile(xml)
    except expat.ExpatError as error:
        raise MalformedError(f"damaged XML in {part} ({error})") from None
    except KeyError as error:
        raise MalformedError(f"an element without its attribute {error} in {part}") from None
    except (ValueError, OverflowError) as error:
        raise MalformedError(f"a coordinate or index that is not a number ({error})") from None


def _refuse_doctype(*_: object) -> None:
    raise MalformedError("its XML declares a document type, which 3MF forbids")


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


class _Model:
    """Objects of all parts, and what the build places."""

    def __init__(self) -> None:
        self._objects: dict[_Key, _Object] = {}
        self._build: list[tuple[_Key, NDArray[np.float64]]] = []
        self._notes: dict[str, None] = {}
        self._doubts: dict[str, None] = {}
        self._part = ""
        self._is_root = False
        self._core: str | None = None
        self._prefixes: dict[str, str] = {}
        self._parts: set[str] = set()
        self._further: list[str] = []
        self._current = _Object()
        self._visits = 0
        self._meshes: dict[_Key, tuple[NDArray[np.float64], NDArray[np.int64]]] = {}

    def parse(self, part: str, xml: IO[bytes], is_root: bool) -> list[str]:
        """Add the objects of one model part, and return the parts that it refers to for the first time."""
        self._part, self._is_root, self._core = part, is_root, None
        self._parts.add(part)
        self._prefixes, self._further = {}, []
        _parse_xml(xml, part, self._start, self._declare)
        return self._further

    def _declare(self, prefix: str | None, namespace: str | None) -> None:
        self._prefixes[prefix or ""] = namespace or ""

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, tag = name.rpartition(" ")
        if self._core is None:
            self._core = namespace  # of the root element; old files and careless writers have another, or none
            self._start_model(tag, attributes)
        elif namespace == self._core:
            self._start_core(tag, attributes)
        if tag in _DROPPED:
            self._notes[_DROPPED[tag]] = None
        if tag in _IN_DOUBT:
            self._doubts[_IN_DOUBT[tag]] = None

    def _start_model(self, tag: str, attributes: dict[str, str]) -> None:
        for prefix in attributes.get("requiredextensions", "").split():
            namespace = self._prefixes.get(prefix, prefix)
            if not any(part in namespace for part in _KNOWN):
                raise MalformedError(f"needs the 3MF extension {namespace[:80]}, which meshset does not read")
        if self._is_root and attributes.get("unit", "millimeter") != "millimeter":
            self._notes[f"unit {attributes['unit'][:20]!r} dropped, coordinates kept"] = None

    def _start_core(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "vertex":
            self._current.vertices.extend(float(attributes[axis]) for axis in "xyz")
        elif tag == "triangle":
            self._current.triangles.extend(int(attributes[corner]) for corner in ("v1", "v2", "v3"))
        elif tag == "object":
            key = self._part, attributes["id"]
            if key in self._objects:
                raise MalformedError(f"two objects with id {attributes['id']}")
            self._current = self._objects[key] = _Object()
        elif tag == "component":
            self._current.components.append(self._reference(attributes))
        elif tag == "item" and self._is_root:
            self._build.append(self._reference(attributes))

    def _reference(self, attributes: dict[str, str]) -> tuple[_Key, NDArray[np.float64]]:
        part = self._part
        if path := attributes.get(f"{_PRODUCTION} path", attributes.get("path")):
            part = _part_name(path)
            if part not in self._parts:
                self._parts.add(part)
                self._further.append(part)
        matrix = np.eye(4)
        if "transform" in attributes:
            # Twelve numbers for row vectors; ours acts on columns.
            matrix[:3] = np.array(attributes["transform"].split(), np.float64).reshape(4, 3).T
        return (part, attributes["objectid"]), matrix

    def assemble(self) -> Soup:
        """Place every item of the build; a file without a build places every object as it is."""
        items = self._build
        if not items:
            items = [(key, np.eye(4)) for key, found in self._objects.items() if found.triangles]
            if items:
                self._notes["no build items: every object placed as it is"] = None
        assembly = Assembly()
        for key, matrix in items:
            self._place(assembly, key, matrix, 0)
        return assembly.soup(list(self._notes), list(self._doubts))

    def _place(self, assembly: Assembly, key: _Key, matrix: NDArray[np.float64], depth: int) -> None:
        self._visits += 1
        if depth > _MAX_DEPTH or self._visits > MAX_PLACEMENTS:
            raise MalformedError("its components are nested in a circle, too deeply or too often")
        if key not in self._objects:
            raise MalformedError(f"refers to object {key[1]} of {key[0]}, which is missing")
        if self._objects[key].triangles:
            assembly.place(*self._mesh(key), matrix)
        for child, transform in self._objects[key].components:
            self._place(assembly, child, matrix @ transform, depth + 1)

    def _mesh(self, key: _Key) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the numbers of an object's mesh, converted once however often it is placed."""
        if key not in self._meshes:
            found = self._objects[key]
            self._meshes[key] = (
                np.array(found.vertices, np.float64).reshape(-1, 3),
                np.array(found.triangles, np.int64).reshape(-1, 3),
            )
        return self._meshes[key]
