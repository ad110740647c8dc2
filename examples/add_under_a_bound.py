"""Add meshes to an archive, none of which may be off by more than 0.2 % of its diagonal, and take one out again."""

import meshset

first, *more = meshset.sample("models", 6)
meshset.compress([first], "models.mset", codec="draco", force=True)

result = meshset.add("models.mset", more, max_error=0.002)
print(result)
for entry in result.entries:
    print(f"{entry.name:20} mean error {entry.mean_error_of_diagonal:.4%} of the diagonal")
for failure in result.failures:
    print("left out:", failure)

meshset.remove("models.mset", [more[0].stem])
print(meshset.summarise("models.mset"))
