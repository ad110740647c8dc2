"""One open archive for many readers: decoders are shared by threads, and meshes are the same everywhere."""

import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import meshset

DATA = Path(__file__).parents[1] / "data"


def same(one, other):
    return np.array_equal(one.vertices, other.vertices) and np.array_equal(one.faces, other.faces)


def decode_all(archive, expected, times):
    return all(same(archive[name], mesh) for _ in range(times) for name, mesh in expected.items())


def test_eight_threads_a_thousand_meshes_each(archive):
    with meshset.open(archive) as opened, ThreadPoolExecutor(8) as threads:
        expected = dict(opened)
        assert all(threads.map(lambda _: decode_all(opened, expected, 334), range(8)))


@pytest.mark.parametrize("file", sorted(DATA.rglob("*.mset")), ids=lambda file: file.stem)
def test_threads_share_the_decoders_of_every_codec(file):
    try:
        with meshset.open(file) as alone:
            expected = {name: alone[name] for name in list(alone)[:3]}
    except meshset.ArchiveError:
        pytest.skip("hostile")
    with meshset.open(file) as opened, ThreadPoolExecutor(4) as threads:
        assert all(threads.map(lambda _: decode_all(opened, expected, 2), range(4)))


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_processes_get_the_same_meshes(method):
    with meshset.open(DATA / "three.mset") as opened:
        expected = dict(opened)
        with multiprocessing.get_context(method).Pool(2) as pool:
            assert all(pool.starmap(decode_all, [(opened, expected, 1)] * 2))


def test_a_pickled_archive_opens_its_file_again():
    with meshset.open(DATA / "three.mset", device="cpu") as opened, pickle.loads(pickle.dumps(opened)) as copy:  # noqa: S301
        name = next(iter(opened))
        assert same(copy[name], opened[name])
        assert repr(copy) == f"<Archive {DATA / 'three.mset'}: 3 meshes>"
