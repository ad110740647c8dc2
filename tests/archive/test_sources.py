"""One archive read by many: threads, forked processes, spawned ones, pickle."""

import io
import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from meshset.archive import ArchiveReader
from meshset.errors import ArchiveError


def payloads(reader):
    return {name: reader.read_payload(name) for name in reader.entries}


def read_often(reader, expected, times=1000):
    names = list(expected)
    for number in range(times):
        name = names[number % len(names)]
        if reader.read_payload(name) != expected[name]:
            return f"{name} differs"
    return "equal"


@pytest.fixture(params=["path", "open file", "buffer", "slow object"])
def shared_reader(request, golden):
    """A reader over each kind of source."""
    if request.param == "path":
        source = golden
    elif request.param == "open file":
        source = golden.open("rb")
    else:
        data = golden.read_bytes()
        source = io.BytesIO(data) if request.param == "buffer" else io.BufferedReader(io.BytesIO(data))  # type: ignore[arg-type]
    with ArchiveReader(source) as reader:
        yield reader
    if request.param == "open file":
        assert not source.closed
        source.close()


def test_eight_threads_read_at_once(shared_reader):
    expected = payloads(shared_reader)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: read_often(shared_reader, expected), range(8)))
    assert found == ["equal"] * 8


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
def test_forked_processes_read_at_once(golden):
    with ArchiveReader(golden) as reader:
        expected = payloads(reader)
        with multiprocessing.get_context("fork").Pool(4) as pool:
            assert pool.starmap(read_often, [(reader, expected, 200)] * 8) == ["equal"] * 8


def test_spawned_processes_open_the_file_again(golden):
    with ArchiveReader(golden) as reader:
        expected = payloads(reader)
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            assert pool.starmap(read_often, [(reader, expected, 50)] * 4) == ["equal"] * 4


def test_a_pickled_reader_finds_its_file_from_another_folder(golden, tmp_path, monkeypatch):
    monkeypatch.chdir(golden.parent)
    with ArchiveReader(golden.name) as reader:
        packed = pickle.dumps(reader)
        expected = payloads(reader)
    monkeypatch.chdir(tmp_path)
    with pickle.loads(packed) as again:  # noqa: S301
        assert payloads(again) == expected


def test_a_buffer_is_pickled_with_its_bytes(golden):
    reader = ArchiveReader(io.BytesIO(golden.read_bytes()))
    assert payloads(pickle.loads(pickle.dumps(reader))) == payloads(reader)  # noqa: S301


def test_an_open_file_says_that_it_cannot_be_pickled(golden):
    with (
        golden.open("rb") as file,
        ArchiveReader(file) as reader,
        pytest.raises(TypeError, match="open it by its path"),
    ):
        pickle.dumps(reader)


def test_a_closed_reader_reads_no_other_file(golden, tmp_path):
    reader = ArchiveReader(golden)
    name = next(iter(reader.entries))
    reader.close()
    other = Path(tmp_path / "other")
    other.write_bytes(bytes(golden.stat().st_size))
    with other.open("rb"), pytest.raises((ArchiveError, ValueError)):
        reader.read_payload(name)
