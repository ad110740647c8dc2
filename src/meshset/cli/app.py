"""The commands: options in, pipeline called, results printed."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from meshset.cli.bench import BENCH_EXAMPLE, REPORT_EXAMPLE, bench, report
from meshset.cli.options import (
    ArchiveUrl,
    AsJson,
    FittedBy,
    Frames,
    MaxDistance,
    MaxError,
    Quiet,
    Rate,
    Sources,
    TargetRatio,
    TargetSize,
    TimeBudget,
    complete_codecs,
    complete_names,
    known_codec,
)
from meshset.cli.output import EXIT_CODES, finish, guarded, hint, say, say_json, terminal_columns
from meshset.cli.sets import sets
from meshset.cli.signals import ending_softly
from meshset.pipeline.steps.failures import in_short
from meshset.progress.bars import showing_progress
from meshset.text import printable
from meshset.vocabulary import AUTO, DeviceChoice, FieldKind, MeshFormat, Preset, Resolution


class Commands(typer.core.TyperGroup):
    """The commands, in the order in which they are met."""

    ORDER = ("compress", "list", "info", "extract", "test", "check", "add", "replace", "remove", "merge", "eval")

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Return the names of all commands."""
        return [*self.ORDER, *(name for name in self.commands if name not in self.ORDER)]


app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    cls=Commands,
    help="Compress a set of 3D meshes into one small file and get every mesh back by name."
    "\n\nExample: meshset compress models/ -o models.mset",
    epilog=EXIT_CODES,
)

app.add_typer(sets)

NOT_KEPT = (
    "meshset keeps the shapes: vertex order, colours, texture coordinates and other attributes are not kept, nor are "
    "the triangles, but by codecs such as draco"
)


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        say(f"meshset {version('meshset')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    pass


def run() -> None:
    """Parse the command line and run one command."""
    app()


@app.command(epilog="Example: meshset compress models/ bunny.obj -o models.mset --target-size 500kB --time-budget 10m")
def compress(
    paths: Sources,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The archive to make; for one file or folder by default PATH.mset beside it.",
            show_default=False,
        ),
    ] = None,
    resolution: Annotated[
        Resolution, typer.Option(help="Grid points along each side; doubling it doubles the detail.")
    ] = 64,
    field: Annotated[
        FieldKind, typer.Option(help="Whether grid points may move, which keeps thin and sharp parts.")
    ] = "tsdf-def",
    objective: FittedBy = "project",
    preset: Annotated[Preset, typer.Option(help="How long to train; longer is smaller and more exact.")] = "balanced",
    codec: Annotated[
        str,
        typer.Option(
            help="Compression system; auto takes for each mesh what needs the fewest bytes.",
            callback=known_codec,
            autocompletion=complete_codecs,
        ),
    ] = AUTO,
    device: Annotated[
        DeviceChoice, typer.Option(help="Where to train; auto takes a CUDA GPU if there is one.")
    ] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same archive.")] = 0,
    max_error: MaxError = None,
    max_distance: MaxDistance = None,
    rate: Rate = 1.0,
    target_size: TargetSize = None,
    target_ratio: TargetRatio = None,
    time_budget: TimeBudget = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing archive; no other file ever is.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first file that fails.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run of the same files and settings that was interrupted.")
    ] = False,
    frames: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="Read animated glTF files as so many frames a second: fox_0000, fox_0001 and so on.",
            show_default="at rest",
        ),
    ] = None,
    json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Compress mesh files into one archive.

    The shapes are kept, not their triangles: vertex order, connectivity and attributes change. Without --max-error the
    mean error of each mesh is at most 0.1% of its diagonal, unless a --codec is named. --max-distance bounds the
    largest distance, too.

    --rate moves along the curve of bytes and error: --rate 0.25 allows four times the error and gives a much smaller
    archive. --target-size 2MB and --target-ratio 300 find the error themselves. They cannot be combined with each
    other, nor with --max-error, which decides the bytes by itself.

    --codec necgs trains one decoder for all meshes, which pays from some hundreds on. --time-budget 10m trains for ten
    minutes, in place of what the preset says, or for less where nothing more is gained; reading, preparing and
    measuring the meshes take their time besides. Ctrl-C ends training within some 20 seconds and writes the archive as
    far as it got; a second Ctrl-C gives up, and --resume goes on.
    """
    if output is None and len(paths) > 1:
        raise typer.BadParameter("several PATHs need the name of the archive: -o models.mset", param_hint="--output")
    with guarded(interrupted="interrupted, nothing written"):
        if not quiet:
            hint(NOT_KEPT)
        from meshset.pipeline.compress import compress
        from meshset.pipeline.summary import row

        with showing_progress(quiet):
            result = compress(
                paths,
                output,
                resolution=resolution,
                field=field,
                objective=objective,
                preset=preset,
                codec=codec,
                device=device,
                seed=seed,
                max_error=max_error,
                max_distance=max_distance,
                rate=rate,
                target_size=target_size,
                target_ratio=target_ratio,
                time_budget=time_budget,
                stopping=ending_softly,
                force=force,
                strict=strict,
                resume=resume,
                frames=frames,
            )
    with guarded():
        if json:
            meshes = [row(entry) for entry in result.entries]
            say_json({**asdict(result), "path": str(result.path), "entries": meshes})
        else:
            say(str(result))
        finish(result.failures)


@app.command(epilog="Example: meshset check models/ bunny.obj --resolution 128")
def check(
    paths: Sources,
    resolution: Annotated[
        Resolution | None,
        typer.Option(
            help="Also compute the field of each mesh with so many grid points a side, as codec necgs needs it.",
            show_default=False,
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Diagnose mesh files without compressing them.

    "clean" has no defect. "usable" has some; the notes say which. "refused" cannot be compressed at the resolution.

    The default and the ordinary codecs keep holes and defects as they are. Codec necgs needs a field, which closes
    them or fails: --resolution 64 says what it would make of each mesh.
    """
    with guarded():
        from meshset.pipeline.check import check

        with showing_progress():
            result = check(paths, resolution=resolution)
        if json:
            say_json(asdict(result))
        else:
            say(str(result))
        finish(result.failures)


@app.command("list", epilog="Example: meshset list models.mset")
def list_(archive: ArchiveUrl, json: AsJson = False) -> None:
    """List the meshes of an archive.

    Errors are distances between the surfaces of mesh and original, as shares of the diagonal of its bounding box. On a
    terminal long names are shortened; through a pipe they are whole, and --json has more figures.
    """
    with guarded():
        from meshset.pipeline.summary import list_meshes, row

        meshes = list_meshes(archive)
        if json:
            say_json([row(mesh) for mesh in meshes])
        else:
            say(meshes.table(terminal_columns()))


@app.command(epilog="Example: meshset info models.mset --json")
def info(archive: ArchiveUrl, json: AsJson = False) -> None:
    """Show the totals of an archive.

    Where its bytes go, how exact its meshes are, and what it was made with.
    """
    with guarded():
        from meshset.pipeline.summary import summarise

        summary = summarise(archive)
        if json:
            say_json(asdict(summary))
        else:
            say(str(summary))


@app.command(epilog="Example: meshset extract models.mset bunny 'animals/*' -o out/ --format obj")
def extract(
    archive: ArchiveUrl,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="Names, patterns, folders such as animals/ for all that is below, or walk for the frames walk_0001, "
            "walk_0002 and so on; none means all.",
            autocompletion=complete_names,
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="PATH", help="Folder to write to; for one mesh also a file, or - for stdout."
        ),
    ] = ".",
    file_format: Annotated[
        MeshFormat | None,
        typer.Option("--format", help="Kind of files to write.", show_default="by the suffix of the output, else ply"),
    ] = None,
    levels: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=3,
            help="Levels of subdivision of smooth control meshes: 0 is coarsest; others are written as they are.",
            show_default="as coded",
        ),
    ] = None,
    frames: Frames = None,
    animated: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="Write the frames of a sequence as one GLB file that moves, so many a second.",
            show_default="a file for each",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
) -> None:
    """Write meshes of an archive as files."""
    with guarded():
        from meshset.pipeline.extract import extract

        to_stdout = output == "-"
        with showing_progress():
            target = sys.stdout.buffer if to_stdout else output
            result = extract(
                archive,
                names or [],
                target,
                format=file_format,
                levels=levels,
                frames=frames,
                animated=animated,
                force=force,
            )
        if not to_stdout:
            say(str(result))
        for note in result.notes:
            hint(note)
        finish(result.failures, nothing=not result.count)


@app.command("eval", epilog="Example: meshset eval models.mset models/")
def evaluate(archive: ArchiveUrl, paths: Sources, json: AsJson = False) -> None:
    """Measure an archive against its original meshes.

    Chamfer distance, normal consistency and F-scores as in the NeCGS paper, and the mean and largest distance to the
    other surface, all in the cube [-1, 1]^3.
    """
    with guarded():
        from meshset.pipeline.evaluate import evaluate

        with showing_progress():
            result = evaluate(archive, paths)
        if json:
            say_json(asdict(result))
        else:
            say(str(result))
        finish(in_short(result.failures))


@app.command(epilog="Example: meshset fit bunny.obj -o bunny64.ply --resolution 64")
def fit(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A mesh file.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="The mesh file to write.", show_default=False)],
    resolution: Annotated[Resolution, typer.Option(help="Grid points along each side of the cube.")] = 64,
    field: Annotated[FieldKind, typer.Option(help="Whether grid points may move.")] = "tsdf-def",
    objective: FittedBy = "project",
) -> None:
    """Write what a field alone keeps of a mesh.

    Without a network: what a resolution costs.
    """
    with guarded():
        from meshset.pipeline.fit import fit

        result = fit(path, output, resolution=resolution, field=field, objective=objective)
        for note in result.notes:
            hint(note)
        say(str(result))


@app.command(epilog="Example: meshset sample demo/ --count 24 --seed 0 --format ply")
def sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write to.", show_default=False)],
    count: Annotated[int, typer.Option(min=1, help="Number of meshes.")] = 24,
    seed: Annotated[int, typer.Option(min=0, help="Another seed gives other shapes.")] = 0,
    file_format: Annotated[MeshFormat, typer.Option("--format", help="Kind of files to write.")] = "ply",
) -> None:
    """Write made-up meshes to try meshset with.

    Files of the same names are replaced.
    """
    with guarded():
        from meshset.pipeline.sample import sample

        with showing_progress():
            files = sample(folder, count, seed=seed, format=file_format)
        say(f"{len(files)} meshes written to {printable(str(folder))}")


app.command(epilog=BENCH_EXAMPLE)(bench)
app.command(epilog=REPORT_EXAMPLE)(report)
