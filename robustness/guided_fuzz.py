"""Coverage-guided fuzzing of one reader, beside the blind mutants of fuzz.py. Needs atheris, which is no dependency.

pip install atheris
python robustness/guided_fuzz.py index corpus/ -max_total_time=120

Targets: index (of an archive whose checksums fit), necgs and necgs-paper (shared part and one payload), control-mesh,
draco and ply-zstd (a payload), and the kinds of mesh files: ply, obj, off, stl, gltf, glb, 3mf. What is found lies in
the folder, beside the cases that reached new code. Options beyond the folder are those of libFuzzer.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

try:
    import atheris
except ImportError:
    raise SystemExit("guided fuzzing needs atheris: pip install atheris") from None

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

with atheris.instrument_imports(include=["meshset"]):
    from meshset.archive import ArchiveReader
    from meshset.codecs import codec_by_name
    from meshset.errors import MeshsetError
    from meshset.geometry.reading import read_mesh
    from robustness import archive_seeds, mesh_mutants
    from robustness.archive_mutants import chunks, deflated, sealed

CODECS = ("necgs", "necgs-paper", "control-mesh", "draco", "ply-zstd")
KINDS = ("ply", "obj", "off", "stl", "gltf", "glb", "3mf")
LENGTH = 2
"""Bytes in front of a shared part that say how long it is."""

Target = tuple[Iterable[bytes], Callable[[bytes], object]]


def index() -> Target:
    seeds = archive_seeds.seeds()
    before = chunks(seeds[-1])

    def read(data: bytes) -> object:
        return ArchiveReader(io.BytesIO(sealed(before, deflated(data), len(data))))

    return [seed.body for seed in seeds], read


def payload(name: str) -> Target:
    codec = codec_by_name(name)
    found = []
    for seed in archive_seeds.seeds()[:-1]:
        if seed.index.meshes[0].codec_id == codec.id:
            shared = b"".join(seed.shared)
            found.append(len(shared).to_bytes(LENGTH, "little") + shared + seed.payloads[0])

    def read(data: bytes) -> object:
        end = LENGTH + int.from_bytes(data[:LENGTH], "little")
        return codec.open(data[LENGTH:end]).decode(data[end:])

    return found, read


def mesh(suffix: str) -> Target:
    folder = tempfile.mkdtemp(prefix="meshset-fuzz-")
    path = Path(folder) / f"case.{suffix}"

    def read(data: bytes) -> object:
        path.write_bytes(data)
        return read_mesh(path)

    return [seed.data for seed in mesh_mutants.seeds() if seed.suffix == suffix], read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=("index", *CODECS, *KINDS))
    parser.add_argument("folder", type=Path)
    options, of_libfuzzer = parser.parse_known_args()
    target, folder = options.target, options.folder
    seeds, read = index() if target == "index" else payload(target) if target in CODECS else mesh(target)
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (folder / f"seed{number}").write_bytes(seed)

    def once(data: bytes) -> None:
        with suppress(MeshsetError):
            read(data)

    bounds = ["-timeout=5", "-rss_limit_mb=2500", f"-artifact_prefix={folder}/found-"]
    atheris.Setup([sys.argv[0], str(folder), *bounds, *of_libfuzzer], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
