"""Control meshes: few vertices that make a smooth or a flat surface; docs/control-mesh.md."""
