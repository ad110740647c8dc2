"""Archives on the web: as few requests as possible, and one clear line where the server does not play along."""

import pickle
import random

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("aiohttp")

import meshset
from benchmarks.common.range_server import Served, serving
from meshset.archive import ArchiveWriter
from meshset.cli.app import app
from meshset.errors import ArchiveError
from meshset.geometry import read_mesh
from meshset.remote import LEAST_TAIL, is_url, open_reader

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # connections that fsspec keeps open


@pytest.fixture
def large(tmp_path):
    """Bytes of an archive whose chunks are far from its end, with the payload of "m/3"."""
    noise = random.Random(3)
    path = tmp_path / "large.mset"
    with ArchiveWriter(path) as writer:
        box = {"lower": (0.0, 0.0, 0.0), "upper": (1.0, 1.0, 1.0)}
        counts = {"vertices": 8, "faces": 12, "source_vertices": 8, "source_faces": 12, "source_bytes": 300}
        shared = writer.add_shared(1, noise.randbytes(50_000))
        for number in range(8):
            writer.add_mesh(f"m/{number}", noise.randbytes(40_000), codec_id=1, shared=shared, **box, **counts)
        writer.finish({"codec": "necgs"})
    with open_reader(path) as reader:
        return path.read_bytes(), reader.read_payload("m/3"), reader.read_shared(0)


def test_what_is_a_url():
    assert is_url("https://example.org/a.mset")
    assert is_url("s3://bucket/a.mset")
    assert not is_url("a.mset")
    assert not is_url(b"https://example.org")


def test_the_first_mesh_takes_four_requests_and_the_next_one(large):
    data, payload, shared = large
    with serving(Served(data)) as served, open_reader(served.url) as reader:
        assert list(reader.entries) == [f"m/{number}" for number in range(8)]
        assert reader.read_shared(0) == shared
        assert reader.read_payload("m/3") == payload
        assert [method for method, _ in served.asked] == ["HEAD", "GET", "GET", "GET"]
        assert sum(sent for _, sent in served.asked) == LEAST_TAIL + len(shared) + len(payload)
        reader.read_payload("m/1")
        assert len(served.asked) == 5
        assert served.asked[-1] == ("GET", 40_000)


def test_verbs_take_urls(archive, tmp_path):
    with serving(Served(archive.read_bytes())) as served:
        assert meshset.list_meshes(served.url) == meshset.list_meshes(archive)
        assert meshset.summarise(served.url) == meshset.summarise(archive)
        assert meshset.verify(served.url).failures == ()
        result = meshset.extract(served.url, "ball", tmp_path / "ball.ply")
        assert result.failures == ()
        with meshset.open(archive) as local:
            assert np.array_equal(read_mesh(result.written[0]).mesh.faces, local["ball"].faces)


def test_commands_take_urls(archive):
    def run(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    with serving(Served(archive.read_bytes())) as served:
        assert run("list", served.url).stdout == run("list", archive).stdout
        none = served.url.replace("set.mset", "none.mset")
        missing = run("info", none)
    assert missing.exit_code != 0
    assert missing.stderr == f"meshset: error: {none}: the server answered 404 Not Found\n"


def test_a_pickled_archive_on_the_web_asks_for_nothing_again(archive):
    with serving(Served(archive.read_bytes())) as served, meshset.open(served.url) as opened:
        before = len(served.asked)
        copy = pickle.loads(pickle.dumps(opened))  # noqa: S301
        assert len(served.asked) == before
        assert np.array_equal(copy["ball"].vertices, opened["ball"].vertices)


def test_a_redirect_is_followed(archive):
    with serving(Served(archive.read_bytes(), redirect=True)) as served, meshset.open(served.url) as opened:
        assert len(opened["ball"].faces) > 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"ranges": False}, "the server does not send parts of files"),
        ({"cut": 5}, "cannot be read from the web"),
    ],
)
def test_faults_of_a_server_are_one_line(large, fault, reason):
    data, *_ = large
    with serving(Served(data, **fault)) as served, pytest.raises(ArchiveError, match=reason) as caught:
        open_reader(served.url)
    assert str(caught.value).startswith(f"{served.url}: ")
    assert "\n" not in str(caught.value)


def test_a_server_that_is_not_there_is_one_line():
    with serving(Served(b"")) as served:
        pass
    with pytest.raises(ArchiveError, match="the server cannot be reached"):
        open_reader(served.url)


@pytest.mark.parametrize(("url", "reason"), [("nope://x/a.mset", "nope"), ("s3://x/a.mset", "s3fs")])
def test_a_protocol_that_cannot_be_spoken_is_one_line(url, reason):
    pytest.importorskip("fsspec")
    with pytest.raises(ArchiveError, match=reason):
        open_reader(url)
