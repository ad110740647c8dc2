"""Which meshes a benchmark takes, of plain folders and of published layouts."""

import numpy as np
import pytest

import raw_codec
from meshset.bench.datasets import DATASETS, choose_from_dataset, dataset_names
from meshset.bench.selection import choose_from_folder
from meshset.errors import MeshsetError
from meshset.geometry import read_mesh


def fill(folder, *names):
    for name in names:
        raw_codec.box(folder / name)
    return folder


def names(selection):
    return [source.name for source in selection.sources]


def write_anime(path, frames=3, vertices=4):
    """Write an animation whose frame f is the first one moved by f along x."""
    points = np.random.default_rng(0).random((vertices, 3)).astype("<f4")
    faces = np.array([[0, 1, 2], [0, 2, 3]], dtype="<i4")
    moved = [np.full((vertices, 3), (f, 0, 0)) for f in range(1, frames)]
    path.parent.mkdir(parents=True, exist_ok=True)
    header = np.array([frames, vertices, len(faces)], dtype="<i4")
    path.write_bytes(b"".join([header.tobytes(), points.tobytes(), faces.tobytes(), np.array(moved, "<f4").tobytes()]))
    return points


def test_without_a_count_all_are_taken(tmp_path):
    assert names(choose_from_folder(fill(tmp_path, "b.obj", "a.obj"), None, 0)) == ["a", "b"]


def test_manifest_gives_the_largest_clean_ones(tmp_path):
    fill(tmp_path, "a.obj", "b.obj", "c.obj", "d.obj")
    rows = [
        "file,flag,n_faces",
        "a.obj,clean,5",
        "b.obj,open,100",
        "c.obj,clean,50",
        "d.obj,clean,50",
        "gone.obj,clean,9",
    ]
    (tmp_path / "manifest.csv").write_text("\n".join(rows))
    selection = choose_from_folder(tmp_path, 2, 0)
    assert names(selection) == ["c", "d"]
    assert "clean" in selection.rule


def test_broken_manifests_are_refused(tmp_path):
    fill(tmp_path, "a.obj")
    for content, reason in (("file,flag", "lacks one"), ("file,flag,n_faces\na.obj,clean,many", "not a number")):
        (tmp_path / "manifest.csv").write_text(content)
        with pytest.raises(MeshsetError, match=reason):
            choose_from_folder(tmp_path, 1, 0)


def test_without_a_manifest_the_choice_is_evenly_spaced_and_seeded(tmp_path):
    fill(tmp_path, *(f"{i:02d}.obj" for i in range(20)))
    chosen = [int(name) for name in names(choose_from_folder(tmp_path, 5, 0))]
    assert set(np.diff(chosen)) == {4}
    assert names(choose_from_folder(tmp_path, 5, 0)) == [f"{i:02d}" for i in chosen]
    assert len({tuple(names(choose_from_folder(tmp_path, 5, seed))) for seed in range(8)}) > 1


@pytest.mark.parametrize("make", [lambda path: path / "missing", lambda path: path])
def test_folder_without_meshes_is_refused(tmp_path, make):
    with pytest.raises(MeshsetError, match=r"no such folder|holds no mesh"):
        choose_from_folder(make(tmp_path), 1, 0)


LAYOUTS = {
    "thingi10k": ["raw_meshes/{}.obj"],
    "amahuman": ["D_march/meshes/mesh_{:04d}.obj", "T_samba/meshes/mesh_{:04d}.obj"],
    "shapenet": [
        "02958343/model{}/models/model_normalized.obj",
        "02691156/model{}/model.obj",
        "03001627/model{}/models/model_normalized.obj",
    ],
}


@pytest.mark.parametrize("kind", LAYOUTS)
def test_published_layouts_are_drawn_by_seed(tmp_path, kind):
    for layout in LAYOUTS[kind]:
        fill(tmp_path, *(layout.format(i) for i in range(6)))
    fill(tmp_path, "elsewhere/other.obj")
    selection = choose_from_dataset(kind, tmp_path, 6, 1, tmp_path / "frames")
    assert len(set(names(selection))) == 6
    assert not any("other" in name for name in names(selection))
    assert names(choose_from_dataset(kind, tmp_path, 6, 1, tmp_path / "frames")) == names(selection)
    assert "seed 1" in selection.rule


def test_shapenet_takes_equal_parts(tmp_path):
    for layout in LAYOUTS["shapenet"]:
        fill(tmp_path, *(layout.format(i) for i in range(6)))
    chosen = names(choose_from_dataset("shapenet", tmp_path, 6, 0, tmp_path))
    assert sorted(name.split("/")[0] for name in chosen) == sorted(["02958343", "02691156", "03001627"] * 2)


def test_dfaust_takes_every_tenth_of_each_action(tmp_path):
    for action in ("50002_jiggle", "50002_punching", "50004_punching"):
        fill(tmp_path, *(f"{action}/{i:05d}.obj" for i in range(12)))
    chosen = names(choose_from_dataset("dfaust", tmp_path, None, 0, tmp_path))
    assert chosen == [f"50002_{action}/{i:05d}" for action in ("jiggle", "punching") for i in (0, 10)]


def test_frames_of_animations_become_files(tmp_path):
    points = write_anime(tmp_path / "animals" / "bear_run" / "bear_run.anime")
    selection = choose_from_dataset("dt4d", tmp_path, 3, 0, tmp_path / "frames")
    assert names(selection) == [f"animals/bear_run/bear_run_{frame:04d}" for frame in range(3)]
    for frame, source in enumerate(selection.sources):
        assert np.allclose(read_mesh(source.path).mesh.vertices, points + np.array([frame, 0, 0]))


def test_torn_animation_is_refused(tmp_path):
    path = tmp_path / "animals" / "bear_run" / "bear_run.anime"
    write_anime(path)
    for length in (5, 40):
        path.write_bytes(path.read_bytes()[:length])
        with pytest.raises(MeshsetError, match=r"bear_run\.anime: is not an \.anime file"):
            choose_from_dataset("dt4d", tmp_path, 1, 0, tmp_path / "frames")


def test_mixed_is_equal_parts_of_three(tmp_path):
    fill(tmp_path / "amahuman", *(f"D_march/meshes/mesh_{i:04d}.obj" for i in range(4)))
    write_anime(tmp_path / "dt4d" / "animals" / "bear" / "bear.anime", frames=4)
    fill(tmp_path / "thingi10k", *(f"raw_meshes/{i}.obj" for i in range(4)))
    selection = choose_from_dataset("mixed", tmp_path, 6, 0, tmp_path / "frames")
    assert [name.split("/")[0] for name in names(selection)] == ["amahuman"] * 2 + ["dt4d"] * 2 + ["thingi10k"] * 2


def test_mixed_of_plain_folders(tmp_path):
    for part in ("humans", "animals", "things"):
        fill(tmp_path / part, "a.obj", "b.obj")
    selection = choose_from_dataset("mixed", tmp_path, 3, 0, tmp_path / "frames")
    assert [name.split("/")[0] for name in names(selection)] == ["humans", "animals", "things"]


@pytest.mark.parametrize("kind", dataset_names())
def test_wrong_folder_says_what_is_expected_and_where_to_get_it(tmp_path, kind):
    with pytest.raises(MeshsetError, match="expected") as caught:
        choose_from_dataset(kind, tmp_path, 3, 0, tmp_path / "frames")
    assert kind == "mixed" or DATASETS[kind].source in str(caught.value)


def test_more_than_there_are_is_refused(tmp_path):
    fill(tmp_path, "raw_meshes/1.obj")
    with pytest.raises(MeshsetError, match=r"1000 meshes are wanted of a part that has 1"):
        choose_from_dataset("thingi10k", tmp_path, None, 0, tmp_path)
