"""What `meshset check` prints and how it exits."""

import json

import pytest
import trimesh


def errors(result):
    return [line for line in result.stderr.splitlines() if line.startswith("meshset: error: ")]


@pytest.fixture
def rod(models):
    """A rod that no grid of the models' folder can hold."""
    trimesh.creation.box(extents=(100, 0.1, 0.1)).export(models / "rod.obj")
    return models / "rod.obj"


@pytest.fixture
def open_box(models):
    """A box without one of its sides."""
    shape = trimesh.creation.box(extents=(1, 2, 3))
    shape.update_faces([False] * 2 + [True] * 10)
    shape.export(models / "lid off.obj")


def test_clean_meshes_are_a_table_and_a_line(meshset, models):
    result = meshset("check", models, "--resolution", "32")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["name", "faces", "closed", "parts", "verdict"]
    assert [line.split() for line in lines[1:3]] == [
        ["animals/ball", "320", "yes", "1", "clean"],
        ["box", "12", "yes", "1", "clean"],
    ]
    assert lines[-1] == "2 meshes: 2 clean, 0 usable, 0 refused"
    assert "check meshes: 2" in result.stderr


def test_notes_stand_under_the_table_and_failures_at_the_end(meshset, models, rod, open_box):
    (models / "empty.obj").touch()
    result = meshset("check", models, "--resolution", "32")
    assert result.exit_code == 1
    table, notes, total = result.stdout.rstrip("\n").split("\n\n")
    assert [line.split()[-1] for line in table.splitlines()[1:]] == ["clean", "clean", "usable", "refused"]
    assert "lid off: holes: 4 edges of only one face" in notes.splitlines()
    assert notes.splitlines()[-1].startswith("rod: too thin for a 32^3 grid")
    assert total == "4 meshes: 2 clean, 1 usable, 1 refused; files that cannot be used: 1"
    assert errors(result) == [
        f"meshset: error: {models / 'empty.obj'}: empty file",
        f"meshset: error: {rod}: too thin for a 32^3 grid: no part of it reaches a grid edge",
    ]


def test_what_reading_changed_is_one_line(meshset, tmp_path):
    shape = trimesh.creation.box(extents=(1, 2, 3))
    faces = "".join(f"f {a}//1 {b}//1 {c}//1\n" for a, b, c in shape.faces + 1)
    positions = "".join("v {} {} {}\n".format(*vertex) for vertex in shape.vertices)
    (tmp_path / "box.obj").write_text(f"{positions}v 9 9 9\nvn 0 0 1\n{faces}")
    result = meshset("check", tmp_path, "--resolution", "32")
    _, notes, _ = result.stdout.split("\n\n")
    assert notes == "box: read with changes: normals dropped; 1 unreferenced vertex dropped"


def test_json_holds_everything(meshset, models, rod, open_box):
    result = meshset("check", models, "--resolution", "32", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    meshes = {mesh["name"]: mesh for mesh in found["meshes"]}
    assert found["resolution"] == 32
    assert meshes["box"]["field"] == {"notes": [], "open_edges": 0}
    assert meshes["lid off"]["diagnosis"]["boundary_edges"] == 4
    assert meshes["rod"]["field"] is None
    assert found["failures"] == [{"subject": str(rod), "reason": meshes["rod"]["refusal"]}]


def test_what_a_field_cannot_hold_is_clean_unless_a_field_is_asked_for(meshset, rod):
    assert "1 clean" in meshset("check", rod).stdout
    assert "too thin for a 64^3 grid" in meshset("check", rod, "--resolution", "64").stdout
    assert meshset("check", rod, "--resolution", "65").exit_code == 2


def test_an_empty_folder_is_one_error(meshset, tmp_path):
    result = meshset("check", tmp_path)
    assert (result.exit_code, result.stdout) == (3, "")
    assert errors(result) == ["meshset: error: nothing to check: no mesh files were found"]


def test_hostile_names_do_not_reach_the_terminal(meshset, open_box, models):
    (models / "lid off.obj").rename(models / "lid\u202eoff.obj")
    result = meshset("check", models, "--resolution", "32")
    assert all(character.isprintable() or character == "\n" for character in result.stdout)
    assert "lid\\u202eoff: holes: 4 edges of only one face" in result.stdout


def test_one_mesh_is_no_plural(meshset, models):
    result = meshset("check", models / "box.obj", "--resolution", "32")
    assert result.stdout.endswith("\n1 mesh: 1 clean, 0 usable, 0 refused\n")
