"""glTF that multiplies or hides nodes, and extensions that may or may not change the surface."""

import numpy as np
import pytest

from gltf_files import HALF, QUARTER_Z, TURN_X, Gltf
from meshset.errors import MeshFileError
from meshset.geometry import _soup
from step import LOWER, POINTS, UPPER, VOLUME, assert_solid, read

INSTANCING = "EXT_mesh_gpu_instancing"


def instanced(gltf: Gltf, node: dict | None = None, **attributes: int) -> Gltf:
    """The file with instances of its mesh at a node."""
    gltf.tree["nodes"] = [{"mesh": 0, **(node or {}), "extensions": {INSTANCING: {"attributes": attributes}}}]
    return gltf


def read_gltf(tmp_path, gltf: Gltf):
    return read(tmp_path, "a.gltf", gltf.text())


def failure(tmp_path, gltf: Gltf) -> str:
    with pytest.raises(MeshFileError) as caught:
        read_gltf(tmp_path, gltf)
    return str(caught.value)


class TestInstances:
    @pytest.mark.parametrize("listed", ["extensionsUsed", "extensionsRequired", None])
    def test_multiply_the_mesh(self, tmp_path, listed):
        gltf = Gltf(**({listed: [INSTANCING]} if listed else {}))
        instanced(gltf, TRANSLATION=gltf.add([(0, 0, 0), (10, 0, 0), (0, 20, 5)]))
        reading = read_gltf(tmp_path, gltf)
        assert_solid(reading, faces=60, volume_=3 * VOLUME, upper=(14, 23, 7))
        assert reading.notes == ("3 parts joined into one mesh",)

    @pytest.mark.parametrize(
        ("kind", "normalized"), [("f4", False), ("i1", True), ("i2", True), ("i1", False), ("i2", False)]
    )
    def test_rotations_of_every_kind(self, tmp_path, kind, normalized):
        gltf = Gltf()
        rows = np.array([QUARTER_Z, TURN_X, [0, 0, 0, 1]])
        if kind != "f4" and not normalized:
            rows = np.round(rows * np.iinfo(kind).max)
        instanced(
            gltf, ROTATION=gltf.add(rows, kind, normalized), TRANSLATION=gltf.add([(50, 0, 0), (0, 0, 0), (0, 50, 0)])
        )
        reading = read_gltf(tmp_path, gltf)
        assert_solid(reading, faces=60, volume_=3 * VOLUME, lower=(0, -3, -2), upper=(50, 53, 2))

    def test_scales_and_the_order_of_transforms(self, tmp_path):
        # Scaled first, then turned, then moved, all within the node.
        gltf = Gltf()
        attributes = {
            "TRANSLATION": gltf.add([(100, 0, 0)]),
            "ROTATION": gltf.add([QUARTER_Z]),
            "SCALE": gltf.add([(2, 1, 1)]),
        }
        instanced(gltf, {"translation": [0, 7, 0], "scale": [1, 1, 10]}, **attributes)
        reading = read_gltf(tmp_path, gltf)
        assert_solid(reading, volume_=20 * VOLUME, lower=(97, 7, 0), upper=(100, 15, 20))

    def test_mirrored_ones_keep_their_outside(self, tmp_path):
        for node in ({}, {"scale": [1, -1, 1]}):
            gltf = instanced(gltf := Gltf(), node, SCALE=gltf.add([(1, 1, -1), (-1, 1, 1), (1, 1, 1), (-1, -1, -1)]))
            assert_solid(
                read_gltf(tmp_path, gltf),
                faces=80,
                volume_=4 * VOLUME,
                lower=(-4, -3, -2),
                upper=UPPER,
            )

    def test_below_a_moved_node(self, tmp_path):
        gltf = Gltf()
        instanced(gltf, TRANSLATION=gltf.add([(0, 0, 0), (10, 0, 0)]))
        gltf.tree["nodes"] = [{"translation": [0, 0, 100], "scale": [2, 2, 2], "children": [1]}, *gltf.tree["nodes"]]
        reading = read_gltf(tmp_path, gltf)
        assert_solid(reading, faces=40, volume_=16 * VOLUME, lower=(0, 0, 100), upper=(28, 6, 104))

    def test_attributes_of_applications_alone_place_it_once(self, tmp_path):
        gltf = Gltf()
        assert_solid(read_gltf(tmp_path, instanced(gltf, _ID=gltf.add([(1,), (2,)]))))

    def test_attributes_of_different_numbers(self, tmp_path):
        gltf = Gltf()
        instanced(gltf, TRANSLATION=gltf.add([(0, 0, 0)]), SCALE=gltf.add([(1, 1, 1)] * 2))
        assert "instances of which not all have" in failure(tmp_path, gltf)

    def test_too_many(self, tmp_path, monkeypatch):
        monkeypatch.setattr(_soup, "MAX_PLACED_FACES", 10_000_000)
        gltf = Gltf()
        instanced(gltf, TRANSLATION=gltf.add_sparse(1_000_000, [0], [(1, 1, 1)]))
        assert "more than 10,000,000 triangles" in failure(tmp_path, gltf)


class TestVisibility:
    def hide(self, node: dict, visible: bool = False) -> dict:
        return {**node, "extensions": {"KHR_node_visibility": {"visible": visible}}}

    def test_hidden_nodes_and_those_below_are_left_out(self, tmp_path):
        nodes = [
            {"children": [1, 2, 4]},
            {"mesh": 0},
            self.hide({"mesh": 0, "translation": [100, 0, 0], "children": [3]}),
            self.hide({"mesh": 0}, visible=True),
            self.hide({"mesh": 0, "translation": [0, 0, 2]}, visible=True),
        ]
        reading = read_gltf(tmp_path, Gltf(nodes=nodes, extensionsUsed=["KHR_node_visibility"]))
        assert_solid(reading, faces=40, volume_=2 * VOLUME, upper=(4, 3, 4))
        assert "1 hidden node left out" in reading.notes

    @pytest.mark.parametrize("listed", ["extensionsUsed", "extensionsRequired"])
    def test_nothing_visible(self, tmp_path, listed):
        gltf = Gltf(nodes=[self.hide({"mesh": 0})], **{listed: ["KHR_node_visibility"]})
        assert "nothing visible: its nodes are hidden" in failure(tmp_path, gltf)

    def test_a_hidden_joint_moves_a_visible_mesh(self, tmp_path):
        gltf = Gltf(nodes=[{"children": [1, 2]}, self.hide({"translation": [0, 0, 5]}), {"mesh": 0, "skin": 0}])
        gltf.tree["skins"] = [{"joints": [1]}]
        gltf.primitive["attributes"] |= {
            "JOINTS_0": gltf.add([(0, 0, 0, 0)] * 12, "u1"),
            "WEIGHTS_0": gltf.add([(1, 0, 0, 0)] * 12),
        }
        assert_solid(read_gltf(tmp_path, gltf), lower=(0, 0, 5), upper=(4, 3, 7))

    def test_a_hidden_mesh_with_a_visible_skeleton_stays_hidden(self, tmp_path):
        gltf = Gltf(nodes=[{"children": [1, 2, 3]}, {}, self.hide({"mesh": 0, "skin": 0}), {"mesh": 0}])
        gltf.tree["skins"] = [{"joints": [1]}]
        assert_solid(read_gltf(tmp_path, gltf))


HARMLESS = [
    "MSFT_texture_dds",
    "KHR_xmp_json_ld",
    "KHR_materials_transmission",
    "KHR_lights_punctual",
    "KHR_texture_transform",
    "KHR_texture_basisu",
    "EXT_texture_webp",
    "EXT_structural_metadata",
    "EXT_mesh_features",
    "EXT_lights_image_based",
    "ADOBE_materials_thin_transparency",
    "VRMC_vrm",
    "KHR_mesh_quantization",
]


class TestExtensions:
    @pytest.mark.parametrize("name", HARMLESS)
    def test_harmless_ones_are_neither_refused_nor_noted(self, tmp_path, name):
        gltf = Gltf(extensionsUsed=[name], extensionsRequired=[name], extensions={name: {}})
        gltf.primitive["extensions"] = {name: {}}
        gltf.tree["nodes"][0]["extensions"] = {name: {}}
        reading = read_gltf(tmp_path, gltf)
        assert_solid(reading)
        assert reading.notes == ()

    @pytest.mark.parametrize("name", ["ACME_bend", "CESIUM_RTC", "AGI_articulations", "EXT_mesh_primitive_restart"])
    def test_others_are_refused_where_required_and_noted_where_used(self, tmp_path, name):
        assert f"needs the glTF extension {name}," in failure(tmp_path, Gltf(extensionsRequired=[name]))
        reading = read_gltf(tmp_path, Gltf(extensionsUsed=[name]))
        assert_solid(reading)
        assert reading.notes == (f"glTF extension {name} ignored",)

    @pytest.mark.parametrize("holder", ["nodes", "meshes", "accessors", "bufferViews", "scenes", "primitive"])
    def test_one_that_no_list_names_is_noted(self, tmp_path, holder):
        gltf = Gltf()
        item = gltf.primitive if holder == "primitive" else gltf.tree[holder][0]
        item["extensions"] = {"ACME_bend": {"by": 3}}
        assert read_gltf(tmp_path, gltf).notes == ("glTF extension ACME_bend ignored",)

    def test_only_the_finest_level_of_detail_is_read(self, tmp_path):
        nodes = [{"mesh": 0, "extensions": {"MSFT_lod": {"ids": [1]}}}, {"mesh": 0, "scale": [9, 9, 9]}]
        gltf = Gltf(nodes=nodes, extensionsUsed=["MSFT_lod"])
        for scenes in (gltf.tree["scenes"], []):
            gltf.tree["scenes"] = scenes
            reading = read_gltf(tmp_path, gltf)
            assert_solid(reading)
            assert reading.notes == ("coarser levels of detail ignored",)

    @pytest.mark.parametrize("name", ["EXT_meshopt_compression", "KHR_meshopt_compression"])
    def test_meshopt_with_and_without_a_copy(self, tmp_path, name):
        gltf = Gltf(extensionsUsed=[name])
        gltf.tree["bufferViews"][0]["extensions"] = {name: {"buffer": 0}}
        assert_solid(read_gltf(tmp_path, gltf))
        gltf.tree["bufferViews"][0]["buffer"] = 1
        text = gltf.text().replace('"}]}', '"}, {"byteLength": 144}]}')
        with pytest.raises(MeshFileError, match="meshopt-compressed"):
            read(tmp_path, "a.gltf", text)
        gltf.tree["extensionsRequired"] = [name]
        assert "meshopt-compressed" in failure(tmp_path, gltf)

    def test_draco_with_and_without_a_copy(self, tmp_path):
        gltf = Gltf(extensionsUsed=["KHR_draco_mesh_compression"])
        gltf.primitive["extensions"] = {"KHR_draco_mesh_compression": {"bufferView": 0, "attributes": {}}}
        reading = read_gltf(tmp_path, gltf)
        assert_solid(reading)
        assert reading.notes == ()
        del gltf.tree["accessors"][0]["bufferView"]
        assert "Draco-compressed" in failure(tmp_path, gltf)

    @pytest.mark.parametrize("kind", ["i1", "i2", "u1", "u2"])
    def test_quantised_positions(self, tmp_path, kind):
        gltf = Gltf(extensionsRequired=["KHR_mesh_quantization"])
        largest = np.iinfo(kind).max
        cells = gltf.add(POINTS / 4, kind, normalized=True)
        gltf.primitive["attributes"]["POSITION"] = cells
        gltf.tree["nodes"] = [{"mesh": 0, "scale": [4, 4, 4]}]
        reading = read_gltf(tmp_path, gltf)
        assert np.allclose(reading.mesh.bounds, (LOWER, UPPER), atol=4 / largest)


def test_a_quaternion_need_not_have_length_one(tmp_path):
    gltf = Gltf(nodes=[{"mesh": 0, "rotation": [0, 0, 3 * HALF, 3 * HALF]}])
    assert_solid(read_gltf(tmp_path, gltf), lower=(-3, 0, 0), upper=(0, 4, 2))


def test_a_scene_places_its_roots_as_they_are(tmp_path):
    # Not valid where another node has the root as its child, but then too the scene says where it is.
    nodes = [{"mesh": 0, "translation": [10, 0, 0]}, {"translation": [500, 0, 0], "children": [0]}]
    assert_solid(read_gltf(tmp_path, Gltf(nodes=nodes)), lower=(10, 0, 0), upper=(14, 3, 2))
