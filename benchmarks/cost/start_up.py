"""A fresh start: from pip to the first mesh, what `import meshset` takes, and listing and extracting from the shell.

python benchmarks/cost/start_up.py --out benchmarks/results/start_up.json
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import numpy as np

from meshset.archive import ArchiveReader, ArchiveWriter

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import ROOT, Row, command, write_json
from benchmarks.common.running import seconds

SAMPLE = ROOT / "tests" / "data" / "gear64.mset"
REPEATS = 9


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


def install(folder: Path) -> Row:
    """Install a wheel of meshset alone into a new environment, extract a mesh there, and return bytes and seconds."""
    build = [sys.executable, "-m", "build", "--quiet", "--wheel", "--outdir", folder / "dist", ROOT]
    subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = (folder / "dist").iterdir()
    environment = folder / "env"
    venv.create(environment, with_pip=True)
    empty = _bytes(environment)
    pip = [environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    extract = [environment / "bin" / "meshset", "extract", SAMPLE, "--output", folder / "first"]
    start = time.perf_counter()
    subprocess.run([*pip, "--constraint", ROOT / "constraints.txt", wheel], check=True)
    installed = time.perf_counter()
    subprocess.run(extract, check=True, stdout=subprocess.DEVNULL)
    return {
        "install_bytes": _bytes(environment) - empty,
        "empty_environment_bytes": empty,
        "wheel_bytes": wheel.stat().st_size,
        "pip_install_s": installed - start,
        "pip_to_first_mesh_s": time.perf_counter() - start,
    }


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def shell_times(binaries: Path, archive: Path, out: Path) -> Row:
    """Return the seconds of commands in the environment whose programs are in `binaries`."""
    python, meshset = binaries / "python", binaries / "meshset"
    files = ("--output", out, "--format", "obj", "--force")
    commands: dict[str, list[str | Path]] = {
        "python_pass_s": [python, "-c", "pass"],
        "import_meshset_s": [python, "-c", "import meshset"],
        "list_one_s": [meshset, "list", SAMPLE],
        "list_500_s": [meshset, "list", archive],
        "extract_one_k64_s": [meshset, "extract", archive, "part-250", *files],
    }
    return {
        name: seconds(lambda words=words: subprocess.run(words, check=True, capture_output=True), REPEATS)
        for name, words in commands.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = folder / "parts.mset"
        archive_of(500, archive)
        figures = {
            "install": install(folder),
            "all extras": shell_times(Path(sys.executable).parent, archive, folder / "out"),
            "read-only": shell_times(folder / "env" / "bin", archive, folder / "out"),
        }
    print(figures)
    write_json(options.out, command(), figures)


if __name__ == "__main__":
    main()
