"""3MF packages: which part is the root, and which elements are of the core and which of extensions."""

import io
import zipfile

import pytest

from meshset.errors import MeshFileError
from step import FACES, POINTS, VOLUME, assert_solid, read

CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
PRODUCTION = "http://schemas.microsoft.com/3dmanufacturing/production/2015/06"
SLICE = "http://schemas.microsoft.com/3dmanufacturing/slice/2015/07"
BOOLEAN = "http://schemas.3mf.io/3dmanufacturing/booleanoperations/2023/07"
DISPLACEMENT = "http://schemas.microsoft.com/3dmanufacturing/displacement/2022/07"
MODEL = "http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"
IDENTITY = "1 0 0 0 1 0 0 0 1"
ITEM = '<{0}item objectid="1"/>'


def mesh(prefix="", extra="") -> str:
    """The solid as a mesh element."""
    vertices = "".join(f'<{prefix}vertex x="{x:g}" y="{y:g}" z="{z:g}"/>' for x, y, z in POINTS)
    triangles = "".join('<{}triangle v1="{}" v2="{}" v3="{}"/>'.format(prefix, *face) for face in FACES)
    return (
        f"<{prefix}mesh><{prefix}vertices>{vertices}</{prefix}vertices>"
        f"<{prefix}triangles>{triangles}</{prefix}triangles>{extra}</{prefix}mesh>"
    )


def solid(number=1, prefix="", extra="", attributes="") -> str:
    return f'<{prefix}object id="{number}" {attributes}>{mesh(prefix, extra)}</{prefix}object>'


def model(resources=None, build=None, prefix="", spaces="", core=CORE) -> str:
    name = f"xmlns:{prefix[:-1]}" if prefix else "xmlns"
    resources = solid(prefix=prefix) if resources is None else resources
    build = ITEM.format(prefix) if build is None else build
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><{prefix}model {name}="{core}" {spaces}>'
        f"<{prefix}resources>{resources}</{prefix}resources><{prefix}build>{build}</{prefix}build></{prefix}model>"
    )


def package(parts: dict[str, str], *targets: str | tuple[str, str]) -> bytes:
    """A package of parts; each target is that of a relationship, of type 3D model unless it says another."""
    pairs = [target if isinstance(target, tuple) else (MODEL, target) for target in targets]
    relationships = "".join(f'<Relationship Id="r{i}" Type="{k}" Target="{t}"/>' for i, (k, t) in enumerate(pairs))
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        if targets:
            archive.writestr("_rels/.rels", f'<Relationships xmlns="{space}">{relationships}</Relationships>')
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


DECOY = model(build=f'<item objectid="1" transform="{IDENTITY} 99 0 0"/>')
THUMBNAIL = ("http://schemas.openxmlformats.org/package/2006/relationships/metadata/thumbnail", "/Metadata/a.png")


class TestRoot:
    @pytest.mark.parametrize(
        ("name", "target"),
        [
            ("3D/real.model", "/3D/real.model"),
            ("3D/real.model", "3D/real.model"),
            ("3D/real.model", "./3D/../3D/real.model"),
            ("3D/Real.Model", "/3d/real.model"),
            ("3D\\real.model", "/3D/real.model"),
            ("Elsewhere/Deep/Down/real.model", "/Elsewhere/Deep/Down/real.model"),
            ("real.model", "/real.model"),
            ("3D/real.xml", "/3D/real.xml"),
            ("3D/my real.model", "/3D/my%20real.model"),
            ("/3D/real.model", "/3D/real.model"),
        ],
    )
    @pytest.mark.parametrize("decoy", ["3D/3dmodel.model", "a.model"])
    def test_is_what_the_relationships_name(self, tmp_path, name, target, decoy):
        parts = {decoy: DECOY, name: model()}
        assert_solid(read(tmp_path, "a.3mf", package(parts, target)))
        assert_solid(read(tmp_path, "a.3mf", package(dict(reversed(parts.items())), target)))

    def test_among_several_relationships(self, tmp_path):
        parts = {"3D/3dmodel.model": DECOY, "3D/real.model": model()}
        for targets in ((THUMBNAIL, "/3D/real.model"), ("/3D/real.model", THUMBNAIL, "/3D/3dmodel.model")):
            assert_solid(read(tmp_path, "a.3mf", package(parts, *targets)))

    def test_without_a_relationship_to_a_model(self, tmp_path):
        for targets in ((), (THUMBNAIL,)):
            parts = {"3D/Objects/part.model": DECOY, "3D/3dmodel.model": model()}
            assert_solid(read(tmp_path, "a.3mf", package(parts, *targets)))

    def test_a_broken_part_that_nothing_names_does_no_harm(self, tmp_path):
        parts = {"3D/old.model": "<model><resources>", "3D/3dmodel.model": model()}
        assert_solid(read(tmp_path, "a.3mf", package(parts, "/3D/3dmodel.model")))

    @pytest.mark.parametrize(
        ("rels", "reason"),
        [
            (package({"3D/3dmodel.model": model()}, "/3D/gone.model"), "its root part '3d/gone.model' is missing"),
            (package({"_rels/.rels": "<Relationships>", "a.model": model()}), "damaged XML in _rels/.rels"),
            (package({"_rels/.rels": "<!DOCTYPE r><r/>", "a.model": model()}), "declares a document type"),
        ],
    )
    def test_refused(self, tmp_path, rels, reason):
        with pytest.raises(MeshFileError, match=reason):
            read(tmp_path, "a.3mf", rels)


class TestNamespaces:
    @pytest.mark.parametrize("prefix", ["", "m:", "s:", "core:"])
    @pytest.mark.parametrize("core", [CORE, "http://schemas.microsoft.com/3dmanufacturing/2013/01"])
    def test_any_prefix_may_be_that_of_the_core(self, tmp_path, prefix, core):
        assert_solid(read(tmp_path, "a.3mf", package({"3D/3dmodel.model": model(prefix=prefix, core=core)})))

    @pytest.mark.parametrize("slices", ["s:", "vertex:", ""])
    def test_slices_are_ignored(self, tmp_path, slices):
        space = f'xmlns{":" + slices[:-1] if slices else ""}="{SLICE}"'
        stack = (
            f'<{slices}slicestack {space} id="9" zbottom="0"><{slices}slice ztop="1"><{slices}vertices>'
            f'<{slices}vertex x="0" y="0"/><{slices}vertex x="5" y="0"/></{slices}vertices>'
            f'<{slices}polygon startv="0"><{slices}segment v2="1"/></{slices}polygon></{slices}slice>'
            f"</{slices}slicestack>"
        )
        for resources in (stack + solid(), solid() + stack):
            reading = read(tmp_path, "a.3mf", package({"3D/3dmodel.model": model(resources)}))
            assert_solid(reading)
            assert "slices ignored" in reading.notes

    def test_elements_of_extensions_that_are_named_like_those_of_the_core(self, tmp_path):
        other = '<x:vertices><x:vertex x="900" y="0" z="0"/></x:vertices><x:triangle v1="0" v2="1" v3="99"/>'
        foreign = f'{other}<x:object id="1"/><x:component objectid="7"/><x:item objectid="7"/>'
        for resources, build in (
            (solid(extra=foreign), ITEM.format("")),
            (foreign + solid(), foreign + ITEM.format("")),
        ):
            text = model(resources, build, spaces='xmlns:x="http://example.org/x"')
            assert_solid(read(tmp_path, "a.3mf", package({"3D/3dmodel.model": text})))

    @pytest.mark.parametrize(
        ("space", "element", "note"),
        [
            (
                DISPLACEMENT,
                '<x:displacementmesh><x:vertex x="1" y="1" z="9"/></x:displacementmesh>',
                "displaced meshes",
            ),
            (BOOLEAN, '<x:booleanshape objectid="1"><x:boolean objectid="1"/></x:booleanshape>', "Boolean operations"),
        ],
    )
    def test_extensions_that_shape_are_noted_and_refused_where_required(self, tmp_path, space, element, note):
        resources = solid() + f'<object id="2">{element}</object>'
        build = ITEM.format("") + '<item objectid="2"/>'
        text = model(resources, build, spaces=f'xmlns:x="{space}"')
        reading = read(tmp_path, "a.3mf", package({"3D/3dmodel.model": text}))
        assert_solid(reading)
        assert f"{note} ignored" in reading.notes
        text = model(resources, build, spaces=f'xmlns:x="{space}" requiredextensions="x"')
        with pytest.raises(MeshFileError, match=f"needs the 3MF extension {space}"):
            read(tmp_path, "a.3mf", package({"3D/3dmodel.model": text}))

    def test_required_extensions_that_are_read(self, tmp_path):
        spaces = f'xmlns:p="{PRODUCTION}" xmlns:s="{SLICE}" requiredextensions="p s"'
        assert_solid(read(tmp_path, "a.3mf", package({"3D/3dmodel.model": model(spaces=spaces)})))


class TestProduction:
    @pytest.mark.parametrize("prefix", ["p", "production", "s"])
    def test_parts_of_parts(self, tmp_path, prefix):
        spaces = f'xmlns:{prefix}="{PRODUCTION}" requiredextensions="{prefix}"'
        component = f'<component {prefix}:path="{{}}" objectid="{{}}" transform="{IDENTITY} {{}}"/>'
        first = component.format("/3D/Objects/one.model", 1, "10 0 0")
        second = component.format("/3D/Objects/two.model", 5, "0 0 0")
        root = f'<object id="2"><components>{first}{second}</components></object>'
        item = f'<item objectid="1" {prefix}:path="/3D/Objects/two.model" transform="{IDENTITY} 0 20 0"/>'
        inner = component.format("/3D/Objects/one.model", 1, "0 0 30")
        two = solid() + f'<object id="5"><components>{inner}</components></object>'
        parts = {
            "Model/root.model": model(root, f'<item objectid="2"/>{item}', spaces=spaces),
            "3D/Objects/one.model": model(build=""),
            "3D/Objects/two.model": model(two, "", prefix="", spaces=spaces),
            "3D/3dmodel.model": DECOY,
        }
        reading = read(tmp_path, "a.3mf", package(parts, "/Model/root.model"))
        assert_solid(reading, faces=60, volume_=3 * VOLUME, upper=(14, 23, 32))

    def test_the_path_of_another_extension_is_none(self, tmp_path):
        spaces = 'xmlns:q="http://example.org/q"'
        text = model(build='<item objectid="1" q:path="/3D/other.model"/>', spaces=spaces)
        parts = {"3D/3dmodel.model": text, "3D/other.model": DECOY.replace('x="4"', 'x="9"')}
        assert_solid(read(tmp_path, "a.3mf", package(parts, "/3D/3dmodel.model")))

    def test_a_part_that_is_missing(self, tmp_path):
        build = '<item objectid="1" p:path="/3D/gone.model"/>'
        text = model(build=build, spaces=f'xmlns:p="{PRODUCTION}"')
        with pytest.raises(MeshFileError, match=r"refers to object 1 of 3d/gone\.model, which is missing"):
            read(tmp_path, "a.3mf", package({"3D/3dmodel.model": text}, "/3D/3dmodel.model"))
