"""Makes the golden group: python -m tests.codecs.mesh_group.golden

To be run again only where the format changes on purpose, before any release that writes it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from meshset.codecs.mesh_group.decoding import GroupDecoder
from meshset.codecs.protocol import CodedMesh
from tests.codecs.mesh_group import families

GOLDEN = Path(__file__).parents[2] / "data" / "mesh_group"


def digest(decoder: GroupDecoder, payload: bytes) -> str:
    """Return the hash of the control points and faces of a payload."""
    control = decoder.control(payload)
    told = control.points.astype("<i8").tobytes() + np.ascontiguousarray(control.faces, dtype="<i8").tobytes()
    return hashlib.sha256(told).hexdigest()


def main() -> None:
    meshes = families.poses(5)
    meshes += [families.turned(meshes[1], 2, mirrored=True), families.shuffled(meshes[3], 1, flipped=True)]
    coded = families.coded(meshes, 1e-3)
    payloads = [one.payload for one in coded.meshes if isinstance(one, CodedMesh)]
    decoder = GroupDecoder(coded.shared)
    GOLDEN.mkdir(exist_ok=True)
    (GOLDEN / "shared.bin").write_bytes(coded.shared)
    (GOLDEN / "payloads.txt").write_text("".join(f"{one.hex()} {digest(decoder, one)}\n" for one in payloads))


if __name__ == "__main__":
    main()
