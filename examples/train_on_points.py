"""Train a small PointNet that tells gears from vases, on points drawn from an archive anew in each epoch."""

import numpy as np
import torch
from torch.utils.data import DataLoader, Subset

import meshset
from meshset.geometry.samples import FAMILIES
from meshset.torch import MeshSet, collate

KINDS = ["gear", "vase"]
shapes = {f"{kind}-{number}": FAMILIES[kind](np.random.default_rng(number)) for kind in KINDS for number in range(24)}
meshset.compress(shapes, "models.mset", codec="draco", force=True)


def prepare(item):
    """Move a shape into the unit ball, and take its kind from its name."""
    points = item["points"] - item["points"].mean(0)
    return {"points": points / points.norm(dim=1).max(), "kind": KINDS.index(item["name"].rpartition("-")[0])}


meshes = MeshSet("models.mset", points=256, transform=prepare)
held_out = list(range(0, len(meshes), 4))
training = DataLoader(
    Subset(meshes, sorted(set(range(len(meshes))) - set(held_out))), batch_size=8, shuffle=True, collate_fn=collate
)

torch.manual_seed(0)
each_point = torch.nn.Sequential(torch.nn.Linear(3, 64), torch.nn.ReLU(), torch.nn.Linear(64, 128), torch.nn.ReLU())
head = torch.nn.Sequential(torch.nn.Linear(128, 64), torch.nn.ReLU(), torch.nn.Linear(64, len(KINDS)))
optimiser = torch.optim.Adam([*each_point.parameters(), *head.parameters()], lr=2e-3)
for epoch in range(15):
    meshes.set_epoch(epoch)
    for batch in training:
        loss = torch.nn.functional.cross_entropy(head(each_point(batch["points"]).amax(1)), batch["kind"])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

batch = collate([meshes[index] for index in held_out])
right = head(each_point(batch["points"]).amax(1)).argmax(1) == batch["kind"]
print(f"{right.float().mean():.0%} of {len(right)} held-out shapes recognised ({' and '.join(KINDS)})")
