"""The procedural sample set as files, to try meshset without any data."""

from __future__ import annotations

import os
from pathlib import Path

from meshset.errors import MeshFileError
from meshset.geometry import write_mesh
from meshset.geometry.samples import sample_meshes
from meshset.progress import Listening, advance, reporting, stage
from meshset.vocabulary import MeshFormat


@reporting
def sample(
    folder: str | os.PathLike[str],
    count: int = 24,
    *,
    seed: int = 0,
    format: MeshFormat = "ply",
    progress: Listening = None,
) -> list[Path]:
    """Write `count` sample meshes below `folder`, which is made if it is missing, and return the files.

    Files of the same names are replaced.

    Args:
        folder: to write to.
        count: number of meshes.
        seed: another one gives other shapes.
        format: kind of files.
        progress: as that of `meshset.compress`.

    Raises:
        MeshFileError: the folder or a file cannot be written, or the format is unknown.

    >>> [file.suffix for file in sample("demo", 2)]
    ['.ply', '.ply']
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MeshFileError(f"{folder}: folder cannot be made ({error.strerror})") from None
    stage("make samples", count)
    written = []
    for name, mesh in sample_meshes(count, seed):
        written.append(folder / f"{name}.{format}")
        write_mesh(mesh, written[-1])
        advance()
    return written
