"""Codec `mesh-group`: meshes of one connectivity, which is told once (docs/mesh-group.md)."""
