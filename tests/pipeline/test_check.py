"""Every kind of broken mesh gets its verdict, and the rest goes on."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
import trimesh

from gltf_files import Gltf
from meshset.errors import MissingExtraError
from meshset.geometry import Mesh, write_mesh
from meshset.geometry.diagnosis import turned
from meshset.pipeline.check import check
from meshset.pipeline.steps.failures import NoMeshError

RESOLUTION = 32


def as_mesh(shape: trimesh.Trimesh) -> Mesh:
    return Mesh(np.array(shape.vertices), np.array(shape.faces, dtype=np.int32))


def box(*extents: float) -> Mesh:
    return as_mesh(trimesh.creation.box(extents=extents))


def ball(*centre: float) -> Mesh:
    mesh = as_mesh(trimesh.creation.icosphere(subdivisions=3))
    return Mesh(mesh.vertices + (centre or (0, 0, 0)), mesh.faces)


def joined(first: Mesh, second: Mesh) -> Mesh:
    faces = np.concatenate([first.faces, second.faces + np.int32(len(first.vertices))])
    return Mesh(np.concatenate([first.vertices, second.vertices]), faces)


@pytest.fixture
def checked(tmp_path):
    """Write a mesh as a file and check it alone."""

    def run(mesh, resolution=RESOLUTION):
        write_mesh(mesh, tmp_path / "mesh.obj")
        (only,) = check([tmp_path / "mesh.obj"], resolution).meshes
        return only

    return run


def test_a_clean_mesh_has_nothing_to_say(checked):
    found = checked(ball())
    assert (found.name, found.verdict, found.reading, found.findings) == ("mesh", "clean", (), ())
    assert (found.field.open_edges, found.refusal) == (0, None)
    assert (found.diagnosis.faces, found.diagnosis.components) == (1280, 1)


def test_several_parts_and_cavities_are_clean(checked):
    assert checked(joined(ball(), ball(4, 0, 0))).verdict == "clean"
    small = ball()
    hollow = checked(joined(ball(), turned(Mesh(small.vertices / 2, small.faces))))
    assert (hollow.verdict, hollow.diagnosis.components) == ("clean", 2)


def test_an_open_box_is_usable_and_its_hole_is_told(checked):
    mesh = box(1, 2, 3)
    found = checked(Mesh(mesh.vertices, mesh.faces[2:]))
    assert found.verdict == "usable"
    assert found.defects == ("holes: 4 edges of only one face",)
    assert any("grid points near it is a guess" in note for note in found.field.notes)
    assert found.field.notes[-1].startswith("comes back ")


def test_a_small_hole_is_closed(checked):
    mesh = ball()
    found = checked(Mesh(mesh.vertices, mesh.faces[1:]))
    assert (found.verdict, found.field.open_edges) == ("usable", 0)
    assert found.findings == ("holes: 3 edges of only one face", "comes back closed")


def test_a_sheet_becomes_a_shell(checked):
    corners = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0.3], [0, 1, 0.3]], dtype=float)
    found = checked(Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)))
    assert found.verdict == "usable"
    assert found.field.notes[-1] == "comes back closed"


def test_turned_faces_make_a_mesh_usable(checked):
    mesh = ball()
    faces = mesh.faces.copy()
    faces[:3] = faces[:3, ::-1]
    found = checked(Mesh(mesh.vertices, faces))
    assert found.verdict == "usable"
    assert found.defects == ("neighbouring faces disagree which side is outside",)


def test_a_mesh_that_is_inside_out_is_usable(checked):
    found = checked(turned(ball()))
    assert (found.verdict, found.diagnosis.inside_out) == ("usable", True)
    assert any("inside out" in note for note in found.field.notes)


def test_a_part_that_is_inside_out_is_told(checked):
    found = checked(joined(ball(), turned(ball(4, 0, 0))))
    assert (found.verdict, found.diagnosis.inside_out_parts) == ("usable", 1)
    assert "1 part inside out: closed, but facing inward" in found.findings


def test_duplicate_and_degenerate_faces_are_told(checked):
    mesh = ball()
    found = checked(Mesh(mesh.vertices, np.concatenate([mesh.faces, mesh.faces[:2], [[0, 0, 1]]]).astype(np.int32)))
    assert found.verdict == "usable"
    assert found.diagnosis.duplicate_faces == 2
    assert found.reading == ("1 degenerate face removed (two corners at one position)", "2 duplicate faces kept")
    assert "2 duplicate faces" in found.defects


def test_a_face_without_area_is_told(checked):
    cube = box(2, 2, 2)
    a, b, c = cube.faces[0]
    middle = (cube.vertices[a] + cube.vertices[b]) / 2
    split = np.array([[a, 8, c], [8, b, c], [a, b, 8]])
    found = checked(
        Mesh(np.concatenate([cube.vertices, [middle]]), np.concatenate([cube.faces[1:], split]).astype("i4"))
    )
    assert found.findings == ("1 face without area", "comes back closed")
    assert (found.verdict, found.diagnosis.watertight) == ("usable", True)


def test_parts_that_overlap_are_merged_and_told(checked):
    found = checked(joined(ball(), ball(1, 0, 0)))
    assert (found.verdict, found.defects) == ("usable", ())
    assert "% of its surface lies inside the solid and is left out" in found.field.notes[0]
    assert found.field.notes[1:] == ("comes back closed",)


def test_parts_that_vanish_are_told(checked):
    balls = [Mesh(0.02 * ball().vertices + (x, 0, 1.5), ball().faces) for x in (-4, -1, 2, 5)]
    found = checked(reduce(joined, balls, box(12, 7, 0.4)))
    assert found.verdict == "usable"
    assert found.findings == ("4 of 5 parts are lost: no surface came back near them", "comes back closed")


def test_an_extension_that_is_ignored_leaves_a_doubt(tmp_path):
    (tmp_path / "bent.gltf").write_text(Gltf(extensionsUsed=["ACME_bend"]).text())
    (tmp_path / "plain.gltf").write_text(Gltf(extensionsUsed=["KHR_materials_unlit"]).text())
    bent, plain = check([tmp_path], RESOLUTION).meshes
    assert (bent.verdict, bent.findings, bent.reading) == ("usable", ("glTF extension ACME_bend ignored",), ())
    assert plain.verdict == "clean"


def test_a_rod_that_slips_through_the_grid_is_refused_but_not_a_plate(checked):
    rod = checked(box(100, 0.1, 0.1))
    assert (rod.verdict, rod.field) == ("refused", None)
    assert rod.refusal == "too thin for a 32^3 grid: no part of it reaches a grid edge"
    assert rod.findings == (rod.refusal,)
    assert checked(box(100, 80, 0.1)).verdict == "clean"


def test_the_resolution_decides_who_is_refused(checked):
    thick = box(100, 3.0, 3.0)
    assert checked(thick, 32).verdict == "refused"
    assert checked(thick, 128).verdict == "clean"


def test_refused_and_unreadable_files_are_failures_and_the_rest_goes_on(tmp_path):
    folder = tmp_path / "models"
    (folder / "deep").mkdir(parents=True)
    write_mesh(box(100, 0.1, 0.1), folder / "a_rod.ply")
    write_mesh(ball(), folder / "deep" / "ball.stl")
    (folder / "broken.obj").write_text("nothing")
    (folder / "readme.txt").write_text("no mesh")
    result = check([folder], RESOLUTION)
    assert [(mesh.name, mesh.verdict) for mesh in result.meshes] == [("a_rod", "refused"), ("deep/ball", "clean")]
    assert [failure.subject for failure in result.failures] == [str(folder / "a_rod.ply"), str(folder / "broken.obj")]
    assert result.failures[0].reason == result.meshes[0].refusal


def test_what_compress_would_refuse_has_the_same_reason(tmp_path):
    from meshset.pipeline.compress import compress

    write_mesh(box(100, 0.1, 0.1), tmp_path / "rod.obj")
    with pytest.raises(NoMeshError) as refused:
        compress([tmp_path], tmp_path / "x.mset", codec="necgs", resolution=RESOLUTION, preset="fast")
    assert check([tmp_path / "rod.obj"], RESOLUTION).failures == refused.value.failures


def test_nothing_to_check_says_why(tmp_path):
    with pytest.raises(NoMeshError, match="no mesh files were found") as empty:
        check([tmp_path], RESOLUTION)
    assert empty.value.failures == ()
    (tmp_path / "empty.obj").touch()
    with pytest.raises(NoMeshError, match="none of the files can be read") as unreadable:
        check([tmp_path], RESOLUTION)
    assert [failure.reason for failure in unreadable.value.failures] == ["empty file"]


def test_progress_counts_files(tmp_path):
    class Heard:
        def __init__(self):
            self.calls = []

        def start(self, task, total):
            self.calls.append((task, total))

        def advance(self, steps=1, status=""):
            self.calls.append(steps)

        def note(self, message):
            self.calls.append(message)

    write_mesh(ball(), tmp_path / "ball.obj")
    (tmp_path / "broken.obj").touch()
    (tmp_path / "readme.txt").touch()
    heard = Heard()
    check([tmp_path], RESOLUTION, progress=heard)
    assert heard.calls == ["files of other kinds skipped: 1", ("check meshes", 2), 1, 1]


def test_missing_packages_name_the_extra(monkeypatch, tmp_path):
    monkeypatch.setattr("meshset.pipeline.steps.requirements.find_spec", lambda module: None)
    with pytest.raises(MissingExtraError, match=r"meshset\[compress\]"):
        check([tmp_path])


def test_without_a_resolution_holes_and_thin_parts_stay(tmp_path):
    (tmp_path / "sheet.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    (tmp_path / "line.obj").write_text("v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n")
    result = check([tmp_path])
    assert [(mesh.name, mesh.verdict, mesh.field) for mesh in result.meshes] == [("sheet", "usable", None)]
    assert result.resolution is None
    assert [failure.subject for failure in result.failures] == [str(tmp_path / "line.obj")]
