"""What listing an archive on the web and reading meshes from it takes: requests and bytes, against the whole file.

The server runs on this machine, so times are not measured.

python benchmarks/cost/over_http.py sets/humans --out benchmarks/results/over_http.json
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import meshset

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import Row, command, write_json
from benchmarks.common.meshes import largest_clean
from benchmarks.common.range_server import Served, serving


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--counts", type=int, nargs="+", default=[24, 200])
    parser.add_argument("--archive", type=Path, nargs="*", default=[], help="archives to read as well")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows: dict[str, Row] = {}
    with TemporaryDirectory() as folder:
        for count in options.counts:
            path = Path(folder) / f"{count}.mset"
            meshset.compress(largest_clean(options.folder, count), path, codec="draco", progress=True)
            rows[f"{count} {options.folder.name}, draco"] = read_over_http(path)
    for path in options.archive:
        rows[path.stem] = read_over_http(path)
    write_json(options.out, command(), {"rows": rows})


def read_over_http(path: Path) -> Row:
    """Return requests and bytes of opening an archive, of its first mesh and of the next one."""
    data = path.read_bytes()
    figures: Row = {"archive_bytes": len(data)}
    with serving(Served(data)) as served, meshset.open(served.url) as archive:
        names = list(archive)
        figures["meshes"] = len(names)
        for what, name in (("listing", None), ("first mesh", names[0]), ("next mesh", names[len(names) // 2])):
            if name:
                archive[name]
            figures[what] = {"requests": len(served.asked), "bytes": sum(sent for _, sent in served.asked)}
            served.asked.clear()
    return figures


if __name__ == "__main__":
    main()
