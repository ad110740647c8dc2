"""Which extensions of glTF may change the surface: those that are not read are refused or noted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshset.geometry._soup import MalformedError

INSTANCING, VISIBILITY, LEVELS = "EXT_mesh_gpu_instancing", "KHR_node_visibility", "MSFT_lod"
DRACO = "KHR_draco_mesh_compression"
MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")
_READ = {INSTANCING, VISIBILITY, LEVELS, DRACO, *MESHOPT, "KHR_mesh_quantization"}

# Looks, sound, physics and facts about parts: none moves, multiplies or hides a vertex at rest.
_HARMLESS = (
    *("KHR_materials_", "EXT_materials_", "ADOBE_materials_", "NV_materials_", "KHR_lights_", "EXT_lights_"),
    *("KHR_texture_", "EXT_texture_", "MSFT_texture_", "MSFT_packing_", "GOOGLE_texture_", "MOZ_texture_"),
    *("KHR_image_", "EXT_image_", "MOZ_lightmap", "KHR_environment_map", "KHR_audio", "KHR_animation_pointer"),
    *("KHR_xmp", "EXT_structural_metadata", "EXT_feature_metadata", "EXT_mesh_features", "EXT_instance_features"),
    *("KHR_node_selectability", "KHR_node_hoverability", "KHR_physics_", "KHR_implicit_shapes", "OMI_"),
    *("CESIUM_primitive_outline", "EXT_mesh_manifold", "EXT_mesh_primitive_edge_visibility", "FB_ngon_encoding"),
    *("FB_geometry_metadata", "AGI_stk_metadata", "MAXAR_", "GRIFFEL_bim_data", "GODOT_single_root", "VRM"),
)
_HOLDERS = ("scenes", "nodes", "meshes", "skins", "accessors", "bufferViews", "buffers")


def check_extensions(tree: dict[str, Any]) -> list[str]:
    """Return a note for each extension that may change the surface and is not read.

    Raises:
        MalformedError: if the file cannot be understood without one of them.
    """
    for name in tree.get("extensionsRequired", []):
        if name == DRACO:
            raise MalformedError("Draco-compressed glTF, which meshset does not read; decompress it first")
        if name in MESHOPT:
            raise MalformedError("meshopt-compressed glTF, which meshset does not read; decompress it first")
        if name not in _READ and not str(name).startswith(_HARMLESS):
            raise MalformedError(f"needs the glTF extension {name}, which meshset does not read")
    names = extensions_of(tree)
    return [f"glTF extension {n[:80]} ignored" for n in names if n not in _READ and not n.startswith(_HARMLESS)]


def extensions_of(tree: dict[str, Any]) -> dict[str, None]:
    """Return the names of the extensions that a file lists or uses, as keys, in order."""
    return dict.fromkeys((*map(str, tree.get("extensionsUsed", [])), *_found(tree)))


def _found(tree: dict[str, Any]) -> Iterator[str]:
    """Yield the extensions of everything that makes a surface, whether the file lists them or not."""
    yield from tree.get("extensions", {})
    for holder in _HOLDERS:
        for item in tree.get(holder, []):
            yield from item.get("extensions", {})
    for mesh in tree.get("meshes", []):
        for primitive in mesh.get("primitives", []):
            yield from primitive.get("extensions", {})
