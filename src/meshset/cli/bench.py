"""The commands for figures: measure systems on sets, and show what was measured."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from meshset.cli.output import guarded, hint, say
from meshset.progress.bars import showing_progress
from meshset.text import duration, printable
from meshset.vocabulary import DeviceChoice, Preset, Resolution

if TYPE_CHECKING:
    from meshset.bench.run import Job

CODECS = "necgs,draco,draco-simplified,ply-zstd,gpcc,v-pcc,pcgcv2"

BENCH_EXAMPLE = "Example: meshset bench humans/ things/ --count 24 --codecs necgs,draco-simplified --out figures/"
REPORT_EXAMPLE = "Example: meshset report figures/"


def bench(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for everything.", show_default=False)],
    sets: Annotated[list[Path] | None, typer.Argument(metavar="SET", help="Folders of meshes, one set each.")] = None,
    dataset: Annotated[
        tuple[str, Path] | None,
        typer.Option(
            metavar="KIND DIR",
            help="A published set that you have downloaded: thingi10k, amahuman, dt4d, mixed, dfaust or shapenet, and "
            "its folder.",
            show_default=False,
        ),
    ] = None,
    codecs: Annotated[str, typer.Option(help="Systems to measure, with commas between.")] = CODECS,
    count: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Meshes of each set. Of a folder with a manifest.csv: the clean ones with the most faces. Of others: "
            "evenly spaced by name, from a start that the seed sets. Of a --dataset: at random by the seed.",
            show_default="all, or the size in the papers",
        ),
    ] = None,
    points: Annotated[
        int | None,
        typer.Option(min=2, help="Points of the curves of necgs and necgs-paper, which train.", show_default="all"),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1, help="Visits of each mesh in the training of necgs and necgs-paper.", show_default="by preset"
        ),
    ] = None,
    resolution: Annotated[Resolution, typer.Option(help="Grid points of necgs along each side.")] = 64,
    preset: Annotated[Preset, typer.Option(help="How long necgs trains.")] = "fast",
    device: Annotated[
        DeviceChoice, typer.Option(help="Where to train; auto takes a CUDA GPU if there is one.")
    ] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Of training, of the choice of meshes and of samples.")] = 0,
) -> None:
    """Measure systems on sets of meshes.

    Bytes on disk, distances, F-scores, volumes and times, all in one run.

    Everything goes into --out: each point as soon as it is made, and bench.json with all figures. Repeated after an
    interrupt, the command goes on where it stopped. Systems: necgs, draco, draco-simplified, ply-zstd, and gpcc where
    tmc3 is on the PATH; v-pcc and pcgcv2 are listed as not run; necgs-paper only where --codecs names it, for it takes
    hours on a CPU.
    """
    if not sets and not dataset:
        raise typer.BadParameter("name at least one folder of meshes or a --dataset", context)
    again = "interrupted; what is done is kept, and the same command goes on"
    with guarded(interrupted=again), showing_progress():
        from meshset.bench.datasets import choose_from_dataset
        from meshset.bench.plan import plan_systems
        from meshset.bench.run import RESULT, prepare
        from meshset.bench.run import bench as run
        from meshset.bench.selection import choose_from_folder
        from meshset.cli.bench_tables import differences_table, points_table
        from meshset.codecs.protocol import Settings

        selections = [choose_from_folder(folder, count, seed) for folder in sets or []]
        if dataset:
            selections.append(choose_from_dataset(*dataset, count, seed, out / "frames"))
        settings = Settings(resolution=resolution, preset=preset, device=device, seed=seed)
        job = prepare(selections, lambda known: plan_systems(codecs.split(","), known, points, epochs), out, settings)
        for line in _plan_lines(job):
            hint(line)
        result = run(job, _command(context))
        for one in result["sets"]:
            say(points_table(one))
            say("")
            say(differences_table(one))
            say("")
        say(f"{printable(str(out / RESULT))} written; meshset report {printable(shlex.quote(str(out)))} draws the page")


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of meshset bench.", show_default=False)],
) -> None:
    """Draw a page of figures from a folder of bench.

    One HTML file with curves, errors, pictures and tables, which needs nothing but itself.
    """
    with guarded():
        from meshset.bench.report import write_report

        say(f"{printable(str(write_report(folder)))} written")


def _plan_lines(job: Job) -> list[str]:
    """Return what is about to happen, for the user to stop it."""
    from meshset.bench.plan import System

    lines = [
        f"set {one.selection.name}: {len(one.meshes)} meshes ({one.selection.rule})"
        + "".join(f"\n  left out: {line}" for line in one.left_out)
        for one in job.sets
    ]
    for system in job.systems:
        if isinstance(system, System):
            lines.append(f"{system.name}: {_points(len(system.points))}")
        else:
            lines.append(f"{system.name}: not run, {system.reason}")
    outlook = job.outlook()
    kept = f", {outlook.kept} of them on disk already" if outlook.kept else ""
    lines.append(f"{_points(outlook.points)}{kept}; about {duration(outlook.seconds)} on a CPU with nothing else to do")
    return [line for text in lines for line in text.split("\n")]


def _position(parameter: Any) -> int:
    """Sort sets first and the folder for everything last."""
    return int(parameter.param_type_name == "option") + int(parameter.required)


def _points(count: int) -> str:
    return "1 point" if count == 1 else f"{count} points"


def _command(context: typer.Context) -> str:
    """Return what was typed, without what was left to its default."""
    words = ["meshset", "bench"]
    for parameter in sorted(context.command.params, key=_position):
        name = str(parameter.name)
        source, value = context.get_parameter_source(name), context.params[name]
        if source is None or source.name == "DEFAULT":
            continue
        if parameter.param_type_name == "option":
            words.append(parameter.opts[0])
        values = value if isinstance(value, (list, tuple)) else [value]
        words += map(str, values)
    return shlex.join(words)
