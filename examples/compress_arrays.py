"""Compress meshes that are in memory, as arrays and as trimesh objects, and get one back."""

import numpy as np
import trimesh

import meshset

vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=float)
faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])  # counter-clockwise seen from outside
meshes = {
    "corner": (vertices, faces),
    "shapes/ball": trimesh.creation.icosphere(subdivisions=3),
    "shapes/can": trimesh.creation.cylinder(radius=1, height=3),
}

# Codec "draco" takes a moment. Leave it out for the learned codec, which is smaller for many meshes and takes minutes.
result = meshset.compress(meshes, "shapes.mset", codec="draco", force=True)
print(result)

with meshset.open("shapes.mset") as archive:
    ball = archive["shapes/ball"]
print(ball.vertices.dtype, ball.vertices.shape, ball.faces.dtype, ball.faces.shape)
print("volume of the ball:", round(ball.to_trimesh().volume, 3))
