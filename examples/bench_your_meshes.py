"""Compare codecs on your own meshes: python bench_your_meshes.py [FOLDER]. It takes generated ones without a folder.

`meshset bench FOLDER` does more: curves of bytes against error, the learned codecs, and a report to look at.
"""

import sys
from pathlib import Path

import meshset
from meshset.codecs.peers.draco import DracoCodec

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("models")
if len(sys.argv) == 1:
    meshset.sample(folder, 6)

codecs = {
    "ply-zstd": "ply-zstd",
    "draco": "draco",
    "draco, a quarter of the faces": DracoCodec(quantisation=11, kept=0.25),
}
print(f"{'codec':30} {'bytes':>10} {'ratio':>7} {'mean error':>11}  of the diagonal")
for label, codec in codecs.items():
    made = meshset.compress(folder, "set.mset", codec=codec, force=True)
    summary = meshset.summarise(made.path)
    print(f"{label:30} {made.archive_bytes:10,} {summary.ratio:6.1f}x {summary.mean_error_of_diagonal:11.4%}")
