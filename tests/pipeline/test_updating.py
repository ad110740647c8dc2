"""Decoders that are trained further when meshes join their set."""

import pytest

import meshset
import raw_codec
from meshset.archive import ArchiveReader
from meshset.pipeline.add import add
from meshset.pipeline.summary import summarise
from meshset.pipeline.verify import verify


@pytest.fixture
def coarse(pack, models):
    """Path of an archive of a codec that codes the meshes of a set finely and those that join coarsely."""
    return pack(models, codec="coarse").path


@pytest.fixture
def new(tmp_path):
    """A folder of a ball "one" and a tetrahedron that the codec refuses."""
    raw_codec.ball(tmp_path / "new" / "one.ply", centre=(0, 3, 0))
    raw_codec.tetrahedron(tmp_path / "new" / "pointed.ply")
    return tmp_path / "new"


def test_an_update_that_pays_changes_the_whole_set(coarse, new, models):
    with ArchiveReader(coarse) as reader:
        before = dict(reader.entries)
    result = add(coarse, [new], update_decoder=True)
    assert result.decoder == "decoder updated: 3 meshes coded again from their stored form"
    assert [failure.reason for failure in result.failures] == ["raw codec takes no tetrahedra"]
    assert [entry.name for entry in result.entries] == ["one"]
    assert not result.entries[0].less_exact
    assert summarise(coarse).unused_bytes == 0
    with ArchiveReader(coarse) as reader:
        assert [reader.read_shared(i) for i in range(len(reader.shared))] == [raw_codec.SHARED + b" again"]
        assert {entry.shared for entry in reader.entries.values()} == {0}
        for name, old in before.items():
            entry = reader.entries[name]
            assert (entry.notes, entry.generation) == (old.notes, 1)
            assert old.mean_distance < entry.mean_distance < 2 * old.mean_distance
            assert entry.max_distance > old.max_distance
    assert verify(coarse, deep=True, sources=[models]).failures == ()
    again = add(coarse, [raw_codec.ball(new.parent / "two.ply")], update_decoder=True)
    assert again.decoder.startswith("decoder updated: 4 meshes")
    with ArchiveReader(coarse) as reader:
        assert {entry.generation for entry in reader.entries.values()} == {0, 1, 2}


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ({"AGAIN": 16}, "would move by"),
        ({"TRAINED": 8}, "the new meshes would have a mean error of"),
    ],
    ids=["harm", "no gain"],
)
def test_an_update_that_does_not_pay_leaves_the_decoder(coarse, new, monkeypatch, steps, reason):
    before = coarse.read_bytes()
    for name, value in steps.items():
        monkeypatch.setattr(raw_codec.CoarseCodec, name, value)
    result = add(coarse, [new], update_decoder=True)
    assert result.decoder.startswith("decoder kept: ")
    assert reason in result.decoder
    assert coarse.read_bytes()[: len(before)] == before
    with ArchiveReader(coarse) as reader:
        assert list(reader.entries) == ["animals/Round", "ball", "box", "one"]
        assert reader.read_shared(0) == raw_codec.SHARED
    assert result.entries[0].less_exact


def test_under_a_bound_an_update_must_save_bytes(coarse, new):
    result = add(coarse, [new / "one.ply"], update_decoder=True, max_error=0.002)
    assert "decoder kept: the set would take" in result.decoder
    assert result.entries[0].codec_id == 17


def test_meshes_of_a_set_keep_their_bound(pack, models, new):
    path = pack(models / "ball.ply", codec="coarse", max_error=0.00097).path
    result = add(path, [new], update_decoder=True)
    assert result.decoder == "decoder kept: ball would no longer be within its bound of 0.097%"


def test_codecs_without_a_decoder_that_learns_say_so(archive, new):
    result = add(archive, [new], update_decoder=True)
    assert result.decoder == "decoder kept: codec raw has no decoder that learns"


def test_an_interrupted_update_leaves_the_archive(coarse, new, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    before = coarse.read_bytes()
    monkeypatch.setattr(raw_codec.CoarseCodec, "retrain", interrupted)
    with pytest.raises(KeyboardInterrupt):
        add(coarse, [new], update_decoder=True)
    assert coarse.read_bytes() == before
    with meshset.open(coarse) as opened:
        assert len(opened) == 3
