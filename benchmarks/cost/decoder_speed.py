"""How much faster the narrow band is than the same network on the whole grid: one training step, and one decoding.

python benchmarks/cost/decoder_speed.py sets/things --out benchmarks/results/decoder_speed.json
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from meshset.codecs.necgs.architecture import Architecture
from meshset.codecs.necgs.decoder import decode_field
from meshset.codecs.necgs.dense import decode_dense
from meshset.codecs.necgs.examples import Example, load_example
from meshset.codecs.necgs.network import SetNetwork
from meshset.codecs.necgs.recipe import Plan, Recipe
from meshset.codecs.necgs.training import batch_losses, train
from meshset.field import Field, compute_field, extract_surface
from meshset.geometry import Mesh, Placement, read_mesh

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.common.figures import command, write_json
from benchmarks.common.meshes import largest_clean
from benchmarks.common.running import seconds

ARCHITECTURES = {
    "paper": Architecture(128, (64, 48, 32, 24, 16), hidden=0),
    "default": Architecture(128, (64, 48, 32, 24), hidden=64, crosses=True),
}


def dense_loss(network: SetNetwork, target: torch.Tensor) -> torch.Tensor:
    weights, weight_bits = network.quantised_weights()
    latent, latent_bits = network.quantised_latents([0])
    error = (decode_dense(latent, weights, network.architecture) - target).abs().mean()
    return error + 1e-6 * (weight_bits + latent_bits)


def step(network: SetNetwork, loss: torch.Tensor) -> None:
    network.zero_grad()
    loss.backward()


def measure(architecture: Architecture, field: Field, repeats: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "field.npz"
        field.save(path)
        # Trained for a while, so that what is decoded is a narrow band and not noise.
        recipe = Recipe(visits=300, epochs=1, rate_weight=1e-7, expansion_weight=3.0)
        network, _ = train([path], architecture, Plan(recipe), "cpu", 0)
        example: Example = load_example(path, architecture)
    target = torch.zeros((*(architecture.resolution,) * 3, 4))
    target[..., 0] = 1.0
    target[tuple(torch.from_numpy(field.coords).long().T)] = torch.from_numpy(
        np.column_stack([field.tsdf, field.deformation])
    )
    network.train()
    narrow_step = seconds(lambda: step(network, batch_losses(network, [0], [example], recipe).total(recipe)), repeats)
    dense_step = seconds(lambda: step(network, dense_loss(network, target)), max(repeats // 3, 1))

    latent = network.final_latent(0).values
    weights = {name: tensor.values for name, tensor in network.final_weights().items()}
    as_torch = {name: torch.from_numpy(value) for name, value in weights.items()}
    grid = np.stack(np.meshgrid(*[np.arange(architecture.resolution)] * 3, indexing="ij"), -1).reshape(-1, 3)

    def narrow_decode() -> None:
        coords, values = decode_field(latent, weights, architecture)
        extract_surface(coords, values[:, 0], architecture.resolution, values[:, 1:])

    def dense_decode() -> None:
        with torch.no_grad():
            values = decode_dense(torch.from_numpy(latent), as_torch, architecture).numpy().reshape(-1, 4)
        extract_surface(grid, values[:, 0], architecture.resolution, values[:, 1:])

    narrow, dense = seconds(narrow_decode, repeats), seconds(dense_decode, max(repeats // 3, 1))
    return {
        "parameters": architecture.parameters,
        "training_step_narrow_s": narrow_step,
        "training_step_dense_s": dense_step,
        "training_step_ratio": dense_step / narrow_step,
        "decode_narrow_s": narrow,
        "decode_dense_s": dense,
        "decode_ratio": dense / narrow,
        "points_decoded": len(decode_field(latent, weights, architecture)[0]),
    }


def band_share(field: Field) -> float:
    return float((np.abs(field.tsdf) < 1).sum() / field.resolution**3)


def typical(folder: Path) -> tuple[Mesh, Field]:
    """Return the mesh, of the 24 clean ones with the most faces, whose share of the grid in the band is the median."""
    meshes = [read_mesh(path).mesh for path in largest_clean(folder, 24)]
    fields = [compute_field(Placement.of(mesh).normalise(mesh), 128)[0] for mesh in meshes]
    middle = sorted(range(len(fields)), key=lambda i: band_share(fields[i]))[len(fields) // 2]
    return meshes[middle], fields[middle]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder of meshes; a typical clean one is used")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    mesh, field = typical(options.folder)
    figures = {name: measure(a, field, options.repeats) for name, a in ARCHITECTURES.items()}
    for name, row in figures.items():
        print(name, {key: round(value, 3) for key, value in row.items()})
    described = {"faces": len(mesh.faces), "band_share": band_share(field), "points": len(field.tsdf)}
    write_json(options.out, command([options.folder]), {**described, **figures})


if __name__ == "__main__":
    main()
