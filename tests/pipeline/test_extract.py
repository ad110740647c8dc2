"""From an archive to files."""

import os

import numpy as np
import pytest

import meshset
import raw_codec
from meshset.archive import ArchiveReader, ArchiveWriter
from meshset.errors import MeshsetError
from meshset.geometry import read_mesh
from meshset.pipeline.extract import extract
from meshset.pipeline.open import UnknownMeshError
from meshset.vocabulary import MESH_FORMATS


def rename(source, target, names):
    """Copy the mesh "box" of an archive under other names."""
    with ArchiveReader(source) as reader, ArchiveWriter(target) as writer:
        shared = writer.add_shared(reader.shared[0].codec_id, reader.read_shared(0))
        entry = reader.entries["box"]
        for name in names:
            writer.add_mesh(
                name,
                reader.read_payload("box"),
                codec_id=entry.codec_id,
                shared=shared,
                lower=entry.lower,
                upper=entry.upper,
                vertices=8,
                faces=12,
                source_vertices=8,
                source_faces=12,
                source_bytes=500,
            )
        writer.finish({})
    return target


@pytest.mark.parametrize("file_format", MESH_FORMATS)
def test_all_meshes_become_files(archive, models, tmp_path, file_format):
    out = tmp_path / "new" / "out"
    result = extract(archive, output=out, format=file_format)
    assert result.failures == ()
    assert result.written == tuple(out / f"{name}.{file_format}" for name in ("animals/Round", "ball", "box"))
    bounds = read_mesh(out / f"ball.{file_format}").mesh.bounds
    np.testing.assert_allclose(bounds, read_mesh(models / "ball.ply").mesh.bounds, atol=1e-5)


@pytest.mark.parametrize(
    ("names", "files"),
    [
        (["ball"], ["ball.ply"]),
        (["box", "ball", "box"], ["ball.ply", "box.ply"]),
        (["animals/*"], ["animals/Round.ply"]),
        (["b*", "box"], ["ball.ply", "box.ply"]),
    ],
)
def test_names_and_patterns_select(archive, tmp_path, names, files):
    result = extract(archive, names, tmp_path / "out")
    assert [path.relative_to(tmp_path / "out").as_posix() for path in result.written] == files
    assert sum(path.is_file() for path in (tmp_path / "out").rglob("*")) == len(files)


@pytest.mark.parametrize("name", ["bal", "z*"])
def test_unknown_name_writes_nothing(archive, tmp_path, name):
    with pytest.raises(UnknownMeshError):
        extract(archive, ["box", name], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_existing_files_need_overwrite(archive, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "ball.ply").write_text("precious")
    result = extract(archive, output=tmp_path / "out")
    assert [str(failure) for failure in result.failures] == [f"ball: {tmp_path / 'out' / 'ball.ply'}: exists already"]
    assert len(result.written) == 2
    assert (tmp_path / "out" / "ball.ply").read_text() == "precious"
    assert extract(archive, ["ball"], tmp_path / "out", force=True).failures == ()
    assert len(read_mesh(tmp_path / "out" / "ball.ply").mesh.faces) == 320


@pytest.mark.skipif(os.name == "nt", reason="links need rights")
def test_links_do_not_lead_out_of_the_folder(archive, tmp_path):
    outside, out = tmp_path / "outside", tmp_path / "out"
    outside.mkdir()
    out.mkdir()
    (out / "animals").symlink_to(outside)
    result = extract(archive, output=out)
    assert "a link leads out of the folder" in result.failures[0].reason
    assert len(result.written) == 2
    assert list(outside.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="links need rights")
@pytest.mark.parametrize("target", ["outside", "outside/missing"])
def test_no_folder_is_made_behind_a_link(archive, tmp_path, target):
    outside, out = tmp_path / "outside", tmp_path / "out"
    outside.mkdir()
    out.mkdir()
    (out / "link").symlink_to(tmp_path / target)
    source = rename(archive, tmp_path / "deep.mset", ["link/sub/deeper/x", "link/y", "c"])
    result = extract(source, output=out, force=True)
    assert [path.name for path in result.written] == ["c.ply"]
    assert len(result.failures) == 2
    assert all("a link leads out of the folder" in failure.reason for failure in result.failures)
    assert list(outside.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="links need rights")
def test_one_file_is_never_written_twice_even_with_overwrite(archive, tmp_path):
    # A link between folders does to "A/x" and "a/x" what a file system that ignores case does.
    source = rename(archive, tmp_path / "case.mset", ["A/x", "a/x"])
    out = tmp_path / "out"
    (out / "A").mkdir(parents=True)
    (out / "a").symlink_to(out / "A")
    result = extract(source, output=out, force=True)
    assert result.written == (out / "A" / "x.ply",)
    assert "is the same file as" in result.failures[0].reason


def test_names_that_cannot_both_be_files_are_failures(archive, tmp_path):
    source = rename(archive, tmp_path / "both.mset", ["a", "a.ply/b", "c"])
    result = extract(source, output=tmp_path / "out")
    assert [path.name for path in result.written] == ["a.ply", "c.ply"]
    assert "cannot be written" in result.failures[0].reason


def test_damaged_mesh_costs_only_itself(archive, tmp_path):
    with ArchiveReader(archive) as reader:
        place = reader.entries["ball"].offset + 20
    content = bytearray(archive.read_bytes())
    content[place] ^= 1
    archive.write_bytes(content)
    result = extract(archive, output=tmp_path / "out")
    assert [str(failure) for failure in result.failures] == ["ball: mesh 'ball' is damaged: its checksum is wrong"]
    assert [path.name for path in result.written] == ["Round.ply", "box.ply"]


def test_target_folder_that_is_a_file_and_unknown_format(archive, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(MeshsetError, match=r"file: folder cannot be made \(File exists\)"):
        extract(archive, output=tmp_path / "file")
    with pytest.raises(MeshsetError, match="cannot write format 'exe'"):
        extract(archive, output=tmp_path / "out", format="exe")


def test_a_mesh_that_needs_too_much_memory_does_not_keep_the_others(archive, tmp_path, monkeypatch):
    decode = raw_codec.RawDecoder.decode
    calls = []

    def hungry(self, payload):
        calls.append(payload)
        if len(calls) == 2:
            raise MemoryError
        return decode(self, payload)

    monkeypatch.setattr(raw_codec.RawDecoder, "decode", hungry)
    result = extract(archive, output=tmp_path / "out")
    assert len(result.written) == 2
    assert [str(failure) for failure in result.failures] == ["ball: not enough memory to decode mesh 'ball'"]


def test_smooth_control_meshes_come_as_fine_as_they_are_wanted(pack, models, tmp_path):
    archive = pack(models, codec="control-mesh", preset="fast").path
    with meshset.open(archive) as opened:
        faces = {level: len(opened.read("ball", levels=level).faces) for level in (0, 1, 3)}
        assert faces[1] == 4 * faces[0]
        assert faces[3] == 64 * faces[0]
        assert len(opened["ball"].faces) == 16 * faces[0]
        assert len(opened.read("box", levels=3).faces) == len(opened["box"].faces) == 12
        with pytest.raises(MeshsetError, match="levels are 0 to 3"):
            opened.read("ball", levels=4)
    extract(archive, "ball", tmp_path / "ball.ply", levels=1)
    assert len(read_mesh(tmp_path / "ball.ply").mesh.faces) == faces[1]


def test_other_meshes_come_as_they_are(archive):
    with meshset.open(archive) as opened:
        assert len(opened.read("ball", levels=0).faces) == len(opened["ball"].faces)
