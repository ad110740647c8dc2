"""Names are found however Unicode spells them: keyboards type NFC, some file systems give NFD."""

import csv
import unicodedata

import pytest

import meshset
import raw_codec
from meshset.archive import ArchiveReader, ArchiveWriter
from meshset.bench.selection import choose_from_folder
from meshset.codecs.protocol import Settings
from meshset.errors import ArchiveError, MeshsetError
from meshset.pipeline.steps.collect import collect
from meshset.pipeline.steps.failures import FailureLog, NoMeshError
from meshset.pipeline.steps.prepare import MeshSpool, prepare_meshes
from meshset.pipeline.steps.resume import run_key


def composed(text):
    return unicodedata.normalize("NFC", text)


def taken_apart(text):
    return unicodedata.normalize("NFD", text)


SHORT, LONG = composed("möbel/stühle"), taken_apart("möbel/stühle")
SPELLINGS = pytest.mark.parametrize(("stored", "typed"), [(SHORT, LONG), (LONG, SHORT)], ids=["NFC", "NFD"])


@pytest.fixture
def made(tmp_path, pack):
    """Compress a ball of the given name, and a box."""

    def run(name, output="set.mset"):
        folder = tmp_path / f"models-{output}"
        raw_codec.ball(folder / f"{name}.ply")
        raw_codec.box(folder / "box.obj")
        return pack(folder, output=tmp_path / output).path, folder

    return run


@SPELLINGS
def test_an_archive_finds_both_and_keeps_what_was_given(made, stored, typed):
    with meshset.open(made(stored)[0]) as archive:
        assert list(archive) == ["box", stored]
        assert typed in archive
        assert stored in archive
        assert len(archive[typed].faces) == len(archive[stored].faces) == 320
        assert archive.entries[typed].name == archive.entries.get(typed).name == stored
        assert archive.reader.read_payload(typed) == archive.reader.read_payload(stored)
        assert typed + "x" not in archive
        assert 5 not in archive
        with pytest.raises(KeyError, match="did you mean"):
            archive[typed + "x"]


@SPELLINGS
def test_selections_find_both(made, tmp_path, stored, typed):
    path = made(stored)[0]
    folder = typed.partition("/")[0]
    for number, names in enumerate([typed, f"{folder}/", f"{folder}/*", typed.replace(typed[-2], "?")]):
        (file,) = meshset.extract(path, names, tmp_path / str(number)).written
        assert file == tmp_path / str(number) / f"{stored}.ply"
    assert meshset.remove(path, typed).removed == (stored,)


@SPELLINGS
def test_replace_keeps_the_spelling_and_add_refuses_the_other(made, tmp_path, stored, typed):
    path, _ = made(stored)
    other = raw_codec.ball(tmp_path / "other" / f"{typed}.ply", radius=2)
    with pytest.raises(NoMeshError) as refused:
        meshset.add(path, tmp_path / "other", device="cpu")
    assert "replace it" in refused.value.failures[0].reason
    assert [entry.name for entry in meshset.replace(path, [other.parents[1]], device="cpu").entries] == [stored]
    with ArchiveReader(path) as reader:
        assert list(reader.entries) == ["box", stored]


@SPELLINGS
def test_originals_are_found(made, stored, typed):
    path, folder = made(stored)
    (folder / f"{stored}.ply").rename(raw_codec.box(folder / f"{typed}.ply"))
    result = meshset.verify(path, folder)
    assert (result.failures, len(result.whole)) == ((), 2)
    assert list(meshset.evaluate(path, folder).metrics) == ["box", stored]
    assert meshset.evaluate(path, folder).failures == ()


def test_merge_refuses_both_spellings(made, tmp_path):
    first, second = made(SHORT)[0], made(LONG, "second.mset")[0]
    for path in (first, second):
        meshset.remove(path, "box")
        meshset.remove(path, [], compact=True)
    with pytest.raises(ArchiveError, match="holds a mesh named"):
        meshset.merge([first, second], tmp_path / "all.mset")


def test_files_that_differ_in_spelling_share_a_name(tmp_path, pack):
    folder = tmp_path / "models"
    names = [composed("ü"), taken_apart("ü")]
    for name in names:
        raw_codec.ball(folder / f"{name}.ply")
    if len(list(folder.iterdir())) < 2:
        pytest.skip("this file system takes them for one file")
    with meshset.open(pack(folder).path) as archive:
        assert sorted(map(len, archive)) == [len(names[1]), len(names[1]) + 2]
        assert len({composed(name) for name in archive}) == 2


def test_meshes_in_memory_cannot_have_both(tmp_path):
    box = raw_codec.box(tmp_path / "box.obj")
    with pytest.raises(MeshsetError, match="Unicode spelling"):
        meshset.compress({composed("ü"): box, taken_apart("ü"): box}, tmp_path / "set.mset", codec="raw")


def test_an_archive_that_has_both_stays_whole(made, tmp_path):
    path = tmp_path / "both.mset"
    with ArchiveReader(made(SHORT)[0]) as reader, ArchiveWriter(path) as writer:
        entry = reader.entries[SHORT]
        shared = writer.add_shared(raw_codec.RawCodec.id, raw_codec.SHARED)
        for name, payload in ((SHORT, "box"), (LONG, SHORT)):
            fields = {key: getattr(entry, key) for key in entry.__slots__ if key not in NOT_GIVEN}
            writer.add_mesh(name, reader.read_payload(payload), **{**fields, "shared": shared})
        writer.finish({})
    with meshset.open(path) as archive:
        assert [len(archive[name].faces) for name in (SHORT, LONG)] == [12, 320]
    assert meshset.extract(path, [LONG], tmp_path / "out").count == 1
    assert meshset.merge([path], tmp_path / "copy.mset").meshes == 2
    assert meshset.remove(path, [LONG], compact=True).removed == (LONG,)


NOT_GIVEN = {"name", "shared", "offset", "length", "crc32c"}


def test_an_interrupted_run_goes_on(tmp_path):
    keys = []
    for name in (SHORT, LONG):
        file = raw_codec.ball(tmp_path / f"{len(keys)}" / f"{name}.ply")
        found = collect([file.parents[1]], FailureLog(strict=True)).sources
        with MeshSpool() as spool:
            prepared = prepare_meshes(found, spool, FailureLog(strict=True))
            keys.append(run_key(prepared, SETTINGS, raw_codec.RawCodec(), {}))
    assert keys[0] == keys[1]


SETTINGS = Settings()


@SPELLINGS
def test_a_manifest_finds_files(tmp_path, stored, typed):
    raw_codec.ball(tmp_path / f"{stored}.ply")
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["file", "flag", "n_faces"], [f"{typed}.ply", "clean", 320]])
    assert [one.name for one in choose_from_folder(tmp_path, 1, 0).sources] == [stored]
