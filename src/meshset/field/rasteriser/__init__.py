"""Depth and silhouette images of a triangle mesh, differentiable in its vertices.

What each pixel sees is found without gradients, by scan conversion: a line through the centres of a row of pixels
meets a triangle in a span between two of its edges, so only pixels that a triangle covers are ever enumerated,
however large it is. Values are then computed again from the vertices of what was found, with gradients:

- depth, from the plane of the triangle seen;
- coverage at the outline, in the manner of the antialiasing of nvdiffrast (Laine et al. 2020, section 3.4): where one
  of two neighbouring pixels sees the mesh, the outline crosses the segment between their centres, and the place of
  the crossing says how much the mesh covers. The crossing edge is the one whose span reaches furthest over the gap,
  whichever triangle it belongs to, so triangles may be smaller than pixels.
"""

from meshset.field.rasteriser.cameras import Cameras, random_cameras
from meshset.field.rasteriser.shading import render, shade
from meshset.field.rasteriser.visibility import find_visible

__all__ = ["Cameras", "find_visible", "random_cameras", "render", "shade"]
