"""Every codec of meshset: its name, its number in archives, and where its class is."""

from __future__ import annotations

CODECS: dict[str, tuple[int, str]] = {
    "necgs": (1, "meshset.codecs.necgs.codec:NecgsCodec"),
    "draco": (2, "meshset.codecs.peers.draco:DracoCodec"),
    "ply-zstd": (3, "meshset.codecs.peers.ply:PlyZstdCodec"),
    "necgs-paper": (4, "meshset.codecs.necgs_paper.codec:NecgsPaperCodec"),
    "ni": (5, "meshset.codecs.implicit.codec:NiCodec"),
    "siren": (6, "meshset.codecs.implicit.codec:SirenCodec"),
    "ffn": (7, "meshset.codecs.implicit.codec:FfnCodec"),
    "deepsdf-mesh": (8, "meshset.codecs.implicit.codec:DeepSdfMeshCodec"),
    "key-spheres": (9, "meshset.codecs.implicit.key_spheres:KeySpheresCodec"),
    "nglod": (10, "meshset.codecs.implicit.nglod:NglodCodec"),
    "qecd": (11, "meshset.codecs.peers.qecd:QecdCodec"),
    "deepsdf": (12, "meshset.codecs.latent_sdf.codec:DeepSdfCodec"),
    "sdf-8": (13, "meshset.codecs.latent_sdf.codec:Sdf8Codec"),
    "sdf-4": (14, "meshset.codecs.latent_sdf.codec:Sdf4Codec"),
    "quant-deepsdf": (15, "meshset.codecs.latent_sdf.codec:QuantDeepSdfCodec"),
    "lgcl": (16, "meshset.codecs.lgcl.codec:LgclCodec"),
    "control-mesh": (17, "meshset.codecs.control_mesh.codec:ControlMeshCodec"),
    "mesh-group": (18, "meshset.codecs.mesh_group.codec:MeshGroupCodec"),
}
"""Numbers are those of docs/SPEC.md and are never used again for another codec."""

FIRST_OF_OTHERS, LAST_OF_OTHERS = 32768, 65535
"""Numbers that codecs of other packages may take (entry points of group `GROUP`)."""

GROUP = "meshset.codecs"
