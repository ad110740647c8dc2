"""The procedural sample set as files, to try meshset without any data."""

from __future__ import annotations

import os
from pathlib import Path

from meshset.errors import MeshFileError
from meshset.geometry import write_mesh
from meshset.geometry.samples import sample_meshes
from meshset.progress import Progress, advance, reporting, stage


@reporting
def write_samples(
    folder: str | os.PathLike[str],
    count: int,
    *,
    seed: int = 0,
    file_format: str = "ply",
    progress: Progress | None = None,
) -> list[Path]:
    """Write `count` sample meshes below `folder`, which is made if it is missing, and return the files.

    Files of the same names are replaced.

    Raises:
        MeshFileError: the folder or a file cannot be written, or the format is unknown.

    >>> [file.suffix for file in write_samples("demo", 2)]
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
        written.append(folder / f"{name}.{file_format}")
        write_mesh(mesh, written[-1])
        advance()
    return written
