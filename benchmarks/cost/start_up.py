"""From the shell: listing an archive of 500 meshes, extracting one, and the size of a read-only install.

python benchmarks/cost/start_up.py --out benchmarks/results/start_up.json
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np

from meshset.archive import ArchiveReader, ArchiveWriter

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import command, write_json
from benchmarks.common.running import seconds

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "tests" / "data" / "gear64.mset"


def archive_of(count: int, path: Path) -> None:
    """Write an archive of `count` meshes: the one of the sample, under as many names, in as many boxes."""
    generator = np.random.default_rng(0)
    with ArchiveReader(SAMPLE) as sample, ArchiveWriter(path) as writer:
        (name,) = sample.entries
        entry, payload = sample.entries[name], sample.read_payload(name)
        shared = writer.add_shared(1, sample.read_shared(0))
        for i in range(count):
            lower, sides = generator.normal(size=3).astype(np.float32), generator.uniform(0.5, 2, 3).astype(np.float32)
            writer.add_mesh(
                f"part-{i:03}",
                payload,
                codec_id=entry.codec_id,
                shared=shared,
                lower=tuple(map(float, lower)),
                upper=tuple(map(float, lower + sides)),
                vertices=entry.vertices,
                faces=entry.faces,
                source_vertices=entry.source_vertices,
                source_faces=entry.source_faces,
                source_bytes=entry.source_bytes,
                mean_distance=float(generator.uniform(1e-3, 5e-3)),
                max_distance=float(generator.uniform(1e-2, 5e-2)),
                peak_memory=entry.peak_memory,
            )
        writer.finish(dict(sample.settings))


def install_size(folder: Path) -> dict[str, int]:
    """Return the bytes of a new environment with meshset alone, and of the same environment without anything."""
    venv.create(folder, with_pip=True)
    before = _bytes(folder)
    pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--constraint", ROOT / "constraints.txt", ROOT], check=True)
    return {"install_bytes": _bytes(folder) - before, "empty_environment_bytes": before}


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = folder / "parts.mset"
        archive_of(500, archive)
        figures = install_size(folder / "env")
        for environment, binaries in (
            ("all_extras", Path(sys.executable).parent),
            ("read_only", folder / "env" / "bin"),
        ):
            program = str(binaries / "meshset")

            def run(*arguments: str | Path, program: str = program) -> None:
                subprocess.run([program, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

            out = ("--output", folder / "out", "--format", "obj", "--force")
            figures[f"list_500_s_{environment}"] = seconds(lambda run=run: run("list", archive), 5)
            figures[f"extract_one_k64_s_{environment}"] = seconds(
                lambda run=run, out=out: run("extract", archive, "part-250", *out), 5
            )
    print(figures)
    write_json(options.out, command(), figures)


if __name__ == "__main__":
    main()
