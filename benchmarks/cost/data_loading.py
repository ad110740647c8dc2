"""Meshes a second through a DataLoader: from an archive, and from the same meshes as files of other kinds.

Every way gives vertices and faces as tensors, in batches of 8; files are read by trimesh as they are, .npz by numpy.
The best of several passes counts, all in one run; what matters are the ratios.

python benchmarks/cost/data_loading.py --necgs demo/models.mset --out benchmarks/results/data_loading.json
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
import trimesh
from torch.utils.data import DataLoader, Dataset

import meshset
from meshset.geometry import Mesh
from meshset.torch import MeshSet, collate

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import Row, command, write_json

WORKERS = (1, 2)
PASSES = 3


class Files(Dataset[dict[str, Any]]):
    """Mesh files, read as most training code does."""

    def __init__(self, files: list[Path], read: Callable[[Path], tuple[Any, Any]]) -> None:
        self._files, self._read = files, read

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> dict[str, Any]:
        vertices, faces = self._read(self._files[index])
        return {
            "name": self._files[index].stem,
            "vertices": torch.as_tensor(np.asarray(vertices), dtype=torch.float32),
            "faces": torch.as_tensor(np.asarray(faces), dtype=torch.int64),
        }


def by_trimesh(file: Path) -> tuple[Any, Any]:
    """Return vertices and faces of a mesh file."""
    mesh = trimesh.load(file, force="mesh", process=False)
    return mesh.vertices, mesh.faces


def by_numpy(file: Path) -> tuple[Any, Any]:
    """Return the arrays of an .npz file."""
    with np.load(file) as arrays:
        return arrays["vertices"], arrays["faces"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=48, help="of generated meshes")
    parser.add_argument("--necgs", type=Path, help="an archive of codec necgs; it holds other meshes")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows: dict[str, Row] = {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        files = meshset.sample(folder / "ply", options.count)
        made = meshset.compress(files, folder / "set.mset", codec="draco", progress=True)
        measured(rows, "archive, draco", MeshSet(made.path), made.archive_bytes)
        # Files hold what the archive gives, so that all of them have the same faces.
        with meshset.open(made.path) as archive:
            for kind in ("obj", "ply", "glb", "npz"):
                written = written_as(kind, dict(archive), folder / f"as-{kind}")
                size = sum(file.stat().st_size for file in written)
                measured(rows, kind, Files(written, by_numpy if kind == "npz" else by_trimesh), size)
    if options.necgs:
        measured(rows, "archive, necgs", MeshSet(options.necgs), options.necgs.stat().st_size)
    write_json(options.out, command(), {"count": options.count, "batch": 8, "passes": PASSES, "rows": rows})


def written_as(kind: str, meshes: dict[str, Mesh], folder: Path) -> list[Path]:
    """Write meshes as files of one kind."""
    folder.mkdir()
    files = [folder / f"{name}.{kind}" for name in meshes]
    for file, mesh in zip(files, meshes.values(), strict=True):
        if kind == "npz":
            np.savez_compressed(file, vertices=mesh.vertices, faces=mesh.faces)
        else:
            mesh.to_trimesh().export(file)
    return files


def measured(rows: dict[str, Row], label: str, meshes: Dataset[dict[str, Any]], size: int) -> None:
    """Note the rates of a data set and print them."""
    count = len(meshes)  # type: ignore[arg-type]
    faces = sum(len(meshes[index]["faces"]) for index in range(count))
    rates = {str(workers): round(best_rate(meshes, workers), 1) for workers in WORKERS}
    rows[label] = {"meshes": count, "faces": faces, "bytes": size, "meshes_per_second": rates}
    print(label, rows[label], flush=True)


def best_rate(meshes: Dataset[dict[str, Any]], workers: int) -> float:
    """Return meshes a second of the best pass; workers live on, so that starting them does not count."""
    loader = DataLoader(
        meshes, batch_size=8, num_workers=workers, persistent_workers=True, collate_fn=collate, shuffle=True
    )
    rates = []
    for _ in range(1 + PASSES):  # the first one starts the workers
        started = time.perf_counter()
        seen = sum(len(batch["name"]) for batch in loader)
        rates.append(seen / (time.perf_counter() - started))
    return max(rates[1:])


if __name__ == "__main__":
    main()
