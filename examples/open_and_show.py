"""Open an archive, list what it holds, and draw one mesh with matplotlib; without it, print a table."""

import meshset

meshset.compress(meshset.sample("models", 6), "models.mset", codec="draco", force=True)

with meshset.open("models.mset") as archive:  # a path or a URL; nothing is decoded yet
    print(f"{'name':20} {'vertices':>8} {'faces':>8}")
    for name, mesh in archive.items():
        print(f"{name:20} {len(mesh.vertices):8,} {len(mesh.faces):8,}")
    name = next(iter(archive))
    mesh = archive[name]  # this one alone is read

try:
    import matplotlib.pyplot as plt
except ImportError:
    print("with matplotlib there would be a picture, too")
else:
    axes = plt.figure().add_subplot(projection="3d")
    axes.plot_trisurf(*mesh.vertices.T, triangles=mesh.faces)
    axes.set_aspect("equal")
    plt.savefig("picture.png")
    print(f"picture.png shows {name}")
